"""The template on the local cloud: what the gateway answers, and what the roles allow."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from infra.local.cloud import REGION
from infra.local.credentials import token
from infra.local.stack import LocalStack, local_stack, up


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    with local_stack() as deployed:
        yield deployed


def test_the_api_answers(stack: LocalStack) -> None:
    status, headers, _ = call(stack, "GET", "/health")
    assert status == 200
    assert headers["X-Request-Id"]


def test_a_token_of_the_local_issuer_is_believed(stack: LocalStack) -> None:
    bearer = {"Authorization": f"Bearer {token('operator', 'op', port=stack.port)}"}
    status, _, _ = call(stack, "GET", "/v1/cases", bearer)
    assert status == 200


@pytest.mark.parametrize("credentials", [{}, {"Authorization": "Bearer forged"}])
def test_without_good_credentials_the_gateway_answers_401(
    stack: LocalStack, credentials: Mapping[str, str]
) -> None:
    status, headers, document = call(stack, "GET", "/v1/orders", credentials)
    assert (status, document["code"]) == (401, "unauthenticated")
    assert headers["Content-Type"] == "application/problem+json"
    assert headers["X-Request-Id"]


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/nothing"), ("DELETE", "/v1/orders")])
def test_an_unknown_path_or_method_is_not_there(stack: LocalStack, method: str, path: str) -> None:
    status, headers, document = call(stack, method, path)
    assert (status, document["code"]) == (404, "not_found")
    assert headers["Content-Type"] == "application/problem+json"


def test_a_function_cannot_do_what_its_role_does_not_name(stack: LocalStack) -> None:
    item = {"pk": {"S": "sup_x"}, "sk": {"S": "x"}}
    parties = stack.resource("PartiesTable")
    dynamodb = client_of(stack, "Authorizer", "dynamodb")
    assert "Item" not in dynamodb.get_item(TableName=parties, Key=item)
    with pytest.raises(ClientError, match="AccessDenied"):
        dynamodb.put_item(TableName=parties, Item=item)
    with pytest.raises(ClientError, match="AccessDenied"):
        dynamodb.get_item(TableName=stack.resource("OrderingTable"), Key=item)


def test_bringing_the_stack_up_again_keeps_its_data(stack: LocalStack) -> None:
    table = stack.resource("CasesTable")
    key = {"pk": {"S": "cas_kept"}, "sk": {"S": "x"}}
    stack.client("dynamodb").put_item(TableName=table, Item=key)
    assert up(stack.cloud) == stack
    assert stack.client("dynamodb").get_item(TableName=table, Key=key)["Item"] == key


def call(
    stack: LocalStack, method: str, path: str, headers: Mapping[str, str] | None = None
) -> tuple[int, Mapping[str, str], Any]:
    request = urllib.request.Request(
        stack.base_url + path, headers=dict(headers or {}), method=method
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, dict(answer.headers), json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), json.load(error)


def client_of(stack: LocalStack, function: str, service: str) -> Any:
    """A client with the credentials that a function's role gives."""
    role = stack.client("iam").get_role(RoleName=stack.resource(f"{function}Role"))["Role"]["Arn"]
    given = stack.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    return boto3.client(
        service,
        endpoint_url=stack.cloud.endpoint,
        region_name=REGION,
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )
