"""What must hold of orders, and of the entries that tell of them. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping

from chalicelib.ledger.checks import Finding
from chalicelib.ledger.rules import (
    CUSTOMER_PREPAYMENTS,
    PLATFORM_REVENUE,
    Entry,
    party_of,
)
from chalicelib.ordering import charged_back_goods
from chalicelib.ordering.lines import OrderLine
from chalicelib.ordering.rules import Order
from chalicelib.ordering.shares import Shares


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
            for refund_id, chargeback_id in charged_back_goods.won_back(order).items()
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
    for account in sorted({*due, *posted} - {"leaders", ""}):
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


def order_sums(order: Order) -> Iterator[Finding]:
    """What an order says of itself beside its total is what its lines come to."""
    due = {
        "subtotal": sum(line.amount for line in order.lines),
        "discount": sum(line.discount for line in order.lines),
        "shipping": sum(line.shipping for line in order.lines),
        "tax": sum(line.tax for line in order.lines),
    }
    for name, amount in due.items():
        if out := getattr(order, name) - amount:
            detail = f"Order {order.id} says {amount + out} as {name}, and its lines {amount}."
            yield Finding("order_sums", order.id, detail, out)


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
            sums[_has(posting.account)] += posting.amount
    for account, amount in charged_back_goods.still_borne_by(order):
        sums[_has(account)] -= amount
        sums["leaders"] += amount
    return sums


def _has(account: str) -> str:
    """Who has what lies there: a supplier, the platform, leaders together, or none of them."""
    party = party_of(account)
    if party and party[1] in ("payable", "held"):
        return party[0]
    if party and party[1] in ("pending", "available"):
        return "leaders"
    return account if account == PLATFORM_REVENUE else ""


def _posted(entry: Entry, account: str) -> int:
    return sum(each.amount for each in entry.postings if each.account == account)
