"""Which rule a line falls under, and that what it brings is divided to the cent."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kernel.errors import Conflict, Invalid
from chalicelib.kernel.money import at_rate
from chalicelib.plans import checking, rules
from chalicelib.plans.checking import UplineLimit
from chalicelib.plans.rules import (
    WORDS,
    Plan,
    PlanBonus,
    Rule,
    Seller,
    Share,
    Sold,
    Terms,
    Version,
    commissions,
    terms_for,
)
from tests.support.made import NOW

SOLD = Sold("sku_1", "prd_1", "cmp_1", "eggs", "gold")
SPLIT = (("promoter", 8000), ("pickup_point", 1500), ("hub", 500))
# Every rule that fits what is sold: one for each set of fields that it may name.
FITTING = [
    Rule("sales", 100, **{name: getattr(SOLD, name) for name in named})
    for n in range(len(WORDS) + 1)
    for named in combinations(WORDS, n)
]
AMOUNTS = st.integers(0, 10**9)
RATES = st.integers(0, 10_000)


def a_version(*found: Rule, number: int = 1, begins: str = "2026-03-01", **said: Any) -> Version:
    usual: dict[str, Any] = {"upline": (), "made_by": "op_1", "made_at": NOW}
    return Version("cpl_1", number, begins, found, **{**usual, **said})


def a_plan(*versions: Version, **said: Any) -> Plan:
    usual: dict[str, Any] = {"currency": "EUR", "country": "MY", "is_default": False}
    usual |= {"last_version": len(versions), "revision": 1, "created_at": NOW}
    return Plan("cpl_1", "Shop owners", versions=versions, **{**usual, **said})


def a_seller(**said: Any) -> Seller:
    usual: dict[str, Any] = {"level": None, "country": "MY", "upline": ("ldr_4", "ldr_5")}
    return Seller(**{**usual, "pickup_leader_id": "ldr_2", "hub_id": "ldr_3", **said})


@st.composite
def terms(draw: st.DrawFn) -> Terms:
    """A plan's, by which up to four others have their parts."""
    rate, first = draw(RATES), draw(st.integers(0, 10_000))
    others = [
        Share("pickup_point", "ldr_2", rate, first),
        Share("hub", "ldr_3", rate, draw(st.integers(0, 10_000 - first))),
        Share("upline_1", "ldr_4", draw(st.integers(1, 2_500))),
        Share("upline_2", "ldr_5", draw(st.integers(1, 2_500))),
    ][: draw(st.integers(0, 4))]
    split = sum(each.share_bps for each in others if not rules.is_upline(each.role))
    floor = draw(st.none() | st.integers(1, 1_000)) if rate else None
    return Terms(
        "sales",
        rate,
        share_bps=10_000 - split,
        others=tuple(others),
        line_cap=draw(st.none() | st.integers(floor or 1, 10**6)),
        line_floor=floor,
    )


@given(st.lists(st.sampled_from(FITTING), min_size=1, unique_by=lambda rule: rule.words), st.data())
def test_of_rules_that_fit_the_same_wins_in_whatever_order(
    found: list[Rule], data: st.DataObject
) -> None:
    won = a_version(*found).rule_for(SOLD)
    assert won == a_version(*data.draw(st.permutations(found))).rule_for(SOLD)
    assert won is not None
    for other in found:
        # The first field that only one of the two names is the winner's.
        differing = [a for a, b in zip(won.named, other.named, strict=True) if a != b]
        assert other == won or differing[0]


def test_the_order_is_total_and_as_the_documents_say() -> None:
    assert len({rule.named for rule in FITTING}) == len(FITTING) == 32
    ordered = sorted(FITTING, key=lambda rule: rule.named)
    said = [rule.words for rule in ordered if sum(rule.named) < 2]
    assert said == [
        "default",
        "level:gold",
        "category:eggs",
        "campaign:cmp_1",
        "product:prd_1",
        "sku:sku_1",
    ]
    assert ordered[-1].words == "sku:sku_1+product:prd_1+campaign:cmp_1+category:eggs+level:gold"


@pytest.mark.parametrize("field", WORDS)
def test_a_rule_is_for_nothing_that_differs_from_what_it_names(field: str) -> None:
    named: dict[str, Any] = {field: "another"}
    rule = Rule("sales", 100, **named)
    assert a_version(rule).rule_for(SOLD) is None
    without = Sold(**{**vars(SOLD), field: None})
    assert a_version(rule).rule_for(without) is None
    assert a_version(rule, Rule("sales", 1)).rule_for(SOLD) == Rule("sales", 1)


