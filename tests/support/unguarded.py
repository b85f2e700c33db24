"""The wrong implementation that each race must catch: the same use cases without conditions."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from pynamodb.transactions import TransactWrite

from chalicelib.platform import transaction


class Unguarded(TransactWrite):
    """Writes what was made of the reading, whatever has happened since."""

    def condition_check(self, *_: Any, **__: Any) -> None:
        pass

    def delete(self, model: Any, condition: Any = None, **_: Any) -> None:
        super().delete(model)

    def save(self, model: Any, condition: Any = None, *_: Any, **__: Any) -> None:
        super().save(model)

    def update(self, model: Any, actions: Any, condition: Any = None, *_: Any, **__: Any) -> None:
        super().update(model, actions)


@contextmanager
def unguarded() -> Iterator[None]:
    with mock.patch.object(transaction, "TransactWrite", Unguarded):
        yield
