"""Real baskets as orders with their products' own numbers, priced as the replay prices them."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import pandas as pd

from infra.demo.baskets import Line, Order, orders_of_basket, split
from infra.demo.complete_journey import Journey, Prices, Product, Row, prices
from tests.year.told import STORES_A_HUB

FIRST_DAY, LAST_DAY = date(2017, 1, 1), date(2018, 1, 1)
WHOLE_YEAR = (LAST_DAY - FIRST_DAY).days + 1


@dataclass(frozen=True)
class Period:
    """Whole days of some stores, or of all; the plan changes on the middle one."""

    first: date
    days: int
    stores: frozenset[int] | None = None

    @property
    def dates(self) -> list[date]:
        return [self.first + timedelta(days=n) for n in range(self.days)]

    def has(self, row: Row) -> bool:
        among = self.stores is None or row.store in self.stores
        return among and self.first <= row.day < self.first + timedelta(days=self.days)

    @property
    def plan_change(self) -> date:
        return self.first + timedelta(days=self.days // 2)


@dataclass(frozen=True)
class Sold:
    """The orders of a period, and each product's supplier, department and name."""

    orders: Sequence[Order]
    products: dict[str, Product]

    @property
    def stores(self) -> list[int]:
        return sorted({int(order.leader) for order in self.orders})

    def among(self, parts: int) -> list[frozenset[int]]:
        """The stores in so many parts, about as busy: of a hub all are in one."""
        busy = Counter[int]()
        for order in self.orders:
            busy[int(order.leader)] += len(order.lines)
        groups = split(self.stores, STORES_A_HUB)
        divided: list[list[int]] = [[] for _ in range(min(parts, len(groups)))]
        for group in sorted(groups, key=lambda group: -sum(busy[store] for store in group)):
            min(divided, key=lambda part: sum(busy[store] for store in part)).extend(group)
        return [frozenset(part) for part in divided]

    def of(self, stores: frozenset[int]) -> "Sold":
        """What these stores have sold."""
        orders = [order for order in self.orders if int(order.leader) in stores]
        skus = {line.sku for order in orders for line in order.lines}
        return Sold(orders, {sku: self.products[sku] for sku in skus})


def read(data: Path, period: Period) -> Sold:
    """The orders in the order of their days; SKUs, suppliers and leaders by their numbers."""
    journey = Journey(data)
    product = cache(journey.product)
    rows = journey.rows(journey.weeks(period.dates))
    price_of = prices(rows)
    baskets: defaultdict[int, list[Row]] = defaultdict(list)
    for row in rows:
        if period.has(row) and (row.week, row.product) in price_of:
            baskets[row.basket].append(row)
    orders = [
        order
        for rows in baskets.values()
        for order in _orders(rows, price_of, {row.product: product(row.product) for row in rows})
    ]
    sold = {int(line.sku) for order in orders for line in order.lines}
    return Sold(
        sorted(orders, key=lambda order: order.day), {str(each): product(each) for each in sold}
    )


def number_of(order: Order) -> int:
    """The number of the basket that an order is, or is a part of."""
    return int(order.basket.partition("/")[0])


def _orders(rows: Sequence[Row], price_of: Prices, products: dict[int, Product]) -> Iterator[Order]:
    first = rows[0]
    lines = [
        Line(
            sku=str(row.product),
            supplier=str(products[row.product].manufacturer),
            title=products[row.product].title,
            unit_price=price_of[row.week, row.product],
            quantity=row.quantity,
        )
        for row in rows
    ]
    yield from orders_of_basket(
        str(first.basket), str(first.store), str(first.household), first.day.isoformat(), lines
    )


def everybody(data: Path) -> tuple[list[int], list[int]]:
    """All stores and all manufacturers of the data, be it that nothing of theirs counts."""
    stores = pd.read_parquet(data / "transactions.parquet", columns=["store_id"]).store_id
    makers = pd.read_parquet(data / "products.parquet", columns=["manufacturer_id"]).manufacturer_id
    return sorted(map(int, stores.unique())), sorted(map(int, makers.unique()))
