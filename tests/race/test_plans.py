"""Sixteen operators at once: versions, defaults, and who invited whom."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest

from chalicelib.kernel import clock
from chalicelib.kernel.errors import Busy
from chalicelib.settlement import settling
from tests.support.at_once import at_once, each, outcomes
from tests.support.clouds import IN_MEMORY
from tests.support.events import sqs_event
from tests.support.invariants import findings
from tests.support.unguarded import unguarded
from tests.support.world import Context, Json, Sale, World, created, workers

PLANS = "/v1/commission-plans"
RULE = {"match": {}, "basis": "sales", "rate_bps": 1000}


def a_plan(world: World) -> str:
    return str(created(world.operator.post(PLANS, {"name": "Shops"}))["id"])


def versions_of_one_day(world: World) -> None:
    plan_id, today = a_plan(world), clock.now().date().isoformat()
    bodies = [
        {"effective_from": today, "rules": [{**RULE, "rate_bps": rate}]} for rate in range(16)
    ]
    answers = at_once(
        each(bodies, lambda body: world.operator.post(f"{PLANS}/{plan_id}/versions", body))
    )
    assert outcomes(answers) == {"201": 1, "409 versions_overlap": 15}
    (saved,) = [answer.json for answer in answers if answer.status == 201]
    assert world.operator.get(f"{PLANS}/{plan_id}").json["versions"] == [saved]
    assert world.operator.get(f"{PLANS}/{plan_id}/versions").json["items"] == [saved]


def versions_of_many_days(world: World) -> None:
    plan_id, now = a_plan(world), clock.now()
    days = [(now + timedelta(days=n)).date().isoformat() for n in range(5)]
    bodies = [{"effective_from": day, "rules": [RULE]} for day in days]
    answers = at_once(
        each(bodies, lambda body: world.operator.post(f"{PLANS}/{plan_id}/versions", body))
    )
    assert outcomes(answers) == {"201": 5}
    versions = world.operator.get(f"{PLANS}/{plan_id}").json["versions"]
    assert [version["effective_from"] for version in versions] == days
    assert sorted(version["version"] for version in versions) == [1, 2, 3, 4, 5]


def a_version_withdrawn(world: World) -> None:
    """By four at once, while four others are added."""
    plan_id, now = a_plan(world), clock.now()
    days = [(now + timedelta(days=n)).date().isoformat() for n in range(6)]
    path = f"{PLANS}/{plan_id}/versions"
    for day in days[:2]:
        created(world.operator.post(path, {"effective_from": day, "rules": [RULE]}))
    add = [{"effective_from": day, "rules": [RULE]} for day in days[2:]]
    answers = at_once(
        [
            *each([f"{path}/2/withdraw"] * 4, lambda path: world.operator.post(path, {})),
            *each(add, lambda body: world.operator.post(path, body)),
        ]
    )
    assert outcomes(answers) == {"200": 4, "201": 4}
    versions = world.operator.get(f"{PLANS}/{plan_id}").json["versions"]
    assert [each["effective_from"] for each in versions] == [days[0], *days[2:]]
    trail = world.operator.get(f"{PLANS}/{plan_id}/changes").json["items"]
    assert [each["what"] for each in trail].count("version_withdrawn") == 1


def defaults(world: World) -> None:
    plan_ids = [a_plan(world) for _ in range(4)]
    answers = at_once(
        each(
            plan_ids,
            lambda each: world.operator.put(f"{PLANS}/{each}/default", {"is_default": True}),
        )
    )
    assert outcomes(answers) == {"200": 4}
    plans = world.operator.get(PLANS).json["items"]
    assert sum(plan["is_default"] for plan in plans) == 1


def inviting_each_other(world: World) -> None:
    first, second = world.add_leader(), world.add_leader()
    pairs = [(first, second), (second, first)]
    answers = at_once(
        each(
            pairs,
            lambda pair: world.operator.patch(f"/v1/leaders/{pair[0]}", {"invited_by": pair[1]}),
        )
    )
    assert outcomes(answers) == {"200": 1, "409 has_invited_others": 1}


def a_plan_and_a_level(world: World) -> None:
    """A leader moves to a plan of other levels while it is given one of its own plan's."""
    today, leader_id = clock.now().date().isoformat(), world.add_leader()
    golden, silver = a_plan(world), a_plan(world)
    for plan_id, level in ((golden, "gold"), (silver, "silver")):
        rules = [RULE, {**RULE, "match": {"level": level}}]
        body = {"effective_from": today, "rules": rules}
        created(world.operator.post(f"{PLANS}/{plan_id}/versions", body))
    path = f"/v1/leaders/{leader_id}"
    move = partial(world.operator.put, f"{path}/commission-plan")
    assert move({"plan_id": golden}).status == 200
    sort = partial(world.operator.patch, path)
    answers = at_once([partial(move, {"plan_id": silver}), partial(sort, {"level": "gold"})])
    assert outcomes(answers) == {"200": 1, "422 invalid_request": 1}


