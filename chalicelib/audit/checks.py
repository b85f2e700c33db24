"""What must hold between the books and the orders and refunds that they tell of. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from chalicelib.ledger.checks import Finding
from chalicelib.ledger.rules import (
    CUSTOMER_PREPAYMENTS,
    PLATFORM_REVENUE,
    REFUNDS_IN_FLIGHT,
    Entry,
    party_of,
)
from chalicelib.ordering.lines import OrderLine
from chalicelib.ordering.rules import Order
from chalicelib.ordering.shares import Shares
from chalicelib.payments.rules import Receipt, Refund

# A sweep that opens a case comes each minute; an hour later it has missed one.
GRACE = timedelta(hours=1)


def entry_ids(order: Order) -> dict[str, list[str]]:
    """The journal entries that may tell of a paid order, by what they tell."""
    provider = (order.cash_account or "").removeprefix("cash:")
    if order.payment_method == "leader_collect":
        provider = "leader_collect"
    parcels = (parcel.id for each in order.dispatches for parcel in each.parcels)
    return {
        "captured": [f"receipt:{provider}:{order.receipt}"],
        "released": [f"delivered:{parcel_id}" for parcel_id in parcels],
        "refunded": [f"refund:{refund_id}" for refund_id in order.refunds],
        "won": [
            entry_id
            for refund_id, chargeback_id in order.won_back.items()
            for entry_id in (f"borne:{refund_id}", f"chargeback-won:{chargeback_id}")
        ],
    }


def order_money(order: Order, entries: Mapping[str, Entry]) -> Iterator[Finding]:
    """What was captured of an order is released, refunded or held."""
    of = {
        what: -sum(
            _posted(entries[each], CUSTOMER_PREPAYMENTS) for each in named if each in entries
        )
        for what, named in entry_ids(order).items()
    }
    captured, released, refunded = of["captured"], -of["released"], -of["refunded"]
    held = sum(line.held.paid for line in order.lines)
    if captured != order.total:
        detail = f"{captured} was captured for order {order.id}, whose total is {order.total}."
        yield Finding("order_money", order.id, detail, captured - order.total)
    elif out := captured - released - refunded - held:
        detail = (
            f"Of {captured} captured for order {order.id} {released} is released, {refunded} "
            f"refunded and {held} held."
        )
        yield Finding("order_money", order.id, detail, out)


def order_shares(order: Order, entries: Mapping[str, Entry]) -> Iterator[Finding]:
    """Suppliers and the platform have of an order what its delivered lines leave them."""
    posted = _shares_posted(order, entries)
    due = Counter[str]()
    for line in order.lines:
        left = sum(line.posted.values(), Shares())
        due[f"supplier:{line.supplier_id}"] -= left.cost
        due[PLATFORM_REVENUE] -= left.revenue
    for account in sorted({*due, *posted} - {"leaders"}):
        if out := posted[account] - due[account]:
            detail = f"Of order {order.id} {posted[account]} is posted to {account}, not "
            yield Finding("order_shares", order.id, f"{detail}{due[account]}.", out)


def commission(order: Order, entries: Mapping[str, Entry]) -> Iterator[Finding]:
    """Leaders have earned by an order what its deliveries brought and its refunds left."""
    posted = -_shares_posted(order, entries)["leaders"]
    due = sum(shares.earned_by_all for line in order.lines for shares in line.posted.values())
    if posted != due:
        detail = f"Order {order.id} has brought its leaders {due}, and {posted} is posted."
        yield Finding("commission", order.id, detail, posted - due)


def order_lines(order: Order) -> Iterator[Finding]:
    """A line's pieces are the whole of it, and of no share more is refunded than there was."""
    for line in order.lines:
        pieces = sum((line.held, *line.posted.values()), line.refunded)
        if pieces != line.whole:
            detail = f"Of {line.sku_id} in order {order.id} {pieces} is known, not {line.whole}."
            yield Finding("order_lines", order.id, detail)
        refunded = _by_name(line, line.refunded)
        for name, whole in _by_name(line, line.whole).items():
            if not min(0, whole) <= refunded[name] <= max(0, whole):
                detail = f"Of {line.sku_id} in order {order.id} {name} is refunded beyond {whole}."
                yield Finding("order_lines", order.id, detail, refunded[name] - whole)


