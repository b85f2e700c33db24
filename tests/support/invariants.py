"""What must hold of a whole store at every moment of rest, whatever has happened to it: all that an
audit checks, which is what can be asked of one row and what it names, and beside it what only a
store that is read whole can be held to.

Each check here works out from orders, dispatches and receipts alone what the books, the stock and
the leaders' earnings have to be (contract, sections 4 and 6), and says where they are not.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeVar

import boto3

from chalicelib.aftersales.rules import AfterSales, OpenRequests
from chalicelib.aftersales.store import AfterSalesRow, OpenRow
from chalicelib.cases.rules import Case
from chalicelib.cases.store import CaseRow, case_id
from chalicelib.catalogue.rules import Campaign, Offer
from chalicelib.catalogue.store import CampaignRow, OfferRow
from chalicelib.dispatch.clocks import MISSED
from chalicelib.dispatch.disputes import Dispute
from chalicelib.dispatch.parcels import Parcel
from chalicelib.dispatch.rules import Dispatch, dispatch_id
from chalicelib.dispatch.store import DispatchRow, DisputeRow
from chalicelib.kernel import clock
from chalicelib.ledger import service as ledger
from chalicelib.ledger.history_store import HistoryRow, StepRow
from chalicelib.ledger.rules import Change, Entry, Posting, position
from chalicelib.ledger.store import AccountsRow, EntryRow
from chalicelib.ledger.waiting import ACCOUNTS, left_by
from chalicelib.ledger.waiting_store import WaitingRow
from chalicelib.ordering import held_units
from chalicelib.ordering.held_units import PLACES, Cap
from chalicelib.ordering.lines import OrderLine
from chalicelib.ordering.rules import Order
from chalicelib.ordering.shares import Shares
from chalicelib.ordering.store import CapRow, OrderRow
from chalicelib.parties.rules import Leader
from chalicelib.parties.store import LeaderRow, LeavingRow
from chalicelib.payments.chargeback_store import ChargebackRow
from chalicelib.payments.refund_store import RefundRow
from chalicelib.payments.remittance_store import RemittanceRow
from chalicelib.payments.rules import Chargeback, Receipt, Refund, Remittance
from chalicelib.payments.store import ReceiptRow
from chalicelib.payouts.account_store import AccountRow
from chalicelib.payouts.accounts import is_same_account
from chalicelib.payouts.hold_store import HoldRow
from chalicelib.payouts.rules import CASH, Payout
from chalicelib.payouts.store import PayoutRow
from chalicelib.plans.rules import Plan, Version
from chalicelib.plans.store import PlanRow, VersionRow
from chalicelib.platform.outbox import OutboxRow
from chalicelib.platform.settings import required, settings
from chalicelib.platform.table import EntityRow, Row
from chalicelib.reconciliation.claim_store import ClaimRow
from chalicelib.reconciliation.item_store import ClearingRow, ItemRow
from chalicelib.reconciliation.open_items import Clearing, item_of
from chalicelib.reconciliation.rules import NumberedDifference, Reconciliation
from chalicelib.reconciliation.store import DifferenceRow, ReconciliationRow
from chalicelib.settlement.bonus_store import (
    AdjustmentRow,
    BonusRow,
    CampaignTotalRow,
    FirstOrderRow,
)
from chalicelib.settlement.rules import Adjustment, Bonus, FirstOrder, Run, Statement
from chalicelib.settlement.run_store import AsideRow, RunRow, TroubleRow
from chalicelib.settlement.store import EarnedRow, EarningsRow, StatementRow
from chalicelib.stock.store import StockRow
from chalicelib.suppliers.remittances import SupplierRemittance
from chalicelib.suppliers.rules import Commission, Deposit
from chalicelib.suppliers.store import CommunityRow, DepositRow, FinesRow
from chalicelib.suppliers.store import RemittanceRow as SupplierRemittanceRow
from chalicelib.webhooks.endpoint_store import EndpointRow
from chalicelib.webhooks.replay_store import ReplayedRow, ReplayRow
from chalicelib.webhooks.replays import Replay
from chalicelib.webhooks.store import DeliveryRow
from tests.support.audited import look_at_everything

E = TypeVar("E")
R = TypeVar("R", bound=Row)
ENDED_UNPAID = ("expired", "cancelled")
PURPOSES = (
    *("payable", "held", "owed", "deposit"),
    *("pending", "available", "in_payout", "collected"),
)


class State:
    """Everything that is stored, read once."""

    def __init__(self) -> None:
        ordering, settlement = _items("ORDERING_TABLE"), _items("SETTLEMENT_TABLE")
        payments, ledger = _items("PAYMENTS_TABLE"), _items("LEDGER_TABLE")
        self.orders: list[Order] = _entities(OrderRow, ordering, "order")
        self.stock = _rows(StockRow, _items("STOCK_TABLE"), "stock")
        self.units = _sums(self.stock)
        self.limits = _limits(ordering)
        self.caps = _rows(CapRow, ordering, "cap")
        catalogue = _items("CATALOGUE_TABLE")
        self.campaigns: list[Campaign] = _entities(CampaignRow, catalogue, "campaign")
        self.offers: list[Offer] = _entities(OfferRow, catalogue, "offer")
        plans = _items("PLANS_TABLE")
        self.plans: list[Plan] = _entities(PlanRow, plans, "plan")
        self.versions: list[Version] = _entities(VersionRow, plans, "version")
        dispatch = _items("DISPATCH_TABLE")
        self.dispatches: list[Dispatch] = _entities(DispatchRow, dispatch, "dispatch")
        self.disputes: list[Dispute] = _entities(DisputeRow, dispatch, "dispute")
        self.receipts: list[Receipt] = _entities(ReceiptRow, payments, "receipt")
        self.refunds: list[Refund] = _entities(RefundRow, payments, "refund")
        self.chargebacks: list[Chargeback] = _entities(ChargebackRow, payments, "chargeback")
        self.remittances: list[Remittance] = _entities(RemittanceRow, payments, "remittance")
        self.entries: list[Entry] = _entities(EntryRow, ledger, "entry")
        self.accounts = _rows(AccountsRow, ledger, "accounts")
        self.history: list[Change] = _entities(HistoryRow, ledger, "history")
        self.listed_items = _rows(WaitingRow, ledger, "item")
        self.steps = _rows(StepRow, ledger, "step")
        suppliers = _items("SUPPLIERS_TABLE")
        self.deposits: list[Deposit] = _entities(DepositRow, suppliers, "deposit")
        self.transferred: list[SupplierRemittance] = _entities(
            SupplierRemittanceRow, suppliers, "transfer"
        )
        self.communities = _rows(CommunityRow, suppliers, "community")
        self.fines = _rows(FinesRow, suppliers, "fines")
        parties = _items("PARTIES_TABLE")
        self.leaders: list[Leader] = _entities(LeaderRow, parties, "leader")
        self.leaving = _rows(LeavingRow, parties, "leaving")
        payouts = _items("PAYOUTS_TABLE")
        self.payouts: list[Payout] = _entities(PayoutRow, payouts, "payout")
        self.payout_accounts = _entities(AccountRow, payouts, "account")
        self.holds = _entities(HoldRow, payouts, "hold")
        reconciled = _items("RECONCILIATION_TABLE")
        self.reconciliations: list[Reconciliation] = _entities(
            ReconciliationRow, reconciled, "reconciliation"
        )
        self.differences: list[NumberedDifference] = [
            row.to_entity() for row in _rows(DifferenceRow, reconciled, "difference")
        ]
        self.claims = _rows(ClaimRow, reconciled, "claim")
        self.items = _rows(ItemRow, reconciled, "item")
        self.clearings: list[Clearing] = _entities(ClearingRow, reconciled, "clearing")
        self.adjustments: list[Adjustment] = _entities(AdjustmentRow, settlement, "adjustment")
        self.bonuses: list[Bonus] = _entities(BonusRow, settlement, "bonus")
        self.first_orders: list[FirstOrder] = _entities(FirstOrderRow, settlement, "first_order")
        self.campaign_totals = _rows(CampaignTotalRow, settlement, "campaign_total")
        self.statements: list[Statement] = _entities(StatementRow, settlement, "statement")
        self.earnings = _rows(EarningsRow, settlement, "earnings")
        self.earned = _rows(EarnedRow, settlement, "earned")
        self.runs: list[Run] = _entities(RunRow, settlement, "run")
        self.troubles = _rows(TroubleRow, settlement, "trouble")
        self.aside = [AsideRow.from_raw_data(dict(each)) for each in settlement if _is_aside(each)]
        aftersales = _items("AFTER_SALES_TABLE")
        self.requests: list[AfterSales] = _entities(AfterSalesRow, aftersales, "request")
        self.open: list[OpenRequests] = _entities(OpenRow, aftersales, "open")
        self.cases: list[Case] = _entities(CaseRow, _items("CASES_TABLE"), "case")
        webhooks = _items("WEBHOOKS_TABLE")
        self.endpoints = _rows(EndpointRow, webhooks, "endpoint")
        self.deliveries = _rows(DeliveryRow, webhooks, "delivery")
        self.replays: list[Replay] = _entities(ReplayRow, webhooks, "replay")
        self.replayed = _rows(ReplayedRow, webhooks, "replayed")
        self.waiting = _rows(OutboxRow, _items("OUTBOX_TABLE"), "event")

    @cached_property
    def booked(self) -> Counter[str]:
        """The sum of all postings, by currency and account."""
        sums = Counter[str]()
        for entry in self.entries:
            for posting in entry.postings:
                sums[f"{entry.currency} {posting.account}"] += posting.amount
        return sums

    @cached_property
    def standing(self) -> list[Remittance]:
        """The remittances that were not reversed."""
        return [each for each in self.remittances if each.reversed_at is None]

    @cached_property
    def won(self) -> list[Chargeback]:
        """The chargebacks whose money is back."""
        return [each for each in self.chargebacks if each.status == "won"]

    @cached_property
    def postings(self) -> Counter[str]:
        """The same by account, for those of parties, which have one currency each."""
        sums = Counter[str]()
        for key, amount in self.booked.items():
            sums[key.partition(" ")[2]] += amount
        return sums

    @cached_property
    def sold(self) -> list["Sold"]:
        """The lines of all orders whose money was booked for them."""
        of_order: dict[str, list[Dispatch]] = defaultdict(list)
        for dispatch in self.dispatches:
            of_order[dispatch.order_id].append(dispatch)
        return [
            Sold(order, line, _with(line, of_order[order.id]))
            for order in self.orders
            if order.paid_at
            for line in order.lines
        ]


@dataclass(frozen=True)
class Sold:
    """A line of a paid order, and the dispatch it went with."""

    order: Order
    line: OrderLine
    dispatch: Dispatch | None

    @property
    def parcels(self) -> Sequence[Parcel]:
        return self.dispatch.parcels if self.dispatch else ()

    @property
    def shipped(self) -> int:
        """Units that are in some parcel."""
        return sum(each.units.get(self.line.sku_id, 0) for each in self.parcels)


def _with(line: OrderLine, made: list[Dispatch]) -> Dispatch | None:
    return next((each for each in made if line.goes_with(each.id, each.supplier_id)), None)


def findings(supplied: Mapping[str, int] | None = None) -> list[str]:
    """What is wrong, a sentence each. `supplied` are the units ever put in, by SKU."""
    state = State()
    found = [str(finding) for finding in look_at_everything(clock.now())]
    found += [finding for check in CHECKS for finding in check(state)]
    return found + list(_units(state, supplied or {}))


def _trial_balance(state: State) -> Iterator[str]:
    currencies = ledger.trial_balance("").currencies
    shown = {
        f"{each.currency} {account.account}": account.balance
        for each in currencies
        for account in each.accounts
    }
    yield from _differences("trial balance", shown, state.booked)
    yield from (f"{each.currency} does not balance" for each in currencies if not each.balanced)


def _books(state: State) -> Iterator[str]:
    """Every account is what all that was paid, delivered, refunded, remitted, fined, deposited,
    asked in fees, paid out and reconciled make it."""
    due = _fined(state) + _deposited(state) + _fees(state) + _sent(state) + _reconciled(state)
    for receipt in state.receipts:
        due[f"{receipt.currency} {_cash_of(state, receipt)}"] += receipt.amount
        if receipt.order_id is None:
            due[f"{receipt.currency} unmatched_receipts"] -= receipt.amount
    for remittance in state.standing:
        due[f"{remittance.currency} {remittance.cash_account}"] += remittance.amount
        collected = f"leader:{remittance.leader_id}:collected"
        due[f"{remittance.currency} {collected}"] -= remittance.amount
    for each in state.sold:
        line, currency = each.line, each.order.currency
        due[f"{currency} customer_prepayments"] -= line.held.net + line.held.shipping
        held = {parcel.id for parcel in each.parcels if parcel.is_held}
        for parcel_id, posted in line.posted.items():
            owed = "held" if parcel_id in held else "payable"
            due[f"{currency} supplier:{line.supplier_id}:{owed}"] -= posted.cost
            due.update(_earned(each.order, line, posted))
            due[f"{currency} platform:revenue"] -= posted.net + posted.shipping - posted.cost
    due.update(
        _going_back(state) + _withheld(state) + _borne(state) + _charged_back(state) + _given(state)
    )
    due.update(_adjusted(state) + _cleared(state))
    booked = Counter[str]()
    for account, amount in state.booked.items():
        purpose = account.rpartition(":")[2]
        earned = " leader:" in account and purpose in ("pending", "available")
        booked[account.replace(purpose, "commission") if earned else account] += amount
    yield from _differences("account", booked, due)


def _going_back(state: State) -> "Sums":
    """What refunds have in flight, or have paid beside what chargebacks took of them."""
    due, again = Sums(), {each.again_refund_id for each in state.chargebacks}
    for refund in state.refunds:
        if refund.id in again:
            due[f"{refund.currency} unmatched_receipts"] += refund.amount
        account = refund.cash_account if refund.status == "succeeded" else "refunds_in_flight"
        due[f"{refund.currency} {account}"] -= refund.left
    return due


class Sums(Counter[str]):
    """Sums by name that add up as they are, below zero as well."""

    def __add__(self, other: Counter[str]) -> "Sums":  # type: ignore[override]
        both = Sums(self)
        both.update(other)
        return both


def _earned(order: Order, line: OrderLine, posted: Shares) -> Sums:
    """What leaders earn by some units, out of the platform's revenue."""
    due = Sums()
    for leader_id, amount in order.earned_of(line, posted):
        due[f"{order.currency} leader:{leader_id}:commission"] -= amount
        due[f"{order.currency} platform:revenue"] += amount
    return due


