"""What a statement has and the books have later: a person says which entry its line is of."""

import json
from typing import Any
from unittest import mock

import pytest

from chalicelib.reconciliation import turning_up
from tests.functional.conftest import Clock
from tests.functional.test_reconciled_references import deposit
from tests.functional.test_reconciliations import day_of, open_cases, paid_out, rows_of
from tests.support.at_once import at_once
from tests.support.invariants import findings
from tests.support.payouts import earned, payout_to, sent, tell
from tests.support.statements import csv_file, differences, reconcile, resolve
from tests.support.world import World, created


def waiting(world: World, time: Clock) -> Any:
    """A payout that was sent and has no result yet."""
    (sale,) = earned(world, time, 3)
    return payout_to(world, sent(world), sale.leader_id)


def read(world: World, made: Any) -> Any:
    return world.operator.get(f"/v1/reconciliations/{made['id']}").json


def entry_of(world: World, supplier_id: str) -> str:
    """That of its one deposit."""
    (booked,) = world.operator.get(f"/v1/suppliers/{supplier_id}/deposits").json["items"]
    return str(booked["entry_id"])


def kinds_twenty_days_later(world: World, time: Clock) -> list[str]:
    """Of a statement with one line that is for its days alone."""
    time.move_on(days=20)
    made = reconcile(world, csv_file((day_of(time), "-1.00", "EUR", "foo")))
    return [each["kind"] for each in differences(world, made)]


def test_a_deposit_that_is_booked_after_its_statement(world: World, time: Clock) -> None:
    made = reconcile(world, csv_file((day_of(time), "10.00", "EUR", "DEP-7")))
    entry_id = entry_of(world, deposit(world, 1000, "DEP-7"))
    done = resolve(world, made, 1, "match", entry_id=entry_id)
    assert (done.status, done.json["resolution"], done.json["posted"]) == (200, "match", [])
    assert resolve(world, made, 1, "match", entry_id=entry_id).json == done.json
    after = read(world, made)
    assert (after["matched"], after["unresolved"], open_cases(world)) == (1, 0, [])
    assert kinds_twenty_days_later(world, time) == ["extra", "gap"]
    assert findings() == []


def test_a_payout_that_is_told_after_its_statement(world: World, time: Clock) -> None:
    payout = waiting(world, time)
    made = reconcile(world, csv_file(*rows_of(time, payout)))
    assert tell(world, payout, "paid", "BY-HAND").status == 200
    refused = resolve(world, made, 1, "paid")
    assert (refused.status, refused.json["code"]) == (409, "result_conflict")
    done = resolve(world, made, 1, "match", payout_id=payout["id"])
    assert done.json["decided"][0]["entry_id"] == f"payout-paid:{payout['id']}"
    assert kinds_twenty_days_later(world, time) == ["extra", "gap"]
    assert findings() == []


def test_a_return_that_is_told_after_its_statement(world: World, time: Clock) -> None:
    (payout,) = paid_out(world, time, 3)
    rows = [*rows_of(time, payout), (day_of(time, 1), "3.00", "EUR", payout["id"])]
    made = reconcile(world, csv_file(*rows))
    assert tell(world, payout, "returned", "BY-HAND").status == 200
    done = resolve(world, made, 1, "match", payout_id=payout["id"])
    assert done.json["decided"][0]["entry_id"] == f"payout-returned:{payout['id']}"
    assert kinds_twenty_days_later(world, time) == ["extra", "gap"]
    assert findings() == []


def test_a_dispute_that_is_told_after_its_statement(world: World, time: Clock) -> None:
    order = world.delivered_order(world.sale(), 3)
    disputed = {"id": "txn_1", "amount": -1000, "fee": 150, "created": int(time.now().timestamp())}
    of = {"currency": "eur", "type": "adjustment", "source": "dp_1"}
    raw = json.dumps([disputed | of]).encode()
    made = reconcile(world, raw, account="cash:local", format="stripe")
    assert [each["kind"] for each in differences(world, made)] == ["fee", "extra"]
    body = {"order_id": order["id"], "amount": 1000, "fee": 150, "reference": "dp_1"}
    chargeback = created(world.operator.post("/v1/chargebacks", body))
    named = [f"chargeback-fee:{chargeback['id']}", f"refund-done:{chargeback['refund_id']}"]
    for n, entry_id in enumerate(named, 1):
        matched = resolve(world, made, n, "match", entry_id=entry_id)
        assert matched.status == 200
    assert (read(world, made)["matched"], read(world, made)["unresolved"]) == (2, 0)
    assert findings() == []


