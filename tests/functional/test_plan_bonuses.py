"""Bonuses that a plan promises: given with the delivery that they are for, taken back with the
refund that takes it away."""

from typing import Any

import pytest

from chalicelib.ordering.store import OrderRow, get_order
from chalicelib.plans import checking
from chalicelib.settlement.bonus_store import BonusRow
from tests.functional.test_plans import (
    PLANS,
    TODAY,
    TOMORROW,
    a_plan,
    abroad,
    edit_leader,
    lines_of,
    malaysia,
    planned_sale,
    put_on,
    refund,
    refused,
    rule,
    settle,
    time,
    try_version,
)
from tests.functional.workers.conftest import StillClock
from tests.support.invariants import findings
from tests.support.world import Json, Sale, World, created

__all__ = ["malaysia", "time"]

FIRST: Json = {"kind": "first_order", "amount": 500}


def total(threshold: int, amount: int) -> Json:
    return {"kind": "campaign_total", "threshold": threshold, "amount": amount}


def a_sale(world: World, *bonuses: Json, plan_id: str | None = None) -> Sale:
    """One by a leader whose plan promises these; a unit is 10.00, of which it has 1.00."""
    return planned_sale(world, plan_id or a_plan(world, bonuses=list(bonuses)))


def delivered(world: World, sale: Sale, units: int = 1, customer: str = "cus_alice") -> Json:
    order = world.paid_order(sale, world.customer(customer), quantity=units)
    world.move(order["dispatches"][0]["id"], "accept", "ship", "deliver")
    return order


def standing(world: World, leader_id: str) -> list[tuple[str, int]]:
    """The leader's bonuses that were not taken back, the last first."""
    return [
        (each["kind"], each["amount"])
        for each in bonuses_of(world, leader_id)
        if each["taken_back_at"] is None
    ]


def bonuses_of(world: World, leader_id: str) -> list[Json]:
    answer = world.leader(leader_id).get(f"/v1/leaders/{leader_id}/bonuses")
    assert answer.status == 200, answer.text
    return list(answer.json["items"])


def has(world: World, leader_id: str) -> tuple[int, int]:
    """What is pending and available to the leader."""
    now = world.operator.get(f"/v1/leaders/{leader_id}/balance").json
    return now["pending"], now["available"]


def told(world: World, sale: Sale, time: StillClock) -> list[tuple[str, int]]:
    lines = lines_of(world, sale.leader_id, settle(world, time))
    return sorted((line["kind"], line["amount"]) for line in lines)


def whole(world: World) -> None:
    world.work()
    assert findings() == []


def test_a_first_order_brings_a_bonus_with_its_first_delivery(
    world: World, time: StillClock
) -> None:
    sale = a_sale(world, FIRST)
    order = world.paid_order(sale)
    assert (bonuses_of(world, sale.leader_id), has(world, sale.leader_id)) == ([], (0, 0))
    world.move(order["dispatches"][0]["id"], "accept", "ship", "deliver")
    (bonus,) = bonuses_of(world, sale.leader_id)
    assert (bonus["kind"], bonus["amount"], bonus["currency"]) == ("first_order", 500, "EUR")
    assert (bonus["order_id"], bonus["plan_version"]) == (order["id"], 1)
    assert has(world, sale.leader_id) == (600, 0)
    # Of the revenue of 2.00 that a unit leaves.
    assert world.trial_balance()["platform:revenue"] == -200 + 500
    whole(world)
    day = settle(world, time)
    assert has(world, sale.leader_id) == (0, 600)
    lines = lines_of(world, sale.leader_id, day)
    (n,) = [n for n, line in enumerate(lines, start=1) if line["kind"] == "bonus"]
    path = f"/v1/leaders/{sale.leader_id}/statements/run_{day}/lines/{n}"
    line = world.leader(sale.leader_id).get(path).json
    assert (line["rule"], line["basis"], line["amount"]) == ("first_order", "first_order", 500)
    assert (line["plan_version"], line["order_id"]) == (1, order["id"])
    assert line["entry"]["id"] == f"bonus:{bonus['id']}"
    assert line["settled_by"]["id"].startswith("matured:")
    whole(world)


