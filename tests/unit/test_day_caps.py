"""Daily caps: whatever comes in which run, a delivery day brings what it earned or its cap."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.settlement.cap_sums import summed_lines, sums
from chalicelib.settlement.caps import CappedDay, capped, delivery_days, withheld
from chalicelib.settlement.rules import EarnedLine

DAY, OTHER = "2026-03-03", "2026-03-04"


def line(
    amount: int, day_cap: int | None = 500, delivered_on: str = DAY, **more: Any
) -> EarnedLine:
    return EarnedLine(
        "ord_1",
        "sku_1",
        "commission" if amount >= 0 else "clawback",
        "sales",
        amount * 10,
        1000,
        amount,
        "2026-03-10",
        day_cap=day_cap,
        delivered_on=delivered_on,
        **more,
    )


def runs(*taken: Sequence[EarnedLine]) -> tuple[list[list[int]], list[CappedDay]]:
    """The cap lines of each run, and what is kept behind the last."""
    days: list[CappedDay] = []
    made = []
    for lines in taken:
        caps, days = capped(days, lines)
        made.append([cap.amount for cap in caps])
    return made, days


@pytest.mark.parametrize(
    ("amounts", "cap_lines"),
    [
        ([[500]], [[]]),
        ([[501]], [[-1]]),
        ([[300, 300]], [[-100]]),
        ([[300], [300]], [[], [-100]]),  # a delivery of the day that was told late
        ([[700], [200]], [[-200], [-200]]),
        ([[700], [-100]], [[-200], [100]]),  # taken back from what was withheld
        ([[700], [-300]], [[-200], [200]]),  # below the cap
        ([[700], [-700]], [[-200], [200]]),
        ([[700], [-700], [700]], [[-200], [200], [-200]]),  # disputed, and dismissed
        ([[0]], [[]]),
    ],
)
def test_what_is_over_the_cap_is_withheld_and_given_back(
    amounts: list[list[int]], cap_lines: list[list[int]]
) -> None:
    assert runs(*[[line(amount) for amount in of_run] for of_run in amounts])[0] == cap_lines


def test_days_rules_and_roles_are_counted_apart() -> None:
    lines = [
        line(400),
        line(400, delivered_on=OTHER),
        line(400, rule="sku:sku_1"),
        line(400, role="hub"),
        line(400, plan_id="pln_2", day_cap=399),
    ]
    caps, days = capped([], lines)
    assert [(cap.day_cap, cap.amount) for cap in caps] == [(399, -1)]
    assert len(days) == len(lines)


def test_a_cap_line_says_what_it_is_of() -> None:
    (cap,), _ = capped([], [line(700, rule="offer", role="hub", plan_id="pln_1", plan_version=3)])
    assert (cap.kind, cap.basis, cap.basis_amount, cap.rate_bps) == ("cap", "day_cap", 700, 0)
    assert (cap.delivered_on, cap.matured_on, cap.day_cap) == (DAY, "2026-03-10", 500)
    assert (cap.rule, cap.role, cap.plan_id, cap.plan_version) == ("offer", "hub", "pln_1", 3)


def test_lines_without_a_cap_are_none_of_its() -> None:
    free = line(10_000, day_cap=None)
    assert capped([], [free]) == ([], [])
    assert not sums([free])
    assert delivery_days([free, line(1, delivered_on=OTHER), line(1)]) == [DAY, OTHER]


@pytest.mark.parametrize(
    ("runs_of", "cap_lines"),
    [
        ([[(300, 500), (300, 400)]], [[-100]]),
        ([[(300, 400)], [(300, 500)]], [[], [-100]]),
        ([[(450, 400)], [(1, 500)]], [[-50], [50]]),  # the higher one leaves more room
        ([[(300, 500)], [(-300, 500), (450, 400)]], [[], []]),
        ([[(0, 500), (450, 400)]], [[-50]]),  # voided before any run: nobody was promised it
    ],
)
def test_of_versions_of_one_day_the_highest_cap_counts(
    runs_of: list[list[tuple[int, int]]], cap_lines: list[list[int]]
) -> None:
    taken = [
        [line(n, cap, plan_version=1 if cap == 500 else 2) for n, cap in of_run]
        for of_run in runs_of
    ]
    assert runs(*taken)[0] == cap_lines


SUPPLIER, OTHER_SUPPLIER = "supplier:sup_1:payable", "supplier:sup_2:payable"


def refunded(amount: int, borne_by: str) -> list[EarnedLine]:
    """What is taken back, and what the leader keeps of it."""
    return [line(-amount), replace(line(amount), kind="kept", borne_by=borne_by)]


def test_a_bearer_pays_only_what_the_leader_would_have_lost() -> None:
    first, days = capped([], [line(700)])
    then, days = capped(days, refunded(700, SUPPLIER))
    assert [(cap.borne_by, cap.amount) for cap in (*first, *then)] == [
        ("", -200),
        ("", 200),
        (SUPPLIER, -200),
    ]
    late, days = capped(days, [line(100)])
    assert [(cap.borne_by, cap.amount) for cap in late] == [(SUPPLIER, -100)]
    assert days[0].borne == ((SUPPLIER, 700),)


def test_bearers_share_what_is_withheld_for_them() -> None:
    taken = [line(900), *refunded(200, SUPPLIER), *refunded(600, OTHER_SUPPLIER)]
    caps, _ = capped([], taken)
    assert [(cap.borne_by, cap.amount) for cap in caps] == [
        (SUPPLIER, -100),
        (OTHER_SUPPLIER, -300),
    ]


def test_each_cap_line_tells_what_was_withheld_before_and_is_now() -> None:
    days: list[CappedDay] = []
    told = []
    for lines in ([line(900), *refunded(200, SUPPLIER)], refunded(600, OTHER_SUPPLIER)):
        was = days
        caps, days = capped(was, lines)
        found = withheld(was, days, caps)
        assert [each.before - each.now for each in found] == [cap.amount for cap in caps]
        told += [
            (cap.borne_by, *vars(each).values()) for cap, each in zip(caps, found, strict=True)
        ]
    assert told == [
        ("", 0, 200, 0, 200),
        (SUPPLIER, 0, 200, 200, 200),
        ("", 200, 0, 0, 800),
        (SUPPLIER, 200, 100, 200, 800),
        (OTHER_SUPPLIER, 0, 300, 600, 800),
    ]


GROUPS = st.tuples(st.sampled_from([DAY, OTHER]), st.sampled_from([0, 1, 500]))
TAKEN = st.lists(st.lists(st.tuples(GROUPS, st.integers(0, 400)), max_size=6), max_size=6)


def lines_of(taken: list[list[Any]]) -> list[list[EarnedLine]]:
    return [[line(n, cap, day) for (day, cap), n in of_run] for of_run in taken]


@given(TAKEN, st.randoms(use_true_random=False))
def test_lines_and_cap_lines_add_up_to_the_day_or_its_cap_however_they_are_taken(
    taken: list[list[Any]], chance: Any
) -> None:
    """Each amount may be taken back in a later run, whole or in part, and be borne by somebody."""
    given = lines_of(taken)
    taken_lines = [list(of_run) for of_run in given]
    for run, of_run in enumerate(given):
        for each in of_run:
            amount = chance.randint(0, each.amount)
            back = replace(each, kind="clawback", amount=-amount)
            bearer = chance.choice(["", SUPPLIER, OTHER_SUPPLIER])
            kept = [replace(back, kind="kept", amount=amount, borne_by=bearer)] if bearer else []
            taken_lines[chance.randrange(run, len(given))] += [back, *kept]
    days: list[CappedDay] = []
    earned, cap_of = Counter[str](), Counter[str]()
    owed, withheld = Counter[Any](), Counter[Any]()
    for of_run in taken_lines:
        caps, days = capped(days, of_run)
        for each in of_run:
            earned[each.delivered_on] += each.amount
            if each.amount:
                cap_of[each.delivered_on] = max(cap_of[each.delivered_on], each.day_cap or 0)
            owed[each.delivered_on, bool(each.borne_by)] += each.amount
        for each in caps:
            withheld[each.delivered_on, bool(each.borne_by)] += each.amount
        for day, amount in earned.items():
            left = amount + withheld[day, False] + withheld[day, True]
            assert left == min(amount, cap_of[day])
            unborne = min(owed[day, False], cap_of[day])
            assert owed[day, True] + withheld[day, True] == left - unborne


@given(TAKEN)
def test_one_run_or_many_come_to_the_same(taken: list[list[Any]]) -> None:
    split = lines_of(taken)
    together = [each for of_run in split for each in of_run]
    in_steps, kept = runs(*split)
    at_once, kept_at_once = runs(together)
    assert kept == kept_at_once
    assert sum(sum(each) for each in in_steps) == sum(sum(each) for each in at_once)


@given(TAKEN)
def test_sums_are_capped_as_their_lines_are(taken: list[list[Any]]) -> None:
    """Whatever is added to a sum before it is taken."""
    by_lines: list[CappedDay] = []
    by_sums: list[CappedDay] = []
    for of_run in taken:
        lines = [line(n, cap, day, plan_version=n % 3) for (day, cap), n in of_run]
        kept = Counter[str]()
        for each in lines:
            kept.update(sums([each]))
        caps, by_lines = capped(by_lines, lines)
        caps_of_sums, by_sums = capped(by_sums, summed_lines(kept))
        assert (caps_of_sums, by_sums) == (caps, by_lines)
