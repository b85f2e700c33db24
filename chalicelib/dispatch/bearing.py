"""Who pays the commission of delivered goods that are refunded: the rule of the refund's cause.

A refund takes commission back as it was credited. Where another bears it, leaders are credited the
same again on its account, so that they keep what they had, and both can be read in the books.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import NamedTuple

from chalicelib.dispatch.parcels import Parcel
from chalicelib.dispatch.rules import Dispatch
from chalicelib.dispatch.taking_back import Taking, account_of
from chalicelib.kernel import clock
from chalicelib.ledger import rules as books
from chalicelib.ledger.rules import Entry
from chalicelib.ordering.lines import OrderLine
from chalicelib.parties import store as parties
from chalicelib.payments import store as payments
from chalicelib.payments.rules import Refund
from chalicelib.platform.settings import settings
from chalicelib.platform.transaction import Put
from chalicelib.settlement import earning
from chalicelib.settlement.rules import EarnedLine, Earnings
from chalicelib.suppliers.rules import Commission


@dataclass(frozen=True)
class Borne:
    """A refund with what leaders keep of it: each one's lines with the day under which they wait,
    and the entry by which they are paid."""

    refund: Refund
    entries: Sequence[Entry] = ()
    kept: Mapping[str, Sequence[tuple[str, EarnedLine]]] = field(default_factory=dict)


class Kept(NamedTuple):
    """Commission that a leader keeps: where it is credited, who pays it, and for what. The rate
    of the order's line counts all that have a part in it."""

    leader_id: str
    bucket: str
    account: str
    payer: str
    of: tuple[str, str]
    rate_bps: int
    line: EarnedLine


def borne(refund: Refund, taking: Taking, earnings: Mapping[str, Earnings]) -> Borne:
    """Nothing is kept of what was not delivered, for which nobody had been credited anything."""
    if not taking.delivered():
        return Borne(refund)
    bearer = payments.refund_bearers().of(refund.cause)
    refund = replace(refund, bearer=bearer)
    kept = [] if bearer == "leader" else list(_kept(refund, taking, earnings))
    if not kept:
        return Borne(refund)
    by_leader: dict[str, list[tuple[str, EarnedLine]]] = defaultdict(list)
    for each in kept:
        by_leader[each.leader_id].append((each.bucket, each.line))
    total = sum(each.line.amount for each in kept)
    return Borne(replace(refund, kept=total), [_entry(refund, kept)], by_leader)


def entry_id(refund_id: str) -> str:
    return f"borne:{refund_id}"


def keep_undone(refund: Refund, kept: Mapping[str, Sequence[tuple[str, EarnedLine]]]) -> list[Put]:
    """The lines by which whoever bears a chargeback has back what leaders keep of it, each by the
    day under which that has waited."""
    if refund.cause != "chargeback":
        return []
    lines = {each: [_undone(line, day) for day, line in of] for each, of in kept.items()}
    return earning.keep_taken(refund.id, lines)


def _undone(kept: EarnedLine, day: str) -> EarnedLine:
    return replace(
        kept,
        kind="adjustment",
        basis_amount=-kept.basis_amount,
        sold=tuple(-n for n in kept.sold),
        amount=-kept.amount,
        matured_on=day,
    )


def _kept(refund: Refund, taking: Taking, earnings: Mapping[str, Earnings]) -> Iterator[Kept]:
    for dispatch, parcel in taking.delivered():
        for line, leader_id, lost in taking.lost(parcel):
            if lost.kind != "commission":
                continue
            of_leader = earnings[leader_id]
            bucket, day = waits(of_leader, parcel, refund.decided_at)
            payer = _payer(refund, dispatch, line)
            kept = replace(
                lost,
                kind="kept",
                matured_on=day,
                entry_id=entry_id(refund.id),
                parcel_id=parcel.id,
            )
            yield Kept(
                leader_id,
                bucket,
                account_of(of_leader, parcel),
                payer,
                (dispatch.id, parcel.id),
                line.total_bps,
                replace(kept, borne_by="" if payer == books.PLATFORM_REVENUE else payer),
            )


def waits(earnings: Earnings, parcel: Parcel, now: datetime) -> tuple[str, str]:
    """Under which day it waits and when it matures: with its parcel; of one that was disputed, and
    matured on no day, as after a dismissal."""
    if parcel.earned_on is not None:
        return parcel.earned_on, parcel.matures_on or parcel.earned_on
    today = clock.business_date(now, settings().zone).isoformat()
    day = max(parcel.matures_on or today, today)
    return earnings.bucket_for(date.fromisoformat(day)), day


def _payer(refund: Refund, dispatch: Dispatch, line: OrderLine) -> str:
    """The account that pays: the supplier's terms under which the line was placed may have the
    platform pay in its place."""
    if refund.bearer == "platform":
        return books.PLATFORM_REVENUE
    terms = parties.settlement_terms_at(dispatch.supplier_id, line.supplier_terms)
    if terms.refund_bearer == "platform":
        return books.PLATFORM_REVENUE
    return books.supplier_payable(dispatch.supplier_id)


def _entry(refund: Refund, kept: Sequence[Kept]) -> Entry:
    amounts = Counter[str]()
    of: dict[str, list[str]] = defaultdict(list)
    for each in kept:
        amounts[each.account] -= each.line.amount
        amounts[each.payer] += each.line.amount
        of[each.payer] += each.of
    return books.entry(
        entry_id(refund.id),
        refund.currency,
        refund.order_id,
        refund.decided_at,
        amounts,
        {account: list(dict.fromkeys(ids)) for account, ids in of.items()},
        parts=_parts(kept),
    )


def _parts(kept: Sequence[Kept]) -> Mapping[str, Sequence[Commission]]:
    """What each supplier bears, by parcel and SKU; what of it each leader has is not its affair."""
    found: dict[tuple[str, str, str], Commission] = {}
    for each in kept:
        line = each.line
        if line.borne_by:
            key = (each.payer, each.of[1], line.sku_id)
            before = found[key].amount if key in found else 0
            found[key] = Commission(
                line.sku_id,
                line.basis,
                line.basis_amount,
                each.rate_bps,
                before + line.amount,
                line.method == "limited",
            )
    parts: dict[str, list[Commission]] = defaultdict(list)
    for (payer, _, _), commission in found.items():
        parts[payer].append(commission)
    return parts
