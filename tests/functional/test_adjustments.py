"""What operators correct of what leaders have available."""

from typing import Any

import pytest

from tests.functional.conftest import Clock
from tests.functional.test_refunds import settle, statement
from tests.support.at_once import at_once, each
from tests.support.gateway import Answer
from tests.support.invariants import findings
from tests.support.world import Json, World, created


def adjust(world: World, leader_id: str, **changes: Any) -> Answer:
    body = {"amount": -2000, "reason": "given by mistake", "reference": "march", **changes}
    return world.operator.post(f"/v1/leaders/{leader_id}/adjustments", body)


def available(world: World, leader_id: str) -> int:
    found: int = world.operator.get(f"/v1/leaders/{leader_id}/balance").json["available"]
    return found


@pytest.mark.parametrize("amount", [500, -500])
def test_an_adjustment_is_between_the_leader_and_the_platform(
    world: World, time: Clock, amount: int
) -> None:
    sale = world.sale()
    made = created(adjust(world, sale.leader_id, amount=amount, currency="EUR"))
    assert (made["amount"], made["currency"], made["made_by"]) == (amount, "EUR", "op_test")
    assert made["entry_id"] == f"adjustment:{made['id']}"
    assert world.trial_balance() == {
        "platform:revenue": amount,
        f"leader:{sale.leader_id}:available": -amount,
    }
    assert available(world, sale.leader_id) == amount
    run = settle(world, time, days=1)
    told = statement(world, sale, run)
    (line,) = told["lines"]
    assert (line["kind"], line["amount"], line["entry_id"]) == (
        "adjustment",
        amount,
        made["entry_id"],
    )
    path = f"/v1/leaders/{sale.leader_id}/statements/{run['id']}/lines/1"
    explained = world.operator.get(path).json
    assert (explained["entry"]["id"], explained["settled_by"]) == (made["entry_id"], None)
    assert findings() == []


def test_a_wrong_bonus_is_taken_back(world: World, time: Clock) -> None:
    sale = world.sale()
    bonus = {"task": "training", "amount": 2000, "reference": "march"}
    created(world.operator.post(f"/v1/leaders/{sale.leader_id}/bonuses", bonus))
    created(adjust(world, sale.leader_id))
    told = statement(world, sale, settle(world, time, days=8))
    assert sorted((line["kind"], line["amount"]) for line in told["lines"]) == [
        ("adjustment", -2000),
        ("bonus", 2000),
    ]
    assert {account: n for account, n in world.trial_balance().items() if n} == {}
    assert findings() == []


def test_a_reference_stands_for_one_adjustment(world: World) -> None:
    leader_id = world.add_leader()
    made = created(adjust(world, leader_id))
    again = adjust(world, leader_id)
    assert (again.status, again.json) == (200, made)
    for changes in ({"amount": 2000}, {"reason": "another"}):
        answer = adjust(world, leader_id, **changes)
        assert (answer.status, answer.code) == (409, "reference_reused")
    created(adjust(world, world.add_leader()))
    assert available(world, leader_id) == -2000
    assert findings() == []


def test_an_adjustment_that_is_asked_for_at_once_is_made_once(world: World) -> None:
    leader_id = world.add_leader()
    answers = at_once(each(range(4), lambda _: adjust(world, leader_id)))
    assert sorted(answer.status for answer in answers) == [200, 200, 200, 201]
    assert available(world, leader_id) == -2000
    assert findings() == []


def test_a_leader_reads_who_has_adjusted_what_and_why(world: World, time: Clock) -> None:
    leader_id, other = world.add_leader(), world.add_leader()
    made = []
    for n in range(3):
        made.append(created(adjust(world, leader_id, reference=f"no. {n}", amount=n + 1)))
        time.move_on(seconds=1)
    path = f"/v1/leaders/{leader_id}/adjustments"
    first = world.leader(leader_id).get(f"{path}?limit=2").json
    then = world.leader(leader_id).get(f"{path}?limit=2&cursor={first['next_cursor']}").json
    assert [*first["items"], *then["items"]] == made[::-1]
    assert then["next_cursor"] is None
    assert world.leader(other).get(path).status == 404
    assert world.leader(leader_id).post(path, {}).status == 403


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"amount": 0}, "amount"),
        ({"amount": 1.5}, "amount"),
        ({"amount": 10**18}, "amount"),
        ({"amount": -(10**18)}, "amount"),
        ({"reason": ""}, "reason"),
        ({"reference": "a\nb"}, "reference"),
        ({"currency": "EURO"}, "currency"),
    ],
)
def test_bad_input_is_refused(world: World, changes: Json, field: str) -> None:
    leader_id = world.add_leader()
    answer = adjust(world, leader_id, **changes)
    assert (answer.status, answer.json["errors"][0]["field"]) == (422, field)
    assert adjust(world, "ldr_unknown").status == 404
    foreign = adjust(world, leader_id, currency="USD")
    assert (foreign.status, foreign.code) == (422, "currency_mismatch")
    assert world.trial_balance() == {}