def _withheld(state: State) -> Sums:
    """What daily caps have left with the platform, or a refund's bearer, of what leaders had
    earned."""
    due = Sums()
    for statement in state.statements:
        for line in statement.caps:
            account = line.borne_by or "platform:revenue"
            due[f"{statement.currency} leader:{statement.leader_id}:commission"] -= line.amount
            due[f"{statement.currency} {account}"] += line.amount
    return due


def _borne(state: State) -> Sums:
    """What others have paid leaders for what was refunded, and have back of it; how much is another
    matter."""
    due = Sums()
    for entry in state.entries:
        if entry.id.startswith("borne:"):
            for each in entry.postings:
                account = each.account.replace(":pending", ":commission")
                account = account.replace(":available", ":commission")
                due[f"{entry.currency} {account}"] += each.amount
    currencies = {each.id: each.currency for each in state.orders}
    for row in state.earned:
        for line in row.lines:
            if line.parcel_id and line.kind == "adjustment":
                currency = currencies[line.order_id]
                due[f"{currency} leader:{row.pk}:commission"] -= line.amount
                due[f"{currency} {line.borne_by or 'platform:revenue'}"] += line.amount
    return due


def _charged_back(state: State) -> Sums:
    """What banks took beyond refunds, the fees, and what came back; to whom is another matter."""
    due, postings = Sums(), {entry.id: entry.postings for entry in state.entries}
    for each in state.chargebacks:
        cash = f"{each.currency} cash:{each.provider}"
        due[cash] -= each.unmatched + each.paid_amount + each.fee
        for named in ("chargeback-fee", "chargeback-fee-won"):
            due.update(_beside_cash(each, postings.get(f"{named}:{each.id}", ())))
        lies = "platform:revenue" if each.status == "lost" else "unmatched_chargebacks"
        due[f"{each.currency} {lies}"] += each.unmatched
        if each.status == "won":
            due[cash] += each.amount
            due[f"{each.currency} unmatched_chargebacks"] -= each.unmatched
            won = f"chargeback-won:{each.id}"
            owed = (n.amount for n in postings.get(won, ()) if _is_owed(n))
            due[f"{each.currency} unmatched_receipts"] += sum(owed)
    return due


