"""Entries are told with the reference or reason that they were posted with."""

import csv
import io
from typing import Any

import pytest

from tests.functional.workers.test_ledger_told import YEAR, listed
from tests.support.invariants import findings
from tests.support.payouts import paid_and_refunded
from tests.support.statements import csv_file, reconcile, resolve
from tests.support.world import World, created

FEE = "date,amount,currency,reference,type"


def told(world: World, kind: str) -> str:
    (found,) = (each for each in listed(world, f"{YEAR}&limit=100") if each["id"].startswith(kind))
    words: str = found["narration"]
    return words


def post(world: World, path: str, body: Any) -> Any:
    return created(world.operator.post(path, body))


def test_transfers_of_suppliers_are_told_by_their_references(world: World) -> None:
    supplier = f"/v1/suppliers/{paid_and_refunded(world).supplier_id}"
    post(world, f"{supplier}/deposits", {"amount": 1000, "reference": "DEP-7"})
    made = post(world, f"{supplier}/remittances", {"amount": 400, "reference": "T-1"})
    assert told(world, "deposit_received:").endswith(" received (DEP-7)")
    assert told(world, "supplier-remittance:").endswith(f" has paid: {made['id']} (T-1)")
    reverse = f"{supplier}/remittances/{made['id']}/reverse"
    assert world.operator.post(reverse, {"reason": "another's"}).status == 200
    assert told(world, "supplier-remittance-reversed:").endswith(" (T-1: another's)")
    assert findings() == []


def test_an_adjustment_is_told_by_its_reference_and_reason(world: World) -> None:
    body = {"amount": 500, "reason": "training", "reference": "2026-03"}
    post(world, f"/v1/leaders/{world.sale().leader_id}/adjustments", body)
    assert told(world, "adjustment:").endswith(" (2026-03: training)")


def test_a_difference_is_told_by_its_resolution_and_note(world: World) -> None:
    made = reconcile(world, csv_file(("2026-03-10", "-4.50", "EUR", "", "fee"), columns=FEE))
    assert resolve(world, made, 1, "post_fee", note="of March").status == 200
    words = told(world, "reconciled:")
    assert words == f"Difference 1 of reconciliation {made['id']} posted (post_fee: of March)"
    undo = f"/v1/reconciliations/{made['id']}/differences/1/undo"
    assert world.operator.post(undo, {"note": "not ours"}).status == 200
    assert told(world, "reconciled-undone:").endswith(" undone (not ours)")
    text = world.operator.get(f"/v1/ledger/journal?{YEAR}&format=csv").text.lstrip("\ufeff")
    assert words in {row["narration"] for row in csv.DictReader(io.StringIO(text))}


@pytest.mark.parametrize("note", ['"quoted" \\ and\nof two lines', "=1+1", "x" * 1999 + "!"])
def test_whatever_stands_in_a_note_the_file_is_read(world: World, note: str) -> None:
    from beancount import loader

    made = reconcile(world, csv_file(("2026-03-10", "-4.50", "EUR", "", "fee"), columns=FEE))
    assert resolve(world, made, 1, "post_fee", note=note).status == 200
    text = world.operator.get(f"/v1/ledger/journal?{YEAR}&format=beancount").text
    entries, errors, _ = loader.load_string(text)
    assert errors == []
    assert told(world, "reconciled:") in {getattr(each, "narration", "") for each in entries}
