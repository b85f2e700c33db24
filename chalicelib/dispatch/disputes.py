"""A dispute about a delivery: whoever says that a parcel did not come as it was told. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from chalicelib.dispatch.parcels import Parcel
from chalicelib.dispatch.rules import Dispatch
from chalicelib.kernel import clock, ids
from chalicelib.kernel.callers import Caller, Role
from chalicelib.kernel.errors import Conflict
from chalicelib.ordering.rules import Order

Outcome = Literal["upheld", "dismissed"]
DisputeStatus = Literal["open", Outcome]


@dataclass(frozen=True)
class Dispute:
    """`parcel_id` is the parcel that was named, or None where all that had arrived were meant."""

    id: str
    dispatch_id: str
    order_id: str
    parcel_id: str | None
    parcel_ids: tuple[str, ...]
    by: Role
    party_id: str
    reason: str
    status: DisputeStatus
    version: int
    opened_at: datetime
    note: str | None = None
    refund_id: str | None = None
    resolved_at: datetime | None = None

    def says(self, caller: Caller, reason: str, parcel_id: str | None) -> bool:
        """Whether it is open and in just these words."""
        said = (self.by, self.party_id, self.reason, self.parcel_id)
        return self.status == "open" and said == (caller.role, caller.id, reason, parcel_id)

    def resolved(
        self, outcome: Outcome, note: str, now: datetime, refund_id: str | None = None
    ) -> "Dispute":
        return replace(
            self,
            status=outcome,
            note=note,
            resolved_at=now,
            refund_id=refund_id,
            version=self.version + 1,
        )


def dispute_id(dispatch_id: str, parcel_ids: Sequence[str]) -> str:
    return ids.derived("dpt", dispatch_id, *parcel_ids)


def check_open(order: Order, parcels: Sequence[Parcel], now: datetime) -> None:
    """Raise Conflict where the order's return window is over, its money has gone back, or none of
    the parcels that are meant has arrived."""
    over = order.completes_at is not None and now >= order.completes_at
    if order.status not in ("shipped", "delivered") or over:
        raise Conflict(
            f"The order is {order.status}; a delivery is disputed until the end of the return "
            "window.",
            code="dispute_not_open",
        )
    if not parcels:
        raise Conflict("Nothing of it was delivered yet.", code="not_delivered")


def disputed_by(dispatch: Dispatch, parcel: Parcel | None) -> list[Parcel]:
    """The parcels that a dispute is about: the one that is named, or all that have arrived and
    were not disputed before. Raises Conflict where all that have were."""
    named = [parcel] if parcel else dispatch.parcels
    arrived = [each for each in named if each.delivered_at]
    found = [each for each in arrived if each.dispute_id is None]
    if arrived and not found:
        raise Conflict(
            "Its delivery was disputed before; a delivery is disputed once.",
            code="already_disputed",
        )
    return found


def repeats_resolution(dispute: Dispute, outcome: Outcome, note: str) -> bool:
    """Whether it was resolved just so. Raises Conflict where it was resolved otherwise."""
    if dispute.status == "open":
        return False
    if (dispute.status, dispute.note) != (outcome, note):
        at = clock.to_text(dispute.resolved_at) if dispute.resolved_at else ""
        raise Conflict(f"The dispute was {dispute.status} at {at}.", code="already_resolved")
    return True
