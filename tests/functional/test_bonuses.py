"""What leaders are given beside their commission."""

from typing import Any

import pytest

from tests.functional.conftest import Clock
from tests.functional.test_refunds import settle, statement
from tests.support.at_once import at_once, each
from tests.support.gateway import Answer
from tests.support.invariants import findings
from tests.support.world import Json, World, created


def give(world: World, leader_id: str, **changes: Any) -> Answer:
    body = {"task": "training", "amount": 2000, "reference": "march", **changes}
    return world.operator.post(f"/v1/leaders/{leader_id}/bonuses", body)


def test_a_bonus_is_the_platforms_and_matures_like_commission(world: World, time: Clock) -> None:
    sale = world.sale()
    made = created(give(world, sale.leader_id))
    assert (made["kind"], made["amount"], made["given_by"]) == ("task", 2000, "op_test")
    pending = {"platform:revenue": 2000, f"leader:{sale.leader_id}:pending": -2000}
    assert world.trial_balance() == pending
    settle(world, time, days=7)
    assert world.trial_balance() == pending
    run = settle(world, time, days=1)
    assert world.trial_balance() == {
        "platform:revenue": 2000,
        f"leader:{sale.leader_id}:available": -2000,
    }
    told = statement(world, sale, run)
    (line,) = told["lines"]
    assert (line["kind"], line["amount"], line["rule"]) == ("bonus", 2000, "task:training")
    assert line["matured_on"] == made["matures_on"]
    path = f"/v1/leaders/{sale.leader_id}/statements/{run['id']}/lines/1"
    assert world.operator.get(path).json["entry"]["id"] == f"bonus:{made['id']}"
    assert findings() == []


def test_a_reference_stands_for_one_bonus(world: World) -> None:
    leader_id = world.add_leader()
    made = created(give(world, leader_id))
    again = give(world, leader_id)
    assert (again.status, again.json) == (200, made)
    for changes in ({"amount": 1999}, {"task": "promotion"}):
        answer = give(world, leader_id, **changes)
        assert (answer.status, answer.code) == (409, "reference_reused")
    created(give(world, leader_id, reference="april"))
    assert world.trial_balance()["platform:revenue"] == 4000
    assert findings() == []


def test_a_bonus_that_is_asked_for_at_once_is_given_once(world: World) -> None:
    leader_id = world.add_leader()
    answers = at_once(each(range(4), lambda _: give(world, leader_id)))
    assert sorted(answer.status for answer in answers) == [200, 200, 200, 201]
    assert world.trial_balance()["platform:revenue"] == 2000
    assert findings() == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"amount": 0}, "amount"),
        ({"task": ""}, "task"),
        ({"task": "recruited 10 paying members: 10 % of their joining fees"}, "task"),
        ({"reference": "a\nb"}, "reference"),
    ],
)
def test_bad_input_is_refused(world: World, changes: Json, field: str) -> None:
    answer = give(world, world.add_leader(), **changes)
    assert (answer.status, answer.json["errors"][0]["field"]) == (422, field)
    assert give(world, "ldr_unknown").status == 404
