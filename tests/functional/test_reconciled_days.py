"""A statement is of days that are over, or of the next at most, whatever says which."""

import json
from datetime import timedelta
from typing import Any

import pytest

from tests.functional.conftest import Clock
from tests.functional.test_reconciliations import day_of, paid_out
from tests.support.gateway import Answer
from tests.support.snapshot import snapshot
from tests.support.statements import camt, csv_file, differences, entry, reconcile, send
from tests.support.world import World


def by_entry(world: World, time: Clock, ahead: int) -> Answer:
    raw = camt(entry("-9.00", day=day_of(time, ahead)))
    return send(world.operator, raw, format="camt.053")


def by_period(world: World, time: Clock, ahead: int) -> Answer:
    period = (day_of(time, -1), day_of(time, ahead))
    return send(world.operator, camt(period=period), format="camt.053")


def by_parameter(world: World, time: Clock, ahead: int) -> Answer:
    raw = csv_file((day_of(time), "-9.00", "EUR", "X1"))
    return send(world.operator, raw, last=day_of(time, ahead))


def by_stripe(world: World, time: Clock, ahead: int) -> Answer:
    created = int((time.now() + timedelta(days=ahead)).timestamp())
    of = {"id": "txn_1", "amount": 1, "fee": 0, "currency": "eur", "created": created}
    raw = json.dumps([of]).encode()
    return send(world.operator, raw, account="cash:stripe", format="stripe")


@pytest.mark.parametrize(
    ("by", "field"),
    [(by_entry, "body"), (by_period, "body"), (by_parameter, "last"), (by_stripe, "body")],
)
def test_days_that_are_yet_to_come_are_refused(
    world: World, time: Clock, by: Any, field: str
) -> None:
    before = snapshot(world.environment)
    for ahead in (2, 70):
        refused = by(world, time, ahead)
        (error,) = refused.json["errors"]
        assert (refused.status, error["field"]) == (422, field)
        assert "yet to come" in error["message"]
    assert snapshot(world.environment) == before
    # The bank's own day may have begun before this one's.
    assert by(world, time, 1).status == 202


def test_what_the_books_have_today_is_not_missing_by_a_month_that_is_not_over(
    world: World, time: Clock
) -> None:
    paid_out(world, time, 3)
    month = {"first": day_of(time, -20), "last": day_of(time, 9)}
    rows = csv_file((day_of(time), "-9.00", "EUR", "X1"))
    assert send(world.operator, rows, **month).status == 422
    made = reconcile(world, rows, **{**month, "last": day_of(time)})
    assert [each["kind"] for each in differences(world, made)] == ["extra"]
    assert made["in_transit"] == 1
