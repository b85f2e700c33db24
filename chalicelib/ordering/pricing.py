"""What an order's lines and the order come to (contract, section 6). Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from chalicelib.catalogue.pricing import Price
from chalicelib.catalogue.rules import Offer
from chalicelib.kernel.money import allocate, at_rate
from chalicelib.ordering.lines import Due, OrderLine
from chalicelib.parties.settlement_terms import PaidBy
from chalicelib.plans.rules import Terms, commissions
from chalicelib.settlement.rules import commission_base

COST = PaidBy()


@dataclass(frozen=True)
class Basket:
    """Some units of one offer, what they cost, by what their supplier is paid, and what is earned
    by them."""

    offer: Offer
    quantity: int
    price: Price
    paid_by: PaidBy = COST
    # By which rule of a plan it earns; the offer's own commission where there is none.
    terms: Terms | None = None

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
    terms = [basket.terms or _of_offer(basket.offer, plan_version) for basket in baskets]
    bases = [
        _base(each, basket, less)
        for each, basket, less in zip(terms, baskets, discounts, strict=True)
    ]
    brought = commissions(list(zip(terms, bases, strict=True)))
    lines = (
        _line(*each) for each in zip(baskets, discounts, shippings, terms, brought, strict=True)
    )
    return tuple(
        replace(line, is_limited=line.commission != at_rate(base, each.total_bps))
        for line, each, base in zip(lines, terms, bases, strict=True)
    )


def _of_offer(offer: Offer, plan_version: int) -> Terms:
    commission = offer.commission
    if commission is None:
        raise ValueError(f"{offer.sku_id} is sold under no rule")
    return Terms(commission.basis, commission.rate_bps, plan_version=plan_version)


def _base(terms: Terms, basket: Basket, discount: int) -> int:
    """What commission is a part of. Prices include tax, which is nothing until taxes are built."""
    net_of_tax = basket.price.amount - discount - basket.price.spread
    return commission_base(terms.basis, net_of_tax, basket.cost_after(discount))


def _line(basket: Basket, discount: int, shipping: int, terms: Terms, commission: int) -> OrderLine:
    return OrderLine(
        **_sold(basket.offer),
        quantity=basket.quantity,
        **_paid_by_customer(basket.price, discount, shipping),
        **_paid_to_supplier(basket, discount),
        **_earned_by_leaders(terms, commission),
    )


def _sold(offer: Offer) -> dict[str, Any]:
    return {
        "sku_id": offer.sku_id,
        "supplier_id": offer.supplier_id,
        "supplier_sku": offer.supplier_sku,
        "title": offer.title,
        "fulfilment_mode": offer.fulfilment_mode,
        "limit": offer.limit_per_customer,
    }


def _paid_by_customer(price: Price, discount: int, shipping: int) -> dict[str, Any]:
    return {
        "unit_price": price.unit_price,
        "amount": price.amount,
        "price_reason": price.reasons,
        "spread": price.spread,
        "discount": discount,
        "net": price.amount - discount,
        "tax": 0,
        "shipping": shipping,
    }


def _paid_to_supplier(basket: Basket, discount: int) -> dict[str, Any]:
    cost, by = basket.cost_after(discount), basket.paid_by
    return {
        "unit_cost": by.unit_cost_of(cost, basket.quantity, basket.offer.unit_cost),
        "cost": cost,
        "supplier_basis": by.basis,
        "fee_bps": by.fee_bps,
        "supplier_terms": by.version,
    }


def _earned_by_leaders(terms: Terms, commission: int) -> dict[str, Any]:
    """With the terms whole: a line has a field for each. What others leave is the promoter's."""
    _, *parts = terms.divided(commission)
    others = tuple(
        Due(each.role, each.leader_id, part, each.rate_bps, each.share_bps)
        for each, part in zip(terms.others, parts, strict=True)
    )
    return vars(terms) | {"commission": commission, "others": others}
