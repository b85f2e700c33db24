"""The AWS side in this process's memory: the template's own tables, queues and secrets.

It stands where botocore's clients would begin to send, so PynamoDB's models, its transactions and
every retry above it are the real ones. One call is answered at a time, as if each were an instant.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import Any, Protocol
from unittest import mock

import boto3
import yaml
from botocore.client import BaseClient
from pynamodb.connection import Connection

from infra.template.functions import variable
from tests.support.aws_calls import answered_here
from tests.support.memory.dynamodb import DynamoDB
from tests.support.memory.errors import Refused
from tests.support.memory.secrets import Secrets
from tests.support.memory.sqs import Sqs
from tests.support.memory.tables import Index, Keys
from tests.support.moto_cloud import BASE, FEWER, PARTITIONS, QUEUES, SECRETS, TEMPLATE
from tests.support.process import forget_everything

Json = dict[str, Any]
TABLE_KEYS = Keys("pk", "sk")


class Service(Protocol):
    def answer(self, operation: str, asked: Json) -> Json: ...


class MemoryCloud:
    """Services by the name that boto3 gives them; `now` is their time in seconds."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self.dynamodb, self.sqs, self.secrets = DynamoDB(now), Sqs(now), Secrets()
        self._services: dict[str, Service] = {
            "dynamodb": self.dynamodb,
            "sqs": self.sqs,
            "secretsmanager": self.secrets,
        }
        self._one_at_a_time = threading.Lock()

    def answer(self, client: BaseClient, operation: str, asked: Json) -> Json:
        """What the client's service answers. Raises what botocore would."""
        service = self._services[client.meta.service_model.service_name]
        try:
            with self._one_at_a_time:
                return service.answer(operation, asked)
        except Refused as refused:
            answer = {
                "Error": {"Code": refused.code, "Message": refused.message},
                "ResponseMetadata": {"HTTPStatusCode": 400},
                **refused.more,
            }
            raise client.exceptions.from_code(refused.code)(answer, operation) from refused

    def parts(self) -> dict[str, str]:
        """Make its tables, queues and secrets; the environment that names them."""
        return self._tables() | self._queues() | self._secrets()

    def _tables(self) -> dict[str, str]:
        for name, indexes in _described().items():
            made = [Index(each, Keys(*keys), keys_only) for each, keys, keys_only in indexes]
            self.dynamodb.add_table(name, TABLE_KEYS, made)
        return {variable(f"{name}Table"): name for name in _described()}

    def _queues(self) -> dict[str, str]:
        names = [*QUEUES, *(f"{name}_DEAD_LETTER" for name in (*QUEUES, "SCHEDULES"))]
        made = {name: self.sqs.create_queue({"QueueName": name.lower()}) for name in names}
        return {f"{name}_QUEUE": answer["QueueUrl"] for name, answer in made.items()}

    def _secrets(self) -> dict[str, str]:
        made = {name: self.secrets.create(name, value) for name, value in SECRETS.items()}
        return {name: answer["ARN"] for name, answer in made.items()}


_open: list[MemoryCloud] = []
_opening = threading.Lock()
_clients: dict[str, Any] = {}


@contextmanager
def memory_cloud(
    now: Callable[[], float] = time.time, /, **settings: str
) -> Iterator[dict[str, str]]:
    """A new, empty cloud; the environment names its parts, as Lambda's does. One at a time."""
    cloud = MemoryCloud(now)
    with ExitStack() as stack:
        stack.enter_context(_alone(cloud))
        stack.enter_context(answered_here())
        stack.enter_context(mock.patch.dict(os.environ, {**BASE, **settings}))
        stack.enter_context(_clients_of_the_cloud())
        environment = cloud.parts()
        os.environ.update(environment)
        forget_everything()
        for partitions in PARTITIONS:
            stack.enter_context(mock.patch(partitions, FEWER))
        yield environment
    forget_everything()


def the_cloud() -> MemoryCloud:
    """The one that is open."""
    return _open[0]


@contextmanager
def _alone(cloud: MemoryCloud) -> Iterator[None]:
    if not _opening.acquire(blocking=False):
        raise RuntimeError("another cloud is still there")
    _open.append(cloud)
    try:
        yield
    finally:
        _open.remove(cloud)
        _opening.release()


@contextmanager
def _clients_of_the_cloud() -> Iterator[None]:
    """All of boto3's clients, and PynamoDB's, are answered by the cloud that is open."""
    make, making = boto3.Session.client, threading.Lock()

    def client(service: str) -> Any:
        with making:
            if service not in _clients:
                made = _clients[service] = make(boto3.Session(), service)
                made.answer_here = lambda *asked: _open[0].answer(made, *asked)
            return _clients[service]

    def of_session(_: boto3.Session, service: str, **__: Any) -> Any:
        return client(service)

    def of_connection(_: Connection) -> Any:
        return client("dynamodb")

    with (
        mock.patch.object(boto3.Session, "client", of_session),
        mock.patch.object(Connection, "client", property(of_connection)),
    ):
        yield


@cache
def _described() -> dict[str, list[tuple[str, tuple[str, str], bool]]]:
    """Of each table of the template its indexes: name, keys, and whether it has keys alone."""
    described = yaml.safe_load((TEMPLATE / "tables.yml").read_text())
    return {
        name: [
            (index, (hash_key, range_key), projection == "KEYS_ONLY")
            for index, (hash_key, range_key, projection) in table.get("indexes", {}).items()
        ]
        for name, table in described.items()
    }