def _is_owed(posting: Posting) -> bool:
    """Whether it is the customer's; the rest is of lines that are an order's again."""
    return posting.account == "unmatched_receipts"


def _beside_cash(of: Chargeback, postings: Iterable[Posting]) -> Sums:
    """Who has it; what is of the provider and of nobody yet is worked out."""
    found = Sums()
    for posting in postings:
        if posting.account not in (f"cash:{of.provider}", "unmatched_chargebacks"):
            account = posting.account.replace(":available", ":commission")
            account = account.replace(":pending", ":commission")
            found[f"{of.currency} {account}"] += posting.amount
    return found


def _chargebacks(state: State) -> Iterator[str]:
    """Nothing is booked of a chargeback that there is not, and refunds are paid by those that say
    so."""
    known = {each.id for each in state.chargebacks}
    paid = Counter[str]()
    for paying in (part for each in state.chargebacks for part in each.paid):
        paid[paying.refund_id] += paying.amount
    taken = {each.id: each.charged_back for each in state.refunds}
    yield from _differences("what chargebacks have taken of", taken, paid)
    for entry in state.entries:
        if entry.id.startswith("chargeback") and entry.id.partition(":")[2] not in known:
            yield f"entry {entry.id} is of no chargeback"


def _given(state: State) -> Sums:
    """What leaders have beside their commission, out of the platform's revenue."""
    due = Sums()
    for each in (bonus for bonus in state.bonuses if bonus.stands):
        due[f"{each.currency} leader:{each.leader_id}:commission"] -= each.amount
        due[f"{each.currency} platform:revenue"] += each.amount
    return due


def _bonuses(state: State) -> Iterator[str]:
    """A bonus is posted as often as it was given and taken back, and stands where what it is for
    does: an order that was its customer's first, a total that has reached its threshold."""
    posted = Counter(entry.id for entry in state.entries if entry.id.startswith("bonus"))
    due = Counter[str]()
    for bonus in state.bonuses:
        for n in range(1, bonus.times + 1):
            once = replace(bonus, times=n)
            due[once.entry_id] += 1
            due[once.back_entry_id] += n < bonus.times or not bonus.stands
    yield from _differences("entries of bonuses", posted, +due)
    totals = {f"{row.pk} {row.sk.partition('#')[2]}": row.total for row in state.campaign_totals}
    yield from _differences("campaign total", totals, _campaign_totals(state))
    reached = {
        f"{row.pk} {row.sk.partition('#')[2]} {threshold}": 1
        for row in state.campaign_totals
        for threshold in row.reached
    }
    stands = Counter(
        f"{each.leader_id} {each.reference} {each.threshold}"
        for each in state.bonuses
        if each.kind == "campaign_total" and each.stands
    )
    yield from _differences("reached", reached, stands)
    for row in state.campaign_totals:
        if any(threshold > row.total for threshold in row.reached):
            yield f"{row.sk} of {row.pk} is {row.total} and has reached {row.reached}"
    yield from _first_orders(state)


