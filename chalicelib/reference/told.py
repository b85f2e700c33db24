"""What webhooks tell: the bodies that `webhooks/bodies.py` makes, as shapes to read."""

from chalicelib.aftersales.rules import AfterSalesStatus
from chalicelib.cases.rules import CaseKind
from chalicelib.catalogue.schema import TargetView
from chalicelib.dispatch.deadlines import ClockKind
from chalicelib.dispatch.disputes import DisputeStatus
from chalicelib.ordering.rules import OrderStatus
from chalicelib.ordering.schema import ShipToView
from chalicelib.parties.terms import OnMissed
from chalicelib.payments.rules import RefundStatus
from chalicelib.platform.schema import Instant, View
from chalicelib.settlement.schema import TotalView
from chalicelib.webhooks.rules import EventType


class DispatchLineTold(View):
    sku_id: str
    supplier_sku: str | None
    title: str
    quantity: int
    unit_cost: int


class DispatchTold(View):
    dispatch_id: str
    order_id: str
    version: int
    lines: list[DispatchLineTold]
    ship_to: ShipToView
    accept_by: Instant
    ship_by: Instant


class DisputeTold(View):
    dispute_id: str
    parcel_ids: list[str]
    status: DisputeStatus


class UpdateTold(DispatchTold):
    disputes: list[DisputeTold]


class ClockTold(View):
    kind: ClockKind
    parcel_id: str | None
    due_at: Instant
    on_missed: OnMissed
    fine_amount: int | None


class ReminderTold(DispatchTold):
    clock: ClockTold


class EndpointTold(View):
    endpoint_id: str
    owner: str
    url: str
    reason: str | None
    version: int


class PingTold(View):
    endpoint_id: str


class OrderTold(View):
    order_id: str
    version: int
    status: OrderStatus
    leader_id: str
    campaign_id: str
    currency: str
    total: int
    refunded_amount: int


class RefundTold(View):
    refund_id: str
    order_id: str
    status: RefundStatus
    amount: int
    currency: str
    reason: str


class CampaignTold(View):
    campaign_id: str
    title: str
    closes_at: Instant


class CampaignEndTold(View):
    campaign_id: str
    title: str
    target: TargetView | None


class PayoutTold(View):
    payout_id: str
    version: int
    currency: str
    amount: int
    netted: int
    reference: str | None


class RunTold(View):
    run_id: str
    business_date: str
    leaders_settled: int
    totals: list[TotalView]


class UnitsTold(View):
    sku_id: str
    quantity: int


class AfterSalesTold(View):
    after_sales_id: str
    order_id: str
    version: int
    status: AfterSalesStatus
    lines: list[UnitsTold]
    refund_id: str | None
    due_at: Instant


class CaseTold(View):
    case_id: str
    kind: CaseKind
    subject: str
    detail: str


# The shape of `data`, and when it is told to whom.
TOLD: dict[EventType, tuple[type[View], str]] = {
    "dispatch.created": (DispatchTold, "There is a dispatch to accept; to its supplier"),
    "dispatch.cancelled": (DispatchTold, "A dispatch must not be shipped; to its supplier"),
    "dispatch.updated": (
        UpdateTold,
        "There is less to ship of a dispatch, or its delivery is disputed, or the dispute decided; "
        "to its supplier",
    ),
    "dispatch.reminder": (ReminderTold, "Half of a clock's time is over; to its supplier"),
    "payout.paid": (PayoutTold, "A payout has arrived; to its supplier"),
    "payout.returned": (PayoutTold, "A payout came back; to its supplier"),
    "payout.failed": (PayoutTold, "A payout could not be sent; to its supplier"),
    "endpoint.disabled": (
        EndpointTold,
        "An endpoint gets nothing more; to its owner's others, and to the platform",
    ),
    "ping": (PingTold, "A test that was asked for; to the endpoint itself"),
    "order.paid": (OrderTold, "An order was paid; to the platform"),
    "order.refunded": (RefundTold, "Money went back for an order; to the platform"),
    "refund.failed": (RefundTold, "Money could not go back; to the platform"),
    "campaign.closed": (CampaignTold, "A campaign takes no more orders; to the platform"),
    "campaign.met": (CampaignEndTold, "A campaign's orders are shipped; to the platform"),
    "campaign.missed": (CampaignEndTold, "A campaign's orders are refunded; to the platform"),
    "campaign.cancelled": (CampaignEndTold, "A campaign was called off; to the platform"),
    "settlement.completed": (RunTold, "A nightly run is done; to the platform"),
    "after_sales.requested": (AfterSalesTold, "A customer wants money back; to the platform"),
    "after_sales.decided": (AfterSalesTold, "It was refunded or declined; to the platform"),
    "case.opened": (CaseTold, "A person must look at something; to the platform"),
}
