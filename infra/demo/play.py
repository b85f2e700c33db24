"""The demo of `make run`: real baskets from a leader's campaign to the settled statement.

Plays against a stack that is up and empty, with `--new-stack` a new one, and ends with 1 when any
figure is not what the baskets say it must be.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import httpx
from rich.console import Console

from infra.demo.baskets import Market, Sale, read_orders
from infra.demo.checks import Outcome, Plan, compare
from infra.demo.client import Api, Json, Problem
from infra.demo.crew import Crew, Standstill, wide_console
from infra.demo.figures import Difference, choose_sold_out, dispatch_count, money, rejected, share
from infra.demo.market import (
    SettlementFailed,
    WrongTotal,
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
from infra.demo.supplier_process import SupplierFailed, SupplierProcess
from infra.demo.tables import (
    LeaderRow,
    SupplierRow,
    leaders_table,
    statement_table,
    suppliers_table,
    trial_balance_table,
)
from infra.failures import Fixable

COLLECTED_EVERY = 6
FAILURES = (
    Fixable,
    Problem,
    Standstill,
    SupplierFailed,
    SettlementFailed,
    WrongTotal,
    httpx.HTTPError,
)


def plan() -> Plan:
    """The extract's orders; every sixth is paid in cash to the leader."""
    week = read_orders()
    # One campaign takes all of a leader's week, so its days count as the first of them.
    orders = tuple(
        replace(order, day=week[0].day, leader_collects=number % COLLECTED_EVERY == 0)
        for number, order in enumerate(week, start=1)
    )
    return Plan(orders, choose_sold_out(orders))


def play(api: Api, console: Console) -> tuple[Market, list[Difference]]:
    """Plays the day and prints its tables; returns the ids and the figures that are wrong."""
    require_unused(api)
    script = plan()
    crew = Crew(console)
    with SupplierProcess(api.base_url) as helpers:
        suppliers, leaders = name_parties(api, script.orders, crew)
        endpoints = connect(api, suppliers, helpers, script, crew)
        skus = stock_shelves(api, script.orders, suppliers, crew)
        campaigns = open_campaigns(api, script.orders, leaders, skus, crew)
        market = Market(suppliers, leaders, skus, campaigns)
        sales = crew.each(
            "Orders are placed and paid", lambda order: sell(api, order, market), script.orders
        )
        wait_for_delivery(api, helpers, script, sales, crew)
        run = settle_today(api, len(leaders), crew)
        outcome = read(api, market, run, crew)
        for endpoint in endpoints:
            operator(api).delete(f"/v1/webhook-endpoints/{endpoint}")
        helpers.finish()
    show(console, script, market, outcome)
    return market, compare(script, market, sales, outcome)


def connect(
    api: Api, suppliers: dict[str, str], helpers: SupplierProcess, script: Plan, crew: Crew
) -> list[str]:
    """Gives each supplier an API key and a webhook endpoint; returns the endpoints' ids."""
    boss = operator(api)

    def ask(supplier_id: str) -> tuple[str, Json]:
        key = boss.create(f"/v1/suppliers/{supplier_id}/api-keys", {})["key"]
        wanted = {
            "supplier_id": supplier_id,
            "url": helpers.url(supplier_id),
            "event_types": ["dispatch.created", "dispatch.cancelled"],
        }
        return key, boss.create("/v1/webhook-endpoints", wanted)

    answers = crew.each("Suppliers connect", ask, list(suppliers.values()))
    for supplier_id, (key, endpoint) in zip(suppliers.values(), answers, strict=True):
        helpers.introduce(supplier_id, endpoint["secret"], key, script.sold_out)
    return [endpoint["id"] for _, endpoint in answers]


def wait_for_delivery(
    api: Api, helpers: SupplierProcess, script: Plan, sales: Sequence[Sale], crew: Crew
) -> None:
    """Returns when every dispatch is delivered or rejected and the refund has gone out."""
    boss = operator(api)
    short = next(sale for sale in sales if rejected(sale.order, script.sold_out))
    owed = sum(share(line).net for line in rejected(short.order, script.sold_out))

    def handled() -> int:
        report = helpers.status()
        return report.delivered + report.rejected

    def refunded() -> int:
        flight = boss.get("/v1/ledger/trial-balance", {"prefix": "refunds_in_flight"})
        moving = sum(
            abs(account["balance"]) for each in flight["currencies"] for account in each["accounts"]
        )
        return int(not moving and boss.get(f"/v1/orders/{short.id}")["refunded_amount"] == owed)

    crew.wait("Suppliers deliver", dispatch_count(script.orders), handled)
    crew.wait("The rejected dispatch is refunded", 1, refunded)


