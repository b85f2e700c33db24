"""A place between the code and every call it makes to AWS."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from botocore.client import BaseClient

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
