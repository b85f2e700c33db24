"""Daily caps and bonuses of a draft: a month side by side with what leaders were really brought."""

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest

from chalicelib.kernel import clock, ids
from chalicelib.ordering import store as ordering
from chalicelib.ordering.rules import Order
from chalicelib.simulation import counting, service, store
from tests.functional.test_plan_bonuses import FIRST, delivered, has, total, whole
from tests.functional.test_plans import (
    PLANS,
    a_plan,
    edit_leader,
    lines_of,
    planned_sale,
    refund,
    rule,
    settle,
    try_version,
)
from tests.functional.workers.conftest import NOON, StillClock
from tests.support.snapshot import snapshot
from tests.support.world import Json, Sale, World, created

MARCH, APRIL = "2026-03", "2026-04"
KINDS = ("commission", "cap", "bonus")
CAPPED: Json = rule(cap={"day": 250})
SPLIT = [
    {"role": role, "bps": bps}
    for role, bps in (("promoter", 8000), ("pickup_point", 1500), ("hub", 500))
]


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> StillClock:
    """By which ids are made too, one after another, for orders are listed by them."""
    still, made = StillClock(NOON), count()
    monkeypatch.setattr(clock, "now", still.now)
    monkeypatch.setattr(
        ids, "new", lambda prefix: f"{ids.first_at(prefix, still.now())}{next(made):016x}"
    )
    return still


def simulate(world: World, plan_id: str, *rules: Json, month: str = MARCH, **said: Any) -> Json:
    body = {"rules": list(rules or [rule()]), "month": month, **said}
    answer = world.operator.post(f"{PLANS}/{plan_id}/simulate", body)
    assert answer.status in (200, 202), answer.text
    world.work()
    path = f"{PLANS}/{plan_id}/simulations/{answer.json['id']}"
    found = world.operator.get(path).json
    assert found["status"] == "completed"
    for each in (*found["totals"], *found["leaders"]):
        for side in ("earned", "would_earn", "difference"):
            assert sum(of_kind[side] for of_kind in each["by_kind"].values()) == each[side]
    return found


def side(simulation: Json, leader_id: str, name: str) -> dict[str, int]:
    """What a leader earned, or would have, by kind; without kinds that come to nothing."""
    (of_leader,) = [each for each in simulation["leaders"] if each["leader_id"] == leader_id]
    amounts = {kind: of_leader["by_kind"][kind][name] for kind in KINDS}
    return {kind: amount for kind, amount in amounts.items() if amount}


def stated(world: World, leader_id: str, day: str) -> dict[str, int]:
    """What the lines of a leader's statement come to, by what they bring or take back."""
    found = Counter[str]()
    for line in lines_of(world, leader_id, day):
        kind = {"day_cap": "cap", "sales": "commission"}.get(line["basis"], "bonus")
        found[kind] += line["amount"]
    return {kind: amount for kind, amount in found.items() if amount}


def in_parcels(world: World, sale: Sale, time: StillClock, customer: str) -> None:
    """An order whose two units arrive on two days."""
    order = world.paid_order(sale, world.customer(customer), quantity=2)
    path = f"/v1/dispatches/{order['dispatches'][0]['id']}"
    assert world.operator.post(f"{path}/accept", {}).status == 200
    one = {"lines": [{"sku_id": sale.sku_ids[0], "quantity": 1}]}
    for n in range(2):
        body = {"carrier": "DHL", "tracking_number": f"{customer}{n}", **one}
        parcels = world.operator.post(f"{path}/ship", body).json["parcels"]
        answer = world.operator.post(f"{path}/parcels/{parcels[-1]['id']}/deliver", {})
        assert answer.status == 200, answer.text
        time.move_on(days=1)


