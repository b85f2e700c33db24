"""Results of payouts that are said where a statement shows them."""

from typing import Any
from unittest import mock

import pytest

from chalicelib.kernel.errors import Busy
from chalicelib.payouts import results
from chalicelib.reconciliation import resolving
from tests.functional.conftest import Clock
from tests.functional.test_reconciliations import day_of, open_cases, paid_out, rows_of
from tests.support.invariants import findings
from tests.support.payouts import cancel, earned, make, payout_to, sent, tell
from tests.support.statements import csv_file, differences, reconcile, resolve
from tests.support.world import World

BUSY = Busy("Stripe does not say.")


@pytest.fixture
def back(world: World, time: Clock) -> tuple[Any, Any]:
    """A payout that was paid, and the statement with which it came back."""
    (payout,) = paid_out(world, time, 3)
    came_back = (day_of(time, 1), "3.00", "EUR", payout["id"])
    return payout, reconcile(world, csv_file(*rows_of(time, payout), came_back))


@pytest.mark.parametrize("error", [BUSY, RuntimeError("killed")])
def test_what_could_not_be_told_may_be_resolved_otherwise(
    world: World, back: tuple[Any, Any], error: Exception
) -> None:
    payout, made = back
    with mock.patch.object(results, "_tell", side_effect=error):
        assert resolve(world, made, 1, "returned").status in (500, 503)
    assert differences(world, made)[0]["resolution"] is None
    assert resolve(world, made, 1, "post_to_suspense").status == 200
    assert world.operator.get(f"/v1/payouts/{payout['id']}").json["status"] == "paid"
    assert findings() == []


def test_what_was_told_is_not_resolved_otherwise_whatever_fails_behind_it(
    world: World, back: tuple[Any, Any]
) -> None:
    payout, made = back
    with mock.patch.object(results, "finish", side_effect=BUSY):
        assert resolve(world, made, 1, "returned").status == 503
    assert world.operator.get(f"/v1/payouts/{payout['id']}").json["status"] == "returned"
    other = resolve(world, made, 1, "post_to_suspense")
    assert (other.status, other.json["code"]) == (409, "already_resolved")
    assert resolve(world, made, 1, "returned").status == 200
    assert findings() == []


def test_who_gives_up_leaves_it_to_who_has_taken_over(world: World, back: tuple[Any, Any]) -> None:
    """Else it could be posted otherwise while the other is telling."""
    _, made = back

    def while_another_begins(*_: Any, **__: Any) -> None:
        resolving._begin(made["id"], 1, resolving.Said("returned", "looked into"))
        raise BUSY

    with mock.patch.object(results, "_tell", while_another_begins):
        assert resolve(world, made, 1, "returned").status == 503
    other = resolve(world, made, 1, "post_to_suspense")
    assert (other.status, other.json["code"]) == (409, "already_resolved")
    assert resolve(world, made, 1, "returned").status == 200
    assert findings() == []


@pytest.fixture
def payout(world: World, time: Clock) -> Any:
    """One that was sent and has no result yet."""
    (sale,) = earned(world, time, 3)
    return payout_to(world, sent(world), sale.leader_id)


def gone_and_back(time: Clock, payout: Any, came: str = "3.00") -> bytes:
    return csv_file(*rows_of(time, payout), (day_of(time, 1), came, "EUR", payout["id"]))


def in_books(world: World) -> int:
    in_bank: int = world.trial_balance().get("cash:bank", 0)
    return in_bank


def missed_later(world: World, time: Clock) -> list[str]:
    """What the next statement says is missing."""
    time.move_on(days=20)
    later = reconcile(world, csv_file((day_of(time), "-1.00", "EUR", "foo")))
    return [each["kind"] for each in differences(world, later) if each["kind"] == "missing"]


def test_a_payout_that_went_out_and_came_back_before_anybody_told_it(
    world: World, time: Clock, payout: Any
) -> None:
    made = reconcile(world, gone_and_back(time, payout, "2.50"))
    told = [(each["kind"], each["payout_id"]) for each in differences(world, made)]
    assert told == [("not_told", payout["id"]), ("returned", payout["id"])]
    assert "less 0.50 EUR, and nobody has told" in differences(world, made)[1]["detail"]
    refused = resolve(world, made, 2, "returned")
    assert (refused.status, refused.json["code"]) == (409, "payout_not_paid")
    assert differences(world, made)[1]["resolution"] is None
    assert resolve(world, made, 1, "paid").status == 200
    assert resolve(world, made, 2, "returned").status == 200
    assert in_books(world) == -50
    assert missed_later(world, time) == []
    assert findings() == []


@pytest.mark.parametrize("result", ["returned", "failed"])
def test_a_payout_that_was_told_not_to_be_paid_went_out_and_came_back(
    world: World, time: Clock, payout: Any, result: str
) -> None:
    assert tell(world, payout, result, "X").status == 200
    made = reconcile(world, gone_and_back(time, payout, "2.50"))
    (both,) = differences(world, made)
    assert (both["kind"], both["lines"]) == ("sent_back", [1, 2])
    assert both["changes"] == [{"currency": "EUR", "amount": -50}]
    assert resolve(world, made, 1, "post_fee").status == 200
    assert in_books(world) == -50
    assert findings() == []


@pytest.mark.parametrize("result", ["returned", "failed"])
def test_a_payout_that_is_paid_though_it_was_told_not_to_be_calls_a_person(
    world: World, time: Clock, payout: Any, result: str
) -> None:
    assert tell(world, payout, result, "X").status == 200
    made = reconcile(world, csv_file(*rows_of(time, payout)))
    (told,) = differences(world, made)
    assert (told["kind"], told["payout_id"]) == ("told_otherwise", payout["id"])
    assert f"was told as {result}: sent again it is paid twice" in told["detail"]
    (case,) = open_cases(world)
    assert told["detail"] in case["detail"]
    assert resolve(world, made, 1, "post_to_suspense").status == 200
    # What comes back of it weeks later settles that.
    back = reconcile(world, csv_file((day_of(time, 1), "3.00", "EUR", payout["id"])))
    assert [each["kind"] for each in differences(world, back)] == ["told_otherwise"]
    assert resolve(world, back, 1, "post_to_suspense").status == 200
    assert world.trial_balance().get("platform:suspense", 0) == in_books(world) == 0
    assert findings() == []


def test_a_payout_of_a_cancelled_batch_that_is_paid_calls_a_person(
    world: World, time: Clock
) -> None:
    (sale,) = earned(world, time, 3)
    batch = make(world)
    payout = payout_to(world, batch, sale.leader_id)
    assert cancel(world, batch).status == 200
    world.work()
    made = reconcile(world, csv_file(*rows_of(time, payout)))
    (told,) = differences(world, made)
    assert (told["kind"], "was told as cancelled" in told["detail"]) == ("told_otherwise", True)
