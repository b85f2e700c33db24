"""An audit sees each number of money that is kept: changed by one, it is found."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple
from unittest import mock

import pytest

from chalicelib.kernel import clock
from chalicelib.ledger.checks import CheckName
from chalicelib.ledger.history_store import HistoryRow
from chalicelib.ledger.store import EntryRow, PaidOutRow
from chalicelib.ordering.store import OrderRow
from chalicelib.parties.store import SettlementTermsRow
from chalicelib.payments.chargeback_store import ChargebackRow
from chalicelib.payments.refund_store import RefundRow
from chalicelib.payments.remittance_store import RemittanceRow
from chalicelib.payments.store import ReceiptRow
from chalicelib.payouts.store import PayoutRow
from chalicelib.settlement.bonus_store import AdjustmentRow, BonusRow
from chalicelib.settlement.run_store import MarkerRow, RunRow
from chalicelib.settlement.store import EarnedRow, MaturingRow, StatementRow, TakenRow
from chalicelib.suppliers.store import DepositRow
from chalicelib.suppliers.store import RemittanceRow as TransferRow
from tests.functional.workers.conftest import StillClock
from tests.support import payouts
from tests.support.audited import look_at_everything
from tests.support.granted import running_as
from tests.support.invariants import findings
from tests.support.lambdas import invoke
from tests.support.world import World, created


@pytest.fixture(autouse=True)
def no_wait() -> Iterator[None]:
    with mock.patch("chalicelib.audit.looking.time.sleep"):
        yield


@pytest.fixture
def told(world: World, time: StillClock) -> World:
    return everything_told(world, time)


def everything_told(world: World, time: StillClock) -> World:
    """A world in which there is a row of each kind that has to do with money."""
    operator, sale = world.operator, world.sale()
    supplier, leader = f"/v1/suppliers/{sale.supplier_id}", f"/v1/leaders/{sale.leader_id}"
    terms = {"basis": "revenue_share", "fee_bps": 1000, "annual_fee": 300}
    assert operator.put(f"{supplier}/settlement-terms", terms).status == 200
    broken, disputed = world.delivered_order(sale, 3), world.delivered_order(sale, 2)
    created(operator.post(f"{supplier}/deposits", {"amount": 1000, "reference": "D1"}))
    given = {"task": "sales", "amount": 200, "reference": "b"}
    created(operator.post(f"{leader}/bonuses", given))
    adjusted = {"amount": 150, "reason": "Forgotten", "reference": "a"}
    created(operator.post(f"{leader}/adjustments", adjusted))
    payouts.collect(world, sale, 1)
    created(operator.post(f"{leader}/remittances", {"amount": 500, "reference": "r"}))
    time.move_on(days=8)
    invoke("settlement_start")
    world.work()
    for kind in ("suppliers", "leaders"):
        (payout,) = payouts.payouts_of(world, payouts.sent(world, kind=kind))
        payouts.tell(world, payout, "paid")
    rules = {"chargeback": "supplier", "chargeback_fee": "supplier"}
    assert operator.put("/v1/refund-bearers", rules).status == 200
    dispute = {"order_id": disputed["id"], "amount": 2500, "fee": 150, "reference": "dp_1"}
    created(operator.post("/v1/chargebacks", dispute))
    back = {"lines": [{"sku_id": sale.sku_ids[0], "quantity": 3}], "reason": "broken"}
    created(operator.post(f"/v1/orders/{broken['id']}/refunds", back))
    world.work()
    created(operator.post(f"{supplier}/remittances", {"amount": 400, "reference": "t"}))
    time.move_on(hours=1)
    return world


def seen(row: Any, **changes: Any) -> set[str]:
    """The checks that find something while a row is not as it was."""
    before = dict(row.attribute_values)
    row.attribute_values |= changes
    row.save()
    found: set[str] = {finding.check for finding in look_at_everything(clock.now())}
    row.attribute_values = before
    row.save()
    return found


class Number(NamedTuple):
    """A number of the first row of a kind, and the checks that hold it."""

    row: Any
    kind: str
    name: str
    checks: set[CheckName]
    which: Callable[[Any], bool] = lambda row: True


def of_dispute(refund: Any) -> bool:
    return bool(refund.cause == "chargeback")


def of_order(refund: Any) -> bool:
    return not of_dispute(refund)


NUMBERS = [
    Number(ReceiptRow, "receipt", "amount", {"receipts_posted"}),
    Number(RefundRow, "refund", "amount", {"refunds_posted"}, of_order),
    Number(RefundRow, "refund", "amount", {"refunds_posted", "chargebacks"}, of_dispute),
    Number(RefundRow, "refund", "kept", {"refund_kept"}, of_order),
    Number(ChargebackRow, "chargeback", "amount", {"chargebacks"}),
    Number(ChargebackRow, "chargeback", "refunded", {"chargebacks"}),
    Number(ChargebackRow, "chargeback", "fee", {"chargebacks"}),
    Number(RemittanceRow, "remittance", "amount", {"remittances"}),
    Number(TransferRow, "transfer#", "amount", {"remittances"}),
    Number(TransferRow, "transfer#", "fees", {"remittances"}),
    Number(TransferRow, "transfer#", "payable", {"remittances"}),
    Number(DepositRow, "deposit#", "amount", {"deposits"}),
    Number(AdjustmentRow, "adjustment#", "amount", {"adjustments"}),
    Number(BonusRow, "bonus#", "amount", {"bonuses"}),
    Number(PaidOutRow, "paid_out", "amount", {"party_balances"}),
    Number(
        StatementRow,
        "statement#",
        "total",
        {"statements_chain", "statement_lines", "statements_posted", "run_leaders"},
    ),
    Number(MaturingRow, "maturing#", "matured", {"statements_posted"}),
    Number(MaturingRow, "maturing#", "adjusted", {"statements_posted"}),
    Number(RunRow, "run", "leaders_total", {"runs"}),
    Number(RunRow, "run", "leaders_settled", {"runs"}),
    Number(RunRow, "run", "leaders_set_aside", {"runs"}),
    Number(MarkerRow, "ldr_", "amount", {"run_leaders", "runs"}),
    Number(MarkerRow, "ldr_", "total", {"run_leaders"}),
    Number(MarkerRow, "ldr_", "opening_balance", {"run_leaders"}),
    Number(OrderRow, "order", "subtotal", {"order_sums"}),
    Number(OrderRow, "order", "discount", {"order_sums"}),
    Number(OrderRow, "order", "shipping", {"order_sums"}),
    Number(OrderRow, "order", "tax", {"order_sums"}),
    Number(OrderRow, "order", "total", {"order_money"}),
    Number(PayoutRow, "payout", "netted", {"payouts_posted", "batches"}),
    Number(SettlementTermsRow, "settlement_terms", "fee_bps", {"settlement_terms"}),
    Number(SettlementTermsRow, "settlement_terms", "annual_fee", {"settlement_terms"}),
    Number(
        SettlementTermsRow, "settlement_terms#", "fee_bps", {"settlement_terms", "supplier_terms"}
    ),
]


# The same of the first of some records.
RECORDS = [
    Number(HistoryRow, "history#", "postings", {"supplier_history"}),
    Number(TakenRow, "taken#", "lines", {"chargeback_lines"}),
    Number(RunRow, "run", "totals", {"runs"}),
]


def row_of(number: Number) -> Any:
    sk = number.row.sk
    begins = number.kind[-1] in "#_"
    found = number.row.scan(sk.startswith(number.kind) if begins else sk == number.kind)
    return next(row for row in found if number.which(row))


def test_each_number_of_money_that_is_kept_is_held_by_a_check(told: World) -> None:
    with running_as(None):
        assert findings() == []
        found = []
        for each in NUMBERS:
            row = row_of(each)
            found.append((each, seen(row, **{each.name: getattr(row, each.name) + 1})))
    assert found == [(each, each.checks) for each in NUMBERS]


def test_so_is_each_number_within_records(told: World) -> None:
    with running_as(None):
        found = []
        for each in RECORDS:
            row = row_of(each)
            first, *others = getattr(row, each.name)
            changed = (replace(first, amount=first.amount + 1), *others)
            found.append((each, seen(row, **{each.name: changed})))
    assert found == [(each, each.checks) for each in RECORDS]


def test_what_is_available_already_of_a_day_that_waits_is_what_its_lines_say(told: World) -> None:
    with running_as(None):
        waits = EarnedRow.sk.startswith("earned#2026-03-18")
        row = next(row for row in EarnedRow.scan(waits) if row.adjusted)
        assert seen(row, adjusted=0) == {"leader_days"}


def test_what_a_supplier_has_of_a_line_is_what_its_terms_say(told: World) -> None:
    with running_as(None):
        row = row_of(Number(OrderRow, "order", "lines", set()))
        (line,) = row.lines
        found = seen(row, lines=(replace(line, fee_bps=line.fee_bps - 500),))
    assert found == {"supplier_terms", "supplier_share"}


def test_the_goods_of_a_posting_come_to_it(told: World) -> None:
    with running_as(None):
        row = next(iter(EntryRow.scan(EntryRow.pk.startswith("delivered:"))))
        without = tuple(replace(each, parts=()) for each in row.postings)
        assert seen(row, postings=without) == {"goods"}


def test_a_payout_that_sends_nothing_and_nets_nothing_is_found(told: World) -> None:
    with running_as(None):
        row = row_of(Number(PayoutRow, "payout", "amount", set()))
        found = seen(row, amount=0, netted=0)
    assert found == {"payout_amounts", "payouts_posted", "batches"}


def test_an_audit_reads_what_it_looks_at_as_its_own_role(told: World) -> None:
    assert told.operator.post("/v1/ledger/audit", {"whole": True}).status == 202
    invoke("ledger_audit")
    report = told.operator.get("/v1/ledger/audit").json
    assert report["findings"] == []
    looked_at = ("chargebacks", "deposits", "remittances", "runs", "suppliers")
    assert {name: report["read"][name] for name in looked_at} == {
        "chargebacks": 1,
        "deposits": 1,
        "remittances": 2,
        "runs": 1,
        "suppliers": 1,
    }
