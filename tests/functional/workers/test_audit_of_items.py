"""An audit holds what was done about differences and open items against the books."""

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.kernel import clock
from chalicelib.ledger.store import EntryRow
from chalicelib.reconciliation.item_store import ClearingRow
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


@pytest.fixture
def cleared(world: World, suspended: Any) -> str:
    """The item of 7.77, of which 2.00 were the platform's, 3.00 came back from a receipt and 1.00
    from another line; its entry."""
    event = {"payment_id": "pay_0", "amount": 300, "currency": "EUR", "reference": "ch_1"}
    assert world.provider_event("payment.succeeded", event).status == 200
    day = clock.now().date().isoformat()
    rows = [(day, amount, "EUR", amount) for amount in ("-3.00", "-1.00")]
    made = reconcile(world, csv_file(*rows))
    for n in (1, 2):
        assert resolve(world, made, n, "post_to_suspense").status == 200
    entry_id = f"reconciled:{suspended['id']}:1:EUR"
    went, back = (f"reconciled:{made['id']}:{n}:EUR" for n in (1, 2))
    for cleared, body in (
        (entry_id, {"goes": "income", "reference": "ours", "amount": 200}),
        (entry_id, {"goes": "item", "reference": "one account", "entry_id": back}),
        (went, {"goes": "item", "reference": "two", "entry_id": "receipt:local:ch_1"}),
    ):
        answer = world.operator.post(f"/v1/open-items/{cleared}/clear", body)
        assert answer.status == 201, answer.text
    assert found() == []
    return entry_id


def clearing(reference: str) -> list[ClearingRow]:
    """By its reference; of two items that make each other up, both sides."""
    rows = [row for row in ClearingRow.scan() if row.sk.startswith("clearing#")]
    return [row for row in rows if row.reference == reference]


def test_an_entry_of_another_amount_clears_nothing(cleared: str) -> None:
    (made,) = clearing("ours")
    row = EntryRow.get(made.posted, "entry")
    row.postings = tuple(replace(each, amount=each.amount * 2) for each in row.postings)
    row.save()
    assert ("open_items", cleared) in found()


def test_another_entry_that_is_there_clears_nothing(cleared: str) -> None:
    (made,) = clearing("ours")
    made.posted = cleared
    made.save()
    assert found() == [("open_items", cleared)]


@pytest.mark.parametrize("reference", ["ours", "two"])
def test_what_has_to_be_moved_needs_an_entry(cleared: str, reference: str) -> None:
    rows = clearing(reference)
    for row in rows:
        row.posted = ""
        row.save()
    assert set(found()) == {("open_items", row.entry_id) for row in rows}


@pytest.mark.parametrize("reference", ["one account", "two"])
@pytest.mark.parametrize("lost", [0, 1])
def test_two_items_say_the_same_of_what_makes_them_up(
    cleared: str, reference: str, lost: int
) -> None:
    rows = clearing(reference)
    assert len(rows) == 2
    gone = rows[lost]
    gone.delete()
    assert {("open_items", row.entry_id) for row in rows} < set(found())
    gone.amount += 1
    gone.save()
    assert {("open_items", row.entry_id) for row in rows} < set(found())


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