@given(terms(), AMOUNTS)
def test_parts_add_up_to_the_line_and_none_is_negative(terms: Terms, base: int) -> None:
    amount = terms.amount(base)
    parts = terms.divided(amount)
    assert sum(parts) == amount
    assert all(part >= 0 for part in parts)
    assert len(parts) == 1 + len(terms.others)


@given(terms(), AMOUNTS)
def test_no_part_lies_a_minor_unit_from_what_its_rate_says(terms: Terms, base: int) -> None:
    amount = terms.amount(base)
    promoter = Share("promoter", "", terms.rate_bps, terms.share_bps)
    shares = (promoter, *terms.others)
    whole = sum(share.weight for share in shares)
    for share, part in zip(shares, terms.divided(amount), strict=True):
        if whole:
            assert abs(part * whole - amount * share.weight) < whole


@given(terms(), AMOUNTS)
def test_a_line_lies_between_its_floor_and_its_cap(terms: Terms, base: int) -> None:
    amount = terms.amount(base)
    assert amount >= (terms.line_floor or 0)
    assert terms.line_cap is None or amount <= terms.line_cap
    if terms.line_floor is terms.line_cap is None:
        assert amount == at_rate(base, terms.total_bps)


@given(st.lists(st.tuples(AMOUNTS, RATES), min_size=1, max_size=20), st.integers(1, 10**9))
def test_an_orders_cap_is_kept_and_used_to_the_last_cent(
    lines: list[tuple[int, int]], cap: int
) -> None:
    free = [at_rate(base, rate) for base, rate in lines]
    found = commissions(
        [(Terms("sales", rate, "default", order_cap=cap), base) for base, rate in lines]
    )
    assert sum(found) == min(cap, sum(free))
    assert all(0 <= now <= was for now, was in zip(found, free, strict=True))


def test_an_orders_cap_is_of_its_rules_lines_alone() -> None:
    capped = Terms("sales", 1000, "default", order_cap=100)
    another = Terms("sales", 1000, "sku:sku_1")
    assert commissions([(capped, 1000), (another, 5000), (capped, 2000)]) == [33, 500, 67]


def test_a_plan_without_split_or_upline_pays_as_an_offer_does() -> None:
    plan, rule = a_plan(a_version(Rule("sales", 1000))), Rule("sales", 1000)
    found = terms_for(plan, plan.versions[0], rule, a_seller())
    assert (found.others, found.share_bps, found.amount(995)) == ((), 10_000, 100)


@pytest.mark.parametrize(
    ("changes", "roles", "promoter"),
    [
        ({}, ["pickup_point", "hub", "upline_1", "upline_2"], 8000),
        ({"hub_id": None}, ["pickup_point", "upline_1", "upline_2"], 8500),
        ({"pickup_leader_id": None, "hub_id": None, "upline": ()}, [], 10_000),
        ({"upline": ("ldr_4",)}, ["pickup_point", "hub", "upline_1"], 8000),
        ({"country": "DE"}, ["pickup_point", "hub"], 8000),
    ],
)
def test_only_who_is_there_has_a_part(
    changes: dict[str, Any], roles: Sequence[str], promoter: int
) -> None:
    rule = Rule("sales", 1000, split=SPLIT)
    plan = a_plan(a_version(rule, upline=(200, 100)))
    found = terms_for(plan, plan.versions[0], rule, a_seller(**changes))
    assert [each.role for each in found.others] == roles
    assert found.share_bps == promoter
    above = {"upline_1": 200, "upline_2": 100}
    assert found.total_bps == 1000 + sum(above.get(role, 0) for role in roles)


@given(st.lists(st.dates().map(str), min_size=1, max_size=5, unique=True), st.dates().map(str))
def test_the_version_in_force_is_the_last_that_has_begun(days: list[str], day: str) -> None:
    versions = [a_version(number=n, begins=begins) for n, begins in enumerate(sorted(days))]
    found = a_plan(*versions).in_force_on(day)
    begun = [each for each in days if each <= day]
    assert (found.effective_from if found else None) == max(begun, default=None)


