"""Campaigns with a target: judged once, then every order goes on or back by itself."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest

from chalicelib.catalogue.rules import Target, TargetKind
from chalicelib.kernel import clock
from chalicelib.ordering import campaigns
from chalicelib.ordering import store as ordering
from chalicelib.ordering.rules import Order
from chalicelib.platform import store
from tests.functional.conftest import Clock
from tests.support.lambdas import invoke
from tests.support.made import an_order
from tests.support.world import Json, Sale, World, created

TWO_BUYERS = {"kind": "buyers", "count": 2}
FIVE_UNITS = {"kind": "units", "count": 5}


def group_sale(world: World, target: Json, **terms: Any) -> Sale:
    return world.sale(target=target, open_for=timedelta(hours=1), **terms)


def bought(world: World, sale: Sale, buyer: str, quantity: int = 1) -> Json:
    """A paid order."""
    order = world.place(sale, world.customer(buyer), quantity)
    assert world.pay(order).status == 200
    world.work()
    return order


def judge(world: World, time: Clock, minutes: float = 62) -> str | None:
    """Let the close and the time for counting pass; the campaign's outcome."""
    time.move_on(minutes=minutes)
    for sweep in ("order_expire", "campaign_close"):
        invoke(sweep)
    time.move_on(minutes=2)
    invoke("campaign_close")
    (campaign,) = world.operator.get("/v1/campaigns").json["items"]
    world.work()
    outcome: str | None = campaign["outcome"]
    return outcome


def statuses(world: World, *orders: Json) -> list[str]:
    return [world.order(order["id"])["status"] for order in orders]


def dispatches(world: World) -> list[Json]:
    found: list[Json] = world.operator.get("/v1/dispatches").json["items"]
    return found


def test_nothing_is_dispatched_before_the_target_is_met(world: World, time: Clock) -> None:
    sale = group_sale(world, TWO_BUYERS)
    orders = [bought(world, sale, "cus_a"), bought(world, sale, "cus_b")]
    assert dispatches(world) == []
    assert judge(world, time) == "met"
    assert statuses(world, *orders) == ["paid", "paid"]
    assert sorted(each["order_id"] for each in dispatches(world)) == sorted(o["id"] for o in orders)


def test_suppliers_clocks_start_when_the_target_is_met(world: World, time: Clock) -> None:
    sale = group_sale(world, TWO_BUYERS)
    bought(world, sale, "cus_a")
    bought(world, sale, "cus_b")
    judge(world, time)
    for each in dispatches(world):
        accept_by = clock.from_text(each["accept_by"])
        assert timedelta(hours=11, minutes=57) < accept_by - clock.now() <= timedelta(hours=12)


def test_a_missed_target_refunds_everyone_by_itself(world: World, time: Clock) -> None:
    sale = group_sale(world, TWO_BUYERS, stock=10, limit=3)
    order = bought(world, sale, "cus_a", 3)
    assert judge(world, time) == "missed"
    assert statuses(world, order) == ["refunded"]
    refunded = world.order(order["id"])
    assert refunded["cancel_reason"] == "the campaign missed its target"
    (refund_id,) = refunded["refunds"]
    refund = world.operator.get(f"/v1/refunds/{refund_id}").json
    assert refund["reason"] == "the campaign missed its target"
    assert world.trial_balance() == {}
    assert world.stock(sale.sku_ids[0])["on_hand"] == 10
    assert dispatches(world) == []


@pytest.mark.parametrize(
    ("quantities", "outcome"), [([3, 2], "met"), ([3, 1], "missed"), ([5], "met")]
)
def test_units_are_counted_over_all_orders(
    world: World, time: Clock, quantities: list[int], outcome: str
) -> None:
    sale = group_sale(world, FIVE_UNITS)
    for quantity in quantities:
        bought(world, sale, "cus_a", quantity)
    assert judge(world, time) == outcome


def progress(world: World, sale: Sale) -> Json:
    return world.operator.get(f"/v1/campaigns/{sale.campaign_id}").json["progress"]


