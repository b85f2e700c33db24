"""What others must hear of. An event is a reference: who receives it reads the present state."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ORDER_PAID = "order.paid"
ORDER_REFUNDED = "order.refunded"
DISPATCHES_CREATED = "dispatches.created"
DISPATCH_CREATED = "dispatch.created"
DISPATCH_CANCELLED = "dispatch.cancelled"
DISPATCH_UPDATED = "dispatch.updated"
DISPATCH_REMINDER = "dispatch.reminder"
REFUND_DECIDED = "refund.decided"
REFUND_FAILED = "refund.failed"
CAMPAIGN_CLOSED = "campaign.closed"
CAMPAIGN_MET = "campaign.met"
CAMPAIGN_MISSED = "campaign.missed"
CAMPAIGN_CANCELLED = "campaign.cancelled"
SETTLEMENT_STARTED = "settlement.started"
SETTLEMENT_COMPLETED = "settlement.completed"
ENDPOINT_DISABLED = "endpoint.disabled"
AFTER_SALES_REQUESTED = "after_sales.requested"
AFTER_SALES_DECIDED = "after_sales.decided"
CASE_OPENED = "case.opened"
PAYOUTS_ASKED = "payouts.asked"
PAYOUT_PAID = "payout.paid"
PAYOUT_RETURNED = "payout.returned"
PAYOUT_FAILED = "payout.failed"
RECONCILIATION_ASKED = "reconciliation.asked"
REPLAY_ASKED = "replay.asked"
SIMULATION_ASKED = "simulation.asked"


@dataclass(frozen=True)
class Event:
    """Something that happened to `subject`, an id.

    Its identity is what happened to whom, so that publishing it twice publishes one event;
    `data` holds ids and counts only, never anything personal.
    """

    type: str
    subject: str
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return f"{self.type}:{self.subject}"
