"""Placing an order: one read of all it needs, one transaction for all it changes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from chalicelib.catalogue import on_sale
from chalicelib.catalogue import store as catalogue
from chalicelib.catalogue.on_sale import OnSale
from chalicelib.catalogue.rules import Campaign, Offer
from chalicelib.kernel import clock, ids
from chalicelib.kernel.errors import Conflict, FieldError, Invalid
from chalicelib.ordering import caps, earning_by, held_units, pricing
from chalicelib.ordering import store as ordering
from chalicelib.ordering.held_units import Cap
from chalicelib.ordering.lines import OrderLine, limited_units
from chalicelib.ordering.pricing import Basket
from chalicelib.ordering.rules import Order, ShipTo
from chalicelib.parties.rules import Leader
from chalicelib.payments.providers import card_provider, provider
from chalicelib.payments.rules import LEADER_COLLECT, PaymentMethod
from chalicelib.plans.rules import Terms
from chalicelib.platform.idempotency import IdempotentRequest
from chalicelib.platform.log import logger, metric
from chalicelib.platform.settings import settings
from chalicelib.platform.transaction import Transaction, Update
from chalicelib.stock import store as stock
from chalicelib.stock.rules import MOST_ITEMS, Parts
from chalicelib.stock.taking import Pool, StockPool, at_random, take

# Money that a leader still collects after the close must be in by then (contract, section 3).
PAYABLE_AFTER_CLOSE = timedelta(hours=2)
# For how long a hot SKU of which nothing is left, or a full campaign, is refused without a look:
# short enough for what comes back to be sold.
SOLD_OUT_FOR = timedelta(seconds=2)
# Items of an order's transaction that are no stock: the order, the limits, the recorded answer.
OTHER_ITEMS = 3


@dataclass(frozen=True)
class Wanted:
    sku_id: str
    quantity: int


@dataclass(frozen=True)
class NewOrder:
    customer_id: str
    campaign_id: str
    leader_id: str
    lines: Sequence[Wanted]
    ship_to: ShipTo
    payment_method: PaymentMethod
    note: str | None


class OutOfStock(Conflict):
    """Fewer units are left of a SKU, in all its shards together, than line `n` asks for."""

    default_code = "out_of_stock"

    def __init__(self, offer: Offer, n: int, left: int) -> None:
        super().__init__(
            f"Of {offer.sku_id} there are fewer units left than are asked for.",
            errors=(FieldError(f"lines.{n}.quantity", f"is more than the {left} left"),),
        )
        self.offer, self.left = offer, left


class CampaignFull(Conflict):
    """The campaign has as many live orders as it takes."""

    default_code = "campaign_not_open"

    def __init__(self) -> None:
        super().__init__("The campaign has all the orders it can take.")


class LimitReached(Conflict):
    """The customer's live orders would hold more than some of these lines' limits.

    `left` is what each line's limit leaves the customer, where that is known.
    """

    default_code = "customer_limit_reached"

    def __init__(
        self, limited: Mapping[int, OrderLine], left: Mapping[int, int] | None = None
    ) -> None:
        limits = ", ".join(f"{line.limit} of {line.title}" for line in limited.values())
        super().__init__(
            f"A customer may have at most {limits} in this campaign, over all orders.",
            errors=tuple(
                FieldError(f"lines.{n}.quantity", _beyond(line, (left or {}).get(n)))
                for n, line in limited.items()
            ),
        )


def _beyond(line: OrderLine, left: int | None) -> str:
    if left is None:
        return f"goes beyond the limit of {line.limit}"
    return f"is more than the {left} left of the limit of {line.limit}"


def place(new: NewOrder, idempotency: IdempotentRequest) -> Order:
    """Reserve stock, count limits and record the answer together with the order, or do nothing.

    Raises Conflict `campaign_not_open`, `out_of_stock`, `customer_limit_reached` or
    `no_commission_rule`, Invalid where the order names what does not exist or differs in currency.
    """
    now = clock.now()
    found = on_sale.read(
        new.campaign_id, new.leader_id, [line.sku_id for line in new.lines], idempotency
    )
    leader, campaign, offers = _checked(found, now)
    terms = earning_by.terms_of(found.plan, earning_by.selling(leader), offers, now)
    baskets = _baskets(new, offers, found, terms, now)
    lines = pricing.price(baskets, plan_version=campaign.version)
    order = replace(
        _order(new, campaign, lines, now, _provider(new.payment_method, campaign.currency)),
        bonuses=earning_by.bonuses_of(found.plan, now),
    )
    _check_limits(order)
    try:
        placed = _reserve(order, campaign, offers, idempotency, now)
    except Conflict as lost:
        metric("ReservationsLost")
        logger.info("reservation lost", code=lost.code, leader_id=leader.id)
        raise
    metric("OrdersPlaced")
    logger.bind(order_id=placed.id)
    return placed


def _reserve(
    order: Order,
    campaign: Campaign,
    offers: Sequence[Offer],
    idempotency: IdempotentRequest,
    now: datetime,
) -> Order:
    """Commit the order with units from whichever shards hold them, of stocks and of caps."""
    _check_marks(campaign, offers, now)
    capped = caps.of_campaign(campaign, offers)

    def commit(parts: Mapping[str, Parts]) -> Order:
        taken = held_units.with_parts(order, parts)
        transaction = Transaction(idempotency)
        transaction.add(
            ordering.add_order(taken),
            *stock.reserve(held_units.parts(taken)),
            *caps.take(taken, capped),
            _count_limits(taken),
        )
        transaction.commit(taken)
        return taken

    pools = _pools(order, offers, capped)
    if len(pools) > MOST_ITEMS - OTHER_ITEMS:
        raise Invalid.field(
            "lines", "are of too many offers with a cap: make it two orders", code="order_too_large"
        )
    try:
        return take(pools, MOST_ITEMS - OTHER_ITEMS, commit)
    except (OutOfStock, CampaignFull) as gone:
        _spare_others(campaign, gone)
        on_sale.forget(campaign.id)
        raise
    except LimitReached:
        _name_lines_beyond_limits(order)
        raise


def _spare_others(campaign: Campaign, gone: OutOfStock | CampaignFull) -> None:
    """Mark what many shards were looked through for in vain."""
    until = clock.now() + SOLD_OUT_FOR
    if isinstance(gone, CampaignFull):
        catalogue.mark_full(campaign, until)
    elif not gone.left and (gone.offer.stock_shards > 1 or gone.offer.quantity_cap):
        catalogue.mark_sold_out(gone.offer, until)


def _check_marks(campaign: Campaign, offers: Sequence[Offer], now: datetime) -> None:
    """Refuse without a look what others have just found to be gone."""
    if campaign.is_full_at(now):
        raise CampaignFull
    for n, offer in enumerate(offers):
        if offer.is_sold_out_at(now):
            raise OutOfStock(offer, n, 0)


def _pools(order: Order, offers: Sequence[Offer], capped: Mapping[str, Cap]) -> list[Pool]:
    numbered = {offer.sku_id: (n, offer) for n, offer in enumerate(offers)}

    def sold_out(sku_id: str, left: int) -> OutOfStock:
        n, offer = numbered[sku_id]
        return OutOfStock(offer, n, left)

    return [
        *(_pool(offer, line, sold_out) for offer, line in zip(offers, order.lines, strict=True)),
        *caps.pools(order, capped, sold_out, CampaignFull()),
    ]


def _pool(offer: Offer, line: OrderLine, sold_out: Callable[[str, int], Exception]) -> StockPool:
    first = at_random(line.quantity, offer.stock_shards)
    return StockPool(line.sku_id, line.quantity, first, partial(sold_out, line.sku_id))


def _count_limits(order: Order) -> Update | None:
    return ordering.count_limits(
        order.campaign_id,
        order.customer_id,
        limited_units(order.lines),
        LimitReached(_limited(order)),
    )


def _baskets(
    new: NewOrder,
    offers: Sequence[Offer],
    found: OnSale,
    terms: Sequence[Terms | None],
    now: datetime,
) -> list[Basket]:
    """What is ordered, each line at its price of this instant in this community, by what its
    supplier is paid on this day, and by what is earned by it."""
    zone = settings().zone
    today = clock.business_date(now, zone)
    return [
        Basket(
            offer,
            wanted.quantity,
            offer.price_of(wanted.quantity, now, zone, asked),
            found.settlement_terms[offer.supplier_id].paid_by(today),
            of_plan,
        )
        for offer, wanted, of_plan in zip(offers, new.lines, terms, strict=True)
        for asked in [offer.price_asked(found.leader_prices.get(offer.sku_id))]
    ]


def _checked(found: OnSale, now: datetime) -> tuple[Leader, Campaign, list[Offer]]:
    leader, campaign = found.leader, found.campaign
    if campaign is None:
        raise Invalid.field("campaign_id", "is not a campaign")
    if leader is None:
        raise Invalid.field("leader_id", "is not a leader")
    unknown = tuple(
        FieldError(f"lines.{n}.sku_id", "is not offered in this campaign")
        for n, offer in enumerate(found.offers)
        if offer is None
    )
    if unknown:
        raise Invalid("Some SKUs are not offered in this campaign.", errors=unknown)
    if leader.currency != campaign.currency:
        raise Invalid.field(
            "leader_id",
            f"has the currency {leader.currency}, not {campaign.currency}",
            code="currency_mismatch",
        )
    if not leader.takes_orders:
        raise Conflict("The leader takes no more orders.", code="campaign_not_open")
    if not (campaign.for_every_leader or found.names_leader):
        raise Conflict("The campaign is not for this leader's community.", code="campaign_not_open")
    if campaign.status_at(now) != "open":
        raise Conflict(f"The campaign is {campaign.status_at(now)}.", code="campaign_not_open")
    return leader, campaign, [offer for offer in found.offers if offer]


def _provider(method: PaymentMethod, currency: str) -> str | None:
    """By whom an order is paid that its leader does not collect for."""
    if method == LEADER_COLLECT:
        return None
    name = card_provider()
    if name is None:
        raise Invalid.field("payment_method", "cards are not taken here", code="method_not_taken")
    if not provider(name).takes(currency):
        raise Invalid.field(
            "payment_method", f"cards are not taken in {currency}", code="method_not_taken"
        )
    return name


def _order(
    new: NewOrder,
    campaign: Campaign,
    lines: tuple[OrderLine, ...],
    now: datetime,
    paid_by: str | None,
) -> Order:
    return Order(
        id=ids.new("ord"),
        status="pending_payment",
        version=1,
        customer_id=new.customer_id,
        leader_id=new.leader_id,
        campaign_id=campaign.id,
        currency=campaign.currency,
        lines=lines,
        subtotal=sum(line.amount for line in lines),
        discount=sum(line.discount for line in lines),
        shipping=sum(line.shipping for line in lines),
        tax=sum(line.tax for line in lines),
        total=sum(line.net + line.shipping for line in lines),
        payment_method=new.payment_method,
        provider=paid_by,
        receipt=None,
        cash_account=None,
        ship_to=new.ship_to,
        note=new.note,
        dispatches=(),
        expires_at=_expires_at(new.payment_method, campaign, now),
        created_at=now,
        target_kind=campaign.target.kind if campaign.target else None,
    )


def _expires_at(method: PaymentMethod, campaign: Campaign, now: datetime) -> datetime:
    held = settings().leader_collect if method == LEADER_COLLECT else settings().reservation
    return min(now + held, campaign.closes_at + PAYABLE_AFTER_CLOSE)


def _check_limits(order: Order) -> None:
    """Refuse an order that goes beyond a limit by itself; with others, the store counts it."""
    if any(line.quantity > (line.limit or 0) for line in _limited(order).values()):
        _name_lines_beyond_limits(order)


def _name_lines_beyond_limits(order: Order) -> None:
    """Raise LimitReached with what the customer's live orders leave; nothing where that has become
    enough meanwhile."""
    held = ordering.counted(order.campaign_id, order.customer_id)
    limited = _limited(order)
    left = {n: max(0, (line.limit or 0) - held.get(line.sku_id, 0)) for n, line in limited.items()}
    over = {n: line for n, line in limited.items() if line.quantity > left[n]}
    if over:
        raise LimitReached(over, left)


def _limited(order: Order) -> dict[int, OrderLine]:
    """The lines that a customer's limit counts, by their place in the order."""
    return {n: line for n, line in enumerate(order.lines) if line.limit is not None}
