"""The answer that tells how a line of a supplier's statement came about."""

from pydantic import Field

from chalicelib.dispatch.deadlines import ClockKind
from chalicelib.ledger.schema import PostingView
from chalicelib.parties.settlement_terms import SettlementBasis
from chalicelib.payments.rules import Bearer, ChargebackStatus, RefundCause
from chalicelib.payouts.rules import PayoutStatus
from chalicelib.plans.rules import Basis
from chalicelib.platform.schema import Instant, View
from chalicelib.supplier_lines.borne import CommissionMethod
from chalicelib.supplier_lines.rules import Method
from chalicelib.supplier_lines.service import LineExplained
from chalicelib.suppliers.rules import Account, LineKind
from chalicelib.suppliers.schema import DepositView, SupplierRemittanceView, WaiverView


class MovedView(View):
    account: Account
    amount: int = Field(description="In the supplier's favour; what it owes lies below zero.")


class GoodsView(View):
    account: Account
    sku_id: str
    title: str
    units: int = Field(description="0 where an amount was refunded, and no units.")
    net: int | None = Field(
        description="What customers paid for them, without shipping; null for suppliers."
    )
    spread: int | None = Field(
        description="What of it a leader asked above the offer's price; null for suppliers."
    )
    brought: int = Field(description="`net` without `spread`: what a share is counted on.")
    basis: SettlementBasis
    fee_bps: int
    terms_version: int = Field(
        description="Of the settlement terms that the order line froze when it was placed."
    )
    unit_cost: int
    fee: int | None = Field(
        description="What the platform keeps of `brought`; null where the basis is `cost`."
    )
    cost: int = Field(description="What is the supplier's: its cost, or `brought` without `fee`.")
    amount: int = Field(
        description="`cost`, below zero where it is taken back. Those of one account add up to "
        "its `amount` above."
    )
    method: Method = Field(
        description="`exact`: `unit_cost` by `units`. `half_up`: `fee` is `fee_bps` of `brought`, "
        "rounded half up. `by_difference`: the line was rounded as a whole, and this is what the "
        "rounded part of it has changed by."
    )


class CommissionView(View):
    sku_id: str
    title: str
    basis: Basis
    base: int = Field(
        description="What of the refund the commission is counted on: the net, without a leader's "
        "spread (`sales`), or what that leaves over the cost (`gross_profit`)."
    )
    rate_bps: int = Field(description="Of all that have a part in it.")
    amount: int = Field(description="Below zero where the supplier bears it.")
    method: CommissionMethod = Field(
        description="How `rate_bps` of `base` comes to it: as `method` of goods says, or "
        "`limited` by a cap or floor of the plan."
    )


class CapExplainedView(View):
    leader_id: str
    delivered_on: str
    day_cap: int = Field(description="What the leader may earn by one rule on one day of delivery.")
    came_to: int | None = Field(
        description="What the day came to under the rule, up to the cap and all that is borne of "
        "it; null where other suppliers bear some too."
    )
    borne: int = Field(description="What the supplier has borne of that day in all.")
    is_shared: bool = Field(
        description="Other suppliers bear some of that day too. What lies beyond the cap is "
        "divided by what each has borne, by largest remainder."
    )
    withheld_before: int = Field(description="What of it lay beyond the cap before this run.")
    withheld: int = Field(
        description="And with it: `came_to` without `day_cap`, as far as the supplier bears it."
    )
    amount: int = Field(description="What that has changed by, which the supplier gets back.")
    entries: list[str] = Field(
        description="The supplier's lines of that day that this run has taken, by `entry_id`."
    )


class FeeExplainedView(View):
    amount: int
    fee_year: str = Field(description="The first day of the fee year.")
    terms_version: int = Field(description="The settlement terms that ask for it.")
    waivers: list[WaiverView] = Field(
        description="The windows of these terms, none of which covers the day on which it fell "
        "due: the fee year's first, or that of the first delivery to the community."
    )
    leader_id: str | None = Field(description="Of a fee for its community.")


class FineExplainedView(View):
    dispatch_id: str
    clock: ClockKind
    parcel_id: str | None
    due_at: Instant | None
    missed_at: Instant | None
    asked: int | None = Field(description="What the supplier's terms ask for a missed clock.")
    charged: int = Field(description="What of it the month's cap had room for.")
    month: str
    cap: int | None = Field(description="The most that one month's fines come to; null: no limit.")
    terms_version: int = Field(description="The settlement terms that name the cap.")
    waived_at: Instant | None
    waived_for: str | None


class RefundOriginView(View):
    id: str
    order_id: str
    amount: int | None = Field(
        description="What the customer got, of all suppliers and shipping; null for suppliers, "
        "whose own part is in `accounts` and `goods`."
    )
    cause: RefundCause
    bearer: Bearer = Field(description="Who pays the commission that leaders keep of it.")
    kept: int | None = Field(description="What they keep in all; null for suppliers.")
    decided_at: Instant


class ChargebackOriginView(View):
    id: str
    order_id: str | None
    amount: int | None = Field(description="Of the whole order; null for suppliers.")
    fee: int | None = Field(description="The provider's, of all who pay it; null for suppliers.")
    fee_bearer: Bearer
    status: ChargebackStatus


class PayoutOriginView(View):
    id: str
    batch_id: str
    status: PayoutStatus
    amount: int
    netted: int
    reference: str | None


class OriginEntryView(View):
    id: str
    posted_at: Instant
    subject: str
    belongs_to: str | None
    postings: list[PostingView] = Field(description="Those to the supplier.")


class SupplierLineExplainedView(View):
    supplier_id: str
    currency: str
    kind: LineKind
    order_id: str | None
    dispatch_id: str | None
    parcel_id: str | None
    of: list[str] = Field(description="All ids that it came of, where there are several.")
    accounts: list[MovedView] = Field(description="A statement's line each.")
    goods: list[GoodsView] = Field(description="What they add up, of goods SKU by SKU.")
    commission: list[CommissionView] = Field(
        description="What leaders keep of a refund at the supplier's cost, which adds up likewise."
    )
    caps: list[CapExplainedView] = Field(
        description="What daily caps have withheld of such commission, by day."
    )
    fee: FeeExplainedView | None
    fine: FineExplainedView | None
    refund: RefundOriginView | None
    chargeback: ChargebackOriginView | None
    deposit: DepositView | None
    remittance: SupplierRemittanceView | None
    payout: PayoutOriginView | None
    entry: OriginEntryView


def shown(line: LineExplained) -> SupplierLineExplainedView:
    told = {**vars(line.line), **vars(line)}
    own = f"supplier:{line.supplier_id}:"
    entry = {
        **vars(line.entry),
        "postings": [each for each in line.entry.postings if each.account.startswith(own)],
    }
    return SupplierLineExplainedView.model_validate({**told, "entry": entry})
