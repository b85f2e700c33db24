"""What pandas makes of two days is what comes out by hand."""

from datetime import date
from typing import Any

import pytest

from tests.year import told
from tests.year.told import ONCE_TAKEN, Refund

# The plan changes on the second day. Store 10 is the hub of store 11.
FIRST, BATCHES = date(2017, 1, 3), (date(2017, 1, 14), date(2017, 1, 30))
# store, basket, product, quantity, sales_value, day
LINES = [
    (11, 100, 7, 1, 2.00, "2017-01-03 10:00"),
    (11, 101, 8, 3, 3.03, "2017-01-04 10:00"),
    (10, 102, 9, 1, 10.00, "2017-01-04 11:00"),
    (10, 103, 6, 1, 0.10, "2017-01-04 12:00"),
    # These do not count: no units, too many, no price, another day.
    (10, 104, 7, 0, 2.00, "2017-01-04 12:00"),
    (10, 104, 7, 100, 2.00, "2017-01-04 12:00"),
    (10, 104, 7, 1, 0.00, "2017-01-04 12:00"),
    (10, 105, 7, 1, 2.00, "2017-01-05 12:00"),
]
COLUMNS = ["store_id", "basket_id", "product_id", "quantity", "sales_value"]
# Suppliers 69 and 72 share revenue.
PRODUCTS = {
    "product_id": [6, 7, 8, 9],
    "manufacturer_id": [72, 69, 70, 71],
    "department": ["PRODUCE", "GROCERY", "GROCERY", "DRUG GM"],
}
REFUNDS = {101: Refund(1, None), 102: Refund(1, ONCE_TAKEN)}


def test_the_oracle_computes_two_days(monkeypatch: pytest.MonkeyPatch) -> None:
    pd = pytest.importorskip("pandas")
    from tests.year import oracle
    from tests.year.reading import Period

    def refund_of(seed: int, basket: int, *_: Any) -> Refund | None:
        return REFUNDS.get(basket)

    monkeypatch.setattr(told, "refund_of", refund_of)
    monkeypatch.setattr(told, "comes_back", lambda *_: False)
    lines = pd.DataFrame([line[:-1] for line in LINES], columns=COLUMNS)
    lines["transaction_timestamp"] = pd.to_datetime([line[-1] for line in LINES])
    lines["week"] = 2
    products = pd.DataFrame(PRODUCTS)
    found = oracle.figures_of(lines, products, Period(FIRST, 2), BATCHES, seed=1)

    # 100: net 200, share 150, commission 20. 103: net 10, share 7 (a fee of 2.5 is 3), commission
    # 1.25, but at least 3. 102: net 1000, cost 700, commission 30 % of 300, all of it taken back
    # once it was paid. 101: 3 at 101, cost 71 each, commission 8.5 % of 303, 26, of which the hub
    # has 3 and the store 23; a third goes back before it ships: 1 and 8.
    assert found.payouts == [
        {
            "leader 10": 90 + 3,
            "leader 11": 20,
            "supplier 69": 150,
            "supplier 70": 213 - 71,
            "supplier 71": 700,
            "supplier 72": 7,
        },
        {"leader 11": 23 - 8},
    ]
    assert found.balances == {
        "leader 10: paid": 93,
        "leader 10: left": 3 - 1 - 90,
        "leader 11: paid": 20 + 15,
        "leader 11: left": 0,
        "supplier 69: paid": 150,
        "supplier 69: left": 0,
        "supplier 70: paid": 142,
        "supplier 70: left": 0,
        "supplier 71: paid": 700,
        "supplier 71: left": -700,
        "supplier 72: paid": 7,
        "supplier 72: left": 0,
        "platform: revenue": (200 - 150 - 20) + (202 - 142 - 17) + 0 + (10 - 7 - 3),
        "cash: customers": 200 + 202 + 10,
        "cash: bank": -(93 + 35 + 150 + 142 + 700 + 7),
    }
