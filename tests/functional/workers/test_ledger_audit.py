"""The audit: sound books have no findings; a planted mistake is found, and nothing else is."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any, get_args
from unittest import mock

import pytest

from chalicelib.audit import (
    at_rest,
    looking,
    of_leaders,
    of_orders,
    of_payments,
    of_payouts,
    of_reconciliations,
    of_runs,
    of_suppliers,
    running,
)
from chalicelib.audit import store as audits
from chalicelib.cases.store import CaseRow, case_id
from chalicelib.kernel import clock
from chalicelib.kernel.errors import Stale
from chalicelib.ledger import rules as books
from chalicelib.ledger import store as ledger
from chalicelib.ledger.checks import CheckName
from chalicelib.ledger.period_store import PeriodRow
from chalicelib.ledger.store import AccountsRow, EntryRow
from chalicelib.ordering import store as ordering
from chalicelib.ordering.shares import Mark, Shares, stored_mark
from chalicelib.ordering.store import OrderRow
from chalicelib.payments.refund_store import RefundRow
from chalicelib.payments.store import ReceiptRow
from chalicelib.payouts.batch_store import TallyRow
from chalicelib.payouts.store import OpenRow, PayoutRow
from chalicelib.plans.store import VersionRow
from chalicelib.platform import store
from chalicelib.platform.transaction import write
from chalicelib.reconciliation.item_store import ClearingRow, ItemRow
from chalicelib.reconciliation.open_items import Clearing
from chalicelib.reconciliation.store import DifferenceRow, ReconciliationRow
from chalicelib.settlement.bonus_store import BonusRow
from chalicelib.settlement.rules import Bonus, EarnedLine
from chalicelib.settlement.store import EarnedRow, EarningsRow, MaturingRow, StatementRow
from tests.functional.conftest import new_world
from tests.functional.workers.conftest import StillClock
from tests.functional.workers.test_audit_of_rows import NUMBERS, RECORDS
from tests.support import payouts, statements
from tests.support.audited import look_at_everything
from tests.support.granted import running_as
from tests.support.lambdas import invoke
from tests.support.world import Issuer, Json, Sale, World, created

PLANS = "/v1/commission-plans"
RULE = {"match": {}, "basis": "sales", "rate_bps": 1000}
UNMATCHED = "local:ch_nobody"


@pytest.fixture(autouse=True)
def between_looks() -> Iterator[mock.Mock]:
    """What happens between two looks; no test waits for it."""
    with mock.patch("chalicelib.audit.looking.time.sleep") as slept:
        yield slept


@dataclass
class Told:
    """A world with something for every check to look at."""

    world: World
    sale: Sale
    order: Json
    refund_id: str
    payout_id: str
    reconciliation_id: str

    @property
    def leader(self) -> str:
        return self.sale.leader_id

    @property
    def run_id(self) -> str:
        return "run_2026-03-10"


@pytest.fixture
def told(issuer: Issuer) -> Iterator[Told]:
    with new_world(issuer, COMMISSION_HOLD_DAYS="0", SETTLE_OPEN_DAY="1") as world:
        sale = world.sale()
        order = world.delivered_order(sale, quantity=2)
        assert (
            world.operator.post("/v1/settlement-runs", {"business_date": "2026-03-10"}).status
            == 202
        )
        world.work()
        world.delivered_order(sale, quantity=4)
        (payout,) = payouts.payouts_of(world, payouts.sent(world))
        file = statements.csv_file(("2026-03-10", "-1.50", "EUR", "x"))
        reconciliation = statements.reconcile(world, file)
        assert statements.resolve(world, reconciliation, 1, "post_fee").status == 200
        other = world.paid_order(sale, quantity=3)
        body = {"lines": [{"sku_id": sale.sku_ids[0], "quantity": 1}], "reason": "broken"}
        refund = world.operator.post(f"/v1/orders/{other['id']}/refunds", body).json
        nobody = {"payment_id": "pay_nobody", "amount": 700, "currency": "EUR"}
        world.provider_event("payment.succeeded", {**nobody, "reference": "ch_nobody"})
        yield Told(world, sale, order, refund["id"], payout["id"], reconciliation["id"])


@pytest.fixture
def world_at_night(issuer: Issuer) -> Iterator[World]:
    with new_world(issuer, TIMEZONE="Europe/Berlin") as world:
        yield world


def found() -> list[str]:
    """The checks that find something."""
    with running_as(None):
        return [finding.check for finding in look_at_everything(clock.now())]


def job(world: World, **asked: bool) -> Json:
    """The report of an audit that was run to its end as a job."""
    assert world.operator.post("/v1/ledger/audit", asked).status == 202
    invoke("ledger_audit")
    return world.operator.get("/v1/ledger/audit").json


def post(entry_id: str, amounts: dict[str, int]) -> None:
    write(*ledger.post(books.entry(entry_id, "EUR", "planted", clock.now(), amounts)))


def change(row: Any, **values: Any) -> None:
    row.refresh(consistent_read=True)
    row.attribute_values |= values
    row.save()


def entry_out(_: Told) -> None:
    posted = books.Entry("x", "EUR", (books.Posting("cash:local", 5),), clock.now(), "planted")
    EntryRow.of(posted).save()


def id_twice(_: Told) -> None:
    row = EntryRow.of(books.entry("x", "EUR", "x", clock.now(), {"cash:a": 5, "cash:b": -5}))
    row.pk = "y"
    row.save()


def period_changed(_: Told) -> None:
    PeriodRow(
        "periods",
        "2026-03",
        month="2026-03",
        closed_at=clock.now(),
        closed_by="op",
        audit_id="aud",
        entries=1,
        digest="f",
    ).save()


def balance_off(told: Told) -> None:
    row = AccountsRow.at(f"leader:{told.leader}", "accounts")
    row.update([AccountsRow.collected.add(1)])


def deposit_overdrawn(told: Told) -> None:
    post("x", {f"supplier:{told.sale.supplier_id}:deposit": 5, "cash:bank": -5})


def prepayments_overdrawn(_: Told) -> None:
    post("x", {"customer_prepayments": 10**6, "cash:bank": -(10**6)})


def in_flight_of_nothing(_: Told) -> None:
    post("x", {"refunds_in_flight": -5, "cash:bank": 5})


def refund_done_without_entry(told: Told) -> None:
    change(RefundRow.at(told.refund_id, "refund"), status="succeeded")


def refund_failed_without_case(told: Told) -> None:
    change(RefundRow.at(told.refund_id, "refund"), status="failed")


def nobody_called(told: Told) -> None:
    CaseRow.at(case_id("unmatched_receipt", UNMATCHED, ""), "case").delete()


def cleared_by_nobody(told: Told) -> None:
    ItemRow(f"item#receipt:{UNMATCHED}", "item", cleared=5).save()


def cleared_without_entry(told: Told) -> None:
    entry_id = f"receipt:{UNMATCHED}"
    made = Clearing("clr_1", entry_id, 5, "income", "", "x", clock.now(), "op", "cleared:clr_1:x")
    ItemRow(f"item#{entry_id}", "item", cleared=5).save()
    ClearingRow.of(made).save()


def total_changed(told: Told) -> None:
    change(OrderRow.at(told.order["id"], "order"), total=told.order["total"] + 1)


def _line(told: Told, **more: int) -> None:
    order = ordering.get_order(told.order["id"])
    assert order
    (line,) = order.lines
    values: Any = {name: getattr(line, name) + amount for name, amount in more.items()}
    OrderRow.of(replace(order, lines=(replace(line, **values),))).save()


def cost_changed(told: Told) -> None:
    _line(told, cost=1)


def commission_changed(told: Told) -> None:
    _line(told, spread=1, net=1)


def statement_opens_elsewhere(told: Told) -> None:
    row = StatementRow.at(told.leader, f"statement#{told.run_id}")
    change(row, opening_balance=7, closing_balance=207)


def line_changed(told: Told, day: str = "2026-03-10") -> None:
    (row, *_) = EarnedRow.query(told.leader, EarnedRow.sk.startswith(f"earned#{day}"))
    change(row, lines=tuple(replace(each, amount=each.amount * 10) for each in row.lines))


def line_that_waits_changed(told: Told) -> None:
    line_changed(told, "2026-03-11")


def matured_less(told: Told) -> None:
    (row,) = MaturingRow.query(told.leader, MaturingRow.sk == "maturing#2026-03-11")
    row.update([MaturingRow.matured.add(-100)])


def held_of_nothing(told: Told) -> None:
    EarningsRow.at(told.leader, "earnings").update([EarningsRow.held.add(5)])


def withheld_without_a_cap(told: Told) -> None:
    row = StatementRow.at(told.leader, f"statement#{told.run_id}")
    row.refresh(consistent_read=True)
    cap = EarnedLine("", "", "cap", "day_cap", 0, 0, -5, "2026-03-10", delivered_on="2026-03-10")
    given = replace(cap, amount=5)
    row.update([StatementRow.caps.set((cap, replace(given, delivered_on="2026-03-09")))])


def rate_changed(told: Told) -> None:
    _line(told, rate_bps=100)


def refunded_beyond(told: Told) -> None:
    """More of the net than there was, and as much less of the shipping."""
    shares = Shares(net=-100, shipping=100)
    order = ordering.get_order(told.order["id"])
    assert order
    (line,) = order.lines
    marked = replace(line, marks=(stored_mark(Mark(0, shares)),))
    OrderRow.of(replace(order, lines=(marked,))).save()


def kept_of_nothing(told: Told) -> None:
    change(RefundRow.at(told.refund_id, "refund"), kept=5, bearer="supplier")


def netted_without_a_payout(told: Told) -> None:
    post(f"payout-netted:{told.payout_id}", {"cash:bank": 5, "platform:revenue": -5})


def paid_and_still_open(told: Told) -> None:
    assert payouts.tell(told.world, {"id": told.payout_id}, "paid").status == 200
    OpenRow(f"leader:{told.leader}", "open", payout_id=told.payout_id).save()


def open_to_nobody(told: Told) -> None:
    OpenRow.at(f"leader:{told.leader}", "open").delete()


def in_payout_without_one(told: Told) -> None:
    post("x", {f"supplier:{told.sale.supplier_id}:in_payout": -5, "cash:bank": 5})


def counted_twice(told: Told) -> None:
    payout = PayoutRow.get(told.payout_id, "payout")
    TallyRow.at(payout.batch_id, "tally#0").update([TallyRow.payouts.add(1)])


def difference_lost(told: Told) -> None:
    (row,) = DifferenceRow.query(told.reconciliation_id, DifferenceRow.sk.startswith("difference"))
    row.delete()


def difference_uncounted(told: Told) -> None:
    change(ReconciliationRow.at(told.reconciliation_id, "reconciliation"), differences=0)


def receipt_lost(told: Told) -> None:
    ReceiptRow.at(f"receipt#{UNMATCHED}", "receipt").delete()


def posting_lost(told: Told) -> None:
    (row,) = DifferenceRow.query(told.reconciliation_id, DifferenceRow.sk.startswith("difference"))
    change(row, posted=("reconciled:x",))


def waiting_of_nothing(told: Told) -> None:
    MaturingRow(told.leader, "maturing#2026-03-12", currency="EUR", adjusted=5).save()
    line = EarnedLine("", "", "adjustment", "", 0, 0, 5, "2026-03-12")
    EarnedRow(told.leader, "earned#2026-03-12#x", lines=(line,), adjusted=1).save()


def bonus_of_nothing(told: Told) -> None:
    now = clock.now()
    bonus = Bonus("bns_1", told.leader, "task", "x", "x", 5, "EUR", "2026-03-10", now, "op")
    BonusRow.of(bonus).save()


Plant = Callable[[Told], None]
PLANTED: list[tuple[CheckName, Plant]] = [
    ("entry_sums_to_zero", entry_out),
    ("ids_unique", id_twice),
    ("rows_kept", receipt_lost),
    ("closed_periods_unchanged", period_changed),
    ("party_balances", balance_off),
    ("wrong_side", deposit_overdrawn),
    ("wrong_side", prepayments_overdrawn),
    ("refunds_in_flight", in_flight_of_nothing),
    ("refunds_posted", refund_done_without_entry),
    ("refunds_overdue", refund_failed_without_case),
    ("receipts_unmatched", nobody_called),
    ("order_money", total_changed),
    ("order_shares", cost_changed),
    ("commission", commission_changed),
    ("statement_lines", line_changed),
    ("leader_available", waiting_of_nothing),
    ("bonuses", bonus_of_nothing),
    ("leader_pending", held_of_nothing),
    ("leader_days", line_that_waits_changed),
    ("day_caps", withheld_without_a_cap),
    ("commission_rate", rate_changed),
    ("order_lines", refunded_beyond),
    ("refund_kept", kept_of_nothing),
    ("payouts_posted", netted_without_a_payout),
    ("payouts_open", paid_and_still_open),
    ("in_payout", in_payout_without_one),
    ("batches", counted_twice),
    ("reconciliations", difference_uncounted),
    ("reconciled", posting_lost),
    ("open_items", cleared_by_nobody),
    ("open_items", cleared_without_entry),
]


@pytest.mark.parametrize(("check", "plant"), PLANTED)
def test_a_planted_mistake_is_found_and_nothing_else(
    told: Told, time: StillClock, check: CheckName, plant: Plant
) -> None:
    time.move_on(hours=2)
    assert found() == []
    with running_as(None):
        plant(told)
    assert set(found()) == {check}


def paid_without_entry(told: Told) -> None:
    change(PayoutRow.at(told.payout_id, "payout"), amount=1, outcome="paid")


@pytest.mark.parametrize(
    ("plant", "checks"),
    [
        (paid_without_entry, {"payouts_posted", "payouts_open", "in_payout", "batches"}),
        (open_to_nobody, {"payouts_open", "in_payout"}),
        (difference_lost, {"reconciliations", "rows_kept"}),
        (matured_less, {"leader_pending", "leader_days"}),
        (statement_opens_elsewhere, {"statements_chain", "run_leaders"}),
    ],
)
def test_what_is_wrong_in_several_ways_is_found_in_each(
    told: Told, plant: Plant, checks: set[str]
) -> None:
    with running_as(None):
        plant(told)
    assert set(found()) == checks


def test_an_order_under_a_version_that_was_withdrawn_is_found(
    world: World, time: StillClock
) -> None:
    plan_id = created(world.operator.post(PLANS, {"name": "Shops"}))["id"]
    first = {"effective_from": "2026-03-10", "rules": [RULE]}
    created(world.operator.post(f"{PLANS}/{plan_id}/versions", first))
    world.operator.put(f"{PLANS}/{plan_id}/default", {"is_default": True})
    order = world.delivered_order(world.sale(commission=None))
    time.move_on(hours=2)
    assert found() == []
    with running_as(None):
        change(VersionRow.at(plan_id, "version#000001"), withdrawn_at=clock.now())
    (finding,) = job(world)["findings"]
    assert (finding["check"], finding["subject"]) == ("commission_rate", order["id"])
    assert f"falls under version 1 of {plan_id}, which was withdrawn." in finding["detail"]


def test_what_an_audit_has_found_right_is_looked_at_again_when_asked(
    told: Told, time: StillClock
) -> None:
    time.move_on(days=1)
    told.world.operator.post("/v1/settlement-runs", {"business_date": "2026-03-10"})
    assert job(told.world)["findings"] == []
    with running_as(None):
        line_changed(told)
    assert job(told.world)["findings"] == []
    (finding,) = job(told.world, whole=True)["findings"]
    assert (finding["check"], finding["subject"]) == ("statement_lines", told.leader)
    # What was found is looked at until it is right.
    assert job(told.world)["findings"] == [finding]


def test_an_audit_reads_no_statements_but_the_last_however_many_there_are(
    told: Told, time: StillClock
) -> None:
    def reads() -> int:
        with mock.patch.object(store, "query", wraps=store.query) as read:
            assert job(told.world)["findings"] == []
        asked = [call for call in read.call_args_list if call.args[0] in (StatementRow, EarnedRow)]
        return len(asked)

    assert reads()
    counts = []
    for day in range(11, 17):
        told.world.delivered_order(told.world.sale(leader_id=told.leader))
        time.move_on(days=1)
        body = {"business_date": f"2026-03-{day}"}
        assert told.world.operator.post("/v1/settlement-runs", body).status == 202
        told.world.work()
        counts.append(reads())
    assert len(set(counts[1:])) == 1


def _sealed(told: Told, time: StillClock) -> None:
    time.move_on(days=1)
    assert job(told.world)["findings"] == []


def note_changed(told: Told) -> None:
    change(EntryRow.at(f"refund:{told.refund_id}", "entry"), note="Other")


def entry_added(_: Told) -> None:
    at = clock.now().replace(day=10)
    EntryRow.of(books.entry("x", "EUR", "x", at, {"cash:a": 5, "cash:b": -5})).save()


def entry_removed(_: Told) -> None:
    EntryRow.at("before", "entry").delete()


@pytest.mark.parametrize("plant", [note_changed, entry_added, entry_removed])
def test_a_day_that_was_sealed_stays_as_it_was(told: Told, time: StillClock, plant: Plant) -> None:
    with running_as(None):
        post("before", {"cash:a": 5, "cash:b": -5})
    _sealed(told, time)
    with running_as(None):
        plant(told)
    (finding,) = job(told.world)["findings"]
    assert (finding["check"], finding["subject"]) == ("entries_unchanged", "2026-03-10")


def test_what_a_split_gives_to_other_leaders_is_no_mistake(told: Told) -> None:
    operator, hub = told.world.operator, told.world.add_leader()
    plan = created(operator.post("/v1/commission-plans", {"name": "Shop owners"}))
    split = [{"role": "promoter", "bps": 6000}, {"role": "hub", "bps": 4000}]
    rule = {"match": {}, "basis": "sales", "rate_bps": 1000, "split": split}
    version = {"effective_from": "2026-03-10", "rules": [rule]}
    created(operator.post(f"/v1/commission-plans/{plan['id']}/versions", version))
    leader_id = told.world.add_leader()
    by = {"plan_id": plan["id"]}
    assert operator.put(f"/v1/leaders/{leader_id}/commission-plan", by).status == 200
    assert operator.patch(f"/v1/leaders/{leader_id}", {"hub_id": hub}).status == 200
    told.world.delivered_order(told.world.sale(leader_id=leader_id, commission=None))
    assert operator.get(f"/v1/leaders/{hub}/balance").json["pending"] == 40
    assert found() == []


def test_every_check_has_a_planted_mistake() -> None:
    elsewhere = {
        *("entries_unchanged", "matured_untaken", "supplier_share", "goods"),
        *("payout_amounts", "chargebacks_twice"),
    }
    numbers = {check for each in (*NUMBERS, *RECORDS) for check in each.checks}
    planted = {check for check, _ in PLANTED} | numbers | elsewhere
    assert planted == set(get_args(CheckName))


def cases(world: World) -> list[Json]:
    listed = world.operator.get("/v1/cases").json["items"]
    return [case for case in listed if case["kind"] == "audit_finding"]


def test_an_audit_says_how_much_it_has_looked_at(told: Told, time: StillClock) -> None:
    young = job(told.world)
    assert (young["findings"], young["read"]["entries"]) == ([], 0)
    time.move_on(hours=1)
    read = job(told.world)["read"]
    day = "from=2026-03-10&to=2026-03-10&limit=100"
    listed = told.world.operator.get(f"/v1/ledger/journal?{day}").json
    assert read.pop("entries") == len(listed["items"]) > 0
    assert read == {
        "balances": 2,
        "suppliers": 1,
        "leaders": 1,
        "orders": 3,
        "refunds": 1,
        "receipts": 4,
        "payouts": 1,
        "batches": 1,
        "reconciliations": 1,
        "runs": 1,
        "chargebacks": 0,
        "remittances": 0,
        "deposits": 0,
    }


def test_an_audit_says_when_the_next_is_due_and_then_begins(
    world_at_night: World, time: StillClock
) -> None:
    def report() -> Json:
        return dict(world_at_night.operator.get("/v1/ledger/audit").json)

    time.move_to("2026-03-11T02:59:00.000Z")
    invoke("ledger_audit")
    assert report()["checked_at"] is None
    assert report()["next_due_at"] == "2026-03-11T03:00:00.000Z"
    time.move_to("2026-03-11T03:00:00.000Z")
    invoke("ledger_audit")
    assert report()["checked_at"] == "2026-03-11T03:00:00.000Z"
    assert report()["next_due_at"] == "2026-03-12T03:00:00.000Z"
    time.move_to("2026-03-28T02:59:00.000Z")
    assert report()["next_due_at"] == "2026-03-28T03:00:00.000Z"
    invoke("ledger_audit")
    assert report()["checked_at"] == "2026-03-11T03:00:00.000Z"
    time.move_to("2026-03-28T12:00:00.000Z")
    invoke("ledger_audit")
    assert report()["next_due_at"] == "2026-03-29T02:00:00.000Z"  # summer time begins


def test_a_new_kind_of_finding_opens_a_case_and_the_same_one_no_other(
    told: Told, time: StillClock
) -> None:
    time.move_on(hours=1)
    assert job(told.world)["findings"] == []
    with running_as(None):
        balance_off(told)
    report = job(told.world)
    (finding,) = report["findings"]
    assert finding["amount"] == 1
    assert (report["findings_total"], report["running"]) == (1, None)
    assert [case["subject"] for case in cases(told.world)] == ["party_balances"]
    assert job(told.world)["findings_total"] == 1
    assert len(cases(told.world)) == 1


def test_an_audit_is_taken_in_pages_and_comes_to_the_same(told: Told, time: StillClock) -> None:
    time.move_on(hours=1)
    with running_as(None):
        for plant in (balance_off, total_changed, waiting_of_nothing, refund_done_without_entry):
            plant(told)
    sizes = [
        *("ITEMS_A_READ", "READS_A_STEP", "PARTIES_A_STEP"),
    ]
    of_modules = {
        of_orders: "ORDERS_A_STEP",
        of_leaders: "LEADERS_A_STEP",
        of_runs: "PAGES_A_STEP",
        of_suppliers: "SUPPLIERS_A_STEP",
        of_payments: "PAYMENTS_A_STEP",
        of_payouts: "PAYOUTS_A_STEP",
        of_reconciliations: "RECONCILIATIONS_A_STEP",
    }
    with ExitStack() as small:
        for module, name in [*((looking, each) for each in sizes), *of_modules.items()]:
            small.enter_context(mock.patch.object(module, name, 1))
        paged = job(told.world)
    assert {each["check"] for each in paged["findings"]} == {
        *("party_balances", "order_money", "leader_available", "refunds_posted")
    }
    assert job(told.world)["findings"] == paged["findings"]


def test_a_step_that_dies_is_taken_again_once_it_is_let_go(told: Told, time: StillClock) -> None:
    time.move_on(hours=1)
    with running_as(None):
        total_changed(told)
    assert told.world.operator.post("/v1/ledger/audit").status == 202
    with (
        mock.patch.object(audits, "add_findings", side_effect=RuntimeError("crash")),
        pytest.raises(RuntimeError),
    ):
        invoke("ledger_audit")
    invoke("ledger_audit")
    under_way = told.world.operator.get("/v1/ledger/audit").json["running"]
    assert (under_way["phase"], under_way["percent"]) == ("journal", 0)
    assert told.world.operator.post("/v1/ledger/audit").status == 200
    time.move_on(minutes=7)
    invoke("ledger_audit")
    report = told.world.operator.get("/v1/ledger/audit").json
    assert [each["check"] for each in report["findings"]] == ["order_money"]
    assert report["findings_total"] == 1


def test_a_step_that_another_takes_meanwhile_is_left_to_it(told: Told) -> None:
    assert told.world.operator.post("/v1/ledger/audit").status == 202
    with mock.patch.object(running, "write", side_effect=Stale):
        invoke("ledger_audit")
    assert told.world.operator.get("/v1/ledger/audit").json["checked_at"] is None


def test_each_night_begins_one_audit(world: World, time: StillClock) -> None:
    def ids() -> Any:
        invoke("ledger_audit")
        with running_as(None):
            head = audits.head()
        assert head.running is None
        return head.completed.id if head.completed else None

    time.move_to("2026-03-10T03:59:00.000Z")
    assert ids() is None
    time.move_on(minutes=1)
    first = ids()
    assert first
    time.move_on(hours=12)
    assert ids() == first
    time.move_on(hours=12)
    assert ids() != first


def test_what_changes_while_it_is_read_is_no_finding(told: Told, between_looks: mock.Mock) -> None:
    with running_as(None):
        balance_off(told)
    between_looks.side_effect = lambda _: balance_off(told)
    assert found() == []
    assert between_looks.call_count == at_rest.LOOKS
