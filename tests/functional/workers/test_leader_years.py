"""A leader's year for tax forms: the same whatever came before a run and whatever after, and of
statements that know what they are made of."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from unittest import mock

import pytest

from chalicelib.kernel import clock
from chalicelib.platform import store
from chalicelib.platform.transaction import create, write
from chalicelib.settlement import store as settlement
from chalicelib.settlement.rules import EarnedLine, OfKind, Statement
from chalicelib.settlement.store import EarnedRow, MaturingRow, StatementRow
from tests.functional.test_chargebacks import ask, close
from tests.functional.test_disputes import Disputed
from tests.functional.test_plan_bonuses import FIRST, a_sale, delivered
from tests.functional.test_refund_bearers import bear, refund
from tests.functional.workers.conftest import StillClock
from tests.support.invariants import findings
from tests.support.world import Json, World, created

YEARS = "/v1/ledger/leader-totals"


def settle(world: World, time: StillClock, **later: float) -> None:
    """Let so much time pass, then settle the day before."""
    time.move_on(**later)
    day = clock.day_before(clock.now().date()).isoformat()
    assert world.operator.post("/v1/settlement-runs", {"business_date": day}).status == 202
    world.work()


def year_of(world: World, leader_id: str) -> Json:
    """As it is listed, and as its months explain it."""
    items = world.operator.get(f"{YEARS}?year=2026").json["items"]
    (listed,) = (each for each in items if each["leader_id"] == leader_id)
    explained = world.operator.get(f"{YEARS}/{leader_id}?year=2026").json
    assert {**listed, "months": explained["months"]} == explained
    for of in (listed, *explained["months"]):
        moved = of["by_kind"]["netting"] - of["paid_out"]
        assert of["total"] == sum(of["by_kind"].values()) == of["earned"] + moved
    return dict(listed)


# Each makes something that brought 1.00, and answers with its leader and with what undoes it.
Made = tuple[str, Callable[[], None]]


def refunded(world: World) -> Made:
    sale = world.sale()
    order = world.delivered_order(sale)
    return sale.leader_id, lambda: void(refund(world, order, amount=1000))


def refunded_and_kept(world: World) -> Made:
    bear(world, damaged="supplier")
    return refunded(world)


def disputed_and_dismissed(world: World) -> Made:
    disputed = Disputed(world, whole=False)

    def undo() -> None:
        opened = created(disputed.dispute())
        assert disputed.resolve(opened["id"], "dismissed").status == 200

    return disputed.sale.leader_id, undo


def disputed_and_upheld(world: World) -> Made:
    disputed = Disputed(world, whole=False)

    def undo() -> None:
        opened = created(disputed.dispute())
        assert disputed.resolve(opened["id"], "upheld").status == 200

    return disputed.sale.leader_id, undo


def charged_back_and_won(world: World) -> Made:
    sale = world.sale()
    order = world.delivered_order(sale)
    return sale.leader_id, lambda: void(close(world, created(ask(world, order)), "won"))


def first_order_refunded(world: World) -> Made:
    sale = a_sale(world, FIRST)
    order = delivered(world, sale)
    return sale.leader_id, lambda: void(refund(world, order, amount=1000))


def void(_: object) -> None:
    """What is done is all that counts."""


@pytest.mark.parametrize("is_taken", [False, True])
@pytest.mark.parametrize(
    ("make", "earned"),
    [
        (refunded, 0),
        (refunded_and_kept, 100),
        (disputed_and_dismissed, 100),
        (disputed_and_upheld, 0),
        (charged_back_and_won, 100),
        (first_order_refunded, 0),
    ],
)
def test_what_is_undone_counts_the_same_before_a_run_and_after_it(
    world: World, time: StillClock, make: Callable[[World], Made], earned: int, is_taken: bool
) -> None:
    leader_id, undo = make(world)
    if is_taken:
        settle(world, time, days=8)
        undo()
    else:
        undo()
        time.move_on(days=8)
    world.work()
    settle(world, time, days=2)
    year = year_of(world, leader_id)
    assert (year["earned"], year["total"], year["paid_out"]) == (earned, earned, 0)
    available = world.trial_balance().get(f"leader:{leader_id}:available", 0)
    assert available == -earned
    assert findings() == []


def line(amount: int, day: str) -> EarnedLine:
    return EarnedLine("ord_1", "sku_1", "commission", "sales", amount * 10, 1000, amount, day)


def older(leader_id: str, day: str, lines: int) -> Statement:
    """A statement of one day from before statements knew what they are made of."""
    before = clock.day_before(date.fromisoformat(day)).isoformat()
    for n in range(lines):
        EarnedRow(leader_id, f"earned#{day}#prc_{n}", lines=(line(7, day),), adjusted=0).save()
    made = Statement(
        leader_id, f"run_{day}", day, "EUR", before, 0, 7 * lines, 7 * lines, clock.now()
    )
    write(create(StatementRow.of(made)))
    return made


def test_the_lines_of_an_older_statement_are_read_once(world: World, time: StillClock) -> None:
    leader_id = world.add_leader()
    days = [(date(2026, 2, 1) + timedelta(days=n)).isoformat() for n in range(5)]
    for n, day in enumerate(days, start=1):
        older(leader_id, day, lines=n)
    assert lines_read(world, leader_id, commission=7 * 15) == len(days)
    assert lines_read(world, leader_id, commission=7 * 15) == 0
    kept = settlement.get_statement(leader_id, f"run_{days[-1]}")
    assert kept
    assert kept.by_kind == (OfKind("commission", 35),)


def test_a_year_of_statements_that_know_their_kinds_reads_no_lines(
    world: World, time: StillClock
) -> None:
    sale = world.sale(open_for=timedelta(days=30))
    for quantity in (1, 3):
        world.delivered_order(sale, quantity)
        settle(world, time, days=9)
    assert lines_read(world, sale.leader_id, commission=400) == 0


def lines_read(world: World, leader_id: str, commission: int) -> int:
    """How often a year's page asks for lines; its sum is just this."""
    with mock.patch.object(store, "query", wraps=store.query) as queried:
        items = world.operator.get(f"{YEARS}?year=2026").json["items"]
    (year,) = (each for each in items if each["leader_id"] == leader_id)
    assert (year["by_kind"]["commission"], year["earned"]) == (commission, commission)
    return sum(call.args[0] is EarnedRow for call in queried.call_args_list)


