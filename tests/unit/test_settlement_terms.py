"""What a supplier is paid by and what it pays: shares, waivers and fee years."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.ordering.lines import OrderLine, Substitute
from chalicelib.ordering.pricing import price
from chalicelib.parties.settlement_terms import PaidBy, SettlementTerms, Waiver
from chalicelib.parties.terms import STANDARD
from chalicelib.stock.rules import Part
from chalicelib.suppliers import rules
from tests.support.made import NOW, a_basket, an_offer
from tests.unit.test_parcel_shares import of_money, some_steps, total

SPRING = Waiver("2026-03-01", "2026-05-29")
A_TENTH = PaidBy("revenue_share", 1000, 3)


def terms(**changes: Any) -> SettlementTerms:
    usual: dict[str, Any] = {"supplier_id": "sup_1", "version": 1, "set_at": NOW}
    return SettlementTerms(**{**usual, **changes})


@pytest.mark.parametrize(
    ("brought", "fee_bps", "paid"),
    [(2997, 1000, 2697), (5, 1000, 4), (4, 1000, 4), (100, 0, 100), (100, 10_000, 0), (0, 500, 0)],
)
def test_a_share_is_what_the_fee_rounded_half_up_leaves(
    brought: int, fee_bps: int, paid: int
) -> None:
    assert PaidBy("revenue_share", fee_bps).cost_of(brought, agreed=77) == paid
    assert PaidBy().cost_of(brought, agreed=77) == 77


def test_a_line_that_brings_less_than_nothing_leaves_no_share() -> None:
    assert A_TENTH.cost_of(-5, agreed=77) == 0


@given(st.integers(0, 10**9), st.integers(0, 10_000))
def test_a_share_and_the_fee_are_what_the_line_brings(brought: int, fee_bps: int) -> None:
    paid = PaidBy("revenue_share", fee_bps).cost_of(brought, agreed=0)
    assert 0 <= paid <= brought
    fee = brought - paid
    assert abs(20_000 * fee - 2 * brought * fee_bps) <= 10_000  # half a minor unit at most
    assert 20_000 * fee - 2 * brought * fee_bps != -10_000  # a half goes up


def test_a_unit_of_a_share_informs() -> None:
    assert A_TENTH.unit_cost_of(2697, 3, agreed=700) == 899
    assert PaidBy().unit_cost_of(2100, 3, agreed=700) == 700


@given(st.dates(date(2026, 2, 1), date(2026, 7, 1)))
def test_a_waiver_window_has_both_its_days(day: date) -> None:
    waived = date(2026, 3, 1) <= day <= date(2026, 5, 29)
    found = terms(basis="revenue_share", fee_bps=800, waivers=(SPRING,), version=7).paid_by(day)
    assert found == PaidBy("revenue_share", 0 if waived else 800, 7)


@pytest.mark.parametrize(
    ("since", "through", "begun"),
    [
        (None, "2030-01-01", []),
        ("2026-03-10", "2026-03-09", []),
        ("2026-03-10", "2026-03-10", ["2026-03-10"]),
        ("2026-03-10", "2027-03-09", ["2026-03-10"]),
        ("2026-03-10", "2028-03-10", ["2026-03-10", "2027-03-10", "2028-03-10"]),
        ("2028-02-29", "2029-03-01", ["2028-02-29", "2029-02-28"]),
    ],
)
def test_fee_years_begin_on_the_day_of_the_first(
    since: str | None, through: str, begun: list[str]
) -> None:
    found = terms(fees_since=since).fee_years(date.fromisoformat(through))
    assert [each.isoformat() for each in found] == begun


@given(st.dates(date(2000, 1, 1), date(2040, 1, 1)), st.integers(0, 9_000))
def test_every_day_is_in_one_fee_year(since: date, days: int) -> None:
    day, asked = since + timedelta(days=days), terms(fees_since=since.isoformat())
    begun = asked.fee_year(day)
    assert begun is not None
    assert timedelta() <= day - begun < timedelta(days=366)
    assert asked.fee_year(since - timedelta(days=1)) is None


def test_fee_years_begin_when_a_fee_is_first_asked_for_and_stay() -> None:
    today, later = date(2026, 3, 10), date(2026, 9, 1)
    free = terms().following(terms(version=0), NOW, today, "op_1")
    assert (free.version, free.fees_since, free.set_by) == (1, None, "op_1")
    asked = terms(community_fee=5).following(free, NOW, later, "op_2")
    assert asked.fees_since == "2026-09-01"
    dropped = terms().following(asked, NOW, later + timedelta(days=9), "op_2")
    again = terms(annual_fee=9).following(dropped, NOW, later + timedelta(days=90), "op_3")
    assert (again.version, again.fees_since) == (4, "2026-09-01")


def test_what_is_in_force_is_what_was_set_last_before() -> None:
    versions = [terms(version=n, set_at=NOW + timedelta(days=n)) for n in (1, 2, 3)]
    moment = timedelta(milliseconds=1)
    for before, version in ((2 + 0, 1), (4, 3)):
        found = rules.in_force(versions, NOW + timedelta(days=before))
        assert found == versions[version - 1]
    assert rules.in_force(versions, NOW + timedelta(days=2) + moment) == versions[1]
    assert rules.in_force(versions, NOW) is None


@st.composite
def shared(draw: st.DrawFn) -> OrderLine:
    """A line of a supplier that is paid a share, perhaps at a price of its leader."""
    offer = an_offer(price=draw(st.integers(1, 5_000)), basis=draw(st.sampled_from(BASES)))
    basket = a_basket(offer, draw(st.integers(1, 12)), draw(st.none() | st.integers(1, 9_000)))
    fee_bps = draw(st.integers(0, 10_000))
    paid_by = PaidBy("revenue_share", fee_bps, 1)
    return price([type(basket)(offer, basket.quantity, basket.price, paid_by)], plan_version=1)[0]


BASES = ["sales", "gross_profit"]


@given(shared(), st.data())
def test_whatever_ships_and_is_refunded_payable_and_fee_are_the_net(
    line: OrderLine, data: st.DataObject
) -> None:
    """Of all that was ever posted for the supplier and taken back what is left, and the fee of the
    line, is what the line brings: none of it is lost on the way."""
    brought = line.net - line.spread
    fee = brought - PaidBy("revenue_share", line.fee_bps).cost_of(brought, 0)
    steps, owed = some_steps(data, line), 0
    for before, after in pairwise(steps):
        owed += payable(after) - payable(before)
        assert owed == payable(after) >= 0
        assert total(of_money(after)).cost + fee == brought
    end = steps[-1]
    if end.waiting:
        end = end.after_shipping("prc_last", end.waiting)
    for parcel_id, _ in end.on_the_way:
        end = end.after_delivery(parcel_id)
    owed += payable(end) - payable(steps[-1])
    assert owed + end.refunded.cost + fee == brought
    assert payable(end.after_refund(end.units_left) if end.units_left else end) == 0


def payable(line: OrderLine) -> int:
    return sum(shares.cost for shares in line.posted.values())


@given(shared())
def test_gross_profit_of_a_share_is_the_fee(line: OrderLine) -> None:
    if line.basis == "gross_profit":
        fee = line.net - line.spread - line.cost
        assert 20_000 * line.commission <= 2 * fee * line.rate_bps + 10_000


def test_an_alternate_is_paid_by_its_own_suppliers_terms() -> None:
    (line,) = price([a_basket(an_offer(price=1000), 2)], plan_version=1)
    brown = Substitute(
        "sku_2", "sup_2", None, "Brown", 1, (Part(0, 1),), "dsp_2", STANDARD, A_TENTH
    )
    made = line.in_place(line.without_next(1), brown)
    assert (made.cost, made.unit_cost) == (900, 900)
    assert (made.supplier_basis, made.fee_bps, made.supplier_terms) == ("revenue_share", 1000, 3)
    assert (line.supplier_basis, line.fee_bps, line.supplier_terms) == ("cost", 0, 0)


def test_an_instant_of_midnight_belongs_to_the_day_that_begins() -> None:
    """A version of the next day's first instant was not in force on the day before."""
    begins = datetime(2026, 3, 11, tzinfo=UTC)
    versions = [terms(set_at=NOW), terms(version=2, set_at=begins)]
    assert rules.in_force(versions, begins) == versions[0]
