"""What an audit finds of settlement runs: whom one has left behind, and what one says of itself."""

from dataclasses import replace
from typing import Any
from unittest import mock

import pytest

from chalicelib.audit import of_runs
from chalicelib.kernel import clock
from chalicelib.parties import store as parties
from chalicelib.settlement import listing, run_store
from chalicelib.settlement.run_store import MarkerRow, RunRow
from tests.functional.conftest import new_world
from tests.functional.workers.conftest import StillClock
from tests.support.audited import look_at_everything
from tests.support.communities import balance, communities, deliver, delivered, settle
from tests.support.granted import running_as
from tests.support.world import Issuer, Sale, World

DAY, NEXT = "2026-03-17", "2026-03-18"


@pytest.fixture
def sales(world: World, time: StillClock) -> list[Sale]:
    """Leaders of whom something has matured by the run of `DAY`, which may begin."""
    sales = delivered(world, (1, 2))
    time.move_on(days=8)
    return sales


def found() -> list[tuple[str, str, int | None]]:
    with running_as(None):
        findings = list(look_at_everything(clock.now()))
    return [(each.check, each.subject, each.amount) for each in findings]


def settle_without(world: World, sale: Sale, day: str) -> None:
    """A run whose listing skips a leader."""
    listed = parties.leader_ids_after

    def others(after: str | None, limit: int) -> list[str]:
        return [each for each in listed(after, limit) if each != sale.leader_id]

    with mock.patch.object(parties, "leader_ids_after", others):
        settle(world, day)


@pytest.fixture
def one_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page has one leader, and an audit looks at one page a step."""
    monkeypatch.setattr(listing, "LEADERS_A_PAGE", 1)
    monkeypatch.setattr(of_runs, "PAGES_A_STEP", 1)


def settled(world: World, time: StillClock) -> str:
    """The run of `DAY` for three leaders, two of whom had anything to come."""
    delivered(world, (1, 2, 0))
    time.move_on(days=8)
    return str(settle(world, DAY)["id"])


def test_a_leader_whom_a_run_has_forgotten_is_found_until_a_run_takes_it(
    world: World, time: StillClock, sales: list[Sale]
) -> None:
    forgotten = sales[1]
    settle_without(world, forgotten, DAY)
    assert balance(world, forgotten)["pending"] == 200
    assert found() == [("matured_untaken", forgotten.leader_id, 200)]
    time.move_on(days=1)
    settle(world, NEXT)
    assert balance(world, forgotten)["available"] == 200
    assert found() == []


def test_what_is_told_of_a_day_after_its_run_is_the_next_ones(
    world: World, time: StillClock
) -> None:
    (sale,) = communities(world, 1)
    order = world.paid_order(sale)
    (dispatch,) = world.order(order["id"])["dispatches"]
    world.move(dispatch["id"], "accept", "ship")
    arrived = clock.to_text(clock.now())
    time.move_on(days=8)
    settle(world, DAY)
    told = world.operator.post(
        f"/v1/dispatches/{dispatch['id']}/deliver", {"delivered_at": arrived}
    )
    assert told.status == 200, told.text
    assert balance(world, sale)["pending"] == 100
    assert found() == []
    time.move_on(days=1)
    settle_without(world, sale, NEXT)
    assert found() == [("matured_untaken", sale.leader_id, 100)]


def test_a_day_that_is_not_over_may_bring_more(issuer: Issuer) -> None:
    with new_world(issuer, COMMISSION_HOLD_DAYS="0", SETTLE_OPEN_DAY="1") as world:
        (sale,) = communities(world, 1)
        deliver(world, [sale], [1])
        settle_without(world, sale, "2026-03-10")
        assert found() == []


def test_a_run_of_many_pages_is_counted_over_the_steps_of_an_audit(
    world: World, time: StillClock, one_a_page: None
) -> None:
    run = settled(world, time)
    assert found() == []
    with running_as(None):
        row = RunRow.get(run, "run")
        (total,) = row.totals
        row.update([RunRow.totals.set((replace(total, amount=total.amount + 7),))])
    assert found() == [("runs", run, 7)]


def test_a_leader_with_whom_a_run_is_not_done_is_found(
    world: World, time: StillClock, one_a_page: None
) -> None:
    run = settled(world, time)
    with running_as(None):
        next(iter(MarkerRow.query(f"{run}#000001"))).delete()
    assert [each[0] for each in found()] == ["runs", "runs", "runs"]


def test_a_run_that_goes_on_while_it_is_counted_is_left_to_the_next_audit(
    world: World, time: StillClock, one_a_page: None
) -> None:
    run = settled(world, time)
    with running_as(None):
        row = RunRow.get(run, "run")
        row.update([RunRow.leaders_settled.set(2)])
        changed = replace(row.to_entity(), version=row.version + 1)
    assert found() == [("runs", run, -1)]
    with mock.patch.object(run_store, "get_run", return_value=changed):
        assert found() == []


def test_a_run_that_is_completed_meanwhile_is_no_part_of_the_one_that_is_counted(
    world: World, time: StillClock, one_a_page: None
) -> None:
    settled(world, time)
    time.move_on(days=1)
    later = settle(world, NEXT)["id"]
    with running_as(None):
        row = RunRow.get(later, "run")
        RunRow.at(later, "run").update([RunRow.completed_at.remove()])
    pages = run_store.get_page

    def completes(run_id: str, number: int) -> Any:
        row.save()
        return pages(run_id, number)

    with mock.patch.object(run_store, "get_page", completes):
        assert found() == []