class Month:
    """A month of two sellers with a shop and a hub, under a plan with caps and bonuses."""

    def __init__(self, world: World, time: StillClock) -> None:
        self.rules: Json = rule(1111, split=SPLIT, cap={"day": 450})
        self.bonuses = [FIRST, total(4000, 300), total(9000, 700)]
        self.plan_id = a_plan(world, self.rules, bonuses=self.bonuses)
        self.sales = [planned_sale(world, self.plan_id, price=999) for _ in range(2)]
        self.shop, self.hub = world.add_leader(), world.add_leader()
        for sale in self.sales:
            edit_leader(world, sale.leader_id, pickup_leader_id=self.shop, hub_id=self.hub)
        for n, sale in enumerate(self.sales):
            delivered(world, sale, 3)
            in_parcels(world, sale, time, f"cus_{n}")
            refund(world, delivered(world, sale, 4, f"cus_{n + 1}"), 2)
            refund(world, delivered(world, sale, 2, f"cus_whole_{n}"), 2)
            delivered(world, sale, 5, "cus_late")
            world.place(sale)
        self.leaders = [*(sale.leader_id for sale in self.sales), self.shop, self.hub]
        self.day = settle(world, time)

    def simulate(self, world: World, **said: Any) -> Json:
        return simulate(world, self.plan_id, self.rules, bonuses=self.bonuses, **said)

    def differs(self, world: World, found: Json) -> list[str]:
        """The leaders whose statement says otherwise than either side of a simulation."""
        return [
            each
            for each in self.leaders
            for name in ("earned", "would_earn")
            if side(found, each, name) != stated(world, each, self.day)
        ]


def test_the_plan_that_was_in_force_comes_to_what_statements_say(
    world: World, time: StillClock
) -> None:
    month = Month(world, time)
    before = snapshot(world.environment)
    found = month.simulate(world)
    after = snapshot(world.environment)
    own = ("PLANS_TABLE", "IDEMPOTENCY_TABLE")
    assert {**after, **{name: before[name] for name in own}} == before
    assert month.differs(world, found) == []
    (of_all,) = found["totals"]
    assert of_all["difference"] == 0
    assert all(of_all["by_kind"][kind]["earned"] for kind in KINDS)
    assert set(side(found, month.hub, "earned")) == {"commission"}
    assert of_all["earned"] == sum(has(world, each)[1] for each in month.leaders)
    whole(world)