def _campaign_totals(state: State) -> Counter[str]:
    """What is delivered of orders that count for a bonus."""
    due = Counter[str]()
    for order in state.orders:
        if any(each.kind == "campaign_total" for each in order.bonuses):
            due[f"{order.leader_id} {order.campaign_id}"] += order.delivered_net
    return due


def _first_orders(state: State) -> Iterator[str]:
    orders = {order.id: order for order in state.orders}
    rewarded = {each.order_id: each.customer_id for each in state.first_orders if each.is_rewarded}
    of_first = [each for each in state.bonuses if each.kind == "first_order"]
    for bonus in of_first:
        if orders[bonus.order_id].customer_id != rewarded.get(bonus.order_id):
            yield f"bonus {bonus.id} is for {bonus.order_id}, which is nobody's first order"
        if bonus.stands and not orders[bonus.order_id].everything_left():
            yield f"bonus {bonus.id} stands, and nothing is left of {bonus.order_id}"
    if len(of_first) != len(rewarded):
        yield f"{len(rewarded)} first orders have brought {len(of_first)} bonuses"


def _adjusted(state: State) -> Sums:
    """What operators have corrected, against the platform's revenue."""
    due = Sums()
    for each in state.adjustments:
        due[f"{each.currency} leader:{each.leader_id}:commission"] -= each.amount
        due[f"{each.currency} platform:revenue"] += each.amount
    return due


def _told_as_kept(state: State) -> Iterator[str]:
    """What leaders keep of refunds stands in their statements."""
    told = Counter[str]()
    for row in state.earned:
        for line in row.lines:
            if line.kind == "kept":
                told[line.entry_id.removeprefix("borne:")] += line.amount
    kept = {refund.id: refund.kept for refund in state.refunds}
    yield from _differences("told as kept of", told, kept)


def _fined(state: State) -> Sums:
    """What suppliers were fined and not let off."""
    due = Sums()
    for dispatch in state.dispatches:
        kept = sum(each.fined or 0 for each in dispatch.clocks if not each.waived_at)
        due[f"{dispatch.currency} supplier:{dispatch.supplier_id}:payable"] += kept
        due[f"{dispatch.currency} platform:revenue"] -= kept
    return due


def _deposited(state: State) -> Sums:
    """What was received of suppliers' deposits, returned, and drawn, and what they transferred."""
    due = Sums()
    against = {
        "fees": "supplier:{}:owed",
        "payable": "supplier:{}:payable",
        "damages": "platform:revenue",
    }
    for each in state.deposits:
        held = each.amount if each.kind == "received" else -each.amount
        other = against[each.pays].format(each.supplier_id) if each.pays else each.cash_account
        due[f"{each.currency} supplier:{each.supplier_id}:deposit"] -= held
        due[f"{each.currency} {other}"] += held
    for made in state.transferred:
        if not made.reversed_at:
            due[f"{made.currency} cash:bank"] += made.amount
            due[f"{made.currency} supplier:{made.supplier_id}:owed"] -= made.fees
            due[f"{made.currency} supplier:{made.supplier_id}:payable"] -= made.payable
    return due


def _cleared(state: State) -> Sums:
    """What of open items went to payers, to the platform, or to another item's account."""
    due, counted = Sums(), set[str]()
    entries = {each.id: each for each in state.entries}
    for each in state.clearings:
        item = item_of(entries[each.entry_id], 0)
        moves = each.goes in ("payer", "income", "capital", "item") and each.posted
        if item is None or not moves or each.posted in counted:
            continue
        counted.add(each.posted)
        platforms = "platform:capital" if each.goes == "capital" else "platform:revenue"
        other = each.about if each.goes == "payer" else platforms
        if each.goes == "item":
            of_other = item_of(entries[each.about], 0)
            other = of_other.account if of_other else ""
        due[f"{item.entry.currency} {item.account}"] -= item.signed(each.amount)
        due[f"{item.entry.currency} {other}"] += item.signed(each.amount)
    return due


def _open_items(state: State) -> Iterator[str]:
    """Of each item no more is cleared than there is, by clearings that say so; what is left of all
    is what stands in their accounts; and each is listed."""
    items = Counter(each.id for each in state.entries if left_by(each))
    yield from _differences(
        "listed as open", Counter(row.entry_id for row in state.listed_items), items
    )
    cleared = {row.pk.removeprefix("item#"): row.cleared for row in state.items}
    by_clearings = Sums()
    for each in state.clearings:
        by_clearings[each.entry_id] += each.amount
    yield from _differences("cleared", Sums(cleared), by_clearings)
    left = Sums()
    for entry in state.entries:
        if item := item_of(entry, cleared.get(entry.id, 0)):
            left[f"{entry.currency} {item.account}"] += item.left
            if item.uncleared < 0:
                yield f"of {entry.id} {-item.uncleared} more is cleared than there is"
    stands = {key: n for key, n in state.booked.items() if key.split(" ")[1] in ACCOUNTS}
    yield from _differences("left of", Sums(stands), left)


def _fees(state: State) -> Sums:
    """What suppliers were asked by the year and for communities; when is another matter."""
    due = Sums()
    for entry in state.entries:
        if entry.id.startswith(("annual_fee:", "community_fee:")):
            owed = f"supplier:{entry.id.split(':')[1]}:owed"
            fee = sum(each.amount for each in entry.postings if each.account == owed)
            due[f"{entry.currency} {owed}"] += fee
            due[f"{entry.currency} platform:revenue"] -= fee
    return due


def _sent(state: State) -> Sums:
    """What payouts have moved: from what was coming, to what was owed, and to wherever it is."""
    due = Sums()
    for payout in state.payouts:
        if payout.outcome == "cancelled":
            continue
        of, payee = payout.currency, payout.payee
        coming = "commission" if payee.role == "leader" else payee.coming
        due[f"{of} {payee.account(coming)}"] += payout.taken
        due[f"{of} {payee.account(payee.owed)}"] -= payout.netted
        is_at = {
            "paid": f"cash:{CASH[payout.method]}",
            "returned": payee.account(coming),
            "failed": payee.account(coming),
        }.get(payout.outcome or "", payee.account("in_payout"))
        due[f"{of} {is_at}"] -= payout.amount
    return due


