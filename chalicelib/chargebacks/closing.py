"""How a chargeback ends: the money is lost, or it is back and goes to whom it was taken from."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from chalicelib.cases import service as cases
from chalicelib.chargebacks import fees, opening, owing
from chalicelib.dispatch import disputing
from chalicelib.kernel import clock
from chalicelib.kernel.errors import Conflict
from chalicelib.ledger import rules as books
from chalicelib.ledger import store as ledger
from chalicelib.ordering import store as ordering
from chalicelib.ordering.rules import Order
from chalicelib.payments import store as payments
from chalicelib.payments.providers import DisputeOutcome, PaymentDisputed
from chalicelib.payments.rules import Chargeback
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.settings import settings
from chalicelib.platform.transaction import Recorder, Transaction
from chalicelib.settlement import earning, plan_bonuses
from chalicelib.settlement import store as settlement
from chalicelib.settlement.earning import NOTHING, Beside, together
from chalicelib.settlement.plan_bonuses import Given, Refunded
from chalicelib.settlement.rules import EarnedLine, Earnings


class GivenBack(NamedTuple):
    """What returns to whom once a chargeback is won; `owed` is what nobody but the customer has a
    claim to: it was refunded before, or is for goods that were not delivered."""

    amounts: Counter[str]
    to_leaders: Mapping[str, Sequence[EarnedLine]]
    owed: int


@retry_stale
def close(
    chargeback_id: str, outcome: DisputeOutcome, recorder: Recorder | None = None
) -> Chargeback:
    """Raises NotFound, and Conflict where it was closed with the other outcome."""
    before = opening.chargeback_of(chargeback_id)
    if before.status == outcome:
        return before
    if before.status != "open":
        raise Conflict(f"The chargeback was {before.status} before.", code="already_closed")
    now = clock.now()
    after = before.closed(outcome, now)
    transaction = Transaction(recorder)
    transaction.add(payments.replace_chargeback(after))
    if outcome == "won":
        _give_back_in(transaction, after, now)
    elif after.unmatched:
        transaction.add(*ledger.post(_lost(after, now)))
    transaction.commit(after)
    return after


def hear(provider: str, event: PaymentDisputed) -> None:
    """Open what was not told before, then close it with its outcome, if it has one."""
    heard = opening.hear(provider, event)
    if event.outcome is None:
        return
    try:
        close(heard.id, event.outcome)
    except Conflict:
        _call_about_outcome(heard, event.outcome)


def _give_back_in(transaction: Transaction, won: Chargeback, now: datetime) -> None:
    given, order = _given_back(won), _order_of(won)
    entry = books.entry(
        f"chargeback-won:{won.id}", won.currency, won.order_id or won.id, now, given.amounts
    )
    lines = {
        leader_id: [replace(line, entry_id=entry.id) for line in of_leader]
        for leader_id, of_leader in given.to_leaders.items()
    }
    own = [order.leader_id] if order else []
    earnings = earning.earnings_of(list(dict.fromkeys([*own, *lines])))
    beside = _beside(won, order, earnings[order.leader_id], now) if order else NOTHING
    transaction.add(*ledger.post(entry, *beside.entries), *beside.writes)
    for leader_id, of_leader in earnings.items():
        again, also = lines.get(leader_id, ()), beside.lines if leader_id in own else ()
        if again or also:
            transaction.add(*earning.give_back(of_leader, won.currency, won.id, again, also))
    if given.owed:
        changed = owing.refund_again_in(transaction, won, given.owed, order, now)
        if changed:
            transaction.add(ordering.replace_order(changed.changed(changed.status)))
    if won.order_id and won.refund_id:
        disputing.call_about_won_in(transaction, won.order_id, won.id, won.opened_at)


def _given_back(won: Chargeback) -> GivenBack:
    """Each side gets what the refund took from it, less what it was credited beside; leaders line
    by line, as it matures."""
    amounts = Counter[str]({won.cash_account: won.amount})
    amounts[books.UNMATCHED_CHARGEBACKS] -= won.unmatched
    leader_ids, owed = set[str](), won.paid_amount
    for posting in _taken(won):
        party = books.party_of(posting.account)
        if posting.account == books.CUSTOMER_PREPAYMENTS:
            owed += posting.amount
        elif party and party[0].startswith("leader:"):
            leader_ids.add(party[0].removeprefix("leader:"))
        elif party:
            amounts[f"{party[0]}:payable"] -= posting.amount
        else:
            amounts[posting.account] -= posting.amount
    amounts[books.UNMATCHED_RECEIPTS] -= owed
    to_leaders = settlement.taken(sorted(leader_ids), won.refund_id or "")
    for leader_id, lines in to_leaders.items():
        amounts[books.leader_account(leader_id, "pending")] -= sum(line.amount for line in lines)
    return GivenBack(amounts, to_leaders, owed)


def _taken(won: Chargeback) -> list[books.Posting]:
    """What the refund has taken from whom, and what was borne of it."""
    entries = (ledger.get_entry(f"{named}:{won.refund_id}") for named in ("refund", "borne"))
    return [
        posting
        for entry in entries
        if entry and won.refund_id
        for posting in entry.postings
        if posting.account != books.REFUNDS_IN_FLIGHT
    ]


def _order_of(won: Chargeback) -> Order | None:
    """The order that it was refunded of."""
    return ordering.get_order(won.order_id) if won.refund_id and won.order_id else None


def _beside(won: Chargeback, order: Order, earnings: Earnings, now: datetime) -> Beside:
    """The fee to whom paid it, and the bonuses that the refund had taken back, to mature today."""
    fee, refund = fees.given_back(won, order, now), payments.get_refund(won.refund_id or "")
    if refund is None or not order.bonuses:
        return fee
    today = clock.business_date(now, settings().zone)
    given = Given(now, today.isoformat(), earnings.bucket_for(today))
    refunded = Refunded(refund.id, refund.delivered_net, is_whole=False, at=now)
    return together(fee, plan_bonuses.of_won_chargeback(order, refunded, given))


def _lost(lost: Chargeback, now: datetime) -> books.Entry:
    """What fitted no order has been paid out of the platform's own."""
    amounts = {
        books.PLATFORM_REVENUE: lost.unmatched,
        books.UNMATCHED_CHARGEBACKS: -lost.unmatched,
    }
    return books.entry(
        f"chargeback-lost:{lost.id}", lost.currency, lost.order_id or lost.id, now, amounts
    )


def _call_about_outcome(closed: Chargeback, outcome: DisputeOutcome) -> None:
    transaction = Transaction()
    detail = (
        f"{closed.provider} says that {closed.reference} is {outcome}, and chargeback {closed.id} "
        "was closed otherwise before. Find out where the money is."
    )
    cases.open_in(transaction, "chargeback_differs", closed.id, detail, occurrence=outcome)
    transaction.commit()
