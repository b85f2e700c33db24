"""Changing a campaign: all of it while it is scheduled, then what hurts no buyer."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.catalogue import store as catalogue
from chalicelib.catalogue.store import CampaignLeaderRow
from chalicelib.kernel import clock
from chalicelib.ordering import store as ordering
from tests.functional.conftest import Clock
from tests.support.gateway import Answer
from tests.support.invariants import findings
from tests.support.lambdas import invoke
from tests.support.world import Json, Sale, World, created

TARGET = {"kind": "buyers", "count": 5}


def edit(world: World, campaign_id: str, **changes: Any) -> Answer:
    return world.operator.patch(f"/v1/campaigns/{campaign_id}", changes)


def read(world: World, campaign: Json) -> Json:
    return world.operator.get(f"/v1/campaigns/{campaign['id']}").json


def later(hours: float) -> str:
    return clock.to_text(clock.now() + timedelta(hours=hours))


def listed(world: World, campaign: Json) -> list[str]:
    """What the community of the campaign's leader can buy from now."""
    path = f"/v1/leaders/{campaign['leader_ids'][0]}/campaigns"
    return [each["id"] for each in world.customer().get(path).json["items"]]


def scheduled(world: World) -> Json:
    sale = world.sale()
    window = {"opens_at": later(24), "closes_at": later(48)}
    return created(world.operator.post(f"/v1/campaigns/{sale.campaign_id}/clone", window))


def test_all_may_change_while_it_is_scheduled(world: World) -> None:
    campaign = scheduled(world)
    changes = {"title": "Next", "opens_at": later(1), "closes_at": later(2), "target": TARGET}
    answer = edit(world, campaign["id"], **changes)
    assert answer.status == 200
    assert {name: answer.json[name] for name in changes} == changes
    assert read(world, campaign) == {**answer.json, "progress": None}


def test_what_is_left_out_stays(world: World) -> None:
    campaign = scheduled(world)
    answer = edit(world, campaign["id"], title="Next")
    assert answer.json == {**campaign, "title": "Next"}


def test_a_change_of_nothing_is_refused(world: World) -> None:
    campaign = scheduled(world)
    for changes, field in (({}, "body"), ({"title": None}, "title"), ({"offers": None}, "offers")):
        answer = edit(world, campaign["id"], **changes)
        assert (answer.status, answer.code) == (422, "invalid_request")
        assert [each["field"] for each in answer.json["errors"]] == [field]
    assert read(world, campaign) == {**campaign, "progress": None}


def test_no_campaign_is_given_a_close_that_is_past(world: World) -> None:
    campaign = scheduled(world)
    window = {"opens_at": later(-2), "closes_at": later(-1)}
    refused = [
        edit(world, campaign["id"], **window),
        world.operator.post(f"/v1/campaigns/{campaign['id']}/clone", window),
    ]
    for answer in refused:
        assert (answer.status, answer.json["errors"]) == (
            422,
            [{"field": "closes_at", "message": "must lie in the future"}],
        )
    assert read(world, campaign) == {**campaign, "progress": None}


def test_a_window_does_not_close_before_it_opens(world: World) -> None:
    campaign = scheduled(world)
    answer = edit(world, campaign["id"], closes_at=later(23))
    assert answer.status == 422
    assert [each["field"] for each in answer.json["errors"]] == ["closes_at"]


def test_an_open_campaign_may_close_later_and_is_listed_so(world: World, time: Clock) -> None:
    sale = world.sale(open_for=timedelta(hours=1))
    assert edit(world, sale.campaign_id, closes_at=later(3)).status == 200
    time.move_on(hours=2)
    invoke("campaign_close")
    assert world.messages("WEBHOOK_FAN_OUT") == []
    path = f"/v1/leaders/{sale.leader_id}/campaigns"
    assert [each["id"] for each in world.customer().get(path).json["items"]] == [sale.campaign_id]
    assert world.place(sale)["status"] == "pending_payment"
    time.move_on(hours=1)
    assert world.customer().get(path).json["items"] == []