def _reconciled(state: State) -> Sums:
    """What differences were resolved to be, against where each resolution posts it."""
    due = Sums()
    accounts = {each.id: each.account for each in state.reconciliations}
    postings = {each.id: each.postings for each in state.entries}
    against = {
        "post_fee": "platform:revenue",
        "returned": "platform:revenue",
        "post_to_suspense": "platform:suspense",
    }
    for each in state.differences:
        here = accounts[each.reconciliation_id]
        # What turned up after all was taken back.
        stands = each.is_resolved and each.posted and not each.found_in
        for currency, amount in _left_of(state, each) if stands else ():
            posted = f"reconciled:{each.named(currency)}"
            there = [p.account for p in postings.get(posted, ()) if p.account != here]
            if not there:
                continue  # what says that it has posted and has not is found by itself
            due[f"{currency} {here}"] += amount
            due[f"{currency} {against.get(each.resolution or '', there[0])}"] -= amount
    return due


def _left_of(state: State, each: NumberedDifference) -> list[tuple[str, int]]:
    """What its resolution posts: of a payout that came back, what the bank has kept of it."""
    changes = [(change.currency, change.amount) for change in each.changes]
    if each.resolution not in ("paid", "returned"):
        return changes
    amounts = {payout.id: payout.amount for payout in state.payouts}
    gone = amounts[each.payout_id or ""]
    of_payout = -gone if each.resolution == "paid" else gone
    return [(currency, amount - of_payout) for currency, amount in changes if amount != of_payout]


def _cash_of(state: State, receipt: Receipt) -> str:
    if receipt.provider != "leader_collect":
        return f"cash:{receipt.provider}"
    leader_id = next(each.leader_id for each in state.orders if each.id == receipt.order_id)
    return f"leader:{leader_id}:collected"


def _remittances(state: State) -> Iterator[str]:
    """A leader can hand over only what it has taken in, and commission that it owed, which payouts
    net with it."""
    held = _netted_or_owed(state)
    for receipt in state.receipts:
        held[_cash_of(state, receipt)] += receipt.amount
    remitted = Counter[str]()
    for remittance in state.standing:
        remitted[f"leader:{remittance.leader_id}:collected"] += remittance.amount
    for account, amount in remitted.items():
        if amount > held[account]:
            yield f"{account}: {amount} is remitted of {held[account]} that came in"


def _netted_or_owed(state: State) -> Counter[str]:
    """By leaders' accounts of collected cash: what was netted of it, and the most that was owed."""
    netted, owed, most = Counter[str](), Counter[str](), Counter[str]()
    for entry in sorted(state.entries, key=position):
        for posting in entry.postings:
            party, _, kind = posting.account.rpartition(":")
            collected = f"{party}:collected"
            if kind == "available":
                owed[collected] += posting.amount
                most[collected] = max(most[collected], owed[collected])
            elif kind == "collected" and entry.id.startswith("payout-netted:"):
                netted[collected] += posting.amount
    return netted + most


def _told_borne(state: State) -> Iterator[str]:
    """Commission that suppliers bear tells its parts, which come to it."""
    for entry in state.entries:
        for posting in entry.postings:
            if posting.account.startswith("supplier:") and entry.id.startswith("borne:"):
                told = sum(Commission(*each).amount for each in posting.parts)
                if told != posting.amount:
                    yield f"{entry.id} tells commission of {told}, not {posting.amount}"


def _steps(state: State) -> Iterator[str]:
    """A step is what all that was posted to the supplier before its day comes to."""
    for row in state.steps:
        day, sums = row.sk.removeprefix("step#"), Counter[str]()
        for change in state.history:
            on = clock.business_date(change.posted_at, settings().zone).isoformat()
            if change.party == row.pk and on < day:
                sums.update({each.account: each.amount for each in change.postings})
        kept = {f"{row.pk}:{purpose}": getattr(row, purpose) for purpose in PURPOSES}
        yield from _differences(f"before {day}", kept, sums)


def _communities(state: State) -> Iterator[str]:
    """A fee is of a community that the supplier has reached in that fee year."""
    reached = {f"{row.pk} {row.sk.removeprefix('community#')}" for row in state.communities}
    for entry in state.entries:
        if entry.id.startswith("community_fee:"):
            _, supplier_id, leader_id, fee_year = entry.id.split(":")
            if f"{supplier_id} {fee_year}#{leader_id}" not in reached:
                yield f"{entry.id} is of a community that was not reached"


def _fines(state: State) -> Iterator[str]:
    """What is counted of a month is what clocks have taken in it and nobody has let off."""
    charged = Counter[str]()
    for dispatch in state.dispatches:
        for each in dispatch.clocks:
            if each.fined and each.fired_at and not each.waived_at:
                fired = clock.business_date(clock.from_text(each.fired_at), settings().zone)
                charged[f"{dispatch.supplier_id} {fired:%Y-%m}"] += each.fined
    kept = {f"{row.pk} {row.sk.removeprefix('fines#')}": row.charged for row in state.fines}
    yield from _differences("fines", kept, charged)


def _refunds(state: State) -> Iterator[str]:
    """Of a customer's money what is not refunded is kept, and what no order waits for is not."""
    decided = Counter[str]()
    for refund in state.refunds:
        decided[refund.order_id] += refund.amount
    received = Counter[str]()
    for receipt in state.receipts:
        received[receipt.order_id or ""] += receipt.amount
    of_order = {each.id: each.order_id for each in state.refunds}
    for won in state.won:
        received[of_order.get(won.refund_id or "", "")] += won.refunded
        for paying in won.paid:
            received[of_order[paying.refund_id]] += paying.amount
    for order in state.orders:
        kept = received[order.id] - decided[order.id]
        owed = order.total - order.refunded_amount if order.paid_at else 0
        if kept != owed:
            yield f"order {order.id} ({order.status}) keeps {kept} of its customer's, not {owed}"


