"""An order under a draft of a plan: what is left of each line, piece by piece."""

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.ordering.lines import OrderLine
from chalicelib.ordering.rules import Order
from chalicelib.ordering.shares import Shares
from chalicelib.plans.rules import Plan, Rule, Seller, Sold, Version
from chalicelib.simulation.drafting import UNDELIVERED, Drafted, DraftedLine, drafted, pieces_of
from tests.support.made import NOW, a_line, an_order

PLAN = Plan("cpl_1", "Shops", "EUR", None, False, (), 0, 0, NOW)
SELLER = Seller(None, "DE", "ldr_shop", None, ())
SPLIT = (("promoter", 9000), ("pickup_point", 1000))


def tried(order: Order, *rules: Rule) -> Drafted:
    goods = {
        line.counts_as: Sold(line.counts_as, "prd_1", "cmp_1", None, None) for line in order.lines
    }
    draft = Version(PLAN.id, 0, "2026-03-01", rules, (), "", NOW)
    return drafted(order, PLAN, draft, SELLER, goods)


def under(line: OrderLine, rule: Rule) -> OrderLine:
    """The line as it is placed under the rule."""
    (placed,) = tried(an_order((replace(line, rule="default"),)), rule).lines
    return placed.drafted


@st.composite
def lines(draw: st.DrawFn) -> OrderLine:
    """One of a plan, of which parcels have arrived and units or amounts were refunded."""
    quantity, price = draw(st.integers(1, 9)), draw(st.integers(0, 999))
    line = under(a_line(quantity, price=price), Rule("sales", 1234, split=SPLIT))
    for n, units in enumerate(draw(st.lists(st.integers(1, 4), max_size=3))):
        if units <= line.waiting:
            line = line.after_shipping(f"prc_{n}", units)
            if draw(st.booleans()):
                line = line.after_delivery(f"prc_{n}")
    order = an_order((line,))
    for refunded in draw(st.lists(st.integers(1, 9), max_size=2)):
        (line,) = order.lines
        if draw(st.booleans()) and refunded <= line.units_left:
            order = order.after_refund({line.sku_id: refunded})
        elif order.amount_left:
            amount = min(order.amount_left, refunded * 7)
            order = order.after_refund_of_amount(amount)
    return order.lines[0]


RULES = st.builds(
    Rule,
    st.sampled_from(("sales", "gross_profit")),
    st.integers(0, 9000),
    split=st.sampled_from(((), SPLIT)),
    line_floor=st.sampled_from((None, 50)),
    day_cap=st.sampled_from((None, 100)),
)


@given(lines(), RULES)
def test_pieces_of_a_drafted_line_are_those_of_the_line(line: OrderLine, rule: Rule) -> None:
    (of_line,) = tried(an_order((line,)), rule).lines
    was, pieces = pieces_of(line), of_line.pieces
    assert sum(was.values(), Shares()) == line.left
    assert pieces.keys() == was.keys() == {*line.posted, UNDELIVERED}
    whole = of_line.drafted.whole
    for shares in pieces.values():
        assert 0 <= shares.commission <= whole.commission
    if not line.marks:
        assert sum(pieces.values(), Shares()) == of_line.drafted.left
    if not line.refunded:
        assert sum(pieces.values(), Shares()) == whole


@given(lines())
def test_the_rule_it_was_placed_under_changes_nothing(line: OrderLine) -> None:
    (of_line,) = tried(an_order((line,)), Rule("sales", 1234, split=SPLIT)).lines
    assert of_line.pieces == pieces_of(line)


def test_a_line_that_brought_nothing_is_divided_by_its_units() -> None:
    """Its shipping was refunded by amount, which leaves it marked, and a floor pays for it."""
    free = replace(under(a_line(4, price=0), Rule("sales", 1000)), shipping=40)
    some = free.after_shipping("prc_1", 3).after_delivery("prc_1")
    marked = some.after_refund_of_amount(0, 10)
    assert marked.marks
    (of_line,) = tried(an_order((marked,)), Rule("sales", 1000, line_floor=80)).lines
    assert {name: each.commission for name, each in of_line.pieces.items()} == {
        "prc_1": 60,
        UNDELIVERED: 20,
    }


def test_lines_without_a_rule_are_none_of_the_draft() -> None:
    planned = under(a_line(2), Rule("sales", 1000))
    other = replace(planned, sku_id="sku_2")
    arrived = [each.after_shipping("prc_1", 2).after_delivery("prc_1") for each in (planned, other)]
    order = an_order(tuple(arrived))
    named: Any = {"sku_id": "sku_2", "day_cap": 9}
    found = tried(order, Rule("sales", 500, **named))
    assert [each.line.sku_id for each in found.lines] == ["sku_2"]
    assert (found.lines_without_rule, found.earns_by_plan) == (1, True)
    assert found.delivered_net == 2000
    assert found.capped_parcels == {"prc_1"}
    nothing = tried(order, Rule("sales", 500, level="gold"))
    assert (nothing.lines, nothing.earns_by_plan, nothing.capped_parcels) == ([], False, set())


def test_an_offers_own_commission_keeps_no_bonus() -> None:
    own = an_order((a_line(2),))
    found = tried(own, Rule("sales", 500))
    assert found.lines == [DraftedLine(own.lines[0], own.lines[0])]
    assert not found.earns_by_plan