def test_a_customer_is_new_once_on_the_whole_platform(world: World, time: StillClock) -> None:
    plan_id = a_plan(world, bonuses=[FIRST])
    first, other = a_sale(world, plan_id=plan_id), a_sale(world, plan_id=plan_id)
    for sale in (first, first, other):
        delivered(world, sale)
    delivered(world, other, customer="cus_bob")
    assert standing(world, first.leader_id) == [("first_order", 500)]
    assert standing(world, other.leader_id) == [("first_order", 500)]
    assert {each["order_id"] for each in bonuses_of(world, other.leader_id)} != {None}
    whole(world)


def test_whoever_had_something_delivered_before_is_not_new(world: World, time: StillClock) -> None:
    plain = a_sale(world)
    delivered(world, plain)
    world.paid_order(plain, world.customer("cus_bob"))
    sale = a_sale(world, FIRST)
    for customer in ("cus_alice", "cus_bob"):
        delivered(world, sale, customer=customer)
    (bonus,) = bonuses_of(world, sale.leader_id)
    assert world.order(bonus["order_id"])["customer_id"] == "cus_bob"
    whole(world)


def test_a_parcel_that_came_before_is_enough_not_to_be_new(world: World, time: StillClock) -> None:
    """Though the rest of its dispatch is still on its way, and though it was refunded since."""
    before = world.paid_order(world.sale(), quantity=2)
    path = f"/v1/dispatches/{before['dispatches'][0]['id']}"
    assert world.operator.post(f"{path}/accept", {}).status == 200
    one = {"lines": [{"sku_id": before["lines"][0]["sku_id"], "quantity": 1}]}
    sent = world.operator.post(
        f"{path}/ship", {"carrier": "DHL", "tracking_number": "T1", **one}
    ).json
    parcel = f"{path}/parcels/{sent['parcels'][0]['id']}/deliver"
    assert world.operator.post(parcel, {}).status == 200
    refund(world, before, 2)
    sale = a_sale(world, FIRST)
    delivered(world, sale)
    assert bonuses_of(world, sale.leader_id) == []
    whole(world)


def test_an_order_keeps_the_bonuses_that_it_was_placed_under(
    world: World, time: StillClock
) -> None:
    plan_id = a_plan(world, bonuses=[FIRST])
    sale = planned_sale(world, plan_id)
    created(try_version(world, plan_id, rule(), day=TOMORROW, bonuses=[{**FIRST, "amount": 900}]))
    before = world.paid_order(sale)
    time.move_on(days=1)
    after = world.paid_order(sale, world.customer("cus_bob"))
    for order in (before, after):
        world.move(order["dispatches"][0]["id"], "accept", "ship", "deliver")
    found = {each["order_id"]: each for each in bonuses_of(world, sale.leader_id)}
    for order, amount, version in ((before, 500, 1), (after, 900, 2)):
        bonus = found[order["id"]]
        assert (bonus["amount"], bonus["plan_version"]) == (amount, version)
    whole(world)


def test_an_order_whose_offers_name_their_commission_is_under_no_plan(
    world: World, time: StillClock
) -> None:
    sale = world.sale()
    put_on(world, sale.leader_id, a_plan(world, bonuses=[FIRST, total(1, 100)]))
    delivered(world, sale)
    assert bonuses_of(world, sale.leader_id) == []
    whole(world)


