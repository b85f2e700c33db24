"""How goods add up to what a supplier gets, and which of its debts a transfer pays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kernel.money import at_rate, part
from chalicelib.ledger.rules import Posting
from chalicelib.parties.settlement_terms import PaidBy, SettlementBasis
from chalicelib.supplier_lines.rules import Method, goods_of
from chalicelib.suppliers.remittances import Debt
from chalicelib.suppliers.rules import Goods

AMOUNTS = st.integers(min_value=0, max_value=10**9)


def eggs(units: int, net: int, cost: int, basis: SettlementBasis, spread: int = 0) -> Goods:
    share = basis == "revenue_share"
    return Goods("sku_1", units, net, spread, cost, 700, basis, 1200 if share else 0, 3)


@pytest.mark.parametrize(
    ("goods", "method", "fee"),
    [
        (eggs(1, 349, 307, "revenue_share"), "half_up", 42),
        (eggs(1, 349, 308, "revenue_share"), "by_difference", 41),
        (eggs(1, 449, 307, "revenue_share", spread=100), "half_up", 42),
        (eggs(2, 2000, 1400, "cost"), "exact", None),
        (eggs(0, 500, 350, "cost"), "by_difference", None),
    ],
)
def test_each_says_how_it_was_rounded(goods: Goods, method: Method, fee: int | None) -> None:
    posting = Posting("supplier:sup_1:payable", -goods.cost, (), (goods,))
    (told,) = goods_of("payable", posting, {"sku_1": "Eggs"}, whole=True)
    assert (told.method, told.fee, told.title) == (method, fee, "Eggs")
    assert (told.brought, told.terms_version) == (goods.net - goods.spread, 3)


def test_a_leaders_spread_is_not_told_to_the_supplier() -> None:
    goods = eggs(1, 449, 307, "revenue_share", spread=100)
    (told,) = goods_of("payable", Posting("x", -307, (), (goods,)), {}, whole=False)
    assert (told.net, told.spread, told.brought) == (None, None, 349)


@pytest.mark.parametrize(("amount", "sign"), [(-307, 1), (307, -1)])
def test_a_credit_gives_and_a_debit_takes(amount: int, sign: int) -> None:
    goods = eggs(1, 349, 307, "revenue_share")
    (told,) = goods_of("payable", Posting("x", amount, (), (goods,)), {}, whole=True)
    assert (told.amount, told.title) == (sign * 307, "")


@given(net=AMOUNTS, fee_bps=st.integers(0, 10_000), units=st.integers(1, 50), data=st.data())
def test_what_was_brought_is_the_fee_and_the_cost_however_a_line_is_divided(
    net: int, fee_bps: int, units: int, data: st.DataObject
) -> None:
    """Of two parts of a line, as refunds divide it, the fees come to the fee of the whole."""
    cost = PaidBy("revenue_share", fee_bps, 1).cost_of(net, 0)
    k = data.draw(st.integers(0, units))
    first, second = part(net, k, units), part(cost, k, units)
    parts = [
        Goods("sku_1", k, first, 0, second, 0, "revenue_share", fee_bps, 1),
        Goods("sku_1", units - k, net - first, 0, cost - second, 0, "revenue_share", fee_bps, 1),
    ]
    told = goods_of("payable", Posting("x", -cost, (), parts), {}, whole=True)
    assert sum(each.fee or 0 for each in told) == at_rate(net, fee_bps)
    assert sum(each.amount for each in told) == cost
    assert all(each.brought - (each.fee or 0) == each.cost for each in told)


@given(owed=st.integers(-500, 500), payable=st.integers(-500, 500), data=st.data())
def test_a_transfer_pays_no_debt_beyond_itself(
    owed: int, payable: int, data: st.DataObject
) -> None:
    debt = Debt.of(owed, payable)
    assert debt.whole == max(0, owed) + max(0, payable)
    amount = data.draw(st.integers(0, debt.whole))
    fees, rest = debt.paid_by(amount)
    assert fees + rest == amount
    assert 0 <= fees <= debt.fees
    assert 0 <= rest <= debt.payable
    assert rest == 0 or fees == debt.fees
