"""CSV files of statements: all that is wrong in one is told at once, and what differs in each
direction apart."""

from typing import Any

import pytest

from chalicelib.reconciliation.csv_lines import MOST_ERRORS
from tests.functional.conftest import Clock
from tests.functional.test_reconciliations import day_of
from tests.support.snapshot import snapshot
from tests.support.statements import csv_file, reconcile, send
from tests.support.world import World

COLUMNS = "date,amount,currency,type"


def test_all_that_is_wrong_in_any_row_is_told_at_once(world: World) -> None:
    rows = [
        ("26.11.2026", "0.04", "EUR", "return"),
        ("2026-03-20", "1.00", "EUR", ""),
        ("2026-03-20", "-1.005", "EUR", "charge"),
        ("2026-02-30", "1.00", "EURO", ""),
    ]
    before = snapshot(world.environment)
    refused = send(world.operator, csv_file(*rows, columns=COLUMNS))
    assert refused.status == 422
    assert [each["field"] for each in refused.json["errors"]] == [
        "lines.2.date",
        "lines.4.amount",
        "lines.4.type",
        "lines.5.currency",
        "lines.5.date",
    ]
    assert "at line 2" in refused.json["detail"]
    assert refused.json["detail"].endswith("; and 2 more")
    assert snapshot(world.environment) == before


def test_no_more_is_told_than_anybody_reads(world: World) -> None:
    rows = [("no day", "no amount", "EUR", "")] * MOST_ERRORS
    refused = send(world.operator, csv_file(*rows, columns=COLUMNS))
    assert len(refused.json["errors"]) == MOST_ERRORS


@pytest.mark.parametrize(("ahead", "status"), [(0, 202), (1, 202), (2, 422), (10, 422)])
def test_a_day_that_is_yet_to_come_is_refused(
    world: World, time: Clock, ahead: int, status: int
) -> None:
    answer = send(world.operator, csv_file((day_of(time, ahead), "7.77", "EUR", "x")))
    assert answer.status == status
    if status == 422:
        (error,) = answer.json["errors"]
        assert (error["field"], "yet to come" in error["message"]) == ("lines.2.date", True)


def test_what_came_in_and_what_went_out_are_counted_apart(world: World, time: Clock) -> None:
    rows = [(day_of(time), amount, "EUR", f"x{amount}") for amount in ("5.00", "-2.50", "1.00")]
    made = reconcile(world, csv_file(*rows))
    counted: Any = {
        "kind": "extra",
        "differences": 3,
        "currency": "EUR",
        "amount": 350,
        "incoming": 600,
        "outgoing": -250,
    }
    assert made["kinds"] == [counted]