def test_a_whole_refund_takes_it_back_before_a_run(world: World, time: StillClock) -> None:
    sale = a_sale(world, FIRST)
    order = delivered(world, sale, 2)
    refund(world, order, 1)
    assert has(world, sale.leader_id) == (600, 0)
    whole(world)
    refund(world, order, 1)
    assert has(world, sale.leader_id) == (0, 0)
    (bonus,) = bonuses_of(world, sale.leader_id)
    assert bonus["taken_back_by"] == world.order(order["id"])["refunds"][-1]
    day = settle(world, time)
    lines = lines_of(world, sale.leader_id, day)
    assert sorted((line["kind"], line["amount"]) for line in lines) == [
        ("bonus", 500),
        ("clawback", -500),
    ]
    for n, line in enumerate(lines, start=1):
        path = f"/v1/leaders/{sale.leader_id}/statements/run_{day}/lines/{n}"
        explained = world.operator.get(path).json
        named = {"bonus": "bonus", "clawback": "bonus-back"}[line["kind"]]
        assert explained["entry"]["id"] == f"{named}:{bonus['id']}"
        assert explained["rule"] == "first_order"
    assert world.trial_balance() == {}
    whole(world)
    delivered(world, sale)
    assert standing(world, sale.leader_id) == []
    whole(world)


def test_a_whole_refund_takes_it_back_after_a_run(world: World, time: StillClock) -> None:
    sale = a_sale(world, FIRST)
    order = delivered(world, sale)
    assert told(world, sale, time) == [("bonus", 500), ("commission", 100)]
    refund(world, order, 1)
    assert has(world, sale.leader_id) == (0, 0)
    assert told(world, sale, time) == [("clawback", -500), ("clawback", -100)]
    assert world.trial_balance() == {}
    whole(world)


@pytest.mark.parametrize("bearer", ["supplier", "platform"])
def test_a_bonus_is_taken_back_whoever_bears_the_commission(
    world: World, time: StillClock, bearer: str
) -> None:
    assert world.operator.put("/v1/refund-bearers", {"other": bearer}).status == 200
    sale = a_sale(world, FIRST)
    refund(world, delivered(world, sale), 1)
    assert has(world, sale.leader_id) == (100, 0)
    whole(world)


def test_what_is_never_delivered_ends_an_order_whose_rest_was_refunded(
    world: World, time: StillClock
) -> None:
    """Its delivered half is refunded first, the other is rejected then: nothing is left of it."""
    mine, other = a_sale(world, FIRST), world.sale()
    sku_ids, leader_id = [*mine.sku_ids, *other.sku_ids], mine.leader_id
    campaign = world.add_campaign(sku_ids, [leader_id], commission=None)
    sale = Sale(mine.supplier_id, leader_id, campaign["id"], mine.product_id, sku_ids)
    order = world.paid_order(sale)
    first, second = sorted(
        order["dispatches"], key=lambda each: each["supplier_id"] != mine.supplier_id
    )
    world.move(first["id"], "accept", "ship", "deliver")
    assert standing(world, leader_id) == [("first_order", 500)]
    body = {"lines": [{"sku_id": mine.sku_ids[0], "quantity": 1}], "reason": "broken"}
    created(world.operator.post(f"/v1/orders/{order['id']}/refunds", body))
    assert standing(world, leader_id) == [("first_order", 500)]
    reject = {"reason": "gone"}
    assert world.operator.post(f"/v1/dispatches/{second['id']}/reject", reject).status == 200
    world.work()
    assert world.order(order["id"])["status"] == "refunded"
    assert (standing(world, leader_id), has(world, leader_id)) == ([], (0, 0))
    whole(world)


def test_a_campaigns_total_reaches_its_thresholds_once_each(world: World, time: StillClock) -> None:
    sale = a_sale(world, total(3000, 200), total(5000, 400))
    delivered(world, sale, 2)
    assert standing(world, sale.leader_id) == []
    delivered(world, sale, 1)
    assert standing(world, sale.leader_id) == [("campaign_total", 200)]
    time.move_on(seconds=1)
    delivered(world, sale, 3)
    assert standing(world, sale.leader_id) == [("campaign_total", 400), ("campaign_total", 200)]
    delivered(world, sale, 9)
    assert len(bonuses_of(world, sale.leader_id)) == 2
    assert has(world, sale.leader_id) == (1500 + 600, 0)
    whole(world)
    lines = lines_of(world, sale.leader_id, settle(world, time))
    assert sorted(
        (line["basis_amount"], line["amount"], line["rule"])
        for line in lines
        if line["kind"] == "bonus"
    ) == [(n, m, f"campaign_total:{sale.campaign_id}") for n, m in ((3000, 200), (5000, 400))]
    whole(world)


