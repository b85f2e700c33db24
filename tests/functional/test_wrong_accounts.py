"""A line whose entry the books have in another account: the entry stays there until a person moves
it, and its own statement comes first."""

from typing import Any

import pytest

from tests.functional.conftest import Clock
from tests.functional.test_missing_entries import statement, told
from tests.functional.test_reconciliations import day_of, paid_out
from tests.support.invariants import findings
from tests.support.statements import camt, csv_file, differences, entry, reconcile, resolve
from tests.support.world import World

pytestmark = pytest.mark.usefixtures("days_to_come")

OTHER = "cash:local"
MOVE = "post_to_other_account"


def in_the_other(world: World, time: Clock) -> tuple[Any, Any]:
    """A payout of 3.00 that the books have in the bank, and a statement of another account with its
    line."""
    (payout,) = paid_out(world, time, 3)
    row = (day_of(time, 0), "-3.00", "EUR", payout["id"])
    made = reconcile(world, csv_file(row), account=OTHER)
    assert told(world, made) == [("wrong_account", [f"payout-paid:{payout['id']}"])]
    return made, payout


def balances(world: World) -> dict[str, int]:
    answer = world.operator.get("/v1/ledger/trial-balance?prefix=cash:").json
    (euros,) = answer["currencies"]
    return {each["account"]: each["balance"] for each in euros["accounts"]}


def test_what_is_moved_is_looked_for_in_its_account_no_more(world: World, time: Clock) -> None:
    made, _ = in_the_other(world, time)
    before = balances(world)
    assert resolve(world, made, 1, MOVE).status == 200
    moved = {"cash:bank": before["cash:bank"] + 300, OTHER: before[OTHER] - 300}
    assert balances(world) == before | moved
    for n, (first, last) in enumerate(((-10, 0), (1, 10), (11, 20))):
        assert told(world, statement(world, time, first, last, own_id=str(n))) == []
    assert findings() == []


def test_its_own_statement_matches_it_until_it_is_moved(world: World, time: Clock) -> None:
    made, payout = in_the_other(world, time)
    line = entry("-3.00", day=day_of(time, 0), reference=payout["id"], ref="B1")
    period = (day_of(time, -1), day_of(time, 1))
    own = reconcile(world, camt(line, period=period), format="camt.053")
    assert (own["matched"], own["differences"]) == (1, 0)
    before = balances(world)
    answer = resolve(world, made, 1, MOVE)
    assert (answer.status, answer.json["code"]) == (409, "found_meanwhile")
    assert balances(world) == before
    assert resolve(world, made, 1, "post_to_suspense").status == 200
    assert balances(world) == before | {OTHER: before[OTHER] - 300}
    assert findings() == []


def test_what_was_missed_is_found_once_it_is_moved(world: World, time: Clock) -> None:
    """Whatever was posted against what was missing is taken back."""
    made, _ = in_the_other(world, time)
    before = balances(world)
    statement(world, time, -10, 0, own_id="1")
    missed = statement(world, time, 1, 10, own_id="2")
    assert [each["kind"] for each in differences(world, missed)] == ["missing"]
    assert resolve(world, missed, 1, "post_to_suspense").status == 200
    assert resolve(world, made, 1, MOVE).status == 200
    moved = {"cash:bank": before["cash:bank"] + 300, OTHER: before[OTHER] - 300}
    assert balances(world) == before | moved
    assert findings() == []


def test_what_is_not_moved_stays_where_it_is(world: World, time: Clock) -> None:
    made, payout = in_the_other(world, time)
    assert resolve(world, made, 1, "post_to_suspense").status == 200
    line = entry("-3.00", day=day_of(time, 0), reference=payout["id"], ref="B1")
    own = reconcile(
        world, camt(line, period=(day_of(time, -1), day_of(time, 1))), format="camt.053"
    )
    assert (own["matched"], own["differences"]) == (1, 0)
    assert findings() == []
