"""How far a run is, and when it will be done."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.leader_lines.rules import rounding
from chalicelib.settlement.rules import EarnedLine, Method, Run, progress
from tests.support.made import NOW

RUN = Run(
    id="run_2026-03-10",
    business_date="2026-03-10",
    status="running",
    leaders_total=1_000,
    leaders_settled=240,
    totals=(),
    started_at=NOW,
    completed_at=None,
    listed=True,
    version=1,
    leaders_set_aside=10,
)


def test_a_run_under_way_says_its_rate_and_when_it_will_be_done() -> None:
    now = NOW + timedelta(seconds=50)
    seen = progress(RUN, now)
    assert (seen.percent, seen.leaders_left, seen.leaders_per_second) == (25, 750, 5.0)
    assert seen.estimated_completion == now + timedelta(seconds=150)


def test_before_all_are_listed_nothing_is_said_of_the_end() -> None:
    seen = progress(replace(RUN, listed=False), NOW + timedelta(seconds=50))
    assert (seen.percent, seen.estimated_completion) == (None, None)
    assert seen.leaders_per_second == 5.0


def test_before_the_first_leader_there_is_no_rate() -> None:
    fresh = replace(RUN, leaders_settled=0, leaders_set_aside=0)
    seen = progress(fresh, NOW + timedelta(seconds=50))
    assert (seen.percent, seen.leaders_per_second, seen.estimated_completion) == (0, None, None)


def test_a_completed_run_keeps_the_rate_it_had() -> None:
    done = replace(
        RUN, status="completed", leaders_settled=990, completed_at=NOW + timedelta(seconds=100)
    )
    seen = progress(done, NOW + timedelta(days=3))
    assert (seen.percent, seen.leaders_left, seen.leaders_per_second) == (100, 0, 10.0)
    assert seen.estimated_completion is None


def test_a_run_of_nobody_is_whole() -> None:
    nobody = replace(RUN, leaders_total=0, leaders_settled=0, leaders_set_aside=0)
    assert progress(nobody, NOW).percent == 100


@given(st.integers(1, 10**6), st.integers(0, 10**6))
def test_a_run_is_at_100_percent_only_when_it_is_done(total: int, settled: int) -> None:
    settled = min(settled, total)
    seen = progress(
        replace(RUN, leaders_total=total, leaders_settled=settled, leaders_set_aside=0), NOW
    )
    assert (seen.percent == 100) == (settled == total)


@pytest.mark.parametrize(
    ("basis_amount", "rate_bps", "amount", "kept", "exact", "method"),
    [
        (3000, 1000, 300, "half_up", "300", "none"),
        (999, 1000, 100, "half_up", "999/10", "half_up"),
        (999, 1000, 99, "limited", "999/10", "limited"),
        (333, 1000, 34, "by_difference", "333/10", "by_difference"),
        (-333, 1000, -33, "by_difference", "-333/10", "by_difference"),
        (9999, 1000, 500, "limited", "9999/10", "limited"),
        (700, 0, -200, "none", "-200", "none"),
    ],
)
def test_a_lines_rounding_is_told_as_it_was_made(
    basis_amount: int, rate_bps: int, amount: int, kept: Method, exact: str, method: str
) -> None:
    line = EarnedLine(
        "ord_1", "sku_1", "commission", "sales", basis_amount, rate_bps, amount, "", method=kept
    )
    told = rounding(line)
    assert (told.exact, told.method) == (exact, method)
