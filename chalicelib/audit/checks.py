"""What must hold between the books and what they tell of: orders, refunds, statements. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from chalicelib.ledger.checks import Finding
from chalicelib.ledger.rules import (
    CUSTOMER_PREPAYMENTS,
    PLATFORM_REVENUE,
    REFUNDS_IN_FLIGHT,
    Entry,
    party_of,
)
from chalicelib.ordering.lines import Shares
from chalicelib.ordering.rules import Order
from chalicelib.payments.rules import Receipt, Refund
from chalicelib.settlement.rules import Bonus, Earnings, Statement

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


def _shares_posted(order: Order, entries: Mapping[str, Entry]) -> Counter[str]:
    """What deliveries and refunds have posted of an order, by who has it."""
    sums = Counter[str]()
    named = entry_ids(order)
    for entry_id in (*named["released"], *named["refunded"]):
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


@dataclass(frozen=True)
class Standing:
    """Where a leader stands, as of one moment: its statements by their dates, the sum of the last
    one's lines, what waits for the next one, and its available balance."""

    earnings: Earnings
    statements: Sequence[Statement]
    last_lines: int
    waiting: int
    available: int


def statements_chain(standing: Standing) -> Iterator[Finding]:
    """Each statement opens where the one before closes, and closes by what it comes to."""
    leader_id, made = standing.earnings.leader_id, standing.statements
    for each in made:
        if out := each.opening_balance + each.total - each.closing_balance:
            yield _of_statement(each, "does not close by what it comes to", out)
    if made and made[0].opening_balance:
        yield _of_statement(
            made[0], "is the first, and opens with something", made[0].opening_balance
        )
    for before, after in pairwise(made):
        if out := after.opening_balance - before.closing_balance:
            yield _of_statement(after, f"does not open where {before.run_id} closes", out)
        elif after.previous_run_id != before.run_id:
            yield _of_statement(after, f"does not name {before.run_id} as the one before")
    closing = made[-1].closing_balance if made else 0
    if out := standing.earnings.closing_balance - closing:
        detail = f"Leader {leader_id} stands {out} beside its last statement."
        yield Finding("statements_chain", leader_id, detail, out)


def _of_statement(made: Statement, what: str, out: int | None = None) -> Finding:
    detail = f"Statement {made.run_id} of {made.leader_id} {what}."
    return Finding("statements_chain", made.leader_id, detail, out)


def statement_lines(standing: Standing) -> Iterator[Finding]:
    """The last statement is the sum of its lines."""
    if standing.statements:
        last = standing.statements[-1]
        if out := last.total - standing.last_lines:
            detail = f"Statement {last.run_id} of {last.leader_id} is {last.total}, its lines "
            yield Finding("statement_lines", last.leader_id, f"{detail}{last.total - out}.", out)


def leader_available(standing: Standing) -> Iterator[Finding]:
    """What is available is what statements closed at, and what the next one will tell."""
    due = standing.earnings.closing_balance + standing.waiting
    if out := -standing.available - due:
        leader_id = standing.earnings.leader_id
        detail = f"{-standing.available} is available to {leader_id}, and statements say {due}."
        yield Finding("leader_available", leader_id, detail, out)


def bonuses(given: Sequence[Bonus], entries: Mapping[str, Entry]) -> Iterator[Finding]:
    """A leader has the bonuses that stand, and no other."""
    for bonus in given:
        named = (bonus.entry_id, bonus.back_entry_id)
        posted = sum(_to_leader(entries[each], bonus) for each in named if each in entries)
        due = bonus.amount if bonus.stands else 0
        if posted != due:
            detail = f"Of bonus {bonus.id} of {bonus.leader_id} {posted} is posted, not {due}."
            yield Finding("bonuses", bonus.id, detail, posted - due)


def bonus_entry_ids(given: Sequence[Bonus]) -> list[str]:
    return [named for each in given for named in (each.entry_id, each.back_entry_id)]


def _to_leader(entry: Entry, bonus: Bonus) -> int:
    party = f"leader:{bonus.leader_id}:"
    return -sum(each.amount for each in entry.postings if each.account.startswith(party))


def refunds_posted(refund: Refund, entries: Mapping[str, Entry]) -> Iterator[Finding]:
    """A refund lies in flight from its decision until it is done."""
    named = (f"refund:{refund.id}", f"refund-done:{refund.id}")
    found = -sum(_posted(entries[each], REFUNDS_IN_FLIGHT) for each in named if each in entries)
    due = 0 if refund.is_done else refund.amount
    if found != due:
        detail = (
            f"Of refund {refund.id}, which is {refund.status}, {found} is in flight, not {due}."
        )
        yield Finding("refunds_posted", refund.id, detail, found - due)


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
