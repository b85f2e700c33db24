"""Requests and answers about leaders that leave."""

from pydantic import Field

from chalicelib.leaving.rules import LeavingStatus, WaitsFor
from chalicelib.platform.schema import Instant, RequestModel, Text, View


class LeaveTeam(RequestModel):
    reason: Text | None = None


class LeavingView(View):
    leader_id: str
    status: LeavingStatus
    reason: str | None
    leaving_at: Instant | None
    left_at: Instant | None
    waits_for: list[WaitsFor] = Field(description="What must end before it has left.")
    open_orders: int = Field(description="Its orders that are not delivered or over.")
    returns_until: Instant | None = Field(
        description="The end of the last return window: of its orders, and of those in which it "
        "has a part."
    )
    currency: str
    coming: int = Field(description="What it is to be paid, less the cash that it holds.")
    owed: int = Field(description="What it owes in place of that.")
