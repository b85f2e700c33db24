"""Results of payouts that are said where a statement shows them."""

from typing import Any
from unittest import mock

import pytest

from chalicelib.kernel.errors import Busy
from chalicelib.payouts import results
from chalicelib.reconciliation import resolving
from tests.functional.conftest import Clock
from tests.functional.test_reconciliations import day_of, paid_out, rows_of
from tests.support.invariants import findings
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
