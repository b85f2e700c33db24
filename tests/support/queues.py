"""What waits in the queues of the cloud that the environment names."""

import json
from typing import Any

import boto3

from chalicelib.platform.settings import required


def waiting(queue: str) -> list[Any]:
    """Take all messages out of a queue, such as `DISPATCH_CREATE`."""
    client, url = boto3.client("sqs"), required(f"{queue}_QUEUE")
    taken = []
    while found := client.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in found:
            client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            taken.append(json.loads(message["Body"]))
    return taken
