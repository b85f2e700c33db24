"""What an order's lines come to: every part of the total belongs to a line."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.catalogue.rules import Offer
from chalicelib.ordering.lines import Due, OrderLine
from chalicelib.ordering.pricing import Basket, price
from chalicelib.parties.settlement_terms import PaidBy
from chalicelib.plans.rules import Share, Terms
from tests.support.made import a_basket, an_offer

OFFERS = st.builds(
    an_offer,
    price=st.integers(1, 10**7),
    unit_cost=st.integers(0, 10**7),
    basis=st.sampled_from(["sales", "gross_profit"]),
    rate_bps=st.integers(0, 10_000),
)
BASKETS = st.lists(st.builds(a_basket, OFFERS, st.integers(1, 9_999)), min_size=1, max_size=50)


def test_a_line_is_price_times_quantity() -> None:
    (line,) = price(
        [a_basket(an_offer(price=1250, unit_cost=700, rate_bps=800), 3)], plan_version=4
    )
    assert (line.unit_price, line.quantity, line.amount) == (1250, 3, 3750)
    assert (line.discount, line.tax, line.shipping, line.net) == (0, 0, 0, 3750)
    assert (line.unit_cost, line.cost) == (700, 2100)
    assert line.commission == 300  # 8 % of 37.50


def test_a_line_freezes_the_terms_of_its_offer() -> None:
    offer = an_offer(basis="gross_profit", rate_bps=5000, limit_per_customer=2)
    (line,) = price([a_basket(offer, 1)], plan_version=4)
    assert (line.basis, line.rate_bps, line.plan_version) == ("gross_profit", 5000, 4)
    assert (line.supplier_id, line.supplier_sku, line.limit) == ("sup_1", "BX-1", 2)
    assert line.commission == 150  # half of 10.00 - 7.00


def test_a_line_keeps_all_that_it_was_sold_paid_and_earned_by() -> None:
    offer = an_offer(limit_per_customer=5, fulfilment_mode="express")
    terms = Terms(
        basis="sales",
        rate_bps=1000,
        rule="category:eggs",
        plan_id="pln_1",
        plan_version=3,
        share_bps=7500,
        others=(Share("pickup_point", "ldr_2", 1000, 2500),),
        line_cap=200,
        order_cap=250,
        day_cap=500,
        line_floor=10,
    )
    paid_by = PaidBy("revenue_share", fee_bps=1000, version=7)
    basket = replace(a_basket(offer, 3, leader_price=1100), paid_by=paid_by, terms=terms)
    (line,) = price([basket], plan_version=1, discount=30, shipping=90)
    assert line == OrderLine(
        sku_id="sku_1",
        supplier_id="sup_1",
        supplier_sku="BX-1",
        title="Eggs, Box",
        fulfilment_mode="express",
        limit=5,
        quantity=3,
        unit_price=1100,
        amount=3300,
        price_reason=("leader_price",),
        spread=300,
        discount=30,
        net=3270,
        tax=0,
        shipping=90,
        unit_cost=891,
        cost=2673,  # 29.70 without the spread, less 10 %
        supplier_basis="revenue_share",
        fee_bps=1000,
        supplier_terms=7,
        basis="sales",
        rate_bps=1000,
        rule="category:eggs",
        plan_id="pln_1",
        plan_version=3,
        share_bps=7500,
        line_cap=200,
        order_cap=250,
        day_cap=500,
        line_floor=10,
        commission=200,  # of 2.97
        others=(Due("pickup_point", "ldr_2", 50, 1000, 2500),),
        is_limited=True,
    )


def test_discount_and_shipping_are_divided_over_the_lines_amounts() -> None:
    offers = [
        an_offer(sku_id=sku, price=amount) for sku, amount in (("a", 50), ("b", 30), ("c", 20))
    ]
    lines = price([a_basket(offer, 1) for offer in offers], plan_version=1, discount=7, shipping=9)
    assert [line.discount for line in lines] == [4, 2, 1]  # 3.5, 2.1, 1.4
    assert [line.shipping for line in lines] == [4, 3, 2]  # 4.5, 2.7, 1.8
    assert [line.net for line in lines] == [46, 28, 19]


def test_commission_is_of_what_a_discount_leaves() -> None:
    offer = an_offer(price=1000, unit_cost=700, rate_bps=1000)
    (line,) = price([a_basket(offer, 2)], plan_version=1, discount=150)
    assert line.commission == 185  # 10 % of 18.50
    profit = an_offer(price=1000, unit_cost=700, rate_bps=5000, basis="gross_profit")
    (line,) = price([a_basket(profit, 2)], plan_version=1, discount=150)
    assert line.commission == 225  # half of 18.50 - 14.00


def test_shipping_earns_no_commission() -> None:
    (line,) = price([a_basket(an_offer(), 1)], plan_version=1, shipping=500)
    assert (line.commission, line.worth(1).paid) == (100, 1500)


@given(BASKETS, st.data())
def test_nets_and_shipping_of_all_lines_are_what_the_customer_pays(
    baskets: list[Basket], data: st.DataObject
) -> None:
    subtotal = sum(basket.offer.price * basket.quantity for basket in baskets)
    discount = data.draw(st.integers(0, subtotal))
    shipping = data.draw(st.integers(0, 10**6))
    lines = price(baskets, plan_version=1, discount=discount, shipping=shipping)
    assert sum(line.amount for line in lines) == subtotal
    assert sum(line.discount for line in lines) == discount
    assert sum(line.net + line.shipping for line in lines) == subtotal - discount + shipping
    assert all(line.net >= 0 and line.net == line.amount - line.discount for line in lines)


@given(OFFERS, st.integers(1, 9_999))
def test_the_shares_of_a_line_are_what_was_paid_for_it(offer: Offer, quantity: int) -> None:
    (line,) = price([a_basket(offer, quantity)], plan_version=1, shipping=777)
    whole = line.worth(quantity)
    assert whole.cost + whole.commission + whole.revenue == whole.paid == line.net + 777


@pytest.mark.parametrize("discount", [-1, 1001])
def test_a_discount_beyond_the_subtotal_is_refused(discount: int) -> None:
    with pytest.raises(ValueError, match="between nothing and the subtotal"):
        price([a_basket(an_offer(price=1000), 1)], plan_version=1, discount=discount)