def test_versions_of_one_day_or_before_one_in_force_are_refused() -> None:
    plan = a_plan(a_version(begins="2026-03-05"), a_version(number=2, begins="2026-04-01"))
    for begins in ("2026-03-05", "2026-04-01", "2026-03-04", "2020-01-01"):
        with pytest.raises(Conflict) as refused:
            plan.with_version(a_version(number=3, begins=begins), "2026-03-10")
        assert refused.value.code == "versions_overlap"
    with pytest.raises(Invalid):
        plan.with_version(a_version(number=3, begins="2026-03-09"), "2026-03-10")
    between = plan.with_version(a_version(number=3, begins="2026-03-20"), "2026-03-10")
    assert [each.number for each in between.versions] == [1, 3, 2]
    first = a_plan().with_version(a_version(begins="2020-01-01"), "2026-03-10")
    assert first.in_force_on("2026-03-10") is not None


def test_a_plan_holds_only_so_many_versions_to_come() -> None:
    plan = a_plan(a_version())
    for n in range(rules.MOST_TO_COME):
        plan = plan.with_version(a_version(number=n + 2, begins=f"2026-04-0{n + 1}"), "2026-03-10")
    with pytest.raises(Conflict) as refused:
        plan.with_version(a_version(number=9, begins="2026-05-01"), "2026-03-10")
    assert refused.value.code == "too_many_versions_to_come"
    today = plan.with_version(a_version(number=9, begins="2026-03-10"), "2026-03-10")
    in_force = today.in_force_on("2026-03-10")
    assert (in_force and in_force.number, len(today.versions)) == (9, 2 + rules.MOST_TO_COME)


@pytest.mark.parametrize(
    ("limit", "upline", "rate", "country"),
    [
        (UplineLimit(0, 5000), (1,), 1, "MY"),
        (UplineLimit(1, 5000), (1, 1), 1, "MY"),
        (UplineLimit(2, 1000), (200, 100), 701, "MY"),
        (UplineLimit(2, 5000), (1,), 1, None),
        (UplineLimit(), (1,), 1, "MY"),
    ],
)
def test_uplines_beyond_the_law_are_refused(
    limit: UplineLimit, upline: tuple[int, ...], rate: int, country: str | None
) -> None:
    plan = a_plan(country=country)
    with pytest.raises(Invalid) as refused:
        checking.check(plan, [Rule("sales", rate)], upline, limit)
    assert refused.value.code == "upline_not_allowed"
    checking.check(plan, [Rule("sales", rate)], (), limit)


def test_uplines_within_the_law_are_taken() -> None:
    checking.check(a_plan(), [Rule("sales", 4700)], (200, 100), UplineLimit(2, 5000))


def test_rules_that_name_the_same_and_amounts_without_a_currency_are_refused() -> None:
    twice = [Rule("sales", 1, level="gold"), Rule("gross_profit", 2, level="gold")]
    with pytest.raises(Invalid) as refused:
        checking.check(a_plan(), twice, (), UplineLimit())
    assert refused.value.errors[0].field == "rules.1.match"
    for bound in ("line_cap", "order_cap", "day_cap", "line_floor"):
        bounded: dict[str, Any] = {bound: 1}
        with pytest.raises(Invalid) as refused:
            checking.check(a_plan(currency=None), [Rule("sales", 1, **bounded)], (), UplineLimit())
        assert refused.value.errors[0].field == "rules.0"


def test_bonuses_are_told_apart_and_are_amounts_of_a_currency() -> None:
    first, total = PlanBonus("first_order", 500), PlanBonus("campaign_total", 200, 3000)
    limit = UplineLimit()
    checking.check_bonuses(a_plan(), [first, total, replace(total, threshold=3001)], (), limit)
    for wrong in ([first, replace(first, amount=1)], [total, replace(total, amount=1)]):
        with pytest.raises(Invalid) as refused:
            checking.check_bonuses(a_plan(), wrong, (), limit)
        assert [each.field for each in refused.value.errors] == ["bonuses.1"]
    with pytest.raises(Invalid) as refused:
        checking.check_bonuses(a_plan(currency=None), [first, total], (), limit)
    assert [each.field for each in refused.value.errors] == ["bonuses.0", "bonuses.1"]


def test_an_order_keeps_which_version_has_promised_a_bonus() -> None:
    version = a_version(Rule("sales", 1000), number=3, bonuses=(PlanBonus("first_order", 500),))
    (terms,) = version.bonus_terms
    assert (terms.kind, terms.amount, terms.threshold) == ("first_order", 500, None)
    assert (terms.plan_id, terms.plan_version) == ("cpl_1", 3)