def test_one_delivery_reaches_several_thresholds(world: World, time: StillClock) -> None:
    sale = a_sale(world, FIRST, *(total(1000 * n, n) for n in range(1, 10)))
    delivered(world, sale, 9)
    assert len(standing(world, sale.leader_id)) == 10
    assert has(world, sale.leader_id) == (900 + 500 + sum(range(1, 10)), 0)
    whole(world)


def test_a_total_is_of_one_leader_and_one_campaign(world: World, time: StillClock) -> None:
    plan_id = a_plan(world, bonuses=[total(3000, 200)])
    first, other = a_sale(world, plan_id=plan_id), a_sale(world, plan_id=plan_id)
    again = world.sale(leader_id=first.leader_id, commission=None)
    for sale in (first, other, again):
        delivered(world, sale, 2)
    for sale in (first, other, again):
        assert standing(world, sale.leader_id) == []
    delivered(world, again, 1)
    assert standing(world, first.leader_id) == [("campaign_total", 200)]
    whole(world)


def test_a_total_that_falls_below_loses_its_bonus_and_may_have_it_again(
    world: World, time: StillClock
) -> None:
    sale = a_sale(world, total(3000, 200))
    order = delivered(world, sale, 3)
    assert told(world, sale, time) == [("bonus", 200), ("commission", 300)]
    refund(world, order, 1)
    assert standing(world, sale.leader_id) == []
    assert has(world, sale.leader_id) == (0, 200)
    whole(world)
    delivered(world, sale, 1)
    (bonus,) = bonuses_of(world, sale.leader_id)
    assert (bonus["times"], bonus["taken_back_at"]) == (2, None)
    assert has(world, sale.leader_id) == (100 + 200, 200)
    whole(world)
    assert told(world, sale, time) == [
        ("bonus", 200),
        ("clawback", -200),
        ("clawback", -100),
        ("commission", 100),
    ]
    assert has(world, sale.leader_id) == (0, 500)
    whole(world)


def test_what_stays_above_the_threshold_keeps_its_bonus(world: World, time: StillClock) -> None:
    sale = a_sale(world, total(3000, 200))
    order = delivered(world, sale, 4)
    refund(world, order, 1)
    assert standing(world, sale.leader_id) == [("campaign_total", 200)]
    body = {"amount": 1, "reason": "a pity"}
    created(world.operator.post(f"/v1/orders/{order['id']}/refunds", body))
    assert standing(world, sale.leader_id) == []
    whole(world)


def test_bonuses_are_listed_for_their_leader_the_last_first(world: World, time: StillClock) -> None:
    leader_id = world.add_leader()
    path = f"/v1/leaders/{leader_id}/bonuses"
    for n in range(3):
        time.move_on(seconds=1)
        created(world.operator.post(path, {"task": "sales", "amount": 1, "reference": f"r{n}"}))
    pages, cursor = [], ""
    for _ in range(3):
        found = world.leader(leader_id).get(f"{path}?limit=1{cursor}").json
        pages += [each["reference"] for each in found["items"]]
        cursor = f"&cursor={found['next_cursor']}"
    assert (pages, found["next_cursor"]) == (["r2", "r1", "r0"], None)
    assert [each["reference"] for each in world.operator.get(path).json["items"]] == pages
    assert world.leader(world.add_leader()).get(path).status == 404
    assert world.customer().get(path).status == 403
    assert world.operator.get("/v1/leaders/ldr_none/bonuses").status == 404
    assert world.operator.get(f"{path}?cursor=forged").status == 400


