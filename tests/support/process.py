"""What this process remembers between tests, and how to make it forget."""

from collections.abc import Iterator

from aws_lambda_powertools.utilities import parameters

from chalicelib.catalogue import on_sale
from chalicelib.parties import authorizer
from chalicelib.platform import queues, secrets, table
from chalicelib.platform.settings import settings
from chalicelib.platform.table import Row


def forget_everything() -> None:
    """All of it is read and made anew, as in a Lambda that has just started."""
    settings.cache_clear()
    table.connection.cache_clear()
    queues.client.cache_clear()
    secrets.derived_key.cache_clear()
    on_sale.forget_all()
    authorizer._keys.cache_clear()
    parameters.clear_caches()  # type: ignore[no-untyped-call]
    for row in _rows(Row):
        row._connection = None


def _rows(row: type[Row]) -> Iterator[type[Row]]:
    yield row
    for child in row.__subclasses__():
        yield from _rows(child)
