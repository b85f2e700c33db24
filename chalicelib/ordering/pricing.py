"""What an order's lines and the order come to (contract, section 6). Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.catalogue.rules import Offer
from chalicelib.kernel.money import allocate
from chalicelib.ordering.rules import OrderLine
from chalicelib.settlement.rules import commission


@dataclass(frozen=True)
class Basket:
    """Some units of one offer."""

    offer: Offer
    quantity: int


def price(
    baskets: Sequence[Basket], *, plan_version: int, discount: int = 0, shipping: int = 0
) -> tuple[OrderLine, ...]:
    """Lines whose nets and shares of shipping add up to what the customer pays.

    The order's discount and shipping are divided over the lines' amounts by largest remainder.
    """
    amounts = [basket.offer.price * basket.quantity for basket in baskets]
    if not 0 <= discount <= sum(amounts):
        raise ValueError("a discount lies between nothing and the subtotal")
    discounts = allocate(discount, amounts)
    shippings = allocate(shipping, amounts)
    return tuple(
        _line(basket, amount, less, freight, plan_version)
        for basket, amount, less, freight in zip(
            baskets, amounts, discounts, shippings, strict=True
        )
    )


def _line(
    basket: Basket, amount: int, discount: int, shipping: int, plan_version: int
) -> OrderLine:
    offer = basket.offer
    # Prices include tax; until taxes are built it is nothing, and commission excludes it.
    tax = 0
    net = amount - discount
    cost = offer.unit_cost * basket.quantity
    return OrderLine(
        sku_id=offer.sku_id,
        supplier_id=offer.supplier_id,
        supplier_sku=offer.supplier_sku,
        title=offer.title,
        quantity=basket.quantity,
        unit_price=offer.price,
        amount=amount,
        discount=discount,
        tax=tax,
        shipping=shipping,
        net=net,
        unit_cost=offer.unit_cost,
        cost=cost,
        basis=offer.basis,
        rate_bps=offer.rate_bps,
        plan_version=plan_version,
        commission=commission(offer.basis, net - tax, cost, offer.rate_bps),
        limit=offer.limit_per_customer,
    )
