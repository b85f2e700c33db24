"""Sixteen operators at once: versions, defaults, and who invited whom."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from chalicelib.kernel import clock
from tests.support.at_once import at_once, each, outcomes
from tests.support.clouds import ON_MOTO
from tests.support.unguarded import unguarded
from tests.support.world import World, created

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


RACES = [versions_of_one_day, versions_of_many_days, defaults, inviting_each_other]


@ON_MOTO
@pytest.mark.parametrize("race", RACES)
def test_plans_are_changed_one_after_another(world: World, race: Callable[[World], None]) -> None:
    race(world)


@ON_MOTO
@pytest.mark.parametrize("race", RACES)
def test_control_the_rig_catches_changes_that_nobody_orders(
    world: World, race: Callable[[World], None]
) -> None:
    with unguarded(), pytest.raises(AssertionError):
        race(world)