def test_a_campaign_shows_how_far_it_is(world: World, time: Clock) -> None:
    sale = group_sale(world, TWO_BUYERS)
    nothing = {"buyers": 0, "units": 0, "orders": 0, "waiting_for_payment": 0, "counted_all": True}
    assert progress(world, sale) == nothing
    bought(world, sale, "cus_a", 2)
    bought(world, sale, "cus_a")
    gone = bought(world, sale, "cus_b")
    body = {"amount": gone["total"], "reason": "changed their mind"}
    created(world.operator.post(f"/v1/orders/{gone['id']}/refunds", body))
    waiting = world.place(sale, world.customer("cus_c"))
    assert progress(world, sale) == {
        "buyers": 1,
        "units": 3,
        "orders": 2,
        "waiting_for_payment": 1,
        "counted_all": True,
    }
    assert world.pay(waiting).status == 200
    assert progress(world, sale)["buyers"] == 2
    assert judge(world, time) == "met"
    assert progress(world, sale) is None
    assert progress(world, world.sale()) is None


def test_of_many_orders_the_newest_tell_how_far_it_is(
    world: World, time: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    sale = group_sale(world, TWO_BUYERS)
    for buyer in ("cus_a", "cus_b", "cus_c"):
        bought(world, sale, buyer)
    monkeypatch.setattr("chalicelib.ordering.campaigns.ORDERS_A_LOOK", 2)
    found = progress(world, sale)
    assert (found["orders"], found["counted_all"]) == (2, False)
    monkeypatch.setattr("chalicelib.ordering.campaigns.ORDERS_A_LOOK", 3)
    found = progress(world, sale)
    assert (found["orders"], found["counted_all"]) == (3, True)
    assert judge(world, time) == "met"


def test_who_buys_is_told_of_the_target(world: World) -> None:
    sale, plain = group_sale(world, TWO_BUYERS), world.sale()
    for each, target in ((sale, TWO_BUYERS), (plain, None)):
        path = f"/v1/leaders/{each.leader_id}/campaigns"
        (campaign,) = world.customer().get(path).json["items"]
        assert campaign["target"] == target
        order = world.place(each)
        assert order["depends_on_target"] is (target is not None)
        assert world.order(order["id"])["depends_on_target"] is (target is not None)


def test_one_buyer_of_two_orders_is_one_buyer(world: World, time: Clock) -> None:
    sale = group_sale(world, TWO_BUYERS)
    for _ in range(2):
        bought(world, sale, "cus_a")
    assert judge(world, time) == "missed"


def test_what_was_refunded_does_not_count(world: World, time: Clock) -> None:
    sale = group_sale(world, TWO_BUYERS)
    order = bought(world, sale, "cus_a")
    bought(world, sale, "cus_b")
    world.operator.post(f"/v1/orders/{order['id']}/cancel", {})
    assert judge(world, time) == "missed"


def test_an_unpaid_order_is_waited_for(world: World, time: Clock) -> None:
    sale = group_sale(world, TWO_BUYERS)
    bought(world, sale, "cus_a")
    waiting = world.place(sale, world.customer("cus_b"), payment_method="leader_collect")
    assert judge(world, time) is None
    cash = {"amount": 1000, "reference": "R1"}
    created(world.leader(sale.leader_id).post(f"/v1/orders/{waiting['id']}/payments", cash))
    time.move_on(minutes=2)
    invoke("campaign_close")
    world.work()
    assert len(dispatches(world)) == 2


def test_a_payment_after_a_missed_target_goes_back(world: World, time: Clock) -> None:
    sale = group_sale(world, TWO_BUYERS)
    late = world.place(sale)
    assert judge(world, time) == "missed"
    assert world.pay(late).status == 200
    world.work()
    assert statuses(world, late) == ["refunded"]
    assert world.trial_balance() == {}


def test_a_payment_after_a_met_target_is_dispatched(world: World, time: Clock) -> None:
    sale = group_sale(world, TWO_BUYERS)
    late = world.place(sale, world.customer("cus_c"))
    bought(world, sale, "cus_a")
    bought(world, sale, "cus_b")
    assert judge(world, time) == "met"
    assert world.pay(late).status == 200
    world.work()
    assert statuses(world, late) == ["paid"]
    assert late["id"] in [each["order_id"] for each in dispatches(world)]


def test_a_late_payment_while_the_orders_are_counted_is_counted(world: World, time: Clock) -> None:
    """The order had expired and was not counted: whoever counted it so must count again."""
    sale = group_sale(world, TWO_BUYERS)
    late = world.place(sale, world.customer("cus_b"))
    bought(world, sale, "cus_a")
    time.move_on(minutes=62)
    invoke("order_expire")
    invoke("campaign_close")
    time.move_on(minutes=2)
    count, paid = ordering.all_in_campaign, list[int]()

    def overtaken(campaign_id: str) -> Any:
        found = list(count(campaign_id))
        if not paid:
            paid.append(world.pay(late).status)
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ordering, "all_in_campaign", overtaken)
        invoke("campaign_close")
    assert paid == [200]
    (campaign,) = world.operator.get("/v1/campaigns").json["items"]
    assert campaign["outcome"] is None
    time.move_on(minutes=7)
    invoke("campaign_close")
    world.work()
    assert len(dispatches(world)) == 2


