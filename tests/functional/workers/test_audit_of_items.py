"""An audit holds what was done about differences and open items against the books."""

from typing import Any

import pytest

from chalicelib.kernel import clock
from chalicelib.ledger.store import EntryRow
from tests.functional.workers.conftest import StillClock
from tests.support.audited import look_at_everything
from tests.support.statements import csv_file, reconcile, resolve
from tests.support.world import World


@pytest.fixture
def suspended(world: World, time: StillClock) -> Any:
    """A statement of 7.77 that nobody knows of, which stands in suspense."""
    day = time.now().date().isoformat()
    made = reconcile(world, csv_file((day, "7.77", "EUR", "x")))
    assert resolve(world, made, 1, "post_to_suspense").status == 200
    return made


def found() -> list[tuple[str, str]]:
    return [(each.check, each.subject) for each in look_at_everything(clock.now())]


def difference_of(made: Any) -> str:
    return f"/v1/reconciliations/{made['id']}/differences/1"


def test_what_was_undone_has_its_entry_each_time(world: World, suspended: Any) -> None:
    for why in ("no", "no again"):
        assert world.operator.post(f"{difference_of(suspended)}/undo", {"note": why}).status == 200
        assert resolve(world, suspended, 1, "post_to_suspense").status == 200
    assert found() == []
    for turn in ("", ":2"):
        row = EntryRow.get(f"reconciled-undone:{suspended['id']}:1:EUR{turn}", "entry")
        row.delete()
        assert ("reconciled", f"{suspended['id']}/1") in found()
        row.save()
    assert found() == []
