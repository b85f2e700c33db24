"""The replay's two independent computations agree on a day worked out by hand."""

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

DAY = date(2017, 1, 3)
# household, store, basket, product, quantity, sales_value, week, day
LINES = [
    (1, 10, 100, 7, 1, 1.99, 2, "2017-01-03 10:00"),
    (1, 10, 100, 8, 3, 3.00, 2, "2017-01-03 10:00"),
    (2, 10, 101, 7, 2, 4.00, 2, "2017-01-03 11:00"),
    (2, 11, 102, 9, 1, 0.50, 2, "2017-01-03 12:00"),
    # These do not count: no units, too many, no price, another day, a price of no cent.
    (2, 11, 102, 8, 0, 1.00, 2, "2017-01-03 12:00"),
    (2, 11, 102, 8, 100, 1.00, 2, "2017-01-03 12:00"),
    (2, 11, 102, 8, 1, 0.00, 2, "2017-01-03 12:00"),
    (3, 11, 103, 8, 1, 1.01, 2, "2017-01-04 12:00"),
    (2, 11, 102, 6, 99, 0.01, 2, "2017-01-03 12:00"),
]
COLUMNS = [
    "household_id",
    "store_id",
    "basket_id",
    "product_id",
    "quantity",
    "sales_value",
    "week",
    "transaction_timestamp",
]
PRODUCTS = {
    "product_id": [6, 7, 8],
    "manufacturer_id": [69, 69, 70],
    "department": ["GROCERY"] * 3,
    "product_type": ["Soap", "Milk", "Bread"],
    "package_size": [None, "1 GA", None],
}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    lines = pd.DataFrame(LINES, columns=COLUMNS)
    lines["transaction_timestamp"] = pd.to_datetime(lines.transaction_timestamp)
    lines.to_parquet(tmp_path / "transactions.parquet")
    pd.DataFrame(PRODUCTS).to_parquet(tmp_path / "products.parquet")
    return tmp_path


def test_the_oracle_computes_the_day(data: Path) -> None:
    from infra.demo import oracle

    # Milk 199.5, so 200, cost 140; bread 100.5, so 101, cost 71; unlisted 50, cost 35.
    found = oracle.figures(data, DAY, 1)
    assert found.units == 1 + 3 + 2 + 1
    assert found.sales == 200 + 303 + 400 + 50
    assert found.commission == {10: 20 + 30 + 40, 11: 5}
    assert found.payable == {69: 140 + 280, 70: 213, 0: 35}
    assert found.revenue == 953 - 95 - 668


def test_the_replay_sells_what_the_oracle_counts(data: Path) -> None:
    from infra.demo.complete_journey import Journey, replay_orders

    orders = replay_orders(Journey(data), DAY, 1)
    sold = [
        (order.leader, line.supplier, line.sku, line.unit_price, line.quantity)
        for order in orders
        for line in order.lines
    ]
    assert sold == [
        ("Store 10", "Manufacturer 69", "7-w2", 200, 1),
        ("Store 10", "Manufacturer 70", "8-w2", 101, 3),
        ("Store 10", "Manufacturer 69", "7-w2", 200, 2),
        ("Store 11", "Manufacturer 0", "9-w2", 50, 1),
    ]