class Killed(BaseException):
    """What Lambda does to a function whose time is over."""


def test_a_campaign_too_large_to_be_counted_holds_back_no_other(world: World, time: Clock) -> None:
    large, other = group_sale(world, TWO_BUYERS), group_sale(world, TWO_BUYERS)
    time.move_on(minutes=62)
    invoke("campaign_close")
    time.move_on(minutes=2)
    count = ordering.all_in_campaign

    def killed(campaign_id: str) -> Iterator[Order]:
        if campaign_id == large.campaign_id:
            raise Killed
        return count(campaign_id)

    def outcomes() -> dict[str, str | None]:
        found = world.operator.get("/v1/campaigns").json["items"]
        return {each["id"]: each["outcome"] for each in found}

    with mock.patch.object(ordering, "all_in_campaign", killed):
        with pytest.raises(Killed):
            invoke("campaign_close")
        invoke("campaign_close")
    assert outcomes() == {large.campaign_id: None, other.campaign_id: "missed"}
    time.move_on(minutes=7)
    invoke("campaign_close")
    assert outcomes()[large.campaign_id] == "missed"


def test_orders_are_counted_page_by_page(
    world: World, time: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "GET_LIMIT", 2)
    sale = group_sale(world, {"kind": "buyers", "count": 9}, stock=20)
    for n in range(9):
        bought(world, sale, f"cus_{n}")
    read, pages = store.get_many, list[int]()

    def counting(row: Any, keys: Any) -> Any:
        pages.append(len(keys))
        return read(row, keys)

    with mock.patch.object(store, "get_many", counting):
        found = ordering.all_in_campaign(sale.campaign_id)
        assert len({order.id for order in found}) == 9
    assert max(pages) == 2
    assert judge(world, time) == "met"


@pytest.mark.parametrize("kind", ["buyers", "units"])
def test_counting_ends_at_the_first_order_that_may_still_be_paid(kind: TargetKind) -> None:
    def orders() -> Iterator[Order]:
        yield an_order()
        yield an_order(status="pending_payment", paid_at=None)
        raise AssertionError("another is read")

    assert campaigns.counted(Target(kind, 1), orders()) is None


def test_a_campaign_is_judged_once(world: World, time: Clock) -> None:
    sale = group_sale(world, TWO_BUYERS)
    bought(world, sale, "cus_a")
    assert judge(world, time) == "missed"
    before = world.operator.get("/v1/campaigns").json
    for _ in range(3):
        time.move_on(minutes=5)
        invoke("campaign_close")
        world.work()
    assert world.operator.get("/v1/campaigns").json == before


def test_an_order_that_the_index_knew_late_goes_on_too(world: World, time: Clock) -> None:
    sale = group_sale(world, {"kind": "buyers", "count": 1})
    order = bought(world, sale, "cus_a")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("chalicelib.ordering.store.orders_in_campaign", lambda *_: [])
        assert judge(world, time) == "met"
    assert dispatches(world) == []
    time.move_on(minutes=3)
    invoke("campaign_close")
    world.work()
    assert [each["order_id"] for each in dispatches(world)] == [order["id"]]


def test_the_platform_hears_the_outcome(world: World, time: Clock) -> None:
    body = {"url": "http://127.0.0.1:9/hook", "event_types": ["campaign.missed", "campaign.met"]}
    created(world.operator.post("/v1/webhook-endpoints", body))
    group_sale(world, TWO_BUYERS)
    judge(world, time)
    (delivery,) = world.operator.get("/v1/webhook-deliveries").json["items"]
    assert delivery["event_type"] == "campaign.missed"


