"""Where several lines or entries may belong together a person says which do: nothing twice."""

from typing import Any

import pytest

from tests.functional.conftest import Clock
from tests.functional.test_reconciliations import day_of, open_cases, paid_out
from tests.support.at_once import at_once
from tests.support.invariants import findings
from tests.support.statements import camt, csv_file, differences, reconcile, resolve
from tests.support.world import World


def doubtful(world: World, time: Clock, payouts: int, lines: int) -> tuple[list[Any], Any]:
    """Payouts of one amount, and a statement with lines of it that name nothing."""
    of = paid_out(world, time, *[3] * payouts)
    columns = "date,amount,currency,bank_ref"
    rows = [(day_of(time), "-3.00", "EUR", f"B{n}") for n in range(lines)]
    made = reconcile(world, csv_file(*rows, columns=columns))
    assert [each["kind"] for each in differences(world, made)] == ["ambiguous"]
    return of, made


def entry_of(payout: Any) -> str:
    return f"payout-paid:{payout['id']}"


def read(world: World, made: Any) -> Any:
    return world.operator.get(f"/v1/reconciliations/{made['id']}").json


@pytest.mark.usefixtures("days_to_come")
def test_a_line_is_matched_with_the_entry_that_a_person_names(world: World, time: Clock) -> None:
    (first, second), made = doubtful(world, time, 2, 1)
    done = resolve(world, made, 1, "match", entry_id=entry_of(first))
    assert (done.status, done.json["resolution"], done.json["posted"]) == (200, "match", [])
    said = {"line": 1, "entry_id": entry_of(first), "by": done.json["resolved_by"]}
    assert done.json["decided"] == [said]
    assert resolve(world, made, 1, "match", entry_id=entry_of(first)).json == done.json
    other = resolve(world, made, 1, "match", entry_id=entry_of(second))
    assert (other.status, other.json["code"]) == (409, "already_resolved")
    after = read(world, made)
    assert (after["matched"], after["unresolved"]) == (1, 0)
    assert open_cases(world) == []
    # The other one is looked for in the statements to come, and the first one in none.
    period = (day_of(time, 1), day_of(time, 10))
    later = reconcile(world, camt(period=period), format="camt.053")
    (missing,) = differences(world, later)
    assert (missing["kind"], missing["entries"]) == ("missing", [entry_of(second)])
    assert findings() == []


def test_a_payout_names_its_entry(world: World, time: Clock) -> None:
    (first, _), made = doubtful(world, time, 2, 1)
    done = resolve(world, made, 1, "match", payout_id=first["id"])
    assert done.json["decided"][0]["entry_id"] == entry_of(first)


def test_of_several_lines_each_is_decided_by_itself(world: World, time: Clock) -> None:
    (first, second), made = doubtful(world, time, 2, 2)
    begun = resolve(world, made, 1, "match", entry_id=entry_of(second), line=1)
    assert (begun.status, begun.json["resolution"]) == (200, None)
    assert (read(world, made)["matched"], read(world, made)["unresolved"]) == (1, 1)
    again = resolve(world, made, 1, "match", entry_id=entry_of(second), line=2)
    assert (again.status, again.json["errors"][0]["field"]) == (422, "entry_id")
    done = resolve(world, made, 1, "match", entry_id=entry_of(first), line=2)
    assert done.json["resolution"] == "match"
    assert (read(world, made)["matched"], read(world, made)["unresolved"]) == (2, 0)
    assert findings() == []


def test_lines_that_are_left_over_are_resolved_in_another_way(world: World, time: Clock) -> None:
    (payout,), made = doubtful(world, time, 1, 2)
    assert resolve(world, made, 1, "match", entry_id=entry_of(payout), line=2).status == 200
    none_left = resolve(world, made, 1, "match", entry_id=entry_of(payout), line=1)
    assert (none_left.status, none_left.json["errors"][0]["field"]) == (422, "entry_id")
    assert resolve(world, made, 1, "post_to_suspense").status == 200
    assert world.trial_balance()["platform:suspense"] == 300
    assert findings() == []


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({}, "entry_id"),
        ({"entry_id": "payout-paid:pyt_other"}, "entry_id"),
        ({"payout_id": "pyt_other"}, "payout_id"),
        ({"entry_id": "FIRST", "payout_id": "pyt_other"}, "entry_id"),
        ({"entry_id": "FIRST"}, "line"),
        ({"entry_id": "FIRST", "line": 3}, "line"),
        ({"entry_id": "FIRST", "line": 0}, "line"),
    ],
)
def test_what_is_no_candidate_is_refused(
    world: World, time: Clock, sent: dict[str, Any], field: str
) -> None:
    (first, _), made = doubtful(world, time, 2, 2)
    named = {**sent, "entry_id": entry_of(first)} if sent.get("entry_id") == "FIRST" else sent
    if "entry_id" not in sent or sent["entry_id"] != "FIRST":
        named = {"line": 1, **named}
    refused = resolve(world, made, 1, "match", **named)
    assert (refused.status, refused.json["errors"][0]["field"]) == (422, field)
    assert read(world, made)["matched"] == 0


def test_a_candidate_is_sent_with_match_alone(world: World, time: Clock) -> None:
    (first, _), made = doubtful(world, time, 2, 1)
    refused = resolve(world, made, 1, "accept", entry_id=entry_of(first))
    assert (refused.status, refused.json["errors"][0]["field"]) == (422, "entry_id")
    extra = reconcile(world, csv_file((day_of(time), "50.00", "EUR", "x")))
    refused = resolve(world, extra, 1, "match", entry_id=entry_of(first))
    assert (refused.status, refused.json["code"]) == (409, "resolution_not_possible")


def test_two_operators_at_once_match_one_line_once(world: World, time: Clock) -> None:
    payouts, made = doubtful(world, time, 2, 1)

    def decide(payout: Any) -> Any:
        return lambda: resolve(world, made, 1, "match", entry_id=entry_of(payout))

    answers = at_once([decide(payout) for payout in payouts])
    assert sorted(each.status for each in answers) == [200, 409]
    assert read(world, made)["matched"] == 1
    assert findings() == []
