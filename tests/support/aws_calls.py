"""A place between the code and every call it makes to AWS."""

import random
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from botocore.client import BaseClient
from botocore.endpoint import Endpoint
from botocore.exceptions import ClientError, ReadTimeoutError

Send = Callable[[], Any]
Around = Callable[[str, Send], Any]


@contextmanager
def around_each_call(around: Around) -> Iterator[None]:
    """`around` is given each call's operation, such as `TransactWriteItems`, and what sends it."""
    make = BaseClient._make_api_call

    def made(client: BaseClient, operation: str, parameters: dict[str, Any]) -> Any:
        return around(operation, lambda: make(client, operation, parameters))

    with mock.patch.object(BaseClient, "_make_api_call", made):
        yield


_answered_here = False


@contextmanager
def answered_here() -> Iterator[None]:
    """A client that has an `answer_here` of its own is answered by that, and sends nothing.

    It stands below all that watches calls, so it must be there before them; once is enough.
    """
    global _answered_here
    if _answered_here:
        yield
        return
    make = BaseClient._make_api_call

    def made(client: BaseClient, operation: str, parameters: dict[str, Any]) -> Any:
        answer = vars(client).get("answer_here")
        if not answer:
            return make(client, operation, parameters)
        if _lost and client.meta.service_model.service_name == "dynamodb":
            return _until_one_arrives(answer, operation, parameters)
        return answer(operation, parameters)

    with mock.patch.object(BaseClient, "_make_api_call", made):
        _answered_here = True
        try:
            yield
        finally:
            _answered_here = False


_lost = 0.0
# As the application has it of botocore.
ATTEMPTS = 4


def _until_one_arrives(answer: Callable[..., Any], operation: str, asked: dict[str, Any]) -> Any:
    """What botocore does where answers are lost: it asks again, under the same token."""
    if operation == "TransactWriteItems":
        asked = {"ClientRequestToken": str(uuid.uuid4()), **asked}
    for _ in range(ATTEMPTS):
        refused = None
        try:
            answered = answer(operation, asked)
        except ClientError as error:
            refused = error
        if random.random() >= _lost:
            if refused:
                raise refused
            return answered
    raise ReadTimeoutError(endpoint_url="memory")


@contextmanager
def losing(share: float) -> Iterator[None]:
    """That share of DynamoDB's answers never arrives, though what was asked has been done."""
    global _lost
    send = Endpoint._send

    def lossy(endpoint: Any, request: Any) -> Any:
        answer = send(endpoint, request)
        if b"DynamoDB" in request.headers.get("X-Amz-Target", b"") and random.random() < share:
            raise ReadTimeoutError(endpoint_url=request.url)
        return answer

    with mock.patch.object(Endpoint, "_send", lossy):
        _lost = share
        try:
            yield
        finally:
            _lost = 0.0