def in_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each order is a step of its own, and a message."""
    for name in ("PAGES_A_STEP", "ORDERS_A_PAGE", "STEPS_A_MESSAGE"):
        monkeypatch.setattr(service, name, 1)


def in_narrow_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """A step writes what an order or two come to, and stops within a page of them."""
    monkeypatch.setattr(counting, "MOST_SUMS", 10)


def in_steps_of_few_orders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "ORDERS_A_PAGE", 2)
    monkeypatch.setattr(service, "ORDERS_A_STEP", 3)


@pytest.mark.parametrize("steps", [in_steps, in_narrow_steps, in_steps_of_few_orders])
def test_steps_come_to_the_same(
    world: World,
    time: StillClock,
    monkeypatch: pytest.MonkeyPatch,
    steps: Callable[[pytest.MonkeyPatch], None],
) -> None:
    monkeypatch.setattr(ordering, "LISTING_SHARDS", 1)
    month = Month(world, time)
    at_once = month.simulate(world)
    steps(monkeypatch)
    body = {"rules": [month.rules], "bonuses": month.bonuses, "month": MARCH}
    path = f"{PLANS}/{month.plan_id}/simulate"
    assert world.operator.post(path, body).json["status"] == "running"
    found = month.simulate(world)
    same = ("orders", "totals", "leaders")
    assert [found[name] for name in same] == [at_once[name] for name in same]
    assert month.differs(world, found) == []


@pytest.mark.parametrize("forgotten", ["kept_days", "kept_totals"])
def test_control_steps_that_forget_what_crosses_orders_differ(
    world: World, time: StillClock, monkeypatch: pytest.MonkeyPatch, forgotten: str
) -> None:
    month = Month(world, time)
    in_steps(monkeypatch)
    monkeypatch.setattr(store, forgotten, lambda simulation_id, of: {})
    assert month.differs(world, month.simulate(world)) != []


def test_steps_that_are_taken_twice_count_once(
    world: World, time: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    month = Month(world, time)
    at_once = month.simulate(world)
    in_steps(monkeypatch)
    body = {"rules": [month.rules], "bonuses": month.bonuses, "month": MARCH}
    made = world.operator.post(f"{PLANS}/{month.plan_id}/simulate", body).json
    stale = service.simulation_of(month.plan_id, made["id"])
    while waiting := world.messages("PLAN_SIMULATE"):
        for message in (*waiting, *waiting):
            service.go_on(message["subject"])
    with monkeypatch.context() as once_more:
        once_more.setattr(store, "get_simulation", lambda _: stale)
        service.go_on(stale.id)
    world.work()
    path = f"{PLANS}/{month.plan_id}/simulations/{made['id']}"
    assert world.operator.get(path).json["leaders"] == at_once["leaders"]


def test_a_draft_caps_what_one_day_brings_under_each_rule(world: World, time: StillClock) -> None:
    plan_id = a_plan(world)
    sale = planned_sale(world, plan_id, skus=2)
    for customer in ("cus_alice", "cus_bob"):
        delivered(world, sale, 2, customer)
    time.move_on(days=1)
    delivered(world, sale, 1)
    own: Json = rule(2000, match={"sku_id": sale.sku_ids[0]}, cap={"day": 1000})
    found = simulate(world, plan_id, own, CAPPED)
    assert side(found, sale.leader_id, "earned") == {"commission": 2 * 2 * 200 + 200}
    # Of the first SKU 8.00 and 2.00, of the other one 4.00 of which 2.50 are left, and 1.00.
    assert side(found, sale.leader_id, "would_earn") == {"commission": 1000 + 500, "cap": -150}


def test_a_cap_that_was_in_force_is_no_part_of_a_draft_without_it(
    world: World, time: StillClock
) -> None:
    plan_id = a_plan(world, CAPPED)
    sale = planned_sale(world, plan_id)
    for customer in ("cus_alice", "cus_bob"):
        delivered(world, sale, 2, customer)
    found = simulate(world, plan_id, rule(500))
    assert side(found, sale.leader_id, "earned") == {"commission": 400, "cap": -150}
    assert side(found, sale.leader_id, "would_earn") == {"commission": 200}
    (of_leader,) = found["leaders"]
    assert (of_leader["earned"], of_leader["would_earn"], of_leader["difference"]) == (
        250,
        200,
        -50,
    )


def test_of_versions_of_a_day_the_highest_cap_counted(world: World, time: StillClock) -> None:
    plan_id = a_plan(world, CAPPED)
    sale = planned_sale(world, plan_id)
    before = world.paid_order(sale, quantity=4)
    time.move_on(days=1)
    created(try_version(world, plan_id, rule(cap={"day": 300}), day="2026-03-11"))
    time.move_on(seconds=2)
    after = world.paid_order(sale, quantity=1)
    for order in (before, after):
        world.move(order["dispatches"][0]["id"], "accept", "ship", "deliver")
    found = simulate(world, plan_id, rule(cap={"day": 300}))
    assert side(found, sale.leader_id, "earned") == {"commission": 500, "cap": -200}
    assert stated(world, sale.leader_id, settle(world, time)) == {"commission": 500, "cap": -200}


def test_what_is_not_delivered_is_under_no_cap_and_brings_no_bonus(
    world: World, time: StillClock
) -> None:
    plan_id = a_plan(world, CAPPED, bonuses=[FIRST, total(3000, 200)])
    sale = planned_sale(world, plan_id)
    order = world.paid_order(sale, quantity=4)
    draft: Json = {"bonuses": [FIRST, total(4000, 100)]}
    found = simulate(world, plan_id, CAPPED, **draft)
    for name in ("earned", "would_earn"):
        assert side(found, sale.leader_id, name) == {"commission": 400}
    world.move(order["dispatches"][0]["id"], "accept", "ship", "deliver")
    found = simulate(world, plan_id, CAPPED, **draft)
    of_cap = {"commission": 400, "cap": -150}
    assert side(found, sale.leader_id, "earned") == {**of_cap, "bonus": 500 + 200}
    assert side(found, sale.leader_id, "would_earn") == {**of_cap, "bonus": 500 + 100}


def test_a_first_order_is_the_first_of_any_month_and_leader(world: World, time: StillClock) -> None:
    plan_id = a_plan(world)
    sale, other = planned_sale(world, plan_id), world.sale()
    delivered(world, other)
    delivered(world, sale, customer="cus_bob")
    time.move_to("2026-04-02T12:00:00.000Z")
    sale = world.sale(leader_id=sale.leader_id, commission=None)
    for customer in ("cus_alice", "cus_bob", "cus_carl", "cus_carl"):
        delivered(world, sale, customer=customer)
    for month, commission in ((MARCH, 100), (APRIL, 400)):
        found = simulate(world, plan_id, month=month, bonuses=[FIRST])
        assert side(found, sale.leader_id, "earned") == {"commission": commission}
        assert side(found, sale.leader_id, "would_earn") == {
            "commission": commission,
            "bonus": 500,
        }


def test_the_first_order_is_the_one_that_arrives_first(world: World, time: StillClock) -> None:
    plan_id = a_plan(world)
    slow, quick = planned_sale(world, plan_id), planned_sale(world, plan_id)
    unpaid, late = world.place(slow), world.paid_order(slow)
    for _ in range(12):
        world.place(slow)
    time.move_on(hours=1)
    delivered(world, quick)
    time.move_on(hours=1)
    world.move(late["dispatches"][0]["id"], "accept", "ship", "deliver")
    assert unpaid["status"] == "pending_payment"
    found = simulate(world, plan_id, bonuses=[FIRST])
    assert side(found, slow.leader_id, "would_earn") == {"commission": 100}
    assert side(found, quick.leader_id, "would_earn") == {"commission": 100, "bonus": 500}


def test_the_first_order_that_the_plan_in_force_found_is_taken_as_it_was(
    world: World, time: StillClock
) -> None:
    """One that was told late, of goods that arrived before."""
    plan_id = a_plan(world, bonuses=[FIRST])
    late, first = planned_sale(world, plan_id), planned_sale(world, plan_id)
    order = world.paid_order(late)
    world.move(order["dispatches"][0]["id"], "accept", "ship")
    time.move_on(hours=1)
    delivered(world, first)
    path = f"/v1/dispatches/{order['dispatches'][0]['id']}/deliver"
    arrived = {"delivered_at": "2026-03-10T12:00:00.000Z"}
    assert world.operator.post(path, arrived).status == 200
    found = simulate(world, plan_id, bonuses=[FIRST])
    for name in ("earned", "would_earn"):
        assert side(found, first.leader_id, name) == {"commission": 100, "bonus": 500}
        assert side(found, late.leader_id, name) == {"commission": 100}


def test_a_refund_takes_a_bonus_back_on_both_sides(world: World, time: StillClock) -> None:
    bonuses = [FIRST, total(3000, 200)]
    plan_id = a_plan(world, bonuses=bonuses)
    sale = planned_sale(world, plan_id)
    order = delivered(world, sale, 3)
    for refunded, left in ((0, {"commission": 300, "bonus": 700}), (1, {"commission": 200})):
        if refunded:
            refund(world, order, refunded)
            left["bonus"] = 500
        found = simulate(world, plan_id, bonuses=bonuses)
        for name in ("earned", "would_earn"):
            assert side(found, sale.leader_id, name) == left
    refund(world, order, 2)
    found = simulate(world, plan_id, bonuses=bonuses)
    for name in ("earned", "would_earn"):
        assert side(found, sale.leader_id, name) == {}


def test_a_campaigns_total_is_of_its_leaders_orders_under_the_draft(
    world: World, time: StillClock
) -> None:
    plan_id = a_plan(world)
    one, two = planned_sale(world, plan_id), planned_sale(world, plan_id)
    for n, sale in enumerate((one, one, two)):
        delivered(world, sale, 2, f"cus_{n}")
    own = world.sale(leader_id=two.leader_id)
    delivered(world, own, 9)
    draft = [total(4000, 200), total(4001, 400), total(2000, 50)]
    found = simulate(world, plan_id, bonuses=draft)
    assert side(found, one.leader_id, "would_earn") == {"commission": 400, "bonus": 250}
    assert side(found, two.leader_id, "would_earn") == {"commission": 1100, "bonus": 50}
    found = simulate(world, plan_id, rule(match={"level": "gold"}), bonuses=draft)
    assert found["lines_without_rule"] == 3
    assert side(found, one.leader_id, "would_earn") == {}
    assert side(found, two.leader_id, "would_earn") == {"commission": 900}


def test_a_customer_is_read_as_far_as_its_first_goods(
    world: World, time: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan_id = a_plan(world)
    sale = planned_sale(world, plan_id)
    delivered(world, sale)
    time.move_on(hours=1)
    for _ in range(11):
        delivered(world, sale)
    read, all_of_customer = list[str](), ordering.all_of_customer

    def noted(*of: Any) -> Iterator[Order]:
        for order in all_of_customer(*of):
            read.append(order.id)
            yield order

    monkeypatch.setattr(ordering, "all_of_customer", noted)
    found = simulate(world, plan_id, bonuses=[FIRST])
    assert side(found, sale.leader_id, "would_earn") == {"commission": 1200, "bonus": 500}
    assert len(set(read)) == 2
    read.clear()
    simulate(world, plan_id, bonuses=[total(1, 1)])
    assert read == []
