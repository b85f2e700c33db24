"""What an order's lines and the order come to (contract, section 6). Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.catalogue.pricing import Price
from chalicelib.catalogue.rules import Offer
from chalicelib.kernel.money import allocate
from chalicelib.ordering.lines import OrderLine
from chalicelib.parties.settlement_terms import PaidBy
from chalicelib.settlement.rules import commission

COST = PaidBy()


@dataclass(frozen=True)
class Basket:
    """Some units of one offer, what they cost, and by what their supplier is paid."""

    offer: Offer
    quantity: int
    price: Price
    paid_by: PaidBy = COST

    def cost_after(self, discount: int) -> int:
        """What the supplier is paid. What a leader asks above the offer's price is its own, and is
        not shared."""
        brought = self.price.amount - discount - self.price.spread
        return self.paid_by.cost_of(brought, self.offer.unit_cost * self.quantity)


def price(
    baskets: Sequence[Basket], *, plan_version: int, discount: int = 0, shipping: int = 0
) -> tuple[OrderLine, ...]:
    """Lines whose nets and shares of shipping add up to what the customer pays.

    The order's discount and shipping are divided over the lines' amounts by largest remainder.
    """
    amounts = [basket.price.amount for basket in baskets]
    if not 0 <= discount <= sum(amounts):
        raise ValueError("a discount lies between nothing and the subtotal")
    discounts = allocate(discount, amounts)
    shippings = allocate(shipping, amounts)
    return tuple(
        _line(basket, less, freight, plan_version)
        for basket, less, freight in zip(baskets, discounts, shippings, strict=True)
    )


def _line(basket: Basket, discount: int, shipping: int, plan_version: int) -> OrderLine:
    offer, price = basket.offer, basket.price
    # Prices include tax; until taxes are built it is nothing, and commission excludes it.
    tax = 0
    net = price.amount - discount
    cost = basket.cost_after(discount)
    return OrderLine(
        sku_id=offer.sku_id,
        supplier_id=offer.supplier_id,
        supplier_sku=offer.supplier_sku,
        title=offer.title,
        quantity=basket.quantity,
        unit_price=price.unit_price,
        amount=price.amount,
        price_reason=price.reasons,
        fulfilment_mode=offer.fulfilment_mode,
        spread=price.spread,
        discount=discount,
        tax=tax,
        shipping=shipping,
        net=net,
        unit_cost=basket.paid_by.unit_cost_of(cost, basket.quantity, offer.unit_cost),
        cost=cost,
        basis=offer.basis,
        rate_bps=offer.rate_bps,
        plan_version=plan_version,
        commission=commission(offer.basis, net - tax - price.spread, cost, offer.rate_bps),
        limit=offer.limit_per_customer,
        supplier_basis=basket.paid_by.basis,
        fee_bps=basket.paid_by.fee_bps,
        supplier_terms=basket.paid_by.version,
    )
