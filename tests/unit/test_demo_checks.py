"""The demo's checks pass on a right outcome and name a wrong figure."""

from typing import Any

from infra.demo.baskets import Line, Market, Order, Sale
from infra.demo.checks import Outcome, Plan, compare

MILK = Line("milk", "Dairy", "Milk", 200, 1)
CAKE = Line("cake", "Bakery", "Cake", 50, 2)
ORDER = Order("1", "Ann", "c", "2017-01-03", (MILK, CAKE))
PLAN = Plan((ORDER,), "cake")
MARKET = Market(
    suppliers={"Dairy": "sup_d", "Bakery": "sup_b"},
    leaders={"Ann": "ldr_a"},
    skus={"milk": "sku_m", "cake": "sku_c"},
    campaigns={("Ann", "2017-01-03"): "cmp_1"},
)
SALES = [Sale(ORDER, "ord_1")]


def outcome(commission: int = 20, status: str = "delivered") -> Outcome:
    balance: dict[str, Any] = dict.fromkeys(("estimated", "pending", "collected"), 0)
    line = {"order_id": "ord_1", "sku_id": "sku_m", "basis_amount": 200, "amount": commission}
    return Outcome(
        accounts={
            "cash:local": 200,
            "leader:ldr_a:available": -commission,
            "supplier:sup_d:payable": -140,
            "platform:revenue": commission - 60,
        },
        balances={"Ann": {**balance, "available": commission, "in_payout": 0, "paid_out": 0}},
        statements={
            "Ann": {
                "opening_balance": 0,
                "lines": [line],
                "total": commission,
                "closing_balance": commission,
            }
        },
        placed={
            "ord_1": {
                "status": status,
                "refunded_amount": 100,
                "lines": [
                    {"quantity": 1, "refunded_quantity": 0},
                    {"quantity": 2, "refunded_quantity": 2},
                ],
            }
        },
    )


def test_a_right_outcome_has_no_differences() -> None:
    assert compare(PLAN, MARKET, SALES, outcome()) == []


def test_a_cent_too_much_is_named_everywhere_it_shows() -> None:
    wrong = compare(PLAN, MARKET, SALES, outcome(commission=21))
    assert str(wrong[0]) == "leader:ldr_a:available: expected -20, found -21"
    assert "Ann: statement line ord_1 sku_m: commission: expected 20, found 21" in map(str, wrong)


def test_an_order_left_behind_is_named() -> None:
    (wrong,) = compare(PLAN, MARKET, SALES, outcome(status="shipped"))
    assert wrong.name == "order ord_1 (basket 1): delivered"
