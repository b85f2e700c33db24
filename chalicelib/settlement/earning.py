"""Commission on its way: what orders, deliveries and refunds write for a leader.

Other domains put these writes into their own transactions, beside the journal entries.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from chalicelib.kernel import clock
from chalicelib.ledger.rules import Entry
from chalicelib.platform.settings import settings
from chalicelib.platform.transaction import Put, Update, Write
from chalicelib.settlement import run_store
from chalicelib.settlement import store as settlement
from chalicelib.settlement.day_change import DayChange
from chalicelib.settlement.rules import EarnedLine, Earnings, date_of


@dataclass(frozen=True)
class RefundOfDelivery:
    """What a refund takes of one delivered parcel's commission.

    `remaining` are the parcel's lines as they are after it; `reversed` are negative lines for the
    difference, of kind `clawback`.
    """

    parcel_id: str
    bucket: str
    remaining: Sequence[EarnedLine]
    reversed: Sequence[EarnedLine]

    @property
    def amount(self) -> int:
        return -sum(line.amount for line in self.reversed)


@dataclass(frozen=True)
class OfParcel:
    """What a delivered parcel brings a leader, under the day `bucket`."""

    parcel_id: str
    bucket: str
    lines: Sequence[EarnedLine]

    @property
    def amount(self) -> int:
        return sum(line.amount for line in self.lines)


@dataclass(frozen=True)
class RefundOfEarnings:
    """A refund as the leader's earnings see it; `estimated` is what undelivered units lose.

    `beside` are lines, each with the day under which it waits, of what else it brings or takes:
    commission that the leader keeps since somebody else pays it, a bonus that is taken back.
    `held` is how much more waits for the end of disputes, or less.
    """

    refund_id: str
    estimated: int
    parts: Sequence[RefundOfDelivery]
    beside: Sequence[tuple[str, EarnedLine]] = ()
    held: int = 0


@dataclass(frozen=True)
class Beside:
    """What goes with something that is delivered or refunded: entries, what they bring or take from
    the leader of its order, each line with the day under which it waits, and other writes."""

    entries: Sequence[Entry] = ()
    lines: Sequence[tuple[str, EarnedLine]] = ()
    writes: Sequence[Write] = ()


NOTHING = Beside()


def together(*all_of_it: Beside) -> Beside:
    return Beside(
        [entry for each in all_of_it for entry in each.entries],
        [line for each in all_of_it for line in each.lines],
        [write for each in all_of_it for write in each.writes],
    )


def earnings_of(leader_ids: Sequence[str]) -> dict[str, Earnings]:
    found = settlement.get_many_earnings(leader_ids)
    return {each.leader_id: _without_runs_behind(each) for each in found}


def _without_runs_behind(earnings: Earnings) -> Earnings:
    if not earnings.behind:
        return earnings
    dates = (date_of(trouble.run_id) for trouble in run_store.behind(earnings.leader_id))
    return replace(earnings, behind_through=max(dates, default=""))


def open_bucket(earnings: Mapping[str, Earnings], matured_on: date) -> str:
    """The day under which what matures then waits: one that is open for all of these leaders."""
    return max(each.bucket_for(matured_on) for each in earnings.values())


def matures_on(delivered_at: datetime) -> date:
    """The local date of delivery and the days of the hold (contract, section 4)."""
    chosen = settings()
    return clock.business_date(delivered_at, chosen.zone) + timedelta(
        days=chosen.commission_hold_days
    )


def delivery_day(delivered_at: datetime) -> str:
    """The business date of a delivery, by which daily caps count."""
    return clock.business_date(delivered_at, settings().zone).isoformat()


def estimate(amounts: Mapping[str, int]) -> list[Update]:
    """An order was paid (or, negative, refunded before delivery): each leader may expect more, or
    less."""
    return [
        settlement.change_earnings(leader_id, estimated=amount)
        for leader_id, amount in amounts.items()
    ]


def earn(
    leader_id: str,
    currency: str,
    bucket: str,
    parcels: Mapping[str, Sequence[EarnedLine]],
    bonuses: Sequence[EarnedLine] = (),
) -> list[Write]:
    """Delivered parcels turn what was estimated into what matures, and bring bonuses. Stale where a
    run took that day."""
    earned = [line for lines in parcels.values() for line in lines]
    if not parcels:
        return []
    amount = sum(line.amount for line in earned)
    return [
        settlement.change_earnings(
            leader_id, estimated=-amount, when=settlement.not_taken(bucket), raises_version=True
        ),
        DayChange.by([*earned, *bonuses]).write(leader_id, bucket, currency),
        *(
            settlement.write_earned(leader_id, bucket, parcel_id, lines)
            for parcel_id, lines in parcels.items()
        ),
        *(settlement.write_earned(leader_id, bucket, each.entry_id, [each]) for each in bonuses),
    ]


def take_back(earnings: Earnings, currency: str, refund: RefundOfEarnings) -> list[Write]:
    """A refund takes commission back: what no run has taken is voided, the rest is clawed back.

    Stale where a run has come in since `earnings` was read.
    """
    leader_id = earnings.leader_id
    taken = [part for part in refund.parts if earnings.has_taken(part.bucket)]
    voided = [part for part in refund.parts if not earnings.has_taken(part.bucket)]
    told = _told_by(earnings, taken, refund.beside)
    days: dict[str, DayChange] = defaultdict(DayChange)
    for part in voided:
        days[part.bucket].void(part.reversed)
    for bucket, (matured, adjusted) in told.items():
        days[bucket].add(matured, adjusted)
    return [
        settlement.change_earnings(
            leader_id,
            estimated=-refund.estimated,
            held=refund.held,
            when=settlement.settled_as_in(earnings),
            raises_version=True,
        ),
        *(
            settlement.write_earned(leader_id, part.bucket, part.parcel_id, part.remaining)
            for part in voided
        ),
        *(
            settlement.write_earned(leader_id, bucket, refund.refund_id, *lines)
            for bucket, lines in told.items()
        ),
        *(day.write(leader_id, bucket, currency) for bucket, day in days.items()),
    ]


def _told_by(
    earnings: Earnings,
    taken: Sequence[RefundOfDelivery],
    beside: Sequence[tuple[str, EarnedLine]],
) -> dict[str, tuple[list[EarnedLine], list[EarnedLine]]]:
    """The lines that a refund itself brings to each day: what matures then, and what is posted to
    the available balance already."""
    told: dict[str, tuple[list[EarnedLine], list[EarnedLine]]] = defaultdict(lambda: ([], []))
    first = earnings.first_open_bucket
    for line in (line for part in taken for line in part.reversed):
        told[first][1].append(line)
    for bucket, line in beside:
        if earnings.has_taken(bucket):
            told[first][1].append(line)
        else:
            told[bucket][0].append(line)
    return told


def keep_taken(source_id: str, lines: Mapping[str, Sequence[EarnedLine]]) -> list[Put]:
    """Keep the lines by leader that would undo what others bear of `source_id`."""
    return [settlement.keep_taken(each, source_id, of_leader) for each, of_leader in lines.items()]


def again(earnings: Earnings, lines: Sequence[EarnedLine]) -> list[tuple[str, EarnedLine]]:
    """What was taken matures once more, each line under its day or the first that is open."""
    return [(earnings.bucket_for(date.fromisoformat(line.matured_on)), line) for line in lines]


def adjust(
    earnings: Earnings, currency: str, source_id: str, lines: Sequence[EarnedLine]
) -> list[Write]:
    """What is posted to the leader's available balance is told by its next statement.

    Goes with the journal entry that moves the balance by what the lines add up to; `source_id`
    names what they come from, such as a payout, once for each leader. Stale where a run has come
    in since `earnings` was read.
    """
    bucket = earnings.first_open_bucket
    return [
        settlement.change_earnings(
            earnings.leader_id, when=settlement.settled_as_in(earnings), raises_version=True
        ),
        settlement.write_earned(earnings.leader_id, bucket, source_id, (), lines),
        DayChange.by(adjusted=lines).write(earnings.leader_id, bucket, currency),
    ]


def give(earnings: Earnings, currency: str, source_id: str, line: EarnedLine) -> list[Write]:
    """What is given beside commission matures as it does. Goes with the journal entry that credits
    the pending balance; stale where a run has taken that day meanwhile."""
    bucket = earnings.bucket_for(date.fromisoformat(line.matured_on))
    return [
        settlement.change_earnings(
            earnings.leader_id, when=settlement.not_taken(bucket), raises_version=True
        ),
        settlement.write_earned(earnings.leader_id, bucket, source_id, [line]),
        DayChange.by([line]).write(earnings.leader_id, bucket, currency),
    ]


def hold(
    earnings: Earnings, currency: str, dispute_id: str, parcels: Sequence[OfParcel]
) -> list[Write]:
    """What the parcels brought matures on no day any more. Of what a run has taken the next
    statement says that it is held. Stale where a run has come in since `earnings` was read."""
    parts = [
        RefundOfDelivery(
            each.parcel_id,
            each.bucket,
            remaining=[],
            reversed=[
                replace(
                    line,
                    kind="held",
                    basis_amount=-line.basis_amount,
                    amount=-line.amount,
                    sold=tuple(-n for n in line.sold),
                    entry_id=f"disputed:{dispute_id}",
                )
                for line in each.lines
            ],
        )
        for each in parcels
    ]
    held = sum(each.amount for each in parcels)
    return take_back(earnings, currency, RefundOfEarnings(dispute_id, 0, parts, held=held))


def release(earnings: Earnings, currency: str, parcels: Sequence[OfParcel]) -> list[Write]:
    """What was held matures, each parcel on its day. Stale where a run has come in meanwhile."""
    by_day: dict[str, list[EarnedLine]] = defaultdict(list)
    for each in parcels:
        by_day[each.bucket] += each.lines
    return [
        settlement.change_earnings(
            earnings.leader_id,
            held=-sum(each.amount for each in parcels),
            when=settlement.settled_as_in(earnings),
            raises_version=True,
        ),
        *(
            DayChange.by(lines).write(earnings.leader_id, bucket, currency)
            for bucket, lines in by_day.items()
        ),
        *(
            settlement.write_earned(earnings.leader_id, each.bucket, each.parcel_id, each.lines)
            for each in parcels
        ),
    ]
