"""What a leader that leaves still waits for. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from chalicelib.ordering.rules import Order, OrderStatus
from chalicelib.parties.rules import Leader
from chalicelib.settlement.rules import Earnings

LeavingStatus = Literal["active", "leaving", "left"]
# In this order: open orders, its own and those that it has a part in, their return windows, the run
# that takes what has matured, the batch that pays it, or whose result is not known yet.
WaitsFor = Literal["orders", "returns", "settlement", "payout"]
OPEN: frozenset[OrderStatus] = frozenset({"pending_payment", "paid", "shipped"})


@dataclass(frozen=True)
class Standing:
    """What lies between a leader and the platform, in the currency's minor unit.

    `coming` is available to it, below zero where it owes; `collected` is the platform's cash that
    it holds.
    """

    pending: int
    coming: int
    in_payout: int
    collected: int

    @property
    def net(self) -> int:
        """What it is to be paid, or, below zero, what it owes."""
        return self.coming - self.collected


@dataclass(frozen=True)
class Orders:
    """How many of a leader's own are not over, and when the last return window is, be it of an
    order of another leader in which it has a part."""

    open: int
    returns_until: datetime | None


@dataclass(frozen=True)
class Leaving:
    leader_id: str
    status: LeavingStatus
    reason: str | None
    leaving_at: datetime | None
    left_at: datetime | None
    waits_for: tuple[WaitsFor, ...]
    open_orders: int
    returns_until: datetime | None
    currency: str
    coming: int
    owed: int

    @property
    def is_done(self) -> bool:
        return self.status == "leaving" and not self.waits_for

    @property
    def may_be_paid(self) -> bool:
        """Whether nothing that may still take from what it has coming is waited for."""
        return set(self.waits_for) <= {"payout"}


def status_of(leader: Leader) -> LeavingStatus:
    if leader.left_at:
        return "left"
    return "leaving" if leader.leaving_at else "active"


def orders_of(own: Iterable[Order], of_others: Iterable[Order]) -> Orders:
    still_open, windows = 0, [each.completes_at for each in of_others]
    for order in own:
        still_open += order.status in OPEN
        windows.append(order.completes_at)
    return Orders(still_open, max(filter(None, windows), default=None))


def leaving(
    leader: Leader, orders: Orders, standing: Standing, earnings: Earnings, now: datetime
) -> Leaving:
    waits_for: list[WaitsFor] = []
    if leader.leaving_at and not leader.left_at:
        waits_for = list(_waits_for(orders, standing, earnings, now))
    return Leaving(
        leader_id=leader.id,
        status=status_of(leader),
        reason=leader.leaving_reason,
        leaving_at=leader.leaving_at,
        left_at=leader.left_at,
        waits_for=tuple(waits_for),
        open_orders=orders.open,
        returns_until=orders.returns_until,
        currency=leader.currency,
        coming=max(0, standing.net),
        owed=max(0, -standing.net),
    )


def _waits_for(
    orders: Orders, standing: Standing, earnings: Earnings, now: datetime
) -> Iterable[WaitsFor]:
    if orders.open or earnings.estimated:
        yield "orders"
    if orders.returns_until and now < orders.returns_until:
        yield "returns"
    if standing.pending or standing.coming != earnings.closing_balance:
        yield "settlement"
    if standing.net > 0 or standing.in_payout:
        yield "payout"
