"""The AWS side over HTTP: empty copies of a local stack's tables and queues, for code run here.

The deployed functions work on the originals, so nothing but the test touches the copies. Those are
made once a stack and emptied for each test, which is quicker than making them anew.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any
from unittest import mock

import boto3

from infra.local.stack import LocalStack
from tests.support.process import forget_everything

INDEX = ("IndexName", "KeySchema", "Projection")
# What a deployed function has for its own dependencies.
NOT_COPIED = {"PYTHONPATH"}
DELETES_AT_ONCE = 25


@contextmanager
def ministack_cloud(stack: LocalStack, **settings: str) -> Iterator[dict[str, str]]:
    """An empty cloud; the environment names its parts, as the API function's does."""
    environment = _copied(stack)
    _empty(stack)
    with mock.patch.dict(os.environ, {**environment, **settings}):
        _forget()
        yield environment
    _forget()


def _forget() -> None:
    boto3.setup_default_session()
    forget_everything()


@cache
def _copied(stack: LocalStack) -> dict[str, str]:
    """The API function's environment, with tables and queues like its own instead of those."""
    environment = {k: v for k, v in stack.environment("APIHandler").items() if k not in NOT_COPIED}
    for variable, name in environment.items():
        if variable.endswith("_TABLE"):
            environment[variable] = _copy_table(stack, variable, name)
        if variable.endswith("_QUEUE"):
            created = _client(stack, "sqs").create_queue(QueueName=variable)
            environment[variable] = created["QueueUrl"]
    return environment


def _copy_table(stack: LocalStack, variable: str, name: str) -> str:
    client = _client(stack, "dynamodb")
    table = client.describe_table(TableName=name)["Table"]
    indexes = [
        {part: index[part] for part in INDEX} for index in table.get("GlobalSecondaryIndexes", ())
    ]
    client.create_table(
        TableName=variable,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=table["KeySchema"],
        AttributeDefinitions=table["AttributeDefinitions"],
        **({"GlobalSecondaryIndexes": indexes} if indexes else {}),
    )
    return variable


def _empty(stack: LocalStack) -> None:
    for variable, value in _copied(stack).items():
        if variable.endswith("_TABLE"):
            empty_table(_client(stack, "dynamodb"), value)
        if variable.endswith("_QUEUE"):
            _client(stack, "sqs").purge_queue(QueueUrl=value)


def empty_table(client: Any, table: str) -> None:
    keys = "pk, sk"
    pages = client.get_paginator("scan").paginate(TableName=table, ProjectionExpression=keys)
    items = pages.build_full_result()["Items"]
    for start in range(0, len(items), DELETES_AT_ONCE):
        _delete(client, table, items[start : start + DELETES_AT_ONCE])


def _delete(client: Any, table: str, keys: Sequence[Any]) -> None:
    requests = [{"DeleteRequest": {"Key": key}} for key in keys]
    assert not client.batch_write_item(RequestItems={table: requests})["UnprocessedItems"]


@cache
def _client(stack: LocalStack, service: str) -> Any:
    return stack.client(service)
