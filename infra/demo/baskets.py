"""Orders as the demo and the replay send them, and the small extract that the demo reads."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

MAX_LINES = 50
EXTRACT = Path(__file__).with_name("baskets.csv")
COLUMNS = (
    "day",
    "store_id",
    "household_id",
    "basket_id",
    "product_id",
    "supplier",
    "title",
    "quantity",
    "unit_price_cents",
)


@dataclass(frozen=True, slots=True)
class Line:
    """`quantity` units of one SKU at `unit_price` minor units each.

    `sku` and `supplier` are the data's own names; the API gives them its ids.
    """

    sku: str
    supplier: str
    title: str
    unit_price: int
    quantity: int


@dataclass(frozen=True, slots=True)
class Order:
    """One basket, or one part of a basket of more than 50 lines."""

    basket: str
    leader: str
    customer: str
    day: str
    lines: tuple[Line, ...]
    leader_collects: bool = False

    @property
    def suppliers(self) -> set[str]:
        """Those who each get one dispatch of this order."""
        return {line.supplier for line in self.lines}


@dataclass(frozen=True, slots=True)
class Market:
    """The API's ids of the data's names; a campaign is one leader's and one day's."""

    suppliers: dict[str, str]
    leaders: dict[str, str]
    skus: dict[str, str]
    campaigns: dict[tuple[str, str], str]


@dataclass(frozen=True, slots=True)
class Sale:
    """An order that was placed and paid, and its id."""

    order: Order
    id: str


def merged(lines: Iterable[Line]) -> tuple[Line, ...]:
    """One line for each SKU, in order of first appearance, with the quantities added up."""
    by_sku: dict[str, Line] = {}
    for line in lines:
        known = by_sku.get(line.sku)
        by_sku[line.sku] = replace(line, quantity=line.quantity + (known.quantity if known else 0))
    return tuple(by_sku.values())


def split(items: Sequence[T], size: int = MAX_LINES) -> list[Sequence[T]]:
    """`items` in parts of at most `size`, in their order."""
    return [items[start : start + size] for start in range(0, len(items), size)]


def orders_of_basket(
    basket: str, leader: str, customer: str, day: str, lines: Iterable[Line]
) -> list[Order]:
    """A basket's orders: one, or several where its merged lines are more than 50."""
    return [
        Order(f"{basket}/{part}" if part else basket, leader, customer, day, tuple(some))
        for part, some in enumerate(split(merged(lines)))
    ]


def read_orders(path: Path = EXTRACT) -> list[Order]:
    """The orders of a CSV with the columns `COLUMNS`, a basket's rows standing together."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    orders: list[Order] = []
    for (day, store, household, basket), some in groupby(rows, key=itemgetter(*COLUMNS[:4])):
        lines = [_line(row) for row in some]
        orders += orders_of_basket(basket, f"Store {store}", household, day, lines)
    return orders


def _line(row: Mapping[str, str]) -> Line:
    return Line(
        sku=row["product_id"],
        supplier=row["supplier"],
        title=row["title"],
        unit_price=int(row["unit_price_cents"]),
        quantity=int(row["quantity"]),
    )
