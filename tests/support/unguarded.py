"""The wrong implementations that races and crashes must catch: the same use cases, less careful."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest import mock

from pynamodb.transactions import TransactWrite

from chalicelib.platform import transaction
from chalicelib.platform.table import Row
from chalicelib.platform.transaction import Write


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
    """Transactions, and items that are written alone, without any condition."""
    save = Row.save

    def save_anyway(row: Row, condition: Any = None) -> Any:
        return save(row)

    with (
        mock.patch.object(transaction, "TransactWrite", Unguarded),
        mock.patch.object(Row, "save", save_anyway),
    ):
        yield


@contextmanager
def piecemeal() -> Iterator[None]:
    """Transactions written one item after another."""
    write = transaction._write

    def one_by_one(writes: Sequence[Write]) -> None:
        for each in writes:
            write([each])

    with mock.patch.object(transaction, "_write", one_by_one):
        yield