@pytest.mark.parametrize(
    ("bonus", "field"),
    [
        ({"kind": "first_order", "amount": 0}, "bonuses.0.amount"),
        ({"kind": "first_order", "amount": 5, "threshold": 5}, "bonuses.0"),
        ({"kind": "campaign_total", "amount": 5}, "bonuses.0"),
        ({"kind": "campaign_total", "amount": 5, "threshold": 0}, "bonuses.0.threshold"),
        ({"kind": "birthday", "amount": 5}, "bonuses.0.kind"),
        ({"kind": "first_order", "amount": 5, "joining_fee": 5}, "bonuses.0"),
    ],
)
def test_a_bonus_that_says_nothing_sound_is_refused(
    world: World, time: StillClock, bonus: Json, field: str
) -> None:
    plan_id = created(world.operator.post(PLANS, {"name": "Shops", "currency": "EUR"}))["id"]
    answer = try_version(world, plan_id, rule(), bonuses=[bonus])
    assert (answer.status, answer.json["errors"][0]["field"]) == (422, field)


def test_bonuses_are_told_apart_few_and_in_the_plans_currency(
    world: World, time: StillClock
) -> None:
    def save(bonuses: list[Json], **said: Any) -> Any:
        plan_id = created(world.operator.post(PLANS, {"name": "Shops", **said}))["id"]
        return try_version(world, plan_id, rule(), bonuses=bonuses)

    answer = save([FIRST, {**FIRST, "amount": 1}], currency="EUR")
    assert refused(answer, 422, "invalid_request", "bonuses.1")
    answer = save([total(10, 1), total(10, 2)], currency="EUR")
    assert refused(answer, 422, "invalid_request", "campaign_total:10")
    assert refused(save([FIRST]), 422, "invalid_request", "bonuses.0", "no currency")
    assert save([total(n, 1) for n in range(1, 12)], currency="EUR").status == 422
    made = created(save([total(n, 1) for n in range(1, 11)], currency="EUR"))
    assert made["bonuses"][0] == {"kind": "campaign_total", "amount": 1, "threshold": 1}


def test_a_change_of_bonuses_is_noted_with_the_plan(world: World, time: StillClock) -> None:
    plan_id = a_plan(world, bonuses=[FIRST])
    created(try_version(world, plan_id, rule(), day=TOMORROW, bonuses=[total(3000, 200)]))
    change = world.operator.get(f"{PLANS}/{plan_id}/changes").json["items"][0]
    differences = {each["field"]: (each["before"], each["after"]) for each in change["differences"]}
    assert differences == {
        "effective_from": (TODAY, TOMORROW),
        "version": ("1", "2"),
        "bonuses.first_order": ("500", None),
        "bonuses.campaign_total:3000": (None, "200"),
    }


def test_a_draft_may_promise_what_a_version_may(world: World, time: StillClock) -> None:
    plan_id = a_plan(world)
    path = f"{PLANS}/{plan_id}/simulate"
    body: Json = {"rules": [rule()], "month": "2026-03"}
    assert world.operator.post(path, {**body, "bonuses": [FIRST]}).status == 200
    assert world.operator.post(path, {**body, "bonuses": [FIRST, FIRST]}).status == 422


