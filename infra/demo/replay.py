"""Sends real days through an empty stack, and checks them to the cent.

`make replay DAYS=1`, on a new stack: every basket of the day is ordered, paid, dispatched,
delivered and settled through the API by eight clients. What the API then says is compared with
what pandas computes from the raw rows alone; any difference is named and ends it with 1.
"""

import argparse
import sys
import time
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

from rich.console import Console

from infra.demo import oracle
from infra.demo.baskets import Market, Order
from infra.demo.client import Api, Json
from infra.demo.complete_journey import Journey, package_data, replay_orders
from infra.demo.crew import Crew, wide_console
from infra.demo.figures import Difference, differences, dispatch_count, money
from infra.demo.market import (
    accounts,
    base_url,
    base_url_arguments,
    name_parties,
    open_campaigns,
    operator,
    require_unused,
    sell,
    settle_today,
    stock_shelves,
    token,
)
from infra.demo.play import FAILURES, told
from infra.failures import Fixable

# The first whole day after the New Year's holidays, all in one price week.
FIRST_DAY = date(2017, 1, 3)
LAST_DAY = date(2017, 12, 31)
NAMED_DIFFERENCES = 20
CARRIER = "Replay Freight"


class Undelivered(Exception):
    """An order did not reach its end."""


def replay(api: Api, orders: Sequence[Order], console: Console) -> dict[str, int]:
    """Takes the orders through to their settlement; returns what the API says came out."""
    require_unused(api)
    crew = Crew(console)
    suppliers, leaders = name_parties(api, orders, crew)
    skus = stock_shelves(api, orders, suppliers, crew)
    campaigns = open_campaigns(api, orders, leaders, skus, crew)
    market = Market(suppliers, leaders, skus, campaigns)
    crew.each("Orders are placed and paid", lambda order: sell(api, order, market), orders)
    made = dispatches(api, dispatch_count(orders), crew)
    crew.each("Dispatches are delivered", lambda dispatch: deliver(api, dispatch), made)
    run = settle_today(api, len(leaders), crew)
    return found(api, market, run, crew)


def dispatches(api: Api, expected: int, crew: Crew) -> list[str]:
    """The ids of all dispatches, read from the pull feed until as many as expected are there."""
    boss = operator(api)
    known: dict[str, None] = {}
    query: dict[str, str | int] = {"status": "created"}

    def read() -> int:
        for page in boss.pages("/v1/dispatches", dict(query)):
            known.update((item["id"], None) for item in page["items"])
            since = page.get("next_updated_since")
        if since:
            query["updated_since"] = since
        return len(known)

    crew.wait("Dispatches are made", expected, read)
    return list(known)


def deliver(api: Api, dispatch_id: str) -> None:
    """Accepts, ships and delivers one dispatch in the operator's name."""
    boss = operator(api)
    parcel = {"carrier": CARRIER, "tracking_number": f"RF{dispatch_id[-12:].upper()}"}
    for verb, body in (("accept", {}), ("ship", parcel), ("deliver", {})):
        boss.post(f"/v1/dispatches/{dispatch_id}/{verb}", body)


def found(api: Api, market: Market, run: Json, crew: Crew) -> dict[str, int]:
    """Commissions by statement and by account, payables, revenue and units, as the API has them."""

    def statement_total(leader_id: str) -> int:
        own = api.using(token("leader", leader_id))
        return int(own.get(f"/v1/leaders/{leader_id}/statements/{run['id']}")["total"])

    totals = crew.each("Leaders read their statements", statement_total, [*market.leaders.values()])
    figures = {
        f"{leader}: statement": total for leader, total in zip(market.leaders, totals, strict=True)
    }
    balances = accounts(api)
    for leader, leader_id in market.leaders.items():
        figures[f"{leader}: available"] = -balances.pop(f"leader:{leader_id}:available", 0)
    for supplier, supplier_id in market.suppliers.items():
        figures[f"{supplier}: payable"] = -balances.pop(f"supplier:{supplier_id}:payable", 0)
    figures["platform: revenue"] = -balances.pop("platform:revenue", 0)
    figures["units delivered"] = units(operator(api).listing("/v1/orders"))
    figures["cash"] = balances.pop("cash:local", 0)
    return figures | balances


def units(orders: Iterable[Json]) -> int:
    """Units that were delivered and not given back. Raises Undelivered for any other order."""
    count = 0
    for order in orders:
        if order["status"] not in ("delivered", "completed"):
            raise Undelivered(f"order {order['id']} is {order['status']}")
        count += sum(line["quantity"] - line["refunded_quantity"] for line in order["lines"])
    return count


def right(figures: oracle.Figures) -> dict[str, int]:
    """The oracle's figures under the names that `found` uses."""
    named = {f"Store {store}: statement": cents for store, cents in figures.commission.items()}
    for store, cents in figures.commission.items():
        named[f"Store {store}: available"] = cents
    for maker, cents in figures.payable.items():
        named[f"Manufacturer {maker}: payable"] = cents
    named["platform: revenue"] = figures.revenue
    named["units delivered"] = figures.units
    named["cash"] = figures.sales
    return named


def conclude(console: Console, figures: oracle.Figures, wrong: Sequence[Difference]) -> int:
    """Says how it came out; returns the exit code."""
    for difference in wrong[:NAMED_DIFFERENCES]:
        console.print(str(difference), style="red", markup=False)
    if wrong:
        console.print(f"{len(wrong)} figures differ from the raw rows.", style="red")
        return 1
    console.print(
        f"Equal to the cent: {len(figures.commission)} leaders earned "
        f"{money(sum(figures.commission.values()))}, {len(figures.payable)} suppliers are owed "
        f"{money(sum(figures.payable.values()))}, revenue {money(figures.revenue)}, "
        f"{figures.units} units.",
        style="green",
        highlight=False,
    )
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Replays real days through a running stack.", parents=[base_url_arguments()]
    )
    parser.add_argument("--date", type=date.fromisoformat, default=FIRST_DAY)
    parser.add_argument("--days", default="1")
    parser.add_argument("--data", type=Path, help="the package's data folder")
    asked = parser.parse_args()
    console = wide_console()
    data = asked.data or package_data()
    try:
        days = whole_days(asked.days, asked.date)
        with console.status("Reading a year of baskets"):
            figures = oracle.figures(data, asked.date, days)
            orders = replay_orders(Journey(data), asked.date, days)
        api = Api.at(base_url(asked))
        console.print(f"{asked.date}, {days} day(s): {len(orders)} orders", highlight=False)
        began = time.monotonic()
        outcome = replay(api, orders, console)
    except (*FAILURES, Undelivered) as failure:
        console.print(told(failure), style="red", markup=False)
        return 1
    spent = time.monotonic() - began
    sent, again = api.traffic["requests"], api.traffic["retries"]
    console.print(f"{sent} requests in {spent:.0f} s, {again} of them again", highlight=False)
    return conclude(console, figures, differences(right(figures), outcome))


def whole_days(text: str, first: date) -> int:
    """A number of days that the data has. Raises Fixable for anything else."""
    most = (LAST_DAY - first).days + 1
    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise Fixable(f"DAYS is a number of days from 1 to {most}, not {text!r}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
