"""What must hold of a whole store at every moment of rest, whatever has happened to it.

Each check works out from orders, dispatches and receipts alone what the books, the stock and the
leaders' earnings have to be (contract, sections 4 and 6), and says where they are not.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, TypeVar

import boto3

from chalicelib.aftersales.rules import AfterSales, OpenRequests
from chalicelib.aftersales.store import AfterSalesRow, OpenRow
from chalicelib.catalogue.rules import Campaign
from chalicelib.catalogue.store import CampaignRow
from chalicelib.dispatch.rules import Dispatch
from chalicelib.dispatch.store import DispatchRow
from chalicelib.ledger import service as ledger
from chalicelib.ledger.rules import Entry
from chalicelib.ledger.store import AccountsRow, EntryRow
from chalicelib.ordering.rules import PLACES, Cap, Order, OrderLine
from chalicelib.ordering.store import CapRow, OrderRow
from chalicelib.payments.rules import Receipt, Refund, Remittance
from chalicelib.payments.store import ReceiptRow, RefundRow, RemittanceRow
from chalicelib.platform.outbox import OutboxRow
from chalicelib.platform.settings import required
from chalicelib.platform.table import EntityRow, Row
from chalicelib.settlement.rules import Statement
from chalicelib.settlement.statements import with_lines
from chalicelib.settlement.store import EarnedRow, EarningsRow, MaturingRow, StatementRow
from chalicelib.stock.store import StockRow
from chalicelib.webhooks.rules import Replay
from chalicelib.webhooks.store import DeliveryRow, EndpointRow, ReplayedRow, ReplayRow

E = TypeVar("E")
R = TypeVar("R", bound=Row)
SHIPPED = ("shipped", "delivered")
ENDED_UNPAID = ("expired", "cancelled")
PURPOSES = ("payable", "pending", "available", "in_payout", "collected")


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
        self.campaigns: list[Campaign] = _entities(
            CampaignRow, _items("CATALOGUE_TABLE"), "campaign"
        )
        self.dispatches: list[Dispatch] = _entities(
            DispatchRow, _items("DISPATCH_TABLE"), "dispatch"
        )
        self.receipts: list[Receipt] = _entities(ReceiptRow, payments, "receipt")
        self.refunds: list[Refund] = _entities(RefundRow, payments, "refund")
        self.remittances: list[Remittance] = _entities(RemittanceRow, payments, "remittance")
        self.entries: list[Entry] = _entities(EntryRow, ledger, "entry")
        self.accounts = _rows(AccountsRow, ledger, "accounts")
        self.statements: list[Statement] = _entities(StatementRow, settlement, "statement")
        self.earnings = _rows(EarningsRow, settlement, "earnings")
        self.maturing = _rows(MaturingRow, settlement, "maturing")
        self.earned = _rows(EarnedRow, settlement, "earned")
        aftersales = _items("AFTER_SALES_TABLE")
        self.requests: list[AfterSales] = _entities(AfterSalesRow, aftersales, "request")
        self.open: list[OpenRequests] = _entities(OpenRow, aftersales, "open")
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
    def postings(self) -> Counter[str]:
        """The same by account, for those of parties, which have one currency each."""
        sums = Counter[str]()
        for key, amount in self.booked.items():
            sums[key.partition(" ")[2]] += amount
        return sums

    @cached_property
    def sold(self) -> list["Sold"]:
        """The lines of all orders whose money was booked for them."""
        of_order: dict[tuple[str, str], Dispatch] = {
            (each.order_id, each.supplier_id): each for each in self.dispatches
        }
        return [
            Sold(order, line, of_order.get((order.id, line.supplier_id)))
            for order in self.orders
            if order.paid_at
            for line in order.lines
        ]

    def taken_through(self, leader_id: str) -> str:
        """The last day that settlement runs have taken of a leader."""
        return next((row.settled_through for row in self.earnings if row.pk == leader_id), "")


@dataclass(frozen=True)
class Sold:
    """A line of a paid order, and the dispatch it went with."""

    order: Order
    line: OrderLine
    dispatch: Dispatch | None

    @property
    def status(self) -> str:
        return self.dispatch.status if self.dispatch else "none"

    @property
    def is_delivered(self) -> bool:
        return self.status == "delivered"


def findings(supplied: Mapping[str, int] | None = None) -> list[str]:
    """What is wrong, a sentence each. `supplied` are the units ever put in, by SKU."""
    state = State()
    found = [finding for check in CHECKS for finding in check(state)]
    return found + list(_units(state, supplied or {}))


def _entries(state: State) -> Iterator[str]:
    for entry in state.entries:
        if total := sum(posting.amount for posting in entry.postings):
            yield f"entry {entry.id} is out by {total}"


def _balances_of_parties(state: State) -> Iterator[str]:
    kept = {
        f"{row.pk}:{purpose}": getattr(row, purpose)
        for row in state.accounts
        for purpose in PURPOSES
    }
    posted = {a: n for a, n in state.postings.items() if a.startswith(("leader:", "supplier:"))}
    yield from _differences("balance", kept, posted)


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
    """Every account is what orders, deliveries, receipts, refunds and remittances make it."""
    due = Counter[str]()
    for receipt in state.receipts:
        due[f"{receipt.currency} {_cash_of(state, receipt)}"] += receipt.amount
        if receipt.order_id is None:
            due[f"{receipt.currency} unmatched_receipts"] -= receipt.amount
    for remittance in state.remittances:
        due[f"{remittance.currency} cash:bank"] += remittance.amount
        collected = f"leader:{remittance.leader_id}:collected"
        due[f"{remittance.currency} {collected}"] -= remittance.amount
    for refund in state.refunds:
        account = refund.cash_account if refund.status == "succeeded" else "refunds_in_flight"
        due[f"{refund.currency} {account}"] -= refund.amount
    for each in state.sold:
        left, leader, currency = each.line.left, each.order.leader_id, each.order.currency
        if not each.is_delivered:
            due[f"{currency} customer_prepayments"] -= left.net + left.shipping
            continue
        due[f"{currency} supplier:{each.line.supplier_id}:payable"] -= left.cost
        due[f"{currency} leader:{leader}:commission"] -= left.commission + left.spread
        due[f"{currency} platform:revenue"] -= (
            left.net + left.shipping - left.cost - left.commission - left.spread
        )
    booked = Counter[str]()
    for account, amount in state.booked.items():
        purpose = account.rpartition(":")[2]
        earned = " leader:" in account and purpose in ("pending", "available")
        booked[account.replace(purpose, "commission") if earned else account] += amount
    yield from _differences("account", booked, due)


def _cash_of(state: State, receipt: Receipt) -> str:
    if receipt.provider != "leader_collect":
        return f"cash:{receipt.provider}"
    leader_id = next(each.leader_id for each in state.orders if each.id == receipt.order_id)
    return f"leader:{leader_id}:collected"


def _remittances(state: State) -> Iterator[str]:
    """A leader can hand over only what it has taken in."""
    held = Counter[str]()
    for receipt in state.receipts:
        held[_cash_of(state, receipt)] += receipt.amount
    remitted = Counter[str]()
    for remittance in state.remittances:
        remitted[f"leader:{remittance.leader_id}:collected"] += remittance.amount
    for account, amount in remitted.items():
        if amount > held[account]:
            yield f"{account}: {amount} is remitted of {held[account]} that came in"


def _refunds(state: State) -> Iterator[str]:
    """Of a customer's money what is not refunded is kept, and what no order waits for is not."""
    decided = Counter[str]()
    for refund in state.refunds:
        decided[refund.order_id] += refund.amount
    received = Counter[str]()
    for receipt in state.receipts:
        received[receipt.order_id or ""] += receipt.amount
    for order in state.orders:
        kept = received[order.id] - decided[order.id]
        owed = order.total - order.refunded_amount if order.paid_at else 0
        if kept != owed:
            yield f"order {order.id} ({order.status}) keeps {kept} of its customer's, not {owed}"


