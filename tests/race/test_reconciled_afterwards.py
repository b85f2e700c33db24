"""Lines that are matched at once with one entry that was booked after their statement."""

from typing import Any

from chalicelib.kernel import clock
from tests.support.at_once import at_once
from tests.support.clouds import ALSO_IN_MEMORY, IN_MEMORY
from tests.support.statements import csv_file, reconcile, resolve
from tests.support.unguarded import unguarded
from tests.support.world import World, created

LINES = 6


def match_at_once(world: World) -> list[int]:
    """What each of some lines of one amount is answered that are said to be of one deposit."""
    day = clock.now().date().isoformat()
    made = reconcile(world, csv_file(*((day, "10.00", "EUR", f"x{n}") for n in range(LINES))))
    supplier_id = world.add_supplier()
    body = {"amount": 1000, "reference": "DEP-7"}
    created(world.operator.post(f"/v1/suppliers/{supplier_id}/deposits", body))
    (deposit,) = world.operator.get(f"/v1/suppliers/{supplier_id}/deposits").json["items"]
    entry_id = f"deposit_received:{deposit['id']}"

    def match(n: int) -> Any:
        return lambda: resolve(world, made, n, "match", entry_id=entry_id).status

    return at_once([match(n) for n in range(1, LINES + 1)])


@ALSO_IN_MEMORY
def test_one_line_is_matched_with_an_entry_and_the_others_are_refused(world: World) -> None:
    assert sorted(match_at_once(world)) == [200, *[409] * (LINES - 1)]


@IN_MEMORY
def test_control_without_its_claim_more_lines_are_matched_with_an_entry(world: World) -> None:
    with unguarded():
        answers = match_at_once(world)
    assert answers.count(200) > 1