@pytest.mark.parametrize("bonus", [FIRST, total(2000, 500)])
@pytest.mark.parametrize("runs", [0, 1, 2])
def test_a_chargeback_takes_a_bonus_back_and_gives_it_again_once_it_is_won(
    world: World, time: StillClock, bonus: Json, runs: int
) -> None:
    sale = a_sale(world, bonus)
    order = delivered(world, sale, 2)
    if runs == 2:
        settle(world, time)
    body = {"order_id": order["id"], "amount": 2000, "fee": 0, "reference": "dp_1"}
    made = created(world.operator.post("/v1/chargebacks", body))
    assert (standing(world, sale.leader_id), sum(has(world, sale.leader_id))) == ([], 0)
    whole(world)
    if runs:
        settle(world, time)
    path = f"/v1/chargebacks/{made['id']}/close"
    for _ in range(2):
        assert world.operator.post(path, {"outcome": "won"}).status == 200
    assert len(standing(world, sale.leader_id)) == 1
    assert sum(has(world, sale.leader_id)) == 200 + 500
    whole(world)
    settle(world, time)
    assert has(world, sale.leader_id) == (0, 700)
    whole(world)
    delivered(world, sale, 2)
    assert len(standing(world, sale.leader_id)) == 1
    assert has(world, sale.leader_id) == (200, 700)
    whole(world)


def test_many_parcels_that_reach_every_threshold_arrive_at_once(
    malaysia: World, time: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five leaders earn by each, as under a version of before bonuses beside uplines were refused.
    More than one transaction holds: they arrive in some, and each bonus is given once."""
    monkeypatch.setattr(checking, "check_bonuses", lambda *_: None)
    world, promised = malaysia, [FIRST, *(total(1000 * n, 1) for n in range(1, 10))]
    levels = [{"level": 1, "bps": 200}, {"level": 2, "bps": 100}]
    split = [
        {"role": role, "bps": bps}
        for role, bps in (("promoter", 8000), ("pickup_point", 1500), ("hub", 500))
    ]
    terms: Json = {"country": "MY", "upline": levels, "bonuses": promised}
    plan_id = a_plan(world, rule(split=split), **terms)
    seller, shop, hub, above, top = (abroad(world, "MY") for _ in range(5))
    edit_leader(world, above, invited_by=top)
    edit_leader(world, seller, pickup_leader_id=shop, hub_id=hub, invited_by=above)
    put_on(world, seller, plan_id)
    sale = world.sale(leader_id=seller, commission=None)
    order = world.paid_order(sale, quantity=20)
    path = f"/v1/dispatches/{order['dispatches'][0]['id']}"
    assert world.operator.post(f"{path}/accept", {}).status == 200
    one = {"lines": [{"sku_id": sale.sku_ids[0], "quantity": 1}]}
    for n in range(20):
        body = {"carrier": "DHL", "tracking_number": f"T{n}", **one}
        assert world.operator.post(f"{path}/ship", body).status == 200
    assert world.operator.post(f"{path}/deliver", {}).json["status"] == "delivered"
    assert len(standing(world, seller)) == len(promised)
    assert has(world, seller) == (1600 + 500 + 9, 0)
    whole(world)


def test_an_order_under_no_bonus_is_stored_as_before(world: World, time: StillClock) -> None:
    """So that placing it is not a byte more to write, and delivering it not an item more."""
    order = delivered(world, a_sale(world))
    kept = get_order(order["id"])
    assert kept is not None
    assert "bonuses" not in OrderRow.of(kept).serialize()
    rows = {row.sk.partition("#")[0] for row in BonusRow.scan()}
    assert not rows & {"bonus", "given", "first_order", "campaign_total"}


def test_what_was_pending_is_settled_by_the_run_also_where_it_is_taken_back(
    world: World, time: StillClock
) -> None:
    sale = a_sale(world, FIRST)
    refund(world, delivered(world, sale), 1)
    delivered(world, sale, customer="cus_bob")
    day = settle(world, time)
    settled_by = set()
    for n, line in enumerate(lines_of(world, sale.leader_id, day), start=1):
        path = f"/v1/leaders/{sale.leader_id}/statements/run_{day}/lines/{n}"
        settled_by.add((line["kind"], world.operator.get(path).json["settled_by"]["id"]))
    run = f"matured:run_{day}:{sale.leader_id}"
    assert settled_by == {(kind, run) for kind in ("bonus", "clawback", "commission")}
    whole(world)