def read(api: Api, market: Market, run: Json, crew: Crew) -> Outcome:
    """Balances and statements by leader's name, orders by id, and the trial balance."""

    def of_leader(leader_id: str) -> tuple[Json, Json]:
        own = api.using(token("leader", leader_id))
        balance = own.get(f"/v1/leaders/{leader_id}/balance")
        return balance, own.get(f"/v1/leaders/{leader_id}/statements/{run['id']}")

    pairs = crew.each("Leaders read their statements", of_leader, list(market.leaders.values()))
    return Outcome(
        accounts=accounts(api),
        balances=dict(zip(market.leaders, (balance for balance, _ in pairs), strict=True)),
        statements=dict(zip(market.leaders, (statement for _, statement in pairs), strict=True)),
        placed={order["id"]: order for order in operator(api).listing("/v1/orders")},
    )


def show(console: Console, script: Plan, market: Market, outcome: Outcome) -> None:
    """Prints the tables, from what the API said."""
    names = {party_id: name for name, party_id in {**market.suppliers, **market.leaders}.items()}
    leader, statement = next(iter(outcome.statements.items()))
    titles = {market.skus[line.sku]: line.title for order in script.orders for line in order.lines}
    for table in (
        leaders_table([_leader_row(name, market, outcome) for name in market.leaders]),
        suppliers_table([_supplier_row(name, market, outcome) for name in market.suppliers]),
        statement_table(leader, statement, titles),
        trial_balance_table(outcome.accounts, names),
    ):
        console.print()
        console.print(table)
    given_back = sum(placed["refunded_amount"] for placed in outcome.placed.values())
    goods = titles[market.skus[script.sold_out]]
    told = f"One dispatch was rejected ({goods}: sold out) and {money(given_back)} went back."
    console.print(f"\n{told}", highlight=False)


def how_to_go_on(api: Api, console: Console, market: Market) -> None:
    """Prints where the API is, and one call that works."""
    leader_id = next(iter(market.leaders.values()))
    bearer = f"Authorization: Bearer {token('leader', leader_id)}"
    console.print("\n[bold]How to go on[/bold]")
    console.print(f"Base URL  {api.base_url}", highlight=False, soft_wrap=True)
    console.print(f"Docs      {api.base_url}/docs", highlight=False, soft_wrap=True)
    console.print(
        f"curl -H '{bearer}' {api.base_url}/v1/leaders/{leader_id}/balance",
        highlight=False,
        soft_wrap=True,
    )


def _leader_row(name: str, market: Market, outcome: Outcome) -> LeaderRow:
    mine = [
        placed for placed in outcome.placed.values() if placed["leader_id"] == market.leaders[name]
    ]
    return LeaderRow(
        name=name,
        orders=len(mine),
        units=sum(_units(line) for placed in mine for line in placed["lines"]),
        sold=sum(placed["total"] - placed["refunded_amount"] for placed in mine),
        earned=outcome.statements[name]["total"],
        available=outcome.balances[name]["available"],
        collected=outcome.balances[name]["collected"],
    )


def _supplier_row(name: str, market: Market, outcome: Outcome) -> SupplierRow:
    supplier_id = market.suppliers[name]
    orders = outcome.placed.values()
    states = Counter(
        dispatch["status"]
        for placed in orders
        for dispatch in placed["dispatches"]
        if dispatch["supplier_id"] == supplier_id
    )
    lines = [line for placed in orders for line in placed["lines"]]
    return SupplierRow(
        name=name,
        dispatches=states["delivered"],
        rejected=states["rejected"],
        units=sum(_units(line) for line in lines if line["supplier_id"] == supplier_id),
        owed=-outcome.accounts.get(f"supplier:{supplier_id}:payable", 0),
    )


def _units(line: Json) -> int:
    return int(line["quantity"] - line["refunded_quantity"])


def told(failure: Exception) -> str:
    """A failure in a line; one that says itself how to mend it needs no name."""
    return str(failure) if isinstance(failure, Fixable) else f"{type(failure).__name__}: {failure}"


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Plays real baskets through a running stack.", parents=[base_url_arguments()]
    )
    asked = parser.parse_args()
    console = wide_console()
    try:
        api = Api.at(base_url(asked))
        market, wrong = play(api, console)
    except FAILURES as failure:
        console.print(told(failure), style="red", markup=False)
        return 1
    if wrong:
        console.print(f"{len(wrong)} figures are wrong. The first: {wrong[0]}", style="red")
        return 1
    console.print("\nEvery figure is what the baskets say it must be.", style="green")
    how_to_go_on(api, console, market)
    return 0


if __name__ == "__main__":
    sys.exit(main())
