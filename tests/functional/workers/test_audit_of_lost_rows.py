"""An audit sees that a row is gone which an entry of the books is of."""

from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest

from chalicelib.audit.entry_rows import OF, rows_of
from chalicelib.kernel import clock
from chalicelib.ledger import store as ledger
from chalicelib.ledger.checks import CheckName, Finding
from chalicelib.ledger.kinds import KINDS
from chalicelib.ledger.store import EntryRow
from chalicelib.ordering.store import OrderRow
from chalicelib.parties.store import LeaderRow, SupplierRow
from chalicelib.payments.chargeback_store import ChargebackRow
from chalicelib.payments.refund_store import RefundRow
from chalicelib.payments.remittance_store import RemittanceRow
from chalicelib.payments.store import ReceiptRow
from chalicelib.payouts.store import PayoutRow
from chalicelib.platform import store
from chalicelib.reconciliation.item_store import ClearingRow, ItemRow
from chalicelib.reconciliation.store import DifferenceRow, ReconciliationRow
from chalicelib.settlement.bonus_store import AdjustmentRow, BonusRow
from chalicelib.settlement.run_store import RunRow
from chalicelib.settlement.store import StatementRow
from chalicelib.suppliers.store import CommunityRow, DepositRow
from chalicelib.suppliers.store import RemittanceRow as TransferRow
from tests.functional.test_open_items import clear, unmatched
from tests.functional.workers.conftest import StillClock
from tests.functional.workers.test_audit_of_rows import everything_told
from tests.support import statements
from tests.support.audited import look_at_everything
from tests.support.granted import running_as
from tests.support.world import World, created


@pytest.fixture(autouse=True)
def no_wait() -> Iterator[None]:
    with mock.patch("chalicelib.audit.looking.time.sleep"):
        yield


@pytest.fixture
def told(world: World, time: StillClock) -> World:
    """A world in which there is a row of each kind that entries are of."""
    everything_told(world, time)
    sale = world.sale()
    terms = f"/v1/suppliers/{sale.supplier_id}/settlement-terms"
    assert world.operator.put(terms, {"basis": "cost", "community_fee": 100}).status == 200
    world.delivered_order(sale)
    line = (clock.now().date().isoformat(), "5.00", "EUR", "who is it?")
    reconciliation = statements.reconcile(world, statements.csv_file(line))
    assert statements.resolve(world, reconciliation, 1, "post_to_suspense").status == 200
    created(clear(world, unmatched(world), goes="income", reference="KEPT", amount=300))
    time.move_on(hours=1)
    return world


def found() -> list[Finding]:
    return list(look_at_everything(clock.now()))


def without(*rows: Any) -> list[Finding]:
    """What is found while rows are gone."""
    for row in rows:
        row.delete()
    lost = found()
    for row in rows:
        row.save()
    return lost


# What else is found where an audit begins with others that name the row.
LOST: list[tuple[Any, str, set[CheckName]]] = [
    (OrderRow, "order", set()),
    (LeaderRow, "leader", set()),
    (SupplierRow, "supplier", set()),
    (ReceiptRow, "receipt", set()),
    (RefundRow, "refund", set()),
    (ChargebackRow, "chargeback", set()),
    (CommunityRow, "community#", set()),
    (DepositRow, "deposit#", set()),
    (TransferRow, "transfer#", set()),
    (BonusRow, "bonus#", set()),
    (AdjustmentRow, "adjustment#", set()),
    (StatementRow, "statement#", {"statements_chain", "run_leaders"}),
    (RunRow, "run", set()),
    (RemittanceRow, "remittance", set()),
    (PayoutRow, "payout", {"batches"}),
    (ReconciliationRow, "reconciliation", set()),
    (DifferenceRow, "difference#", {"reconciliations"}),
]


def first(row: Any, kind: str) -> Any:
    rows = row.scan(row.sk.startswith(kind) if kind[-1] == "#" else row.sk == kind)
    # A refund that a chargeback has made is found by that as well.
    return next(each for each in rows if each.attribute_values.get("cause") != "chargeback")


def test_a_row_that_is_gone_is_found_by_its_entries(told: World) -> None:
    lost = []
    with running_as(None):
        assert found() == []
        for row, kind, _ in LOST:
            lost.append((row, kind, {each.check for each in without(first(row, kind))}))
    assert lost == [(row, kind, {"rows_kept", *others}) for row, kind, others in LOST]


def test_what_is_said_of_it_is_said_once_with_an_entry_that_is_of_it(told: World) -> None:
    with running_as(None):
        order = next(each for each in OrderRow.scan(OrderRow.sk == "order") if each.paid_at)
        (finding,) = without(order)
    assert finding.subject == f"order {order.id}"
    told_by, _, what = finding.detail.partition(" is of ")
    assert what == f"order {order.id}, which is not there."
    with running_as(None):
        entry = ledger.get_entry(told_by)
    assert entry
    assert entry.subject == order.id


@pytest.fixture
def item_rows(told: World) -> Iterator[list[Any]]:
    """What says how much of an unmatched receipt is cleared, and by what."""
    with running_as(None):
        pk = "item#receipt:local:ch_1"
        yield [*ItemRow.query(pk, ItemRow.sk == "item"), *ClearingRow.query(pk)][:2]


def test_what_open_items_have_left_is_what_stands_in_their_accounts(item_rows: list[Any]) -> None:
    item, clearing = item_rows
    for lost in ([item], [item, clearing]):
        (finding,) = without(*lost)
        assert (finding.check, finding.subject) == ("open_items", "EUR unmatched_receipts")
        assert finding.amount == 300


def test_so_it_is_of_suspense(told: World) -> None:
    with running_as(None):
        (entry,) = EntryRow.scan(EntryRow.pk.startswith("reconciled:"))
        ItemRow(f"item#{entry.pk}", "item", cleared=500).save()
        ClearingRow(
            f"item#{entry.pk}",
            "clearing#clr_1",
            id="clr_1",
            entry_id=entry.pk,
            amount=500,
            goes="item",
            about="receipt:local:ch_1",
            reference="x",
            cleared_at=clock.now(),
            cleared_by="op",
        ).save()
        assert {(each.check, each.subject) for each in found()} == {
            ("open_items", "EUR platform:suspense"),
            ("open_items", entry.pk),
        }


def test_what_is_cleared_while_an_audit_looks_is_no_finding(told: World, time: StillClock) -> None:
    through = clock.now()
    time.move_on(minutes=20)
    created(clear(told, "receipt:local:ch_1", goes="income", reference="REST"))
    with running_as(None):
        assert list(look_at_everything(through)) == []


def test_each_kind_of_entry_says_which_rows_it_is_of() -> None:
    assert {kind.name for kind in KINDS} == set(OF)


def test_rows_are_asked_for_a_read_at_once_and_each_of_them_once(told: World) -> None:
    with running_as(None):
        entries = [row.to_entity() for row in EntryRow.scan(EntryRow.sk == "entry")]
        keys = {each.key for entry in entries for each in rows_of(entry)}
        with mock.patch.object(store, "get_many", wraps=store.get_many) as asked:
            assert store.missing(each.key for entry in entries for each in rows_of(entry)) == set()
    asked_for = [(call.args[0], key) for call in asked.call_args_list for key in call.args[1]]
    assert len(asked_for) == len(set(asked_for)) == len(keys)
    assert asked.call_count == len({key.row for key in keys})
