"""A resolution that was wrong is taken back, whole, and the difference resolved in another way."""

from functools import partial
from typing import Any
from unittest import mock

import pytest

from chalicelib.ledger import store as ledger
from chalicelib.reconciliation import turning_up
from tests.functional.conftest import Clock
from tests.functional.test_reconciled_by_hand import doubtful, entry_of
from tests.functional.test_reconciliations import day_of, open_cases, paid_out
from tests.support.at_once import at_once
from tests.support.invariants import findings
from tests.support.statements import camt, csv_file, differences, reconcile, resolve
from tests.support.world import World

WHY = "It was a deposit"


def undo(world: World, made: Any, n: int = 1, why: str = WHY) -> Any:
    path = f"/v1/reconciliations/{made['id']}/differences/{n}/undo"
    return world.operator.post(path, {"note": why})


def extra(world: World, time: Clock, amount: str = "7.77", **query: Any) -> Any:
    return reconcile(world, csv_file((day_of(time), amount, "EUR", "x")), **query)


def unresolved(world: World, made: Any) -> int:
    found: int = world.operator.get(f"/v1/reconciliations/{made['id']}").json["unresolved"]
    return found


@pytest.mark.parametrize(
    ("resolution", "account"),
    [("post_to_suspense", "platform:suspense"), ("post_fee", "platform:revenue")],
)
def test_what_a_wrong_resolution_posted_is_taken_back_and_it_is_open_again(
    world: World, time: Clock, resolution: str, account: str
) -> None:
    made = extra(world, time)
    first = resolve(world, made, 1, resolution).json
    assert world.trial_balance()[account] == -777
    undone = undo(world, made)
    assert undone.status == 200, undone.text
    assert (undone.json["resolution"], undone.json["posted"]) == (None, [])
    (was,) = undone.json["undone"]
    assert (was["resolution"], was["posted"], was["why"]) == (resolution, first["posted"], WHY)
    assert (was["note"], was["undone_by"]) == ("looked into", undone.json["owner"])
    assert world.trial_balance().get(account, 0) == 0
    assert unresolved(world, made) == 1
    (case,) = open_cases(world)
    assert case["id"] == undone.json["case_id"] != first["case_id"]
    assert case["detail"].endswith(WHY)
    assert undo(world, made).json == undone.json
    assert findings() == []


def test_what_was_undone_is_resolved_and_undone_again(world: World, time: Clock) -> None:
    made = extra(world, time)
    for n in range(3):
        resolved = resolve(world, made, 1, "post_to_suspense")
        assert resolved.status == 200, resolved.text
        again = [] if n == 0 else [str(n + 1)]
        entry_id = ":".join(["reconciled", made["id"], "1", "EUR", *again])
        assert resolved.json["posted"] == [entry_id]
        assert resolve(world, made, 1, "post_to_suspense").json == resolved.json
        assert undo(world, made, why=f"no {n}").status == 200
        assert open_cases(world) != []
    assert resolve(world, made, 1, "post_fee").status == 200
    assert open_cases(world) == []
    balances = world.trial_balance()
    assert (balances.get("platform:suspense", 0), balances["platform:revenue"]) == (0, -777)
    assert findings() == []


def test_neither_side_of_what_was_undone_is_missing_later(world: World, time: Clock) -> None:
    paid_out(world, time, 3)
    reconcile(world, csv_file((day_of(time), "1.00", "EUR", "y")), account="cash:local")
    made = extra(world, time)
    resolve(world, made, 1, "post_to_other_account", account="cash:local")
    assert undo(world, made).status == 200
    time.move_on(days=12)
    for account in ("cash:bank", "cash:local"):
        period = (day_of(time, -11), day_of(time))
        later = reconcile(world, camt(period=period), format="camt.053", account=account)
        missed = {each for one in differences(world, later) for each in one["entries"]}
        assert not any(each.startswith("reconciled") for each in missed), account
    assert findings() == []


@pytest.mark.parametrize("resolution", ["", "post_to_suspense"])
@pytest.mark.parametrize("dies", [False, True])
def test_what_the_other_account_has_missed_of_it_is_missing_no_more(
    world: World, time: Clock, resolution: str, *, dies: bool
) -> None:
    world.delivered_order(world.sale())
    reconcile(world, csv_file((day_of(time), "1.00", "EUR", "y")), account="cash:local")
    made = extra(world, time)
    moved = resolve(world, made, 1, "post_to_other_account", account="cash:local").json
    before = world.trial_balance()
    time.move_on(days=12)
    period = (day_of(time, -11), day_of(time))
    there = reconcile(world, camt(period=period), format="camt.053", account="cash:local")
    (n,) = [each["n"] for each in differences(world, there) if each["entries"] == moved["posted"]]
    if resolution:
        assert resolve(world, there, n, resolution).status == 200
    if dies:
        with mock.patch.object(turning_up, "let_go_of_claimed", side_effect=RuntimeError):
            assert undo(world, made).status == 500
    assert undo(world, made).status == 200
    (found,) = [each for each in differences(world, there) if each["n"] == n]
    assert found["found_in"] == made["id"]
    assert found["case_id"] not in {each["id"] for each in open_cases(world)}
    after = world.trial_balance()
    assert after.get("platform:suspense", 0) == 0
    assert after["cash:local"] == before["cash:local"] + 777
    assert findings() == []