def test_a_change_that_is_refused_leaves_a_campaign_listed(
    world: World, time: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another change opens it meanwhile, after which it may not close earlier any more."""
    campaign = scheduled(world)
    list_first, others = catalogue.list_at_least_until, list[int]()

    def overtaken(*arguments: Any) -> None:
        list_first(*arguments)
        if not others:
            others.append(edit(world, campaign["id"], opens_at=later(-1)).status)

    monkeypatch.setattr(catalogue, "list_at_least_until", overtaken)
    refused = edit(world, campaign["id"], closes_at=later(30))
    assert (others, refused.code) == ([200], "campaign_not_editable")
    time.move_on(hours=47)
    assert campaign["id"] in listed(world, campaign)


@pytest.mark.parametrize("hours", [30, 60])
def test_a_campaign_is_listed_by_its_own_closing(world: World, hours: float) -> None:
    campaign = scheduled(world)
    changed = edit(world, campaign["id"], closes_at=later(hours)).json
    rows = CampaignLeaderRow.query(campaign["id"], CampaignLeaderRow.sk.startswith("leader#"))
    assert [clock.to_text(row.closes_at) for row in rows] == [changed["closes_at"]]


def test_a_campaign_that_another_has_changed_is_left_listed_long_enough(
    world: World, time: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever lists it by its closing comes after another has put that back."""
    campaign = scheduled(world)
    list_exactly, others = catalogue.list_by_its_closing, list[int]()

    def overtaken(*arguments: Any) -> None:
        if not others:
            others.append(0)
            others[0] = edit(
                world, campaign["id"], opens_at=later(-1), closes_at=campaign["closes_at"]
            ).status
        list_exactly(*arguments)

    monkeypatch.setattr(catalogue, "list_by_its_closing", overtaken)
    assert edit(world, campaign["id"], closes_at=later(30)).status == 200
    assert others == [200]
    time.move_on(hours=47)
    assert campaign["id"] in listed(world, campaign)


@pytest.mark.parametrize(
    ("target", "changes", "field"),
    [
        (None, {"opens_at": 1}, "opens_at"),
        (None, {"closes_at": 1}, "closes_at"),
        (TARGET, {"closes_at": 99}, "closes_at"),
        (None, {"target": TARGET}, "target"),
        (TARGET, {"target": {"kind": "buyers", "count": 6}}, "target"),
        (TARGET, {"target": {"kind": "units", "count": 1}}, "target"),
    ],
)
def test_what_would_hurt_a_buyer_is_refused(
    world: World, target: Json, changes: dict[str, Any], field: str
) -> None:
    sale = world.sale(target=target)
    before = world.operator.get(f"/v1/campaigns/{sale.campaign_id}").json
    sent = {
        name: later(value) if isinstance(value, int) else value for name, value in changes.items()
    }
    answer = edit(world, sale.campaign_id, **sent)
    assert (answer.status, answer.code) == (409, "campaign_not_editable")
    assert answer.json["detail"].startswith(f"The campaign is open: {field} ")
    assert world.operator.get(f"/v1/campaigns/{sale.campaign_id}").json == before


def test_an_open_campaigns_target_may_fall(world: World) -> None:
    sale = world.sale(target=TARGET)
    easier = {"kind": "buyers", "count": 2}
    assert (
        edit(world, sale.campaign_id, target=easier, title="Nearly there").json["target"] == easier
    )


def test_what_is_over_stays_as_it_was(world: World, time: Clock) -> None:
    sale = world.sale()
    time.move_on(days=3)
    assert edit(world, sale.campaign_id, title="Too late").code == "campaign_not_editable"
    assert edit(world, "cmp_nope", title="Nothing").status == 404


def test_an_order_keeps_the_campaigns_version_it_was_placed_under(world: World) -> None:
    sale: Sale = world.sale()
    edit(world, sale.campaign_id, title="Second")
    order = ordering.get_order(world.place(sale)["id"])
    assert order
    assert [line.plan_version for line in order.lines] == [2]


def offer(sku_id: str, **terms: Any) -> Json:
    """An offer as it is sent, at the terms of `World.sale`."""
    commission = {"basis": "sales", "rate_bps": 1000}
    return {"sku_id": sku_id, "price": 1000, "commission": commission, **terms}


def offers_of(world: World, campaign_id: str) -> dict[str, Json]:
    found = world.operator.get(f"/v1/campaigns/{campaign_id}").json["offers"]
    return {each["sku_id"]: each for each in found}


def version_of(campaign_id: str) -> int:
    campaign = catalogue.get_campaign(campaign_id)
    assert campaign
    return campaign.version


def ask(world: World, sale: Sale, quantity: int = 1, buyer: str = "cus_alice") -> Answer:
    return world.customer(buyer).post("/v1/orders", world.order_body(sale, quantity))


def on_sale(world: World, sale: Sale) -> Json:
    path = f"/v1/leaders/{sale.leader_id}/campaigns"
    (campaign,) = world.customer().get(path).json["items"]
    return campaign


def soon(world: World, **terms: Any) -> Sale:
    """A sale that opens in an hour."""
    sale = world.sale(**terms)
    window = {"opens_at": later(1), "closes_at": later(9)}
    path = f"/v1/campaigns/{sale.campaign_id}/clone"
    world.operator.post(f"/v1/campaigns/{sale.campaign_id}/cancel")
    return replace(sale, campaign_id=created(world.operator.post(path, window))["id"])


def test_offers_are_replaced_whole_while_it_is_scheduled(world: World, time: Clock) -> None:
    sale = soon(world, skus=3, quantity_cap=7)
    kept, changed, gone = sale.sku_ids
    new = world.add_product(sale.supplier_id)["skus"][0]["id"]
    world.set_stock(new, 5)
    asked = [
        offer(kept, quantity_cap=7),
        offer(changed, price=900, limit_per_customer=2),
        offer(new, price=500, quantity_breaks=[{"units": 2, "amount": 800}]),
    ]
    answer = edit(world, sale.campaign_id, offers=asked, max_orders=3)
    assert answer.status == 200
    assert {each["sku_id"] for each in answer.json["offers"]} == {kept, changed, new}
    found = offers_of(world, sale.campaign_id)
    for each in asked:
        shown = found[each["sku_id"]]
        assert {name: shown[name] for name in each} == each
    assert (found[changed]["quantity_cap"], found[new]["limit_per_customer"]) == (None, None)
    time.move_on(hours=2)
    assert ask(world, sale).json["errors"] == [
        {"field": "lines.2.sku_id", "message": "is not offered in this campaign"}
    ]
    order = ask(world, replace(sale, sku_ids=[kept, changed, new]), 2).json
    amounts = {line["sku_id"]: line["amount"] for line in order["lines"]}
    assert amounts == {kept: 2000, changed: 1800, new: 800}
    assert on_sale(world, sale)["orders_left"] == 2
    assert gone not in amounts
    assert findings() == []


def test_leaders_are_named_anew_while_it_is_scheduled(world: World, time: Clock) -> None:
    sale = soon(world)
    other = world.add_leader()
    assert edit(world, sale.campaign_id, leader_ids=[other]).json["leader_ids"] == [other]
    time.move_on(hours=2)
    assert ask(world, sale).code == "campaign_not_open"
    assert ask(world, replace(sale, leader_id=other)).status == 201


def test_a_campaign_becomes_one_for_every_leader_and_its_target_goes(
    world: World, time: Clock
) -> None:
    sale = soon(world, target=TARGET, max_orders=5)
    answer = edit(world, sale.campaign_id, leader_ids=None, target=None, max_orders=None)
    assert answer.status == 200
    shown = ("for_every_leader", "leader_ids", "target", "max_orders")
    assert [answer.json[name] for name in shown] == [True, [], None, None]
    time.move_on(hours=2)
    assert ask(world, replace(sale, leader_id=world.add_leader())).status == 201
    assert on_sale(world, sale)["orders_left"] is None


def test_leaders_and_closing_change_together(world: World, time: Clock) -> None:
    sale = soon(world)
    other = world.add_leader()
    both = [sale.leader_id, other]
    assert edit(world, sale.campaign_id, leader_ids=both, closes_at=later(4)).status == 200
    time.move_on(hours=3)
    for leader_id in both:
        assert on_sale(world, replace(sale, leader_id=leader_id))["id"] == sale.campaign_id


def test_an_offer_keeps_the_cost_that_it_was_made_at(world: World, time: Clock) -> None:
    sale = soon(world)
    (sku_id,) = sale.sku_ids
    edit(world, sale.campaign_id, offers=[offer(sku_id, price=1200)])
    time.move_on(hours=2)
    order = ordering.get_order(ask(world, sale).json["id"])
    assert order
    assert [(line.unit_price, line.unit_cost) for line in order.lines] == [(1200, 700)]


def leader_asks(world: World, sale: Sale, price: int) -> None:
    body = {"campaign_id": sale.campaign_id, "sku_id": sale.sku_ids[0], "price": price}
    assert world.operator.put(f"/v1/leaders/{sale.leader_id}/prices", body).status == 200


@pytest.mark.parametrize(
    ("terms", "paid"),
    [
        ({"limit_per_customer": 9}, 1100),
        ({"quantity_cap": 50}, 1100),
        ({"price": 1050}, 1050),
        ({"floor_price": 900}, 1000),
        ({"quantity_breaks": [{"units": 6, "amount": 5000}]}, 1000),
    ],
)
def test_a_leaders_price_falls_away_with_the_prices_it_was_set_under(
    world: World, time: Clock, terms: Json, paid: int
) -> None:
    sale = soon(world)
    leader_asks(world, sale, 1100)
    assert edit(world, sale.campaign_id, offers=[offer(sale.sku_ids[0], **terms)]).status == 200
    time.move_on(hours=2)
    assert on_sale(world, sale)["offers"][0]["price"] == paid
    assert ask(world, sale).json["total"] == paid
    leader_asks(world, sale, 1300)
    assert ask(world, sale).json["total"] == 1300


def test_an_offer_that_was_away_comes_back_without_its_leaders_prices(
    world: World, time: Clock
) -> None:
    sale = soon(world, skus=2)
    leader_asks(world, sale, 1100)
    first, second = sale.sku_ids
    edit(world, sale.campaign_id, offers=[offer(second)])
    edit(world, sale.campaign_id, offers=[offer(first), offer(second)])
    time.move_on(hours=2)
    assert ask(world, sale).json["total"] == 2000


@pytest.mark.parametrize("name", ["title", "opens_at", "closes_at", "offers"])
def test_what_a_campaign_cannot_be_without_is_not_taken_away(world: World, name: str) -> None:
    sale = soon(world)
    answer = edit(world, sale.campaign_id, **{name: None})
    assert answer.status == 422
    assert [each["field"] for each in answer.json["errors"]] == [name]


def test_offers_and_leaders_are_checked_as_at_its_making(world: World) -> None:
    sale = soon(world)
    (sku_id,) = sale.sku_ids
    foreign_supplier = world.add_supplier("USD")
    body = {
        "supplier_id": foreign_supplier,
        "title": "Corn",
        "currency": "USD",
        "skus": [{"title": "Can", "list_price": 100, "cost": 50}],
    }
    foreign = created(world.operator.post("/v1/products", body))["skus"][0]["id"]
    cases: list[tuple[Json, str, str]] = [
        ({"offers": [offer(sku_id), offer("sku_no")]}, "invalid_request", "offers.1.sku_id"),
        ({"offers": [offer(foreign)]}, "currency_mismatch", "offers.0.sku_id"),
        ({"offers": [offer(sku_id), offer(sku_id)]}, "invalid_request", "offers"),
        ({"offers": []}, "invalid_request", "offers"),
        ({"offers": [offer(sku_id, price=0)]}, "invalid_request", "offers.0.price"),
        ({"leader_ids": ["ldr_no"]}, "invalid_request", "leader_ids.0"),
        ({"leader_ids": []}, "invalid_request", "leader_ids"),
        ({"leader_ids": [world.add_leader("USD")]}, "currency_mismatch", "leader_ids.0"),
        ({"max_orders": 0}, "invalid_request", "max_orders"),
        ({"currency": "USD"}, "invalid_request", "currency"),
    ]
    before = world.operator.get(f"/v1/campaigns/{sale.campaign_id}").json
    for changes, code, field in cases:
        answer = edit(world, sale.campaign_id, **changes)
        assert (answer.status, answer.code) == (422, code), changes
        assert [each["field"] for each in answer.json["errors"]] == [field], changes
    assert world.operator.get(f"/v1/campaigns/{sale.campaign_id}").json == before


def test_a_campaign_has_no_more_offers_than_one_change_can_write(world: World) -> None:
    answer = world.try_campaign([f"sku_{n}" for n in range(91)])
    assert answer.status == 422
    assert answer.json["errors"] == [{"field": "offers", "message": "must have at most 90 items"}]


@pytest.mark.parametrize("field", ["offers", "leader_ids"])
def test_a_change_too_large_for_one_transaction_changes_nothing(
    world: World, field: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sale = soon(world, skus=3)
    before = world.operator.get(f"/v1/campaigns/{sale.campaign_id}").json
    changes = {
        "offers": [offer(sku_id, price=900) for sku_id in sale.sku_ids],
        "leader_ids": [world.add_leader() for _ in range(2)],
    }
    monkeypatch.setattr("chalicelib.platform.transaction.WRITE_LIMIT", 3)
    answer = edit(world, sale.campaign_id, **{field: changes[field]})
    assert (answer.status, answer.code) == (422, "edit_too_large")
    assert [each["field"] for each in answer.json["errors"]] == [field]
    monkeypatch.undo()
    assert world.operator.get(f"/v1/campaigns/{sale.campaign_id}").json == before
    assert edit(world, sale.campaign_id, **{field: changes[field]}).status == 200


def test_a_full_list_of_offers_can_be_changed_at_once(world: World) -> None:
    product = world.add_product(world.add_supplier(), skus=45)
    other = world.add_product(world.add_supplier(), skus=45)
    sku_ids = [sku["id"] for each in (product, other) for sku in each["skus"]]
    campaign = world.add_campaign(sku_ids)
    asked = [offer(sku_id, limit_per_customer=None, quantity_cap=None) for sku_id in sku_ids]
    window = {"opens_at": later(1), "closes_at": later(9)}
    clone = created(world.operator.post(f"/v1/campaigns/{campaign['id']}/clone", window))
    asked = [{**each, "price": 900} for each in asked]
    assert edit(world, clone["id"], offers=asked).status == 200
    assert {each["price"] for each in offers_of(world, clone["id"]).values()} == {900}


@pytest.mark.parametrize("to", [8, None])
def test_an_open_campaigns_cap_may_be_raised_or_lifted(
    world: World, time: Clock, to: int | None
) -> None:
    sale = world.sale(stock=20, quantity_cap=5)
    (sku_id,) = sale.sku_ids
    order = ask(world, sale, 4).json
    assert ask(world, sale, 3, "cus_bob").code == "out_of_stock"
    answer = edit(world, sale.campaign_id, offers=[offer(sku_id, quantity_cap=to)])
    assert answer.json["offers"][0]["quantity_cap"] == to
    assert on_sale(world, sale)["offers"][0]["available"] == (4 if to else 16)
    assert ask(world, sale, 4, "cus_bob").status == 201
    assert ask(world, sale, 1, "cus_bob").status == (409 if to else 201)
    world.operator.post(f"/v1/orders/{order['id']}/cancel", {})
    time.move_on(seconds=3)
    assert ask(world, sale, 4, "cus_bob").status == 201
    assert findings({sku_id: 20}) == []


def test_a_cap_is_raised_step_by_step_and_sold_to_its_last_unit(world: World) -> None:
    sale = world.sale(stock=1000, quantity_cap=150)
    (sku_id,) = sale.sku_ids
    assert ask(world, sale, 149).status == 201
    for cap in (151, 400, 777):
        changed = edit(world, sale.campaign_id, offers=[offer(sku_id, quantity_cap=cap)])
        assert changed.status == 200
    assert on_sale(world, sale)["offers"][0]["available"] == 777 - 149
    assert ask(world, sale, 777 - 148).code == "out_of_stock"
    assert ask(world, sale, 777 - 149).status == 201
    assert on_sale(world, sale)["offers"][0]["available"] == 0
    assert findings({sku_id: 1000}) == []


def test_the_same_change_again_raises_nothing_more(world: World) -> None:
    sale = world.sale(stock=100, quantity_cap=5, max_orders=2)
    changes = {"offers": [offer(sale.sku_ids[0], quantity_cap=9)], "max_orders": 4}
    first = edit(world, sale.campaign_id, **changes)
    version = version_of(sale.campaign_id)
    assert edit(world, sale.campaign_id, **changes).json == first.json
    assert version_of(sale.campaign_id) == version
    campaign = on_sale(world, sale)
    assert (campaign["orders_left"], campaign["offers"][0]["available"]) == (4, 9)


@pytest.mark.parametrize("to", [3, None])
def test_an_open_campaign_may_take_more_orders(world: World, time: Clock, to: int | None) -> None:
    sale = world.sale(max_orders=1)
    assert ask(world, sale).status == 201
    assert ask(world, sale, 1, "cus_b").code == "campaign_not_open"
    assert edit(world, sale.campaign_id, max_orders=to).json["max_orders"] == to
    time.move_on(seconds=3)
    assert [ask(world, sale, 1, each).status for each in ("cus_b", "cus_c")] == [201, 201]
    assert ask(world, sale, 1, "cus_d").status == (409 if to else 201)
    assert findings() == []


@pytest.mark.parametrize("to", [3, None])
def test_an_open_campaigns_limit_may_be_raised_or_lifted(world: World, to: int | None) -> None:
    sale = world.sale(limit=1)
    (sku_id,) = sale.sku_ids
    first = ask(world, sale).json
    assert ask(world, sale).code == "customer_limit_reached"
    edit(world, sale.campaign_id, offers=[offer(sku_id, limit_per_customer=to)])
    assert ask(world, sale, 2).status == 201
    assert ask(world, sale, 1).status == (409 if to else 201)
    world.operator.post(f"/v1/orders/{first['id']}/cancel", {})
    assert ask(world, sale, 1).status == 201
    assert findings() == []


def test_an_open_campaign_may_offer_more(world: World) -> None:
    sale = world.sale()
    (sku_id,) = sale.sku_ids
    new = world.add_product(sale.supplier_id)["skus"][0]["id"]
    world.set_stock(new, 5)
    asked = [offer(new, price=300, quantity_cap=3), offer(sku_id)]
    assert edit(world, sale.campaign_id, offers=asked).status == 200
    order = ask(world, replace(sale, sku_ids=[sku_id, new]), 3)
    assert order.json["total"] == 3900
    assert findings({sku_id: 100, new: 5}) == []


HURTS: list[tuple[Json, str]] = [
    ({"price": 999}, "offers.0.price"),
    ({"commission": {"basis": "sales", "rate_bps": 900}}, "offers.0.commission.rate_bps"),
    ({"commission": {"basis": "gross_profit", "rate_bps": 1000}}, "offers.0.commission.basis"),
    ({"floor_price": 900}, "offers.0.floor_price"),
    ({"price_schedule": [{"at": "17:30", "percent": 80}]}, "offers.0.price_schedule"),
    ({"quantity_breaks": [{"units": 6, "amount": 5000}]}, "offers.0.quantity_breaks"),
    ({"quantity_cap": 9}, "offers.0.quantity_cap"),
    ({"limit_per_customer": 4}, "offers.0.limit_per_customer"),
]


@pytest.mark.parametrize(("terms", "field"), HURTS)
def test_an_open_campaigns_offer_changes_in_nothing_that_hurts_a_buyer(
    world: World, terms: Json, field: str
) -> None:
    sale = world.sale(quantity_cap=10, limit=5)
    before = world.operator.get(f"/v1/campaigns/{sale.campaign_id}").json
    asked = {**offer(sale.sku_ids[0], quantity_cap=10, limit_per_customer=5), **terms}
    answer = edit(world, sale.campaign_id, offers=[asked], title="Next")
    assert (answer.status, answer.code) == (409, "campaign_not_editable")
    assert [each["field"] for each in answer.json["errors"]] == [field]
    assert world.operator.get(f"/v1/campaigns/{sale.campaign_id}").json == before


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"offers": [{"quantity_cap": 5}]}, "offers.0.quantity_cap"),
        ({"offers": [{"limit_per_customer": 5}]}, "offers.0.limit_per_customer"),
        ({"max_orders": 5}, "max_orders"),
        ({"leader_ids": None}, "leader_ids"),
        ({"target": None}, "target"),
    ],
)
def test_an_open_campaign_gets_no_bound_that_it_had_not(
    world: World, changes: Json, field: str
) -> None:
    sale = world.sale(target=TARGET)
    sent = dict(changes)
    if "offers" in sent:
        sent["offers"] = [offer(sale.sku_ids[0], **each) for each in sent["offers"]]
    answer = edit(world, sale.campaign_id, **sent)
    assert (answer.status, answer.code) == (409, "campaign_not_editable")
    assert [each["field"] for each in answer.json["errors"]] == [field]