def _lines(state: State) -> Iterator[str]:
    """Of no share of a line is more refunded than there was, and no unit comes back twice."""
    for order in state.orders:
        for line in order.lines:
            for name, whole in vars(line.whole).items():
                if not min(0, whole) <= getattr(line.refunded, name) <= max(0, whole):
                    yield f"of {line.sku_id} in {order.id} {name} is refunded beyond its {whole}"
            if not 0 <= line.restocked_quantity <= line.refunded_quantity <= line.quantity:
                yield f"of {line.sku_id} in {order.id} more units come back than were sold"


def _stock(state: State) -> Iterator[str]:
    """Each shard holds what the orders that took from it still need of it."""
    reserved, committed = Counter[str](), Counter[str]()
    for order in state.orders:
        if order.status == "pending_payment":
            for line in order.lines:
                reserved.update(_taken(line))
    for each in state.sold:
        waits = each.order.status != "refunded" and each.status in ("none", "created", "accepted")
        committed.update(_taken(each.line)[each.line.refunded_quantity :] if waits else [])
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
        if each.status in (*SHIPPED, "rejected"):
            gone[each.line.sku_id] += each.line.quantity
        elif each.dispatch or each.line.restocked_quantity or each.order.status != "refunded":
            gone[each.line.sku_id] += each.line.refunded_quantity
        gone[each.line.sku_id] -= each.line.restocked_quantity
    for sku_id, units in state.units.items():
        known = units.available + units.reserved + units.committed + gone[sku_id]
        if sku_id in supplied and known != supplied[sku_id]:
            yield f"of {supplied[sku_id]} units of {sku_id} {known} are known"


