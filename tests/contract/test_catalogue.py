"""The catalogue store: products, campaigns with what belongs to them, and closings to tell of."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from unittest import mock

import pytest

from chalicelib.catalogue import product_store
from chalicelib.catalogue import store as catalogue
from chalicelib.catalogue.pricing import QuantityBreak
from chalicelib.catalogue.product_store import ProductRow
from chalicelib.catalogue.rules import AlternateSku, Campaign, LeaderPrice, Product, Sku
from chalicelib.catalogue.store import CampaignLeaderRow, CampaignRow
from chalicelib.kernel import clock
from chalicelib.kernel.errors import Stale
from chalicelib.platform import store
from chalicelib.platform.pages import PageRequest
from chalicelib.platform.transaction import create, write
from tests.support.made import NOW, an_offer

HOUR = timedelta(hours=1)
SKUS = (Sku("sku_1", "Box 🥚", "BX-1", 1200, 700), Sku("sku_2", "Tray", None, 900, 500))


def add_product(product_id: str, **changes: Any) -> Product:
    usual: dict[str, Any] = {
        "id": product_id,
        "supplier_id": "sup_1",
        "title": "Eggs",
        "description": None,
        "category": "food",
        "currency": "EUR",
        "status": "active",
        "rejection_reason": None,
        "skus": SKUS,
        "version": 1,
        "created_at": NOW,
    }
    made = Product(**{**usual, **changes})
    write(create(ProductRow.of(made)), *(create(product_store.sku_row(s, made)) for s in made.skus))
    return made


def add_campaign(campaign_id: str, *leader_ids: str, **changes: Any) -> Campaign:
    usual: dict[str, Any] = {
        "id": campaign_id,
        "title": "Today",
        "opens_at": NOW,
        "closes_at": NOW + HOUR,
        "currency": "EUR",
        "for_every_leader": not leader_ids,
        "cancelled": False,
        "version": 1,
        "created_at": NOW,
    }
    made = Campaign(**{**usual, **changes})
    offers = [an_offer(campaign_id=campaign_id, sku_id=f"sku_{n}") for n in range(30)]
    catalogue.lay_out(made, offers, leader_ids)
    write(create(CampaignRow.of(made)))
    return made


def of_leader(leader_id: str, after: tuple[datetime, str] | None = None) -> list[str]:
    return [each.id for each in catalogue.campaigns_of_leader(leader_id, NOW, after)]


def test_a_product_comes_back_as_it_was_written_and_its_skus_find_it() -> None:
    made = add_product("prd_1")
    assert product_store.get_product("prd_1") == made
    assert product_store.get_product("prd_2") is None
    found = product_store.get_skus(["sku_2", "sku_9", "sku_1"])
    assert {sku_id: row.product_id for sku_id, row in found.items()} == {
        "sku_1": "prd_1",
        "sku_2": "prd_1",
    }
    assert product_store.supplier_of_sku("sku_1") == "sup_1"
    assert product_store.supplier_of_sku("sku_9") is None


def test_a_product_is_decided_by_version() -> None:
    made = add_product("prd_1", status="pending")
    write(product_store.replace_product(replace(made, status="rejected", version=2), 1))
    with pytest.raises(Stale):
        write(product_store.replace_product(replace(made, status="active", version=2), 1))
    assert product_store.get_products(["prd_1"])["prd_1"].status == "rejected"


def test_products_are_listed_newest_first_and_a_suppliers_apart() -> None:
    for n in range(4):
        supplier_id = f"sup_{n % 2}"
        add_product(f"prd_{n}", supplier_id=supplier_id, skus=(replace(SKUS[0], id=f"sku_{n}"),))
    page = product_store.products(PageRequest("products", 3))
    assert [each.id for each in page.items] == ["prd_3", "prd_2", "prd_1"]
    rest = product_store.products(PageRequest("products", 3, page.next_after))
    assert [each.id for each in rest.items] == ["prd_0"]
    own = product_store.products_of("sup_1", PageRequest("products"))
    assert [each.id for each in own.items] == ["prd_3", "prd_1"]


def test_a_campaigns_offers_are_no_supplier_s_products() -> None:
    add_campaign("cmp_1")
    assert product_store.products_of("sup_1", PageRequest("products")).items == ()


def test_a_campaign_comes_back_with_all_that_belongs_to_it() -> None:
    made = add_campaign("cmp_1", "ldr_1", "ldr_2")
    assert catalogue.get_campaign("cmp_1") == made
    assert len(catalogue.offers("cmp_1")) == 30
    assert sorted(catalogue.leader_ids("cmp_1")) == ["ldr_1", "ldr_2"]
    assert catalogue.leader_ids(add_campaign("cmp_2").id) == []


def test_one_snapshot_finds_a_campaign_an_offer_of_it_and_that_it_is_for_a_leader() -> None:
    add_campaign("cmp_1", "ldr_1")
    found = store.get_together(
        [
            catalogue.campaign_key("cmp_1"),
            catalogue.campaign_leader_key("cmp_1", "ldr_1"),
            catalogue.campaign_leader_key("cmp_1", "ldr_2"),
            catalogue.offer_key("cmp_1", "sku_29"),
            catalogue.offer_key("cmp_1", "sku_30"),
        ]
    )
    assert [row is not None for row in found] == [True, True, False, True, False]
    offer = an_offer(campaign_id="cmp_1", sku_id="sku_29")
    assert found[3].to_entity() == offer


def test_a_leader_has_its_own_campaigns_and_those_for_everyone_the_soonest_to_close_first() -> None:
    add_campaign("cmp_late", "ldr_1", closes_at=NOW + 3 * HOUR)
    add_campaign("cmp_all", closes_at=NOW + 2 * HOUR)
    add_campaign("cmp_soon", "ldr_1", "ldr_2", closes_at=NOW + HOUR)
    add_campaign("cmp_closed", "ldr_1", closes_at=NOW)
    assert of_leader("ldr_1") == ["cmp_soon", "cmp_all", "cmp_late"]
    assert of_leader("ldr_2") == ["cmp_soon", "cmp_all"]
    assert of_leader("ldr_3") == ["cmp_all"]
    assert of_leader("ldr_1", after=(NOW + HOUR, "cmp_soon")) == ["cmp_all", "cmp_late"]


def test_a_campaign_is_looked_at_when_it_is_due_and_changed_once() -> None:
    add_campaign("cmp_1", look_at=NOW + HOUR)
    add_campaign("cmp_2", look_at=NOW)
    assert catalogue.campaigns_due(NOW, 10) == ["cmp_2"]
    assert catalogue.campaigns_due(NOW + HOUR, 10) == ["cmp_2", "cmp_1"]
    campaign = catalogue.get_campaign("cmp_2")
    assert campaign
    write(catalogue.replace_campaign(campaign.told_closed(NOW)))
    with pytest.raises(Stale):
        write(catalogue.replace_campaign(campaign.told_closed(NOW)))
    assert catalogue.campaigns_due(NOW + HOUR, 10) == ["cmp_1"]
    assert catalogue.get_campaign("cmp_2") == campaign.told_closed(NOW)


def test_of_a_changed_offer_only_what_differs_is_written() -> None:
    campaign = add_campaign("cmp_1")
    before = an_offer(campaign_id="cmp_1", sku_id="sku_1")
    after = replace(
        before,
        price=900,
        quantity_cap=7,
        cap_raises=(2, 3),
        quantity_breaks=(QuantityBreak(2, 1500),),
        priced_at=2,
    )
    catalogue.mark_sold_out(before, NOW + 100 * HOUR)
    write(catalogue.change_offer(before, after))
    assert catalogue.get_offers(campaign.id, ["sku_1", "sku_no"]) == [
        replace(after, sold_out_until=NOW + 100 * HOUR)
    ]
    write(catalogue.change_offer(after, replace(after, quantity_cap=None, cap_raises=())))
    found = catalogue.get_offer("cmp_1", "sku_1")
    assert found
    assert (found.quantity_cap, found.cap_raises, found.price) == (None, (), 900)


def test_an_offer_that_was_dropped_cannot_be_changed() -> None:
    add_campaign("cmp_1")
    offer = an_offer(campaign_id="cmp_1", sku_id="sku_1")
    write(catalogue.drop_offer(offer))
    assert catalogue.get_offer("cmp_1", "sku_1") is None
    with pytest.raises(Stale):
        write(catalogue.change_offer(offer, replace(offer, price=900)))
    write(catalogue.add_offer(offer))
    with pytest.raises(Stale):
        write(catalogue.add_offer(offer))


def test_leaders_are_named_anew() -> None:
    campaign = add_campaign("cmp_1", "ldr_1", "ldr_2")
    write(*catalogue.name_others(campaign, ["ldr_1", "ldr_2"], ["ldr_2", "ldr_3"]))
    assert sorted(catalogue.leader_ids("cmp_1")) == ["ldr_2", "ldr_3"]
    assert [of_leader(f"ldr_{n}") for n in (1, 2, 3)] == [[], ["cmp_1"], ["cmp_1"]]
    write(*catalogue.name_others(campaign, ["ldr_2", "ldr_3"], []))
    assert [of_leader(f"ldr_{n}") for n in (1, 2)] == [["cmp_1"], ["cmp_1"]]
    assert catalogue.leader_ids("cmp_1") == []
    assert catalogue.name_others(campaign, [], []) == []


def test_a_closing_is_not_moved_for_a_leader_who_is_no_longer_named() -> None:
    campaign = add_campaign("cmp_1", "ldr_1", "ldr_2")
    named = store.query(CampaignLeaderRow, "cmp_1", where=CampaignLeaderRow.sk.startswith("leader"))
    write(*catalogue.name_others(campaign, ["ldr_1", "ldr_2"], ["ldr_2"]))
    with mock.patch.object(store, "query", return_value=named), pytest.raises(Stale):
        catalogue.list_at_least_until(campaign, NOW + 2 * HOUR)
    assert not catalogue.names_leader("cmp_1", "ldr_1")


def test_a_campaign_is_marked_full_and_nothing_else_of_it_changes() -> None:
    campaign = add_campaign("cmp_1", max_orders=5, max_orders_raises=(1, 2))
    until = clock.now() + HOUR
    catalogue.mark_full(campaign, until)
    catalogue.mark_full(campaign, until + HOUR)
    found = catalogue.get_campaign("cmp_1")
    assert found == replace(campaign, full_until=clock.floor_to_millisecond(until))


def test_a_leaders_prices_are_kept_with_what_they_were_set_under() -> None:
    write(catalogue.set_leader_price("cmp_1", "ldr_1", "sku_1", LeaderPrice("sku_1", 1100, 3)))
    write(catalogue.set_leader_price("cmp_1", "ldr_1", "sku_2", LeaderPrice("sku_2", 900)))
    assert catalogue.leader_prices("cmp_1", "ldr_1") == {
        "sku_1": LeaderPrice("sku_1", 1100, 3),
        "sku_2": LeaderPrice("sku_2", 900, 1),
    }


def test_alternates_are_named_on_condition_of_what_was_named_before() -> None:
    add_product("prd_1")
    eggs, tray = product_store.get_skus(["sku_1", "sku_2"]).values()
    named = [AlternateSku("sku_2", 3)]
    write(product_store.set_alternate(tray, "sku_1", 3), product_store.set_alternates(eggs, named))
    with pytest.raises(Stale):
        write(product_store.set_alternates(eggs, []))
    with pytest.raises(Stale):
        write(product_store.set_alternate(tray, None, 1))
    eggs, tray = product_store.get_skus(["sku_1", "sku_2"]).values()
    assert list(eggs.alternates) == named
    assert not eggs.alternate_of
    assert (tray.alternate_of, tray.priority, list(tray.alternates)) == ("sku_1", 3, [])
    write(product_store.set_alternate(tray, None, 1), product_store.set_alternates(eggs, []))
    eggs, tray = product_store.get_skus(["sku_1", "sku_2"]).values()
    assert not eggs.alternates
    assert not tray.alternate_of
    assert not tray.priority


def test_the_lowest_priority_is_tried_first_and_then_the_older_sku() -> None:
    add_product("prd_1")
    (eggs,) = product_store.get_skus(["sku_1"]).values()
    three = [AlternateSku("sku_c", 1), AlternateSku("sku_b", 2), AlternateSku("sku_a", 2)]
    write(product_store.set_alternates(eggs, three))
    (eggs,) = product_store.get_skus(["sku_1"]).values()
    assert [each.sku_id for each in eggs.by_priority] == ["sku_c", "sku_a", "sku_b"]
