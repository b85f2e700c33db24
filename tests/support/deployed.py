"""Tuan as it is deployed: callers over HTTP, and a look behind the gateway."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
from standardwebhooks import Webhook

from infra.local import credentials
from infra.local.stack import LocalStack
from tests.support.events import sample, sqs_event
from tests.support.gateway import Answer, Gateway
from tests.support.ministack_cloud import empty_table
from tests.support.world import Issuer, Json, World, workers

REST_SECONDS = 60
POLL_SECONDS = 0.1
COUNTS = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")


class DeployedGateway(Gateway):
    """The gateway of a stack, with nothing of the application in this process."""

    def __init__(self, stack: LocalStack) -> None:
        self._http = httpx.Client(base_url=stack.base_url, timeout=60, trust_env=False)
        # By which the gateway chooses: a test that wants one sends it.
        del self._http.headers["Accept"]

    def request(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        answer = self._http.request(method, path.lstrip("/"), headers=dict(headers), content=body)
        return Answer(answer.status_code, dict(answer.headers), answer.text, answer.content)

    def close(self) -> None:
        self._http.close()


class StackIssuer(Issuer):
    """Whose tokens the stack believes."""

    def __init__(self, stack: LocalStack) -> None:
        self._stack = stack

    def token(self, role: str, sub: str, **claims: Any) -> str:
        return credentials.token(role, sub, port=self._stack.port)


class DeployedWorld(World):
    """The same short words, for the packaged functions on a local stack."""

    def __init__(self, stack: LocalStack, gateway: DeployedGateway) -> None:
        self.stack = stack
        self._sqs, self._dynamodb = stack.client("sqs"), stack.client("dynamodb")
        self._lambda = stack.client("lambda")
        super().__init__(gateway, StackIssuer(stack), stack.environment("APIHandler"))

    def start_empty(self) -> None:
        """Take away all that earlier tests have left, but no function."""
        for name, value in self.environment.items():
            if name.endswith("_QUEUE"):
                self._sqs.purge_queue(QueueUrl=value)
            if name.endswith("_TABLE"):
                empty_table(self._dynamodb, value)

    def signed(self, event_id: str, body: str, at: float) -> dict[str, str]:
        signer, instant = Webhook(credentials.provider_key(self.stack)), int(at)
        return {
            "webhook-id": event_id,
            "webhook-timestamp": str(instant),
            "webhook-signature": signer.sign(event_id, datetime.fromtimestamp(instant, UTC), body),
        }

    def messages(self, queue: str) -> list[Json]:
        url = self.environment[f"{queue}_QUEUE"]
        taken: list[Json] = []
        while found := self._receive(url):
            for message in found:
                self._sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                taken.append(json.loads(message["Body"]))
        return taken

    def _receive(self, url: str) -> list[Json]:
        answer = self._sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        messages: list[Json] = answer.get("Messages", [])
        return messages

    def work(self) -> None:
        """Wait until the functions have nothing left to do."""
        until(lambda: self.waiting() == 0 and not self.items("OUTBOX"), "the queues are empty")

    def waiting(self, *queues: str) -> int:
        """How many messages lie in these queues, or in all of them, or are being worked on."""
        return sum(self._count(queue) for queue in queues or tuple(workers()))

    def _count(self, queue: str) -> int:
        url = self.environment[f"{queue}_QUEUE"]
        answer = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(COUNTS))
        return sum(int(answer["Attributes"][name]) for name in COUNTS)

    def items(self, table: str) -> list[Json]:
        """All of a table, as DynamoDB has it."""
        name = self.environment[f"{table}_TABLE"]
        pages = self._dynamodb.get_paginator("scan").paginate(TableName=name)
        items: list[Json] = pages.build_full_result()["Items"]
        return items

    def change(self, table: str, pk: str, sk: str, **values: str | int) -> None:
        """Set attributes of an item behind the application's back, as time does."""
        self._dynamodb.update_item(
            TableName=self.environment[f"{table}_TABLE"],
            Key={"pk": {"S": pk}, "sk": {"S": sk}},
            UpdateExpression="SET " + ", ".join(f"{name} = :{name}" for name in values),
            ConditionExpression="attribute_exists(pk)",
            ExpressionAttributeValues={
                f":{name}": {"N": str(value)} if isinstance(value, int) else {"S": value}
                for name, value in values.items()
            },
        )

    def invoke(self, function: str, *messages: Json, receive_count: int = 1) -> None:
        """Run a deployed function now: a schedule's, or a worker with these messages."""
        usual = sample("outbox_sweep")
        event = sqs_event(*messages, receive_count=receive_count) if messages else usual
        answer = self._lambda.invoke(
            FunctionName=self.stack.resource(function), Payload=json.dumps(event).encode()
        )
        said = answer["Payload"].read()
        assert "FunctionError" not in answer, said
        assert json.loads(said) in (None, {"batchItemFailures": []}), said

    @contextmanager
    def without(self, function: str) -> Iterator[None]:
        """While this lasts, the messages of a worker stay in its queue."""
        name = self.stack.resource(function)
        found = self._lambda.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
        mappings = [each["UUID"] for each in found if each["FunctionArn"].endswith(f":{name}")]
        assert len(mappings) == 1
        self._lambda.update_event_source_mapping(UUID=mappings[0], Enabled=False)
        try:
            yield
        finally:
            self._lambda.update_event_source_mapping(UUID=mappings[0], Enabled=True)


def until(holds: Callable[[], bool], what: str, seconds: float = REST_SECONDS) -> None:
    """Wait for something that others do."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"after {seconds} s still not: {what}"
        time.sleep(POLL_SECONDS)