def _limits_held(state: State) -> Iterator[str]:
    live = Counter[str]()
    for order in state.orders:
        if order.status not in (*ENDED_UNPAID, "refunded"):
            for line in order.lines:
                if line.limit is not None:
                    live[f"{order.campaign_id}#{order.customer_id}#{line.sku_id}"] += line.quantity
                    if live[f"{order.campaign_id}#{order.customer_id}#{line.sku_id}"] > line.limit:
                        yield f"{order.customer_id} has more than {line.limit} of {line.sku_id}"
    yield from _differences("limit", state.limits, live)


def _dispatches(state: State) -> Iterator[str]:
    of_order: dict[str, list[Dispatch]] = defaultdict(list)
    for dispatch in state.dispatches:
        of_order[dispatch.order_id].append(dispatch)
    for order in state.orders:
        made = of_order[order.id]
        if len({each.supplier_id for each in made}) < len(made):
            yield f"a supplier has two dispatches of {order.id}"
        shown = {each.id: each.status for each in order.dispatches}
        yield from _differences(
            f"dispatches of {order.id}", shown, {each.id: each.status for each in made}
        )
        if order.status == "paid" and not made:
            yield f"{order.id} is paid and has no dispatch"
        if order.status == "refunded" and any(line.units_left for line in order.lines):
            yield f"{order.id} is refunded, but not all of it"


def _estimates(state: State) -> Iterator[str]:
    due = Counter[str]()
    for each in state.sold:
        if not each.is_delivered:
            due[each.order.leader_id] += each.line.left.commission + each.line.left.spread
    kept = {row.pk: row.estimated for row in state.earnings}
    yield from _differences("estimated commission", kept, due)


def _earnings(state: State) -> Iterator[str]:
    """What waits for a run lies in the pending balance, what runs took in the available one."""
    due = Counter[str]()
    for row in state.maturing:
        if row.sk.removeprefix("maturing#") > state.taken_through(row.pk):
            due[f"leader:{row.pk}:pending"] -= row.matured
            due[f"leader:{row.pk}:available"] -= row.adjusted
    for statement in state.statements:
        due[f"leader:{statement.leader_id}:available"] -= statement.total
    booked = {
        account: amount
        for account, amount in state.postings.items()
        if account.endswith((":pending", ":available"))
    }
    yield from _differences("earnings", booked, due)


def _days(state: State) -> Iterator[str]:
    kept = {f"{row.pk} {row.sk[9:]}": row.matured + row.adjusted for row in state.maturing}
    lines = Counter[str]()
    for row in state.earned:
        day = row.sk.split("#")[1]
        lines[f"{row.pk} {day}"] += sum(line.amount for line in row.lines)
    yield from _differences("day", kept, lines)


def _statements(state: State) -> Iterator[str]:
    by_leader: dict[str, list[Statement]] = defaultdict(list)
    for statement in sorted(state.statements, key=lambda each: each.business_date):
        by_leader[statement.leader_id].append(statement)
        if sum(line.amount for line in with_lines(statement).lines) != statement.total:
            yield f"{statement.run_id} of {statement.leader_id} is not the sum of its lines"
        if statement.opening_balance + statement.total != statement.closing_balance:
            yield f"{statement.run_id} of {statement.leader_id} does not close right"
    for of_leader in by_leader.values():
        if of_leader[0].opening_balance != 0:
            yield f"{of_leader[0].run_id} opens with {of_leader[0].opening_balance}"
        for before, after in pairwise(of_leader):
            if before.closing_balance != after.opening_balance:
                yield f"{after.run_id} does not open where {before.run_id} closes"


def _caps(state: State) -> Iterator[str]:
    """Of each shard of a cap just what live orders took of it is gone."""
    wholes = {
        (line_order.campaign_id, line.sku_id): line.cap
        for line_order in state.orders
        for line in line_order.lines
        if line.cap is not None
    } | {(each.id, PLACES): each.max_orders for each in state.campaigns if each.max_orders}
    due = Counter[str]()
    for (campaign_id, of), whole in wholes.items():
        for shard, share in enumerate(Cap(campaign_id, of, whole or 0).shares):
            due[f"cap#{campaign_id}#{of}#{shard}"] = share
    for order in state.orders:
        if order.status not in (*ENDED_UNPAID, "refunded"):
            for of, parts in order.cap_parts.items():
                for shard, units in parts:
                    due[f"cap#{order.campaign_id}#{of}#{shard}"] -= units
    yield from _differences(
        "left of",
        {row.pk: row.left for row in state.caps},
        {row.pk: due[row.pk] for row in state.caps},
    )
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


CHECKS: tuple[Callable[[State], Iterator[str]], ...] = (
    _entries,
    _balances_of_parties,
    _trial_balance,
    _books,
    _remittances,
    _refunds,
    _lines,
    _stock,
    _limits_held,
    _dispatches,
    _estimates,
    _earnings,
    _days,
    _statements,
    _providers,
    _caps,
    _after_sales,
    _replays,
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
