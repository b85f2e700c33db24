"""When a campaign is open, and what a resident reads on a line."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.catalogue.rules import (
    Campaign,
    Commission,
    LeaderPrice,
    Product,
    Sku,
    offer_title,
    raised,
)
from chalicelib.kernel import clock
from tests.support.made import NOW, an_offer

CAMPAIGN = Campaign(
    id="cmp_1",
    title="Today",
    opens_at=NOW,
    closes_at=NOW + timedelta(hours=48),
    currency="EUR",
    for_every_leader=True,
    cancelled=False,
    version=1,
    created_at=NOW - timedelta(days=1),
)
A_MOMENT = timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("at", "status"),
    [
        (NOW - A_MOMENT, "scheduled"),
        (NOW, "open"),
        (NOW + timedelta(hours=48) - A_MOMENT, "open"),
        (NOW + timedelta(hours=48), "closed"),
    ],
)
def test_a_campaign_opens_and_closes_by_the_clock(
    at: object, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: at)
    assert CAMPAIGN.status == status
    assert replace(CAMPAIGN, cancelled=True).status == "cancelled"


def test_a_sku_is_named_with_its_product() -> None:
    large, plain = Sku("sku_1", "Box of 10", None, 1200, 700), Sku("sku_2", "Eggs", None, 300, 200)
    assert offer_title(eggs(large, plain), large) == "Eggs, Box of 10"
    assert offer_title(eggs(large, plain), plain) == "Eggs"


def test_a_product_finds_its_sku() -> None:
    large = Sku("sku_1", "Box of 10", None, 1200, 700)
    assert eggs(large).sku("sku_1") is large


def test_an_offer_says_its_commission() -> None:
    offer = an_offer(basis="gross_profit", rate_bps=5000)
    assert offer.commission == Commission("gross_profit", 5000)


def eggs(*skus: Sku) -> Product:
    return Product(
        id="prd_1",
        supplier_id="sup_1",
        title="Eggs",
        description=None,
        category=None,
        currency="EUR",
        status="active",
        rejection_reason=None,
        skus=skus,
        version=1,
        created_at=NOW,
    )


@given(st.integers(1, 10**6), st.lists(st.integers(1, 10**6), max_size=20))
def test_raises_are_what_a_number_has_risen_by(first: int, steps: list[int]) -> None:
    number = first
    raises: tuple[int, ...] = ()
    for step in steps:
        raises = raised(raises, number, number + step)
        number += step
        assert raised(raises, number, number) == raises
    assert raises == tuple(steps)
    assert raised(raises, number, None) == ()
    assert raised((), None, None) == ()


def test_a_leaders_price_counts_under_the_prices_it_was_set_under() -> None:
    offer = an_offer(priced_at=2)
    assert offer.price_asked(LeaderPrice("sku_1", 1100, 2)) == 1100
    assert offer.price_asked(LeaderPrice("sku_1", 1100)) is None
    assert offer.price_asked(None) is None


def test_a_campaign_is_full_until_its_mark_lapses() -> None:
    assert not CAMPAIGN.is_full_at(NOW)
    full = replace(CAMPAIGN, full_until=NOW)
    assert [full.is_full_at(NOW - A_MOMENT), full.is_full_at(NOW)] == [True, False]