def test_an_open_campaign_drops_no_offer_and_no_room_for_orders(world: World) -> None:
    sale = world.sale(skus=2, max_orders=5)
    answer = edit(world, sale.campaign_id, offers=[offer(sale.sku_ids[0])], max_orders=4)
    assert answer.status == 409
    assert answer.json["errors"] == [
        {"field": "max_orders", "message": "may only rise, or be lifted by null"},
        {
            "field": "offers",
            "message": f"must go on naming {sale.sku_ids[1]}: offers can only be added",
        },
    ]


def test_a_cap_is_raised_so_often_and_then_lifted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chalicelib.catalogue.editing.MOST_RAISES", 2)
    sale = world.sale(quantity_cap=5, max_orders=1)
    (sku_id,) = sale.sku_ids
    for n in (1, 2):
        offers = [offer(sku_id, quantity_cap=5 + n)]
        assert edit(world, sale.campaign_id, offers=offers, max_orders=1 + n).status == 200
    offers = [offer(sku_id, quantity_cap=9)]
    answer = edit(world, sale.campaign_id, offers=offers, max_orders=9)
    assert answer.status == 409
    assert [each["message"] for each in answer.json["errors"]] == [
        "has been raised 2 times: lift it by null"
    ] * 2
    assert edit(world, sale.campaign_id, offers=[offer(sku_id)], max_orders=None).status == 200


