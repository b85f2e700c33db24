"""Everything a cloud holds, for proving that something changed nothing."""

from collections.abc import Mapping
from typing import Any

import boto3


def snapshot(environment: Mapping[str, str]) -> dict[str, Any]:
    """All items by table, and how many messages wait by queue."""
    return {
        name: _items(value) if name.endswith("_TABLE") else _waiting(value)
        for name, value in environment.items()
        if name.endswith(("_TABLE", "_QUEUE"))
    }


def _items(table: str) -> list[str]:
    pages = boto3.client("dynamodb").get_paginator("scan").paginate(TableName=table)
    return sorted(str(sorted(item.items())) for page in pages for item in page["Items"])


def _waiting(queue: str) -> int:
    answer = boto3.client("sqs").get_queue_attributes(
        QueueUrl=queue, AttributeNames=["ApproximateNumberOfMessages"]
    )
    return int(answer["Attributes"]["ApproximateNumberOfMessages"])