@pytest.mark.parametrize("dies", [False, True])
def test_what_another_statement_missed_meanwhile_is_found(
    world: World, time: Clock, dies: bool
) -> None:
    made = reconcile(world, csv_file((day_of(time), "10.00", "EUR", "DEP-7")))
    entry_id = entry_of(world, deposit(world, 1000, "DEP-7"))
    time.move_on(days=20)
    later = reconcile(world, csv_file((day_of(time), "-1.00", "EUR", "foo")))
    (missing,) = [each for each in differences(world, later) if each["kind"] == "missing"]
    assert resolve(world, later, missing["n"], "post_to_suspense").status == 200
    if dies:
        with mock.patch.object(turning_up, "let_go_of_claimed", side_effect=RuntimeError):
            assert resolve(world, made, 1, "match", entry_id=entry_id).status == 500
        reconcile(world, csv_file((day_of(time), "-2.00", "EUR", "bar")))
    else:
        assert resolve(world, made, 1, "match", entry_id=entry_id).status == 200
    found = [each for each in differences(world, later) if each["kind"] == "missing"]
    assert [each["found_in"] for each in found] == [made["id"]]
    books = world.trial_balance()
    assert (books["cash:bank"], books.get("platform:suspense", 0)) == (1000, 0)
    assert findings() == []


def test_what_does_not_agree_or_is_no_entry_is_refused(world: World, time: Clock) -> None:
    made = reconcile(world, csv_file((day_of(time), "10.00", "EUR", "DEP-7")))
    entry_id = entry_of(world, deposit(world, 1001, "DEP-7"))
    other = resolve(world, made, 1, "match", entry_id=entry_id)
    assert (other.status, other.json["code"]) == (409, "resolution_not_possible")
    for named in ({"entry_id": "deposit_received:dpo_x"}, {"payout_id": "pyt_x"}):
        none = resolve(world, made, 1, "match", **named)
        assert (none.status, none.json["errors"][0]["field"]) == (422, next(iter(named)))
    assert read(world, made)["unresolved"] == 1


def test_an_entry_that_has_its_line_is_of_no_other(world: World, time: Clock) -> None:
    (payout,) = paid_out(world, time, 3)
    made = reconcile(
        world, csv_file(*rows_of(time, payout), (day_of(time), "-3.00", "EUR", "RENT"))
    )
    taken = resolve(world, made, 1, "match", payout_id=payout["id"])
    assert (taken.status, taken.json["code"]) == (409, "found_meanwhile")
    assert resolve(world, made, 1, "post_to_suspense").status == 200


def test_of_two_lines_at_once_one_is_matched_with_an_entry(world: World, time: Clock) -> None:
    rows = [(day_of(time), "10.00", "EUR", f"DEP-{n}") for n in (1, 2)]
    made = reconcile(world, csv_file(*rows))
    entry_id = entry_of(world, deposit(world, 1000, "DEP"))

    def match(n: int) -> Any:
        return lambda: resolve(world, made, n, "match", entry_id=entry_id)

    answers = at_once([match(1), match(2)])
    assert sorted(each.status for each in answers) == [200, 409]
    assert read(world, made)["matched"] == 1
    assert findings() == []


def test_one_that_is_matched_is_posted_nowhere_at_once(world: World, time: Clock) -> None:
    made = reconcile(world, csv_file((day_of(time), "10.00", "EUR", "DEP-7")))
    entry_id = entry_of(world, deposit(world, 1000, "DEP-7"))
    answers = at_once(
        [
            lambda: resolve(world, made, 1, "match", entry_id=entry_id),
            lambda: resolve(world, made, 1, "post_to_suspense"),
        ]
    )
    assert sorted(each.status for each in answers) == [200, 409]
    assert read(world, made)["unresolved"] == 0
    assert findings() == []