def a_divided_sale(world: World) -> tuple[Sale, list[str]]:
    """A sale whose commission three leaders divide, and who they are."""
    split = [
        {"role": role, "bps": bps}
        for role, bps in (("promoter", 8000), ("pickup_point", 1500), ("hub", 500))
    ]
    plan_id = a_plan(world)
    rules = [{**RULE, "rate_bps": 1111, "split": split}]
    body = {"effective_from": clock.now().date().isoformat(), "rules": rules}
    created(world.operator.post(f"{PLANS}/{plan_id}/versions", body))
    seller, shop, hub = (world.add_leader() for _ in range(3))
    filled = {"pickup_leader_id": shop, "hub_id": hub}
    assert world.operator.patch(f"/v1/leaders/{seller}", filled).status == 200
    path = f"/v1/leaders/{seller}/commission-plan"
    assert world.operator.put(path, {"plan_id": plan_id}).status == 200
    return world.sale(leader_id=seller, commission=None), [seller, shop, hub]


def divided_money(world: World) -> None:
    """What three leaders earned is settled by three workers each, and refunded meanwhile."""
    sale, leaders = a_divided_sale(world)
    order = world.delivered_order(sale, quantity=10)
    today = clock.now().date().isoformat()
    run = world.operator.post("/v1/settlement-runs", {"business_date": today})
    assert run.status == 202
    workers()["SETTLEMENT_LIST"](sqs_event(*world.messages("SETTLEMENT_LIST")), Context())
    refunds: list[Json] = [
        {"lines": [{"sku_id": sale.sku_ids[0], "quantity": 1}]},
        {"amount": 101},
    ]
    path = f"/v1/orders/{order['id']}/refunds"
    settling_each = [partial(until_settled, run.json["id"], each) for each in leaders * 3]
    refunding_each = [
        partial(until_answered, world, path, {"reason": "late", **body}) for body in refunds * 3
    ]
    at_once([*settling_each, *refunding_each])
    world.work()
    assert findings({sale.sku_ids[0]: 100}) == []
    left = world.order(order["id"])
    rest = left["total"] - left["refunded_amount"]
    until_answered(world, path, {"reason": "late", "amount": rest})
    world.work()
    assert findings({sale.sku_ids[0]: 100}) == []
    assert world.trial_balance() == {}


def until_answered(world: World, path: str, body: Json) -> None:
    """As an operator does: where the order is busy, the same request once more."""
    for _ in range(5):
        answer = world.operator.post(path, body)
        if answer.status != 503:
            assert answer.status == 201, answer.text
            return
    raise AssertionError("the order stays busy")


def until_settled(run_id: str, leader_id: str) -> None:
    """As the queue does: a message whose worker failed comes again."""
    for _ in range(5):
        try:
            return settling.settle_leader(run_id, 0, leader_id)
        except Busy:
            continue
    raise AssertionError("the leader was never settled")


RACES = [
    versions_of_one_day,
    versions_of_many_days,
    a_version_withdrawn,
    defaults,
    inviting_each_other,
    a_plan_and_a_level,
    divided_money,
]


@IN_MEMORY
@pytest.mark.parametrize("race", RACES)
def test_plans_are_changed_one_after_another(world: World, race: Callable[[World], None]) -> None:
    race(world)


@IN_MEMORY
@pytest.mark.parametrize("race", RACES)
def test_control_the_rig_catches_changes_that_nobody_orders(
    world: World, race: Callable[[World], None]
) -> None:
    with unguarded(), pytest.raises(AssertionError):
        race(world)
