"""The AWS side in this process: moto with the template's own tables, queues and secrets.

moto is not safe under threads (a correct conditional decrement oversells), so one lock stands
around every call that botocore sends. Making clients, tables and queues takes longer than most
tests do, so those made once serve every cloud, and are emptied for the next.
"""

import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import boto3
import botocore.endpoint
import botocore.session
import yaml
from botocore.exceptions import ClientError
from botocore.useragent import UserAgentString
from moto import mock_aws
from moto.backends import get_backend
from moto.core import models
from moto.core.model_instances import reset_model_data
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb import responses
from pynamodb.connection import Connection

from infra.template.functions import variable
from tests.support.moto_direct import answered, without_detours
from tests.support.process import forget_everything

TEMPLATE = Path(__file__).resolve().parents[2] / "infra" / "template"
QUEUES = (
    "DISPATCH_CREATE",
    "CAMPAIGN_ORDERS",
    "REFUND_EXECUTE",
    "WEBHOOK_FAN_OUT",
    "WEBHOOK_ATTEMPT",
    "WEBHOOK_SLOW",
    "WEBHOOK_RECOVER",
    "WEBHOOK_REPLAY",
    "PLAN_SIMULATE",
    "SETTLEMENT_LIST",
    "SETTLEMENT_SETTLE",
    "PAYOUT_PAGE",
    "RECONCILE",
)
# DynamoDB's limit for reading together, as for writing; moto still has an older one.
ITEMS_AT_MOST = 100
# A list asks each partition of its index, for which moto takes long; three show as well as
# sixty-four that their answers are put together.
PARTITIONS = (
    "chalicelib.ordering.store.LISTING_SHARDS",
    "chalicelib.ordering.store.DUE_SHARDS",
    "chalicelib.dispatch.store.SHARDS",
    "chalicelib.ledger.store.BOOK_SHARDS",
    "chalicelib.webhooks.store.SHARDS",
)
FEWER = 3
BASE = {
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "STAGE": "test",
    "COMMISSION_HOLD_DAYS": "7",
    "ALLOW_LOOPBACK_WEBHOOKS": "1",
    "POWERTOOLS_METRICS_NAMESPACE": "Tuan",
    "POWERTOOLS_SERVICE_NAME": "tuan",
}
SECRETS = {
    "SIGNING_SECRET": "SIGNING_SECRET-for-tests-only",
    "LOCAL_PROVIDER_SECRET": "LOCAL_PROVIDER_SECRET-for-tests-only",
    "PAYOUT_ACCOUNT_SECRET": json.dumps(
        {"current": "1", "1": "PAYOUT_ACCOUNT_SECRET-for-tests-only"}
    ),
}


@contextmanager
def moto_cloud(**settings: str) -> Iterator[dict[str, str]]:
    """A new, empty cloud; the environment names its parts, as Lambda's does. One at a time."""
    with ExitStack() as stack:
        stack.enter_context(_moto())
        stack.enter_context(_one_call_at_a_time())
        stack.enter_context(without_detours())
        stack.enter_context(_clients_made_once())
        stack.enter_context(mock.patch.object(UserAgentString, "to_string", _nobody))
        stack.enter_context(mock.patch.object(responses, "TRANSACTION_MAX_ITEMS", ITEMS_AT_MOST))
        stack.enter_context(mock.patch.dict(os.environ, {**BASE, **settings}))
        environment = _emptied() or _made()
        os.environ.update(environment)
        forget_everything()
        for partitions in PARTITIONS:
            stack.enter_context(mock.patch(partitions, FEWER))
        yield environment
    forget_everything()


def _nobody(_: UserAgentString) -> str:
    """Who calls is put together anew for each call, and moto does not ask."""
    return "nobody"


_parts: dict[str, str] = {}
_open = threading.Lock()


@contextmanager
def _moto() -> Iterator[None]:
    if not _open.acquire(blocking=False):
        raise RuntimeError("another cloud is still there: it would be emptied")
    moto = mock_aws()
    # Each start would add to those of before a thousand answers to `requests`, which never asks.
    with mock.patch.object(models, "RESPONSES_METHODS", ()):
        moto.start(reset=False)
    try:
        yield
    finally:
        moto.stop(remove_data=False)
        _open.release()


def _made() -> dict[str, str]:
    _parts.update(_tables() | _queues() | _secrets())
    return dict(_parts)


