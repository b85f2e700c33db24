"""Two days of real shopping, by two plans, come to what pandas makes of the raw rows."""

from datetime import date
from pathlib import Path

import pytest

from infra.demo.complete_journey import package_data
from tests.year.reading import Period, read
from tests.year.replaying import Report, replay

SEED = 1
# Two hubs' stores, so many that it takes seconds.
STORES = frozenset({297, 300, 306, 323, 329, 333, 337, 338, 341, 345, 358, 360})
TWO_DAYS = Period(date(2017, 3, 4), 2, STORES)


@pytest.fixture(scope="module", autouse=True)
def data() -> Path:
    pytest.importorskip("pandas")
    return package_data()


def played(period: Period) -> Report:
    data = package_data()
    return replay(data, read(data, period), period, SEED, lambda *_: None)


@pytest.mark.timeout(900)
def test_days_come_to_what_pandas_makes_of_them() -> None:
    report = played(TWO_DAYS)
    assert (report.differences, report.findings) == ([], [])
    wanted = {"placed", "paid", "accepted", "shipped", "delivered", "refunded"}
    assert report.done.keys() == wanted | {"payouts paid", "payouts returned"}
