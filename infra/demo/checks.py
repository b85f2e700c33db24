"""Every figure the API shows after the day, against what the baskets alone say it must be.

Figures are integers by name: minor units, units of goods, or 1 for a state that was reached.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from infra.demo.baskets import Market, Order, Sale
from infra.demo.client import Json
from infra.demo.figures import Difference, delivered, differences, rejected, share, trial_balance

LEADER_FIGURES = ("estimated", "pending", "available", "collected", "in_payout", "paid_out")
SUM = "sum of the trial balance"


@dataclass(frozen=True, slots=True)
class Plan:
    """The orders to play, and the SKU whose dispatch will be rejected."""

    orders: tuple[Order, ...]
    sold_out: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the API says once the day is settled.

    Balances by account (debits positive), balances and statements by leader's name, and the
    orders by id.
    """

    accounts: dict[str, int]
    balances: dict[str, Json]
    statements: dict[str, Json]
    placed: dict[str, Json]


def compare(
    script: Plan, market: Market, sales: Sequence[Sale], outcome: Outcome
) -> list[Difference]:
    """Every figure of the outcome against what the baskets alone say, in minor units."""
    expected = trial_balance(script.orders, script.sold_out, market.leaders, market.suppliers)
    wrong = differences(expected, outcome.accounts)
    wrong += differences({SUM: 0}, {SUM: sum(outcome.accounts.values())})
    wrong += differences(expected_balances(script), found_balances(outcome))
    wrong += differences(expected_statements(script, market, sales), found_statements(outcome))
    wrong += differences(expected_orders(script, sales), found_orders(sales, outcome))
    return wrong


def expected_balances(script: Plan) -> dict[str, int]:
    """A leader's figures: all commission is available, and its cash orders are collected."""
    expected: Counter[str] = Counter()
    for order in script.orders:
        kept = [share(line) for line in delivered(order, script.sold_out)]
        expected.update({f"{order.leader}: {name}": 0 for name in LEADER_FIGURES})
        expected[f"{order.leader}: available"] += sum(part.commission for part in kept)
        if order.leader_collects:
            expected[f"{order.leader}: collected"] += sum(part.net for part in kept)
    return dict(expected)


def found_balances(outcome: Outcome) -> dict[str, int]:
    return {
        f"{leader}: {name}": balance[name]
        for leader, balance in outcome.balances.items()
        for name in LEADER_FIGURES
    }


def expected_statements(script: Plan, market: Market, sales: Sequence[Sale]) -> dict[str, int]:
    """Net and commission of every delivered line, and each statement's sums."""
    expected: dict[str, int] = {}
    sums: Counter[str] = Counter(dict.fromkeys(market.leaders, 0))
    for sale in sales:
        for line in delivered(sale.order, script.sold_out):
            part = share(line)
            name = f"{sale.order.leader}: statement line {sale.id} {market.skus[line.sku]}"
            expected |= {f"{name}: net": part.net, f"{name}: commission": part.commission}
            sums[sale.order.leader] += part.commission
    for leader, amount in sums.items():
        expected |= _sums(leader, 0, amount, amount)
    return expected


def found_statements(outcome: Outcome) -> dict[str, int]:
    found: dict[str, int] = {}
    for leader, statement in outcome.statements.items():
        for line in statement["lines"]:
            name = f"{leader}: statement line {line['order_id']} {line['sku_id']}"
            found[f"{name}: net"] = found.get(f"{name}: net", 0) + line["basis_amount"]
            found[f"{name}: commission"] = found.get(f"{name}: commission", 0) + line["amount"]
        found |= _sums(
            leader, statement["opening_balance"], statement["total"], statement["closing_balance"]
        )
    return found


def expected_orders(script: Plan, sales: Sequence[Sale]) -> dict[str, int]:
    """Of each order: that it was delivered, what was given back, and its delivered units."""
    expected: dict[str, int] = {}
    for sale in sales:
        back = rejected(sale.order, script.sold_out)
        units = sum(line.quantity for line in delivered(sale.order, script.sold_out))
        expected |= _order_figures(sale, 1, sum(share(line).net for line in back), units)
    return expected


def found_orders(sales: Sequence[Sale], outcome: Outcome) -> dict[str, int]:
    found: dict[str, int] = {}
    for sale in sales:
        placed = outcome.placed.get(sale.id)
        if placed is not None:
            done = int(placed["status"] in ("delivered", "completed"))
            units = sum(line["quantity"] - line["refunded_quantity"] for line in placed["lines"])
            found |= _order_figures(sale, done, placed["refunded_amount"], units)
    return found


def _sums(leader: str, opening: int, total: int, closing: int) -> dict[str, int]:
    name = f"{leader}: statement"
    return {f"{name}: opening": opening, f"{name}: total": total, f"{name}: closing": closing}


def _order_figures(sale: Sale, delivered: int, refunded: int, units: int) -> dict[str, int]:
    name = f"order {sale.id} (basket {sale.order.basket})"
    return {f"{name}: delivered": delivered, f"{name}: refunded": refunded, f"{name}: units": units}