def test_what_has_its_line_in_the_other_account_is_not_undone(world: World, time: Clock) -> None:
    made = extra(world, time, "-7.77")
    world.delivered_order(world.sale())
    resolved = resolve(world, made, 1, "post_to_other_account", account="cash:local").json
    row = (day_of(time), "7.77", "EUR", "")
    there = reconcile(world, csv_file(row), account="cash:local")
    assert there["matched"] == 1
    refused = undo(world, made)
    assert (refused.status, refused.json["code"]) == (409, "undo_not_possible")
    assert there["id"] in refused.json["detail"]
    assert set(ledger.get_entries(resolved["posted"])) == set(resolved["posted"])
    assert unresolved(world, made) == 0
    assert findings() == []


def test_an_account_that_was_never_used_is_refused(world: World, time: Clock) -> None:
    made = extra(world, time)
    for account in ("cash:stripe", "cash:mistyped"):
        refused = resolve(world, made, 1, "post_to_other_account", account=account)
        assert (refused.status, refused.json["errors"][0]["field"]) == (422, "account")
    assert unresolved(world, made) == 1
    refused = resolve(world, made, 1, "post_to_suspense", new_account=True)
    assert (refused.status, refused.json["errors"][0]["field"]) == (422, "new_account")
    new = {"account": "cash:savings", "new_account": True}
    assert resolve(world, made, 1, "post_to_other_account", **new).status == 200
    other = extra(world, time, "8.88")
    assert resolve(world, other, 1, "post_to_other_account", account="cash:savings").status == 200


def test_accepting_is_undone(world: World, time: Clock) -> None:
    made = extra(world, time)
    assert resolve(world, made, 1, "accept").status == 200
    assert undo(world, made).json["undone"][0]["posted"] == []
    assert resolve(world, made, 1, "post_to_suspense").status == 200
    assert world.trial_balance()["platform:suspense"] == -777
    assert findings() == []


def test_what_is_open_or_said_elsewhere_is_not_undone(world: World, time: Clock) -> None:
    (first, _), made = doubtful(world, time, 2, 1)
    refused = undo(world, made)
    assert (refused.status, refused.json["code"]) == (409, "not_resolved")
    assert resolve(world, made, 1, "match", entry_id=entry_of(first)).status == 200
    refused = undo(world, made)
    assert (refused.status, refused.json["code"]) == (409, "undo_not_possible")
    assert undo(world, made, 2).status == 404
    assert findings() == []


def test_what_was_doubtful_may_be_meant_again(world: World, time: Clock) -> None:
    (first, _), made = doubtful(world, time, 2, 1)
    assert resolve(world, made, 1, "post_to_suspense").status == 200
    assert undo(world, made).status == 200
    assert resolve(world, made, 1, "match", entry_id=entry_of(first)).status == 200
    assert unresolved(world, made) == 0
    assert findings() == []


def test_what_is_missing_is_found_after_it_was_undone(world: World, time: Clock) -> None:
    (payout,) = paid_out(world, time, 3)
    time.move_on(days=11)
    for n, (first, last) in enumerate(((-16, -11), (-10, -1))):
        period = (day_of(time, first), day_of(time, last))
        made = reconcile(world, camt(period=period, own_id=str(n)), format="camt.053")
    resolve(world, made, 1, "post_to_suspense")
    assert undo(world, made).status == 200
    assert resolve(world, made, 1, "post_to_suspense").status == 200
    reconcile(world, csv_file((day_of(time), "-3.00", "EUR", payout["id"])))
    (found,) = differences(world, made)
    assert found["found_in"]
    assert world.trial_balance().get("platform:suspense", 0) == 0
    refused = undo(world, made)
    assert (refused.status, refused.json["code"]) == (409, "undo_not_possible")
    assert open_cases(world) == []
    assert findings() == []


def test_many_at_once_undo_once(world: World, time: Clock) -> None:
    made = extra(world, time)
    resolve(world, made, 1, "post_to_suspense")
    answers = at_once([partial(undo, world, made, 1, f"no {n}") for n in range(4)])
    assert sorted(each.status for each in answers) == [200, 409, 409, 409]
    assert unresolved(world, made) == 1
    assert world.trial_balance().get("platform:suspense", 0) == 0
    assert findings() == []


def test_what_waits_in_suspense_waits_no_more_on_either_side(world: World, time: Clock) -> None:
    made = extra(world, time)
    (posted,) = resolve(world, made, 1, "post_to_suspense").json["posted"]
    assert undo(world, made).status == 200
    for entry_id in (posted, posted.replace("reconciled:", "reconciled-undone:")):
        item = world.operator.get(f"/v1/open-items/{entry_id}").json
        assert (abs(item["amount"]), item["left"]) == (777, 0)
    assert findings() == []


def test_what_was_cleared_out_of_suspense_is_not_undone(world: World, time: Clock) -> None:
    made = extra(world, time)
    (posted,) = resolve(world, made, 1, "post_to_suspense").json["posted"]
    clear = {"goes": "income", "reference": "ours", "amount": 100}
    assert world.operator.post(f"/v1/open-items/{posted}/clear", clear).status in (200, 201)
    refused = undo(world, made)
    assert (refused.status, refused.json["code"]) == (409, "undo_not_possible")
    assert "1.00 EUR" in refused.json["detail"]
    assert findings() == []


def test_what_was_moved_to_where_it_belongs_is_not_undone(world: World, time: Clock) -> None:
    """The books have the payout in the bank, and another account's statement has its line."""
    (payout,) = paid_out(world, time, 3)
    row = (day_of(time), "-3.00", "EUR", payout["id"])
    made = reconcile(world, csv_file(row), account="cash:local")
    assert resolve(world, made, 1, "post_to_other_account").status == 200
    refused = undo(world, made)
    assert (refused.status, refused.json["code"]) == (409, "undo_not_possible")
    assert unresolved(world, made) == 0
    assert findings() == []