def test_what_opens_within_a_minute_is_settled(world: World, time: Clock) -> None:
    sale = soon(world)
    time.move_on(minutes=59, seconds=1)
    changes = {"offers": [offer(sale.sku_ids[0], price=900)], "opens_at": later(2)}
    answer = edit(world, sale.campaign_id, **changes)
    assert (answer.status, answer.code) == (409, "campaign_not_editable")
    assert answer.json["detail"].startswith("The campaign opens within a minute: ")
    assert edit(world, sale.campaign_id, title="At once").status == 200


def test_a_late_payment_is_judged_by_caps_and_limits_as_they_have_become(
    world: World, time: Clock
) -> None:
    sale = world.sale(stock=20, quantity_cap=2, limit=2, max_orders=1, open_for=timedelta(hours=5))
    (sku_id,) = sale.sku_ids
    late = ask(world, sale, 2).json
    time.move_on(minutes=16)
    invoke("order_expire")
    assert ask(world, sale, 2).status == 201
    wider = [offer(sku_id, quantity_cap=4, limit_per_customer=4)]
    assert edit(world, sale.campaign_id, offers=wider, max_orders=2).status == 200
    assert world.pay(late).status == 200
    world.work()
    assert world.order(late["id"])["status"] == "paid"
    campaign = on_sale(world, sale)
    assert (campaign["orders_left"], campaign["offers"][0]["available"]) == (0, 0)
    assert ask(world, sale, 1).status == 409
    assert findings({sku_id: 20}) == []