def test_a_day_that_was_begun_without_kinds_is_told_by_its_lines(
    world: World, time: StillClock
) -> None:
    """Its row had the sum alone when the next delivery came."""
    sale = world.sale()
    world.delivered_order(sale)
    (row,) = MaturingRow.query(sale.leader_id, MaturingRow.sk.startswith("maturing#"))
    assert row.kinds == {"commission": 100}
    write(
        settlement.change_maturing(
            sale.leader_id, settlement.day_of(row), "EUR", kinds={"commission": -100}
        )
    )
    world.delivered_order(sale, 2)
    assert findings() == []
    settle(world, time, days=8)
    (made,) = settlement.statements_of_year(sale.leader_id, 2026)
    assert made.by_kind is None
    assert lines_read(world, sale.leader_id, commission=300) == 1
    (made,) = settlement.statements_of_year(sale.leader_id, 2026)
    assert made.by_kind == (OfKind("commission", 300),)
    assert findings() == []


def test_kinds_that_are_not_those_of_the_lines_are_found(world: World, time: StillClock) -> None:
    sale = world.sale(open_for=timedelta(days=30))
    world.delivered_order(sale)
    settle(world, time, days=8)
    world.delivered_order(sale)
    (waits,) = settlement.maturing_between(sale.leader_id, "2026-03-17", "9999-12-31")
    (made,) = settlement.statements_of_year(sale.leader_id, 2026)
    day, leader_id = settlement.day_of(waits), sale.leader_id
    swapped = {"commission": -100, "spread": 100}
    wrong = replace(made, by_kind=(OfKind("spread", 100),))
    write(settlement.change_maturing(leader_id, day, "EUR", kinds=swapped))  # type: ignore[arg-type]
    write(settlement.keep_by_kind(made, wrong.by_kind or ()))
    found = findings()
    assert [each.partition(":")[0] for each in found] == ["statement_lines", "leader_days"]
    assert "of each kind what its lines" in found[0]