def _parcels(state: State) -> Iterator[str]:
    """Units are where the parcels say: what has shipped, is on its way, has arrived, or waits."""
    for each in state.sold:
        line, what = each.line, f"of {each.line.sku_id} in {each.order.id}"
        if each.shipped != line.shipped_quantity:
            yield f"{what} {line.shipped_quantity} have shipped, and parcels hold {each.shipped}"
        on_the_way, here = (sum(n for _, n in sent) for sent in (line.on_the_way, line.arrived))
        if line.refunded_quantity + line.waiting + on_the_way + here != line.quantity:
            yield f"{what} {line.quantity} units were sold, and not so many are known"
        waits = each.dispatch.waiting.get(line.sku_id, 0) if each.dispatch else line.waiting
        if each.order.is_open and waits != line.waiting:
            yield f"{what} {line.waiting} units wait, and its dispatch waits for {waits}"
        yield from (f"{what} {finding}" for finding in _in_parcels(each))


def _in_parcels(sold: Sold) -> Iterator[str]:
    """No parcel holds more than it was shipped with, and all of it is on its way or has arrived."""
    on_the_way = Counter({str(each): units for each, units in sold.line.on_the_way})
    arrived = Counter({str(each): units for each, units in sold.line.arrived})
    for parcel in sold.parcels:
        wrong = on_the_way if parcel.delivered_at else arrived
        if wrong[parcel.id]:
            yield f"units of {parcel.id}, which is {parcel.status}, are somewhere else"
        if on_the_way[parcel.id] + arrived[parcel.id] > parcel.units.get(sold.line.sku_id, 0):
            yield f"more units are left of {parcel.id} than it was shipped with"


def _stock(state: State) -> Iterator[str]:
    """Each shard holds what the orders that took from it still need of it."""
    reserved, committed = Counter[str](), Counter[str]()
    for order in state.orders:
        if order.status == "pending_payment":
            for line in order.lines:
                reserved.update(_taken(line))
    for each in state.sold:
        waits = each.line.waiting if each.order.status != "refunded" else 0
        committed.update(_taken(each.line)[-waits:] if waits else [])
        back = each.line.restock_quantity
        committed.update(_taken(each.line)[-back:] if back else [])
    yield from _differences("reserved", {row.pk: row.reserved for row in state.stock}, reserved)
    yield from _differences("committed", {row.pk: row.committed for row in state.stock}, committed)
    yield from (
        f"{sku_id} is oversold by {-units.available}"
        for sku_id, units in state.units.items()
        if units.available < 0
    )
    yield from (f"a PUT of {row.pk} is half done" for row in state.stock if row.pending)


def _taken(line: OrderLine) -> list[str]:
    """The shard of each of the line's units, in the order they were taken."""
    taken = line.taken or [(0, line.quantity)]
    shards = [line.sku_id if not n else f"{line.sku_id}#{n}" for n, _ in taken]
    return [shard for shard, (_, units) in zip(shards, taken, strict=True) for _ in range(units)]


def _units(state: State, supplied: Mapping[str, int]) -> Iterator[str]:
    """Every unit is for sale, held, waiting to be shipped, or gone for a reason."""
    gone = Counter[str]()
    for each in state.sold:
        if each.dispatch or each.line.restocked_quantity or each.order.status != "refunded":
            gone[each.line.sku_id] += each.line.quantity - each.line.waiting
        gone[each.line.sku_id] -= each.line.restocked_quantity
        if each.line.substitutes:
            gone[each.line.substitutes] += each.line.quantity
    for sku_id, units in state.units.items():
        known = units.available + units.reserved + units.committed + gone[sku_id]
        if sku_id in supplied and known != supplied[sku_id]:
            yield f"of {supplied[sku_id]} units of {sku_id} {known} are known"


def _limits_held(state: State) -> Iterator[str]:
    """No customer holds more than the widest limit that any of its orders was placed under; of a
    SKU that was ordered all units count, whatever was put in their place."""
    live, widest = Counter[tuple[str, str, str]](), Counter[tuple[str, str, str]]()
    for order in state.orders:
        if order.status not in (*ENDED_UNPAID, "refunded"):
            for line in order.lines:
                if line.limit is not None:
                    of = (order.campaign_id, order.customer_id, line.counts_as)
                    live[of] += line.quantity
                    widest[of] = max(widest[of], line.limit)
    for of, units in live.items():
        if units > widest[of]:
            yield f"{of[1]} has more than {widest[of]} of {of[2]}"
    yield from _differences("limit", state.limits, {"#".join(k): n for k, n in live.items()})


def _dispatches(state: State) -> Iterator[str]:
    of_order: dict[str, list[Dispatch]] = defaultdict(list)
    for dispatch in state.dispatches:
        of_order[dispatch.order_id].append(dispatch)
    for order in state.orders:
        made = of_order[order.id]
        own = [each for each in made if each.id == dispatch_id(order.id, each.supplier_id)]
        if len({each.supplier_id for each in own}) < len(own):
            yield f"a supplier has two dispatches of {order.id}"
        shown = {each.id: each.status for each in order.dispatches}
        yield from _differences(
            f"dispatches of {order.id}", shown, {each.id: each.status for each in made}
        )
        if order.status == "paid" and not made:
            yield f"{order.id} is paid and has no dispatch"
        if order.status == "refunded" and any(line.units_left for line in order.lines):
            yield f"{order.id} is refunded, but not all of it"


def _awaited(state: State) -> Iterator[str]:
    """Just the parcels with units on their way that are paid for are awaited, and what has shipped
    and not ended waits for one of them or for the rest to ship."""
    sent: dict[str, set[str]] = {
        order.id: {each[0] for line in order.lines for each in line.on_the_way}
        for order in state.orders
    }
    for dispatch in state.dispatches:
        due = {each.id for each in dispatch.parcels} & sent[dispatch.order_id]
        if dispatch.awaited != due:
            yield f"{dispatch.id} awaits {sorted(dispatch.awaited)} in place of {sorted(due)}"
        if dispatch.status == "shipped" and not due and not dispatch.waiting:
            yield f"{dispatch.id} has shipped and waits for nothing"


def _clocks(state: State) -> Iterator[str]:
    """A clock that ran out has called a person and taken its fine, and no other has."""
    called = {each.id for each in state.cases}
    entries = {each.id for each in state.entries}
    for dispatch in state.dispatches:
        for each in dispatch.clocks:
            of = f"{dispatch.id}:{each.name}"
            case = case_id(MISSED[each.kind], dispatch.id, each.parcel_id or "")
            done = {
                "fired": (each.fired_at, case in called),
                "fined": (each.fined, f"fine:{of}" in entries),
                "waived": (each.waived_at, f"fine_waived:{of}" in entries),
            }
            for what, (marked, seen) in done.items():
                if bool(marked) != seen:
                    yield f"clock {of} is {what} by itself, or without a mark"