def test_every_order_of_a_large_campaign_goes_back(
    world: World, time: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chalicelib.ordering.campaigns.ORDERS_A_MESSAGE", 2)
    sale = group_sale(world, {"kind": "buyers", "count": 100}, stock=40)
    orders = [bought(world, sale, f"cus_{n}") for n in range(30)]
    assert judge(world, time) == "missed"
    assert set(statuses(world, *orders)) == {"refunded"}
    assert world.stock(sale.sku_ids[0])["on_hand"] == 40


@pytest.mark.parametrize(
    ("target", "field"),
    [
        ({"kind": "buyers", "count": 0}, "target.count"),
        ({"kind": "orders", "count": 1}, "target.kind"),
        ({"kind": "buyers"}, "target.count"),
        ({"kind": "units", "count": 1.5}, "target.count"),
    ],
)
def test_a_target_that_makes_no_sense_is_refused(world: World, target: Json, field: str) -> None:
    sku_id = world.add_product(world.add_supplier())["skus"][0]["id"]
    answer = world.try_campaign([sku_id], target=target)
    assert answer.status == 422
    assert [each["field"] for each in answer.json["errors"]] == [field]


def cancel(world: World, sale: Sale) -> Json:
    answer = world.operator.post(f"/v1/campaigns/{sale.campaign_id}/cancel")
    assert answer.status == 200
    world.work()
    return answer.json


def test_a_cancelled_campaign_sells_nothing_more(world: World) -> None:
    sale = world.sale()
    cancel(world, sale)
    answer = world.customer().post("/v1/orders", world.order_body(sale))
    assert (answer.status, answer.code) == (409, "campaign_not_open")
    assert cancel(world, sale)["status"] == "cancelled"


def test_an_order_placed_while_its_campaign_was_cancelled_is_undone_too(
    world: World, time: Clock
) -> None:
    sale = world.sale()
    order = world.place(sale)
    created_before = world.messages("CAMPAIGN_ORDERS")
    assert world.operator.post(f"/v1/campaigns/{sale.campaign_id}/cancel").status == 200
    # Its first listing came too early to see the order.
    assert created_before == []
    assert len(world.messages("CAMPAIGN_ORDERS")) == 1
    time.move_on(minutes=3)
    invoke("campaign_close")
    world.work()
    assert statuses(world, order) == ["cancelled"]


def test_a_payment_for_a_cancelled_campaign_goes_back(world: World) -> None:
    sale = world.sale()
    order = world.place(sale)
    assert world.operator.post(f"/v1/campaigns/{sale.campaign_id}/cancel").status == 200
    assert world.pay(order).status == 200
    world.work()
    assert statuses(world, order) == ["refunded"]
    assert world.trial_balance() == {}


def test_a_judged_campaign_is_not_cancelled(world: World, time: Clock) -> None:
    sale = group_sale(world, TWO_BUYERS)
    judge(world, time)
    answer = world.operator.post(f"/v1/campaigns/{sale.campaign_id}/cancel")
    assert (answer.status, answer.code) == (409, "campaign_judged")


def test_a_clone_offers_the_same_in_another_window(world: World) -> None:
    sale = group_sale(world, TWO_BUYERS, quantity_breaks=[{"units": 6, "amount": 5000}])
    model = world.operator.get(f"/v1/campaigns/{sale.campaign_id}").json
    opens = clock.now() + timedelta(days=7)
    window = {
        "opens_at": clock.to_text(opens),
        "closes_at": clock.to_text(opens + timedelta(days=2)),
    }
    made = created(world.operator.post(f"/v1/campaigns/{sale.campaign_id}/clone", window))
    kept = ("title", "currency", "for_every_leader", "target", "leader_ids", "offers")
    assert {name: made[name] for name in kept} == {name: model[name] for name in kept}
    assert (made["status"], made["opens_at"]) == ("scheduled", window["opens_at"])
    assert made["id"] != sale.campaign_id


def test_nothing_is_cloned_that_is_not_there(world: World) -> None:
    window = {"opens_at": "2030-01-01T00:00:00Z", "closes_at": "2030-01-02T00:00:00Z"}
    assert world.operator.post("/v1/campaigns/cmp_nope/clone", window).status == 404
    assert world.operator.post("/v1/campaigns/cmp_nope/cancel").status == 404
