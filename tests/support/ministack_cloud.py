"""The AWS side over HTTP: empty copies of a local stack's tables and queues, for code run here.

The deployed functions work on the originals, so nothing but the test touches the copies.
"""

import os
from collections.abc import Iterator, Mapping
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


@contextmanager
def ministack_cloud(stack: LocalStack, **settings: str) -> Iterator[dict[str, str]]:
    """A new, empty cloud; the environment names its parts, as the API function's does."""
    tables, queues = _tables(stack), _queues(stack)
    environment = {**_deployed(stack), **tables, **queues}
    try:
        with mock.patch.dict(os.environ, {**environment, **settings}):
            _forget()
            yield environment
    finally:
        _forget()
        _delete(stack, tables, queues)


def _forget() -> None:
    boto3.setup_default_session()
    forget_everything()


def _delete(stack: LocalStack, tables: Mapping[str, str], queues: Mapping[str, str]) -> None:
    dynamodb, sqs = stack.client("dynamodb"), stack.client("sqs")
    for name in tables.values():
        dynamodb.delete_table(TableName=name)
    for url in queues.values():
        sqs.delete_queue(QueueUrl=url)


@cache
def _deployed(stack: LocalStack) -> dict[str, str]:
    environment = stack.environment("APIHandler")
    return {name: value for name, value in environment.items() if name not in NOT_COPIED}


def _tables(stack: LocalStack) -> dict[str, str]:
    client = stack.client("dynamodb")
    for table in _described(stack):
        client.create_table(**table)
    return {table["TableName"]: table["TableName"] for table in _described(stack)}


@cache
def _described(stack: LocalStack) -> list[dict[str, Any]]:
    """What makes a table like each deployed one, under the name of its variable."""
    client = stack.client("dynamodb")
    return [
        _like(variable, client.describe_table(TableName=name)["Table"])
        for variable, name in _deployed(stack).items()
        if variable.endswith("_TABLE")
    ]


def _like(name: str, table: dict[str, Any]) -> dict[str, Any]:
    indexes = [
        {part: index[part] for part in INDEX} for index in table.get("GlobalSecondaryIndexes", ())
    ]
    return {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": table["KeySchema"],
        "AttributeDefinitions": table["AttributeDefinitions"],
        **({"GlobalSecondaryIndexes": indexes} if indexes else {}),
    }


def _queues(stack: LocalStack) -> dict[str, str]:
    client = stack.client("sqs")
    return {
        variable: client.create_queue(QueueName=variable)["QueueUrl"]
        for variable in _deployed(stack)
        if variable.endswith("_QUEUE")
    }
