"""The short way to moto answers what the long way does."""

from collections.abc import Iterator
from typing import Any
from unittest import mock

import boto3
import pytest
from botocore.endpoint import Endpoint
from botocore.exceptions import ClientError

from tests.support import moto_cloud

Json = dict[str, Any]
LONG_WAY = mock.patch.object(moto_cloud, "answered", return_value=None)
KEY = {"pk": {"S": "a"}, "sk": {"S": "1"}}
ITEM = {
    **KEY,
    "n": {"N": "7"},
    "bytes": {"B": b"\x00\xff"},
    "list": {"L": [{"M": {"deep": {"SS": ["x", "y"]}}}, {"NULL": True}, {"BOOL": False}]},
}


@pytest.fixture(autouse=True, params=["moto"])
def environment() -> Iterator[dict[str, str]]:
    with moto_cloud.moto_cloud() as made:
        yield made


def asked() -> list[Any]:
    """What is answered to reads and writes of every kind, without what differs by the call."""
    client = boto3.client("dynamodb")
    table = {"TableName": "Ordering"}
    other = {"pk": {"S": "a"}, "sk": {"S": "2"}}
    change: Json = {
        **table,
        "Key": KEY,
        "UpdateExpression": "SET n = n + :one",
        "ConditionExpression": "n = :was",
        "ExpressionAttributeValues": {":one": {"N": "1"}, ":was": {"N": "7"}},
    }
    condition = {"KeyConditionExpression": "pk = :pk"}
    values = {"ExpressionAttributeValues": {":pk": {"S": "a"}}}
    return [
        told(client.put_item, **table, Item=ITEM),
        told(client.transact_write_items, TransactItems=[{"Update": change}, put(other)]),
        told(
            client.transact_write_items,
            TransactItems=[put({**other, "late": {"S": "x"}}), {"Update": change}],
        ),
        told(client.get_item, **table, Key=other),
        told(client.query, **table, **condition, **values, Limit=1),
        told(client.query, **table, **condition, **values, ScanIndexForward=False),
        told(client.batch_get_item, RequestItems={"Ordering": {"Keys": [KEY, other]}}),
        told(client.delete_item, **table, Key=other, ReturnValues="ALL_OLD"),
        told(client.scan, **table),
    ]


def put(item: Json) -> Json:
    return {"Put": {"TableName": "Ordering", "Item": item}}


def told(call: Any, **parameters: Any) -> Json:
    try:
        answer = call(**parameters)
    except ClientError as refused:
        answer = refused.response
    return {name: said for name, said in answer.items() if name != "ResponseMetadata"}


def test_the_short_way_answers_as_the_long_one() -> None:
    short = asked()
    boto3.client("dynamodb").delete_item(TableName="Ordering", Key=KEY)
    with LONG_WAY:
        assert asked() == short
    assert short[2]["Error"]["Code"] == "TransactionCanceledException"
    assert "late" not in short[3]["Item"]


def test_the_short_way_is_taken() -> None:
    with mock.patch.object(Endpoint, "_get_response") as sent:
        boto3.client("dynamodb").get_item(TableName="Ordering", Key=KEY)
    sent.assert_not_called()
