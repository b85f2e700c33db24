"""Commission, and the day under which an amount waits for its run."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.settlement.rules import Earnings, commission, date_of, run_id

DAYS = st.dates(date(2020, 1, 1), date(2040, 1, 1))


@pytest.mark.parametrize(
    ("basis", "net", "cost", "rate_bps", "amount"),
    [
        ("sales", 3000, 2100, 1000, 300),
        ("sales", 3000, 9999, 1000, 300),
        ("gross_profit", 3000, 2100, 5000, 450),
        ("gross_profit", 3000, 3000, 5000, 0),
        ("gross_profit", 3000, 3001, 5000, 0),  # a loss earns nothing, and costs the leader nothing
        ("sales", 1005, 0, 1000, 101),  # 100.5
        ("sales", 1004, 0, 1000, 100),  # 100.4
        ("gross_profit", 1001, 1000, 5000, 1),  # 0.5
        ("gross_profit", 1001, 1000, 4999, 0),  # 0.4999
        ("sales", 0, 0, 10_000, 0),
    ],
)
def test_commission_is_a_rate_of_its_basis_half_up(
    basis: str, net: int, cost: int, rate_bps: int, amount: int
) -> None:
    assert commission(basis, net, cost, rate_bps) == amount


@given(st.integers(0, 10**12), st.integers(0, 10**12), st.integers(0, 10_000))
def test_commission_of_the_profit_is_never_more_than_of_sales(
    net: int, cost: int, rate_bps: int
) -> None:
    of_profit = commission("gross_profit", net, cost, rate_bps)
    assert 0 <= of_profit <= commission("sales", net, cost, rate_bps) <= net


def test_before_the_first_run_an_amount_waits_under_the_day_it_matures_on() -> None:
    assert Earnings("ldr_1").bucket_for(date(2026, 3, 8)) == "2026-03-08"
    assert not Earnings("ldr_1").has_taken("2000-01-01")


@pytest.mark.parametrize(
    ("matured_on", "bucket"),
    [
        (date(2026, 2, 1), "2026-03-01"),
        (date(2026, 2, 28), "2026-03-01"),
        (date(2026, 3, 1), "2026-03-01"),
        (date(2026, 3, 2), "2026-03-02"),
    ],
)
def test_what_comes_late_waits_under_the_first_day_that_is_not_taken(
    matured_on: date, bucket: str
) -> None:
    assert Earnings("ldr_1", settled_through="2026-02-28").bucket_for(matured_on) == bucket


@given(DAYS, DAYS)
def test_nothing_waits_under_a_day_that_is_taken(settled: date, matured_on: date) -> None:
    earnings = Earnings("ldr_1", settled_through=settled.isoformat())
    bucket = earnings.bucket_for(matured_on)
    assert not earnings.has_taken(bucket)
    assert bucket >= matured_on.isoformat()


@given(DAYS, DAYS)
def test_the_next_days_run_takes_all_that_has_matured(settled: date, matured_on: date) -> None:
    bucket = Earnings("ldr_1", settled_through=settled.isoformat()).bucket_for(matured_on)
    next_run = max(matured_on, settled + timedelta(days=1)).isoformat()
    assert Earnings("ldr_1", settled_through=next_run).has_taken(bucket)


@given(DAYS, DAYS)
def test_what_comes_once_a_run_has_set_the_leader_aside_is_none_of_it(
    settled: date, aside: date
) -> None:
    earnings = Earnings("ldr_1", settled_through=str(settled), behind_through=str(aside))
    assert earnings.first_open_bucket > str(max(settled, aside))
    assert not earnings.has_taken(str(settled + timedelta(days=1)))


def test_a_run_is_named_by_its_date() -> None:
    assert run_id("2026-02-28") == "run_2026-02-28"
    assert date_of("run_2026-02-28") == "2026-02-28"
