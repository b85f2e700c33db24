"""What a chargeback takes from leaders line by line, kept for the day on which it may be won."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from chalicelib.dispatch import bearing
from chalicelib.dispatch.taking_back import Taking
from chalicelib.payments.rules import Refund
from chalicelib.platform.transaction import Write
from chalicelib.settlement import earning
from chalicelib.settlement.rules import EarnedLine, Earnings


def keep_taken(
    refund: Refund,
    taking: Taking,
    earnings: Mapping[str, Earnings],
    kept: Mapping[str, Sequence[tuple[str, EarnedLine]]],
) -> Sequence[Write]:
    """The lines that would undo it, each by the day under which what it undoes has waited: what
    parcels have lost comes back, and what was kept of it goes to whom has borne it."""
    if refund.cause != "chargeback":
        return []
    lines: dict[str, list[EarnedLine]] = defaultdict(list)
    for _, parcel in taking.delivered():
        for _, leader_id, lost in taking.lost(parcel):
            day, _ = bearing.waits(earnings[leader_id], parcel, refund.decided_at)
            lines[leader_id].append(replace(lost, kind="adjustment", matured_on=day))
    for leader_id, of_leader in kept.items():
        lines[leader_id] += [_undone(line, day) for day, line in of_leader]
    return earning.keep_taken(refund.id, lines)


def _undone(kept: EarnedLine, day: str) -> EarnedLine:
    return replace(
        kept,
        kind="adjustment",
        basis_amount=-kept.basis_amount,
        amount=-kept.amount,
        sold=tuple(-n for n in kept.sold),
        matured_on=day,
    )