def _plan_versions(state: State) -> Iterator[str]:
    """A plan has the versions that were saved of it."""
    versions = {(each.plan_id, each.number): each for each in state.versions}
    for plan in state.plans:
        changed = [v.number for v in plan.versions if versions.get((plan.id, v.number)) != v]
        yield from (f"version {n} of {plan.id} is not as it was saved" for n in changed)


def _estimates(state: State) -> Iterator[str]:
    due = Counter[str]()
    for each in state.sold:
        for leader_id, amount in each.order.earned_of(each.line, each.line.held):
            due[leader_id] += amount
    kept = {row.pk: row.estimated for row in state.earnings}
    yield from _differences("estimated commission", kept, due)


def _open_statements(state: State) -> Iterator[str]:
    """Where a leader's last statement closes and the lines that are to be told since come to what
    is available; the other lines that wait, and what is held, to what is pending."""
    through = {row.pk: row.settled_through for row in state.earnings}
    available, pending = Counter[str](), Counter[str]()
    for stands in state.earnings:
        available[stands.pk] += stands.closing_balance
        pending[stands.pk] += stands.held
    for row in state.earned:
        if row.sk.split("#")[1] > through.get(row.pk, ""):
            available[row.pk] += sum(line.amount for line in row.lines[: row.adjusted])
            pending[row.pk] += sum(line.amount for line in row.lines[row.adjusted :])
    for what, due in (("available", available), ("pending", pending)):
        booked = {each.id: -state.postings[f"leader:{each.id}:{what}"] for each in state.leaders}
        yield from _differences(f"{what} by the open statement of", booked, due)


def _runs(state: State) -> Iterator[str]:
    """Leaders who are behind are those whom runs have set aside; each run counts its own."""
    behind, of_run = Counter[str](), Counter[str]()
    dry = {run.id for run in state.runs if run.dry_run}
    for trouble in state.troubles:
        if trouble.is_set_aside:
            behind[trouble.pk] += 1
    for aside in state.aside:
        of_run[aside.pk.removesuffix("#aside")] += 1
    kept = {row.pk: row.behind for row in state.earnings}
    yield from _differences("runs behind of", kept, behind)
    counted = {run.id: run.leaders_set_aside for run in state.runs if run.status == "completed"}
    yield from _differences("leaders set aside by", counted, of_run)
    if sum(behind.values()) != sum(n for run_id, n in of_run.items() if run_id not in dry):
        yield f"{behind} are behind, but {of_run} were set aside"


def _caps(state: State) -> Iterator[str]:
    """Of each cap just what live orders took of it is gone, whichever shards units were moved to;
    of one that was lifted nothing counts any more."""
    capped = [
        Cap(each.campaign_id, each.sku_id, each.quantity_cap, each.cap_raises, each.cap_shards)
        for each in state.offers
        if each.quantity_cap
    ] + [
        Cap(each.id, PLACES, each.max_orders, each.max_orders_raises, each.place_shards)
        for each in state.campaigns
        if each.max_orders
    ]
    kept = {row.pk: row.left for row in state.caps}
    due, left = Counter[str](), Counter[str]()
    for cap in capped:
        pool = f"cap#{cap.campaign_id}#{cap.of}"
        due[pool] = cap.whole
        left[pool] = sum(kept.get(f"{pool}#{n}", share) for n, share in enumerate(cap.shares))
    held = set(due)
    for order in state.orders:
        if order.status not in (*ENDED_UNPAID, "refunded"):
            for of, parts in held_units.cap_parts(order).items():
                due[f"cap#{order.campaign_id}#{of}"] -= sum(part.units for part in parts)
    yield from _differences("left of", left, {pool: due[pool] for pool in held})
    yield from (f"{row.pk} is oversold by {-row.left}" for row in state.caps if row.left < 0)


def _providers(state: State) -> Iterator[str]:
    """An order by card names its provider, by which it is stopped and refunded; no other does."""
    for order in state.orders:
        if (order.payment_method == "card") != bool(order.provider):
            yield f"{order.id} ({order.payment_method}) is paid by {order.provider}"


def _after_sales(state: State) -> Iterator[str]:
    """What an order has open is what is open, and what was granted was refunded, once."""
    due: dict[str, set[str]] = defaultdict(set)
    granted: dict[str, Counter[str]] = defaultdict(Counter)
    for request in state.requests:
        if request.is_open:
            due[request.order_id].add(request.id)
        if request.status == "refunded":
            granted[request.order_id].update(request.units)
    kept = {each.order_id: set(each.ids) for each in state.open}
    yield from _differences("open requests of", kept, due)
    for order in state.orders:
        for line in order.lines:
            if granted[order.id][line.sku_id] > line.refunded_quantity:
                yield f"after-sales of {order.id} granted more {line.sku_id} than was refunded"
    known = {refund.id for refund in state.refunds}
    used = Counter(each.refund_id for each in state.requests if each.status == "refunded")
    yield from (f"refund {each} is of {n} requests" for each, n in used.items() if n > 1)
    yield from (f"refund {each} of a request is missing" for each in used if each not in known)


def _disputes(state: State) -> Iterator[str]:
    """What an open dispute is about is held, and nothing else is but what was refunded for one."""
    of_parcel = {parcel_id: each for each in state.disputes for parcel_id in each.parcel_ids}
    left = Counter(parcel_id for each in state.sold for parcel_id in each.line.posted)
    for parcel in (parcel for dispatch in state.dispatches for parcel in dispatch.parcels):
        status = of_parcel[parcel.id].status if parcel.id in of_parcel else "none"
        if parcel.is_held != (status in ("open", "upheld")):
            yield f"{parcel.id} is held: {parcel.is_held}, and its dispute is {status}"
        if status == "upheld" and left[parcel.id]:
            yield f"of {parcel.id}, whose dispute was upheld, not all is refunded"
    cases = [each for each in state.cases if each.kind == "delivery_disputed"]
    asked = {case.subject for case in cases if case.status == "open"}
    for dispute in state.disputes:
        if dispute.status != "open" and dispute.id in asked:
            yield f"{dispute.id} is {dispute.status}, and its case is open"


