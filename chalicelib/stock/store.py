"""The stock table: the units of each SKU, and how they move."""

from collections.abc import Sequence
from dataclasses import dataclass

from pynamodb.expressions.condition import Condition

from chalicelib.kernel.errors import Conflict
from chalicelib.platform import store
from chalicelib.platform.table import IntegerAttribute, Row, absent, table
from chalicelib.platform.transaction import Put, Update

STOCK = "stock"


class StockRow(Row):
    """Units of one SKU: for sale, held by unpaid orders, and paid but not shipped yet."""

    Meta = table("STOCK_TABLE")

    available = IntegerAttribute(default=0)
    reserved = IntegerAttribute(default=0)
    committed = IntegerAttribute(default=0)
    version = IntegerAttribute(default=0)


@dataclass(frozen=True)
class Stock:
    """A SKU's units. `version` rises with each change and is the ETag."""

    sku_id: str
    available: int
    reserved: int
    committed: int
    version: int

    @property
    def on_hand(self) -> int:
        """Unsold units, whether free or reserved."""
        return self.available + self.reserved


class CannotTake(Exception):
    """Units or limits that an expired order had given back are gone."""


def get_stock(sku_id: str) -> Stock:
    """The SKU's units; none of anything where no stock was ever set."""
    return _stock(store.get(StockRow, sku_id, STOCK) or StockRow(sku_id, STOCK))


def get_stocks(sku_ids: Sequence[str]) -> dict[str, Stock]:
    rows = store.get_many(StockRow, [(each, STOCK) for each in sku_ids])
    return {row.pk: _stock(row) for row in rows}


def set_stock(before: Stock, available: int) -> Put:
    """Set what is for sale, on condition that nothing has changed since `before` was read."""
    row = StockRow(
        before.sku_id,
        STOCK,
        available=available,
        reserved=before.reserved,
        committed=before.committed,
        version=before.version + 1,
    )
    return Put(row, absent() if before.version == 0 else StockRow.version == before.version)


def reserve(sku_id: str, units: int) -> Update:
    """An order is placed: units for sale become reserved. Raises Conflict `out_of_stock`."""
    short = Conflict(
        f"Of {sku_id} there are fewer units left than the {units} asked for.", code="out_of_stock"
    )
    return _move(sku_id, available=-units, reserved=units, otherwise=short)


def release(sku_id: str, units: int) -> Update:
    """An unpaid order ends: its reserved units are for sale again."""
    return _move(sku_id, available=units, reserved=-units)


def commit(sku_id: str, units: int) -> Update:
    """A reserved order is paid: its units are committed until they ship."""
    return _move(sku_id, reserved=-units, committed=units)


def take_again(sku_id: str, units: int) -> Update:
    """An expired order is paid late: units for sale become committed. Raises CannotTake."""
    return _move(sku_id, available=-units, committed=units, otherwise=CannotTake())


def put_back(sku_id: str, units: int) -> Update:
    """A paid order is cancelled: its committed units are for sale again."""
    return _move(sku_id, available=units, committed=-units)


def let_go(sku_id: str, units: int) -> Update:
    """Committed units have shipped, or will never: they are no longer here."""
    return _move(sku_id, committed=-units)


def come_back(sku_id: str, units: int) -> Update:
    """Units that had shipped are returned: they are for sale again."""
    return _move(sku_id, available=units)


def _move(
    sku_id: str,
    *,
    available: int = 0,
    reserved: int = 0,
    committed: int = 0,
    otherwise: Exception | None = None,
) -> Update:
    """Move units between kinds; none may fall below zero."""
    row = StockRow
    changes = [(row.available, available), (row.reserved, reserved), (row.committed, committed)]
    enough: Condition | None = None
    for attribute, units in changes:
        if units < 0:
            has = attribute >= -units
            enough = has if enough is None else enough & has
    actions = [attribute.add(units) for attribute, units in changes if units]
    broken = otherwise or ValueError(
        f"the stock of {sku_id} does not hold what an order of it does"
    )
    return Update(row.at(sku_id, STOCK), [*actions, row.version.add(1)], enough, broken)


def _stock(row: StockRow) -> Stock:
    return Stock(row.pk, row.available, row.reserved, row.committed, row.version)