def _emptied() -> dict[str, str]:
    """The parts made before, without what is in them; nothing where moto has forgotten them."""
    region = BASE["AWS_DEFAULT_REGION"]
    tables = get_backend("dynamodb")[DEFAULT_ACCOUNT_ID][region].tables
    if not tables:
        return {}
    # For its dashboard moto keeps all that it ever made, also what is long deleted.
    reset_model_data()
    for table in tables.values():
        table.items.clear()
    for queue in get_backend("sqs")[DEFAULT_ACCOUNT_ID][region].queues.values():
        queue._messages.clear()
        queue._pending_messages.clear()
    return dict(_parts)


@contextmanager
def _one_call_at_a_time() -> Iterator[None]:
    lock, send = threading.Lock(), botocore.endpoint.Endpoint._send_request

    def locked(endpoint: Any, request: Any, operation: Any) -> Any:
        with lock:
            direct = answered(request, operation, BASE["AWS_DEFAULT_REGION"])
            return direct or send(endpoint, request, operation)

    with mock.patch.object(botocore.endpoint.Endpoint, "_send_request", locked):
        yield


_session = cache(botocore.session.get_session)
_clients: dict[str, Any] = {}
_making = threading.Lock()


@contextmanager
def _clients_made_once() -> Iterator[None]:
    make, pynamo = boto3.Session.client, vars(Connection)["client"].fget

    def client(session: boto3.Session, service: str, **options: Any) -> Any:
        return _once(service, lambda: make(session, service, **options))

    def of_connection(connection: Connection) -> Any:
        return _once("pynamodb", lambda: _refusing_long_keys(pynamo(connection)))

    with (
        mock.patch.object(botocore.session, "get_session", _session),
        mock.patch.object(boto3.Session, "client", client),
        mock.patch.object(Connection, "client", property(of_connection)),
    ):
        yield


def _once(kind: str, make: Callable[[], Any]) -> Any:
    with _making:
        if kind not in _clients:
            _clients[kind] = make()
        return _clients[kind]


def _refusing_long_keys(client: Any) -> Any:
    """DynamoDB refuses a key of more than 2048 bytes, even to read; moto finds nothing there."""

    def check(params: dict[str, Any], model: Any, **_: Any) -> None:
        key = json.loads(params["body"]).get("Key", {}) if len(params["body"]) > 2048 else {}
        if any(len(text.encode()) > 2048 for value in key.values() for text in value.values()):
            said = {"Code": "ValidationException", "Message": "Size of hashkey is too large"}
            raise ClientError({"Error": said}, model.name)

    client.meta.events.register("before-call.dynamodb", check)
    return client


def _tables() -> dict[str, str]:
    client = boto3.client("dynamodb")
    described = yaml.safe_load((TEMPLATE / "tables.yml").read_text())
    for name, table in described.items():
        client.create_table(**_table(name, table.get("indexes", {})))
    return {variable(f"{name}Table"): name for name in described}


def _table(name: str, indexes: dict[str, list[str]]) -> dict[str, Any]:
    keys = {"pk", "sk", *(key for index in indexes.values() for key in index[:2])}
    described: dict[str, Any] = {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": _schema("pk", "sk"),
        "AttributeDefinitions": [
            {"AttributeName": key, "AttributeType": "S"} for key in sorted(keys)
        ],
    }
    if indexes:
        described["GlobalSecondaryIndexes"] = [
            {
                "IndexName": index,
                "KeySchema": _schema(hash_key, range_key),
                "Projection": {"ProjectionType": projection},
            }
            for index, (hash_key, range_key, projection) in indexes.items()
        ]
    return described


def _schema(hash_key: str, range_key: str) -> list[dict[str, str]]:
    return [
        {"AttributeName": hash_key, "KeyType": "HASH"},
        {"AttributeName": range_key, "KeyType": "RANGE"},
    ]


def _queues() -> dict[str, str]:
    client = boto3.client("sqs")
    names = [*QUEUES, *(f"{name}_DEAD_LETTER" for name in (*QUEUES, "SCHEDULES"))]
    return {f"{n}_QUEUE": client.create_queue(QueueName=n.lower())["QueueUrl"] for n in names}


def _secrets() -> dict[str, str]:
    client = boto3.client("secretsmanager")
    return {
        name: client.create_secret(Name=name, SecretString=value)["ARN"]
        for name, value in SECRETS.items()
    }