def _replays(state: State) -> Iterator[str]:
    """What a replay says it has sent it has sent, each delivery once."""
    sent = Counter(row.pk for row in state.replayed)
    once = {(row.pk, row.delivery_id) for row in state.replayed}
    if len(once) < len(state.replayed):
        yield "a replay sent a delivery on two pages"
    for replay in state.replays:
        if replay.is_running:
            yield f"replay {replay.id} stands still at {replay.done} of {replay.total}"
        if replay.status == "completed" and not sent[replay.id] == replay.done == replay.total:
            yield f"replay {replay.id} sent {sent[replay.id]} and says {replay.done}"


def _holds(state: State) -> Iterator[str]:
    """Whom a payout came back of, from the account that it still has, is held, or was let go."""
    accounts = sorted(state.payout_accounts, key=lambda each: each.version)
    sealed = {each.party: each.sealed for each in accounts}
    returned = {each.id for each in state.payouts if each.outcome == "returned"}
    held = {each.party: each.payout_id for each in state.holds}
    for party, payout_id in held.items():
        if payout_id not in returned:
            yield f"{party} is held for {payout_id}"
    for each in state.payouts:
        if each.id not in returned or each.party in held:
            continue
        if is_same_account(sealed.get(each.party), each.sealed, each.payee):
            yield f"{each.party} is not held for {each.id}"


def _leaving(state: State) -> Iterator[str]:
    """A leader that is leaving, or has left, is where the sweep finds it."""
    due = {
        each.id: "left" if each.left_at else "leaving"
        for each in state.leaders
        if each.leaving_at or each.left_at
    }
    yield from _differences("leader", {row.pk: row.listing for row in state.leaving}, due)


def _claims(state: State) -> Iterator[str]:
    """What has its line in a statement was posted, and what was missing and is found has its."""
    accounts = {each.id: each.account for each in state.reconciliations}
    claimed = {each.pk for each in state.claims}
    for each in state.differences:
        of = (f"claim#{accounts[each.reconciliation_id]}#{entry}" for entry in each.entries)
        if each.found_in and not claimed.issuperset(of):
            yield f"difference {each.n} of {each.reconciliation_id} is found in no statement"
    entries = {each.id for each in state.entries}
    for claim in state.claims:
        if claim.pk.startswith("claim#") and claim.pk.split("#", 2)[2] not in entries:
            yield f"{claim.pk} claims no entry"


def _outbox(state: State) -> Iterator[str]:
    yield from (f"event {row.pk} was never sent" for row in state.waiting)


def _deliveries(state: State) -> Iterator[str]:
    """What has to be attempted is where the sweep finds it, and what waits where it is counted."""
    for row in state.deliveries:
        delivery = row.to_entity()
        if bool(row.due_at) is not (delivery.status == "pending"):
            yield f"delivery {delivery.id} is {delivery.status} and due at {row.due_at}"
        if bool(row.waits_for) is not delivery.waits:
            yield f"delivery {delivery.id} waits for {row.waits_for}"
        if delivery.status == "exhausted" and not delivery.attempts[-1].error:
            yield f"delivery {delivery.id} is exhausted without a cause"


def _endpoints(state: State) -> Iterator[str]:
    """One behind which deliveries wait is looked after."""
    held = {row.endpoint_id for row in state.deliveries if row.to_entity().is_held}
    for row in state.endpoints:
        if row.look_at is None and (row.pk in held or row.to_entity().circuit != "closed"):
            yield f"nobody looks after endpoint {row.pk}, whose circuit is {row.health.circuit}"


def _held(state: State) -> Iterator[str]:
    """What leaders' earnings say is held is what they earned by held parcels."""
    due = Counter[str]()
    for each in state.sold:
        for parcel in each.parcels:
            if parcel.is_held and parcel.id in each.line.posted:
                for leader_id, amount in each.order.earned_of(
                    each.line, each.line.posted[parcel.id]
                ):
                    due[leader_id] += amount
    yield from _differences("held of", {row.pk: row.held for row in state.earnings}, due)


CHECKS: tuple[Callable[[State], Iterator[str]], ...] = (
    _trial_balance,
    _books,
    _told_borne,
    _open_items,
    _steps,
    _communities,
    _fines,
    _remittances,
    _refunds,
    _told_as_kept,
    _chargebacks,
    _bonuses,
    _parcels,
    _stock,
    _limits_held,
    _dispatches,
    _awaited,
    _clocks,
    _plan_versions,
    _estimates,
    _held,
    _open_statements,
    _runs,
    _providers,
    _caps,
    _after_sales,
    _disputes,
    _replays,
    _leaving,
    _claims,
    _holds,
    _outbox,
    _deliveries,
    _endpoints,
)


def _differences(what: str, found: Mapping[str, Any], due: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted({*found, *due}):
        if (found.get(name) or 0) != (due.get(name) or 0):
            yield f"{what} {name} is {found.get(name)}, not {due.get(name)}"


def _items(variable: str) -> list[dict[str, Any]]:
    """All items of a table, as DynamoDB has them."""
    pages = boto3.client("dynamodb").get_paginator("scan").paginate(TableName=required(variable))
    return [item for page in pages for item in page["Items"]]


def _is_aside(item: dict[str, Any]) -> bool:
    return str(item["pk"]["S"]).endswith("#aside")


def _rows(row: type[R], items: list[dict[str, Any]], kind: str) -> list[R]:
    """The rows of one kind: their sort key is its name, and maybe more behind a `#`."""
    of_kind = [each for each in items if each["sk"]["S"].split("#")[0] == kind]
    # Copies, since PynamoDB takes apart what it is given.
    return [row.from_raw_data(dict(each)) for each in of_kind]


def _entities(row: type[EntityRow[E]], items: list[dict[str, Any]], kind: str) -> list[E]:
    return [each.to_entity() for each in _rows(row, items, kind)]


@dataclass(frozen=True)
class Units:
    """A SKU's units over all shards."""

    available: int = 0
    reserved: int = 0
    committed: int = 0


def _sums(rows: list[StockRow]) -> dict[str, Units]:
    sums: dict[str, Units] = defaultdict(Units)
    for row in rows:
        sku_id = row.pk.partition("#")[0]
        before = sums[sku_id]
        sums[sku_id] = Units(
            before.available + row.available,
            before.reserved + row.reserved,
            before.committed + row.committed,
        )
    return sums


def _limits(items: list[dict[str, Any]]) -> dict[str, int]:
    """Units counted against limits, by campaign, customer and SKU: each item names its SKUs."""
    return {
        f"{item['pk']['S'].removeprefix('limits#')}#{sku_id}": int(units["N"])
        for item in items
        if item["sk"]["S"] == "limits"
        for sku_id, units in item.items()
        if "N" in units
    }
