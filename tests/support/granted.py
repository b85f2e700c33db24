"""Holds a function to its role while a test runs it, as IAM does where it is deployed.

The role is what `infra/template/functions.yml` grants; the calls are those that the code makes.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, wraps
from typing import Any
from unittest import mock

from botocore.client import BaseClient

from infra.template.compose import load
from infra.template.functions import variable
from infra.template.roles import REDRIVE, TABLE_ACTIONS
from tests.support.aws_calls import answered_here

Json = dict[str, Any]

_function: ContextVar[str | None] = ContextVar("function", default=None)


class NotGranted(BaseException):
    """A function did what its role does not allow. No worker takes this for a message's failure."""


@contextmanager
def running_as(function: str | None) -> Iterator[None]:
    """While this lasts, this thread is the function of that logical id; None: the test itself."""
    token = _function.set(function)
    try:
        yield
    finally:
        _function.reset(token)


def as_function(name: str, handler: Callable[..., Any]) -> Callable[..., Any]:
    """The handler of a function such as `dispatch_create`, held to its role."""

    @wraps(handler)
    def held(*arguments: Any) -> Any:
        with running_as("".join(word.title() for word in name.lower().split("_"))):
            return handler(*arguments)

    return held


@contextmanager
def holding_to_roles() -> Iterator[None]:
    """Judge every call to AWS that a running function makes."""
    with answered_here():
        make = BaseClient._make_api_call
        with mock.patch.object(BaseClient, "_make_api_call", _judging(make)):
            yield


def _judging(make: Callable[..., Any]) -> Callable[..., Any]:
    def judged(client: BaseClient, operation: str, parameters: Json) -> Any:
        if function := _function.get():
            for action, resource in _needs(client, operation, parameters):
                if (action, resource) not in _granted(function):
                    raise NotGranted(f"{function} may not {action} on {resource}")
        return make(client, operation, parameters)

    return judged


@cache
def _granted(function: str) -> frozenset[tuple[str, str]]:
    """Pairs of an action and the environment variable that names what it is granted on."""
    entry = load("functions")[function]
    tables = {
        (action, variable(f"{table}Table"))
        for table, access in entry.get("tables", {}).items()
        for action in TABLE_ACTIONS[access]
    }
    queues = {("SendMessage", variable(f"{queue}Queue")) for queue in entry.get("sends", ())}
    if queue := entry.get("consumes"):
        queues.add(("SendMessage", variable(f"{queue}DeadLetterQueue")))
    redrives = {
        (action, variable(f"{queue}DeadLetterQueue"))
        for action in REDRIVE
        for queue in entry.get("redrives", ())
    }
    secrets = {("GetSecretValue", variable(secret)) for secret in entry.get("secrets", ())}
    return frozenset(tables | queues | redrives | secrets)


def _needs(client: BaseClient, operation: str, parameters: Json) -> Iterator[tuple[str, str]]:
    service = client.meta.service_model.service_name
    if service == "sqs":
        yield operation.removesuffix("Batch"), _variable_of(parameters["QueueUrl"])
    elif service == "secretsmanager":
        yield operation, _variable_of(parameters["SecretId"])
    elif operation in ("TransactWriteItems", "TransactGetItems"):
        for item in parameters["TransactItems"]:
            ((kind, said),) = item.items()
            yield f"{kind}Item", _table(said)
    elif operation == "BatchGetItem":
        for table in parameters["RequestItems"]:
            yield operation, _variable_of(table)
    elif operation != "DescribeTable":
        yield operation, _table(parameters)


def _table(parameters: Json) -> str:
    return _variable_of(parameters["TableName"])


_variables: dict[str, str] = {}


def _variable_of(value: str) -> str:
    # To look through the whole environment at each call is what a test would mostly do.
    if os.environ.get(_variables.get(value, "")) != value:
        _variables[value] = next(name for name, each in os.environ.items() if each == value)
    return _variables[value]