def _by_name(line: OrderLine, shares: Shares) -> dict[str, int]:
    """Each share by its name, others' by their roles."""
    roles = {due.role: amount for due, amount in line.divided(shares)}
    return {name: n for name, n in vars(shares).items() if name != "others"} | roles


def _shares_posted(order: Order, entries: Mapping[str, Entry]) -> Counter[str]:
    """What deliveries, refunds and chargebacks that were won have posted of an order, by who has
    it."""
    sums = Counter[str]()
    named = entry_ids(order)
    for entry_id in (*named["released"], *named["refunded"], *named["won"]):
        for posting in entries[entry_id].postings if entry_id in entries else ():
            party = party_of(posting.account)
            if posting.account == PLATFORM_REVENUE:
                sums[PLATFORM_REVENUE] += posting.amount
            elif party and party[1] in ("payable", "held"):
                sums[party[0]] += posting.amount
            elif party and party[1] in ("pending", "available"):
                sums["leaders"] += posting.amount
    return sums


def _posted(entry: Entry, account: str) -> int:
    return sum(each.amount for each in entry.postings if each.account == account)


def entries_of(refund: Refund) -> list[str]:
    """The journal entries that may tell of a refund."""
    return [f"{kind}:{refund.id}" for kind in ("refund", "refund-done", "borne")]


def refunds_posted(refund: Refund, entries: Mapping[str, Entry]) -> Iterator[Finding]:
    """A refund lies in flight from its decision until it is done, but for what a chargeback has
    paid of it."""
    named = (f"refund:{refund.id}", f"refund-done:{refund.id}")
    found = -sum(_posted(entries[each], REFUNDS_IN_FLIGHT) for each in named if each in entries)
    due = refund.charged_back if refund.is_done else refund.amount
    if found != due:
        detail = (
            f"Of refund {refund.id}, which is {refund.status}, {found} is in flight, not {due}."
        )
        yield Finding("refunds_posted", refund.id, detail, found - due)


def refund_kept(refund: Refund, entries: Mapping[str, Entry]) -> Iterator[Finding]:
    """What a refund says that leaders keep of it somebody else has paid them."""
    borne = entries.get(f"borne:{refund.id}")
    to_leaders = (
        (n.amount for n in borne.postings if n.account.startswith("leader:")) if borne else ()
    )
    paid = -sum(to_leaders)
    if paid != refund.kept:
        detail = f"Of refund {refund.id} leaders keep {refund.kept}, and {paid} is posted."
        yield Finding("refund_kept", refund.id, detail, paid - refund.kept)
    elif refund.kept and refund.bearer == "leader":
        detail = f"Of refund {refund.id} leaders keep {refund.kept}, which nobody bears."
        yield Finding("refund_kept", refund.id, detail, refund.kept)


def unmatched(receipt: Receipt) -> Finding:
    """Money that no order waits for is a person's to look at."""
    detail = f"Receipt {receipt.id} is of no order, and has no case."
    return Finding("receipts_unmatched", receipt.id, detail, receipt.amount)


def refunds_overdue(refund: Refund, now: datetime, *, has_case: bool) -> Iterator[Finding]:
    """What has not arrived for 48 hours, or has failed, is a person's to look at."""
    late = refund.status == "failed" or now > refund.confirm_by + GRACE
    if late and not refund.is_done and not has_case:
        since = refund.asked_at.date()
        detail = f"Refund {refund.id} is {refund.status} since {since}, and has no case."
        yield Finding("refunds_overdue", refund.id, detail, refund.amount)
