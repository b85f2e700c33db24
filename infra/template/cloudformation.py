"""The words of CloudFormation and IAM that the other modules speak."""

from collections.abc import Iterable
from typing import Any

Json = dict[str, Any]
Resources = dict[str, Json]
KEPT_IN_PRODUCTION: Json = {"Fn::If": ["Production", "Retain", "Delete"]}


def arn(logical_id: str) -> Json:
    return {"Fn::GetAtt": [logical_id, "Arn"]}


def only_if(condition: str | None, value: Any) -> Any:
    return {"Fn::If": [condition, value, {"Ref": "AWS::NoValue"}]} if condition else value


def policy_document(of: list[Json]) -> Json:
    return {"Version": "2012-10-17", "Statement": of}


def allow(service: str, actions: Iterable[str], resources: list[Json]) -> Json:
    return {
        "Effect": "Allow",
        "Action": [f"{service}:{action}" for action in actions],
        "Resource": resources,
    }
