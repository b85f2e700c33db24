"""A month under a draft of a plan: side by side with what was earned, and nothing changed by it."""

from typing import Any

import pytest

from chalicelib.kernel import clock
from chalicelib.simulation import service, store
from tests.functional.test_alternates import Ordered
from tests.functional.test_plans import (
    PLANS,
    edit_leader,
    put_on,
    refund,
    refused,
    rule,
)
from tests.support.gateway import Answer
from tests.support.snapshot import snapshot
from tests.support.world import Json, Sale, World, created

SPLIT = [{"role": "promoter", "bps": 9000}, {"role": "pickup_point", "bps": 1000}]


@pytest.fixture
def plan_id(world: World) -> str:
    return a_plan(world)


def a_plan(world: World, *rules: Json) -> str:
    plan_id = str(created(world.operator.post(PLANS, {"name": "Shops", "currency": "EUR"}))["id"])
    body = {"effective_from": clock.now().date().isoformat(), "rules": list(rules or [rule()])}
    created(world.operator.post(f"{PLANS}/{plan_id}/versions", body))
    return plan_id


def planned_sale(world: World, plan_id: str, **terms: Any) -> Sale:
    leader_id = world.add_leader()
    assert put_on(world, leader_id, plan_id).status == 200
    return world.sale(leader_id=leader_id, commission=None, **terms)


def simulate(world: World, plan_id: str, *rules: Json, **said: Any) -> Answer:
    body = {"rules": list(rules), "month": f"{clock.now():%Y-%m}", **said}
    return world.operator.post(f"{PLANS}/{plan_id}/simulate", body)


def by_leader(simulation: Json) -> dict[str, tuple[int, int, int]]:
    return {
        each["leader_id"]: (each["earned"], each["would_earn"], each["difference"])
        for each in simulation["leaders"]
    }


def test_side_by_side_with_what_was_earned(world: World, plan_id: str) -> None:
    one, two = planned_sale(world, plan_id), planned_sale(world, plan_id)
    shop = world.add_leader()
    edit_leader(world, two.leader_id, pickup_leader_id=shop)
    world.paid_order(one, quantity=2)
    world.paid_order(two)
    world.place(one)
    another = world.sale()
    world.paid_order(another)
    before = snapshot(world.environment)
    answer = simulate(
        world,
        plan_id,
        rule(2000, split=SPLIT),
        rule(500, match={"sku_id": one.sku_ids[0]}),
    )
    assert answer.status == 200
    found = answer.json
    assert (found["status"], found["percent"], found["orders"]) == ("completed", 100, 2)
    assert by_leader(found) == {
        one.leader_id: (200, 100, -100),
        two.leader_id: (100, 180, 80),
        shop: (0, 20, 20),
    }
    (total,) = found["totals"]
    assert (total["earned"], total["would_earn"], total["difference"]) == (300, 300, 0)
    path = f"{PLANS}/{plan_id}/simulations/{found['id']}"
    assert world.operator.get(path).json == found
    assert world.operator.get(f"{path}/leaders").json["items"] == found["leaders"]
    after = snapshot(world.environment)
    own = ("PLANS_TABLE", "IDEMPOTENCY_TABLE")
    assert {**after, **{name: before[name] for name in own}} == before


def test_the_rules_in_force_change_nothing_whatever_was_refunded(
    world: World, plan_id: str
) -> None:
    sale = planned_sale(world, plan_id, price=333)
    edit_leader(world, sale.leader_id, pickup_leader_id=world.add_leader())
    split = a_plan(world, rule(1111, split=SPLIT))
    put_on(world, sale.leader_id, split)
    for quantity, refunded in ((3, 1), (5, 2), (1, 1), (7, 0)):
        order = world.paid_order(sale, world.customer(f"cus_{quantity}"), quantity=quantity)
        if refunded:
            refund(world, order, refunded)
    body = {"amount": 100, "reason": "late"}
    assert world.operator.post(f"/v1/orders/{order['id']}/refunds", body).status == 201
    found = simulate(world, split, rule(1111, split=SPLIT)).json
    assert {difference for _, _, difference in by_leader(found).values()} == {0}
    assert found["orders"] == 4


@pytest.mark.parametrize("said", [{"cap": {"line": 150}}, {"cap": {"order": 99}}, {"split": SPLIT}])
def test_what_was_shipped_in_place_of_a_line_is_of_that_line(world: World, said: Json) -> None:
    in_force = rule(1111, **said)
    leader_id, plan_id = world.add_leader(), a_plan(world, in_force)
    edit_leader(world, leader_id, pickup_leader_id=world.add_leader())
    assert put_on(world, leader_id, plan_id).status == 200
    ordered = Ordered(world, leader_id=leader_id, commission=None)
    ordered.alternate()
    earned = ordered.estimated()
    ordered.reject_eggs(2)
    found = by_leader(simulate(world, plan_id, in_force).json)
    assert found[leader_id] == (earned, earned, 0)
    assert {difference for _, _, difference in found.values()} == {0}


def test_an_offers_own_commission_stays_and_a_line_under_no_rule_is_told(
    world: World, plan_id: str
) -> None:
    sale = planned_sale(world, plan_id)
    world.paid_order(sale)
    own = world.sale(leader_id=sale.leader_id)
    world.paid_order(own)
    found = simulate(world, plan_id, rule(9000, match={"level": "gold"})).json
    assert by_leader(found) == {sale.leader_id: (200, 100, -100)}
    assert found["lines_without_rule"] == 1


def test_a_draft_is_tried_on_leaders_that_are_named(world: World, plan_id: str) -> None:
    sale, other = planned_sale(world, plan_id), planned_sale(world, plan_id)
    world.paid_order(sale)
    world.paid_order(other)
    draft = a_plan(world)
    assert simulate(world, draft, rule(1500)).json["leaders"] == []
    found = simulate(world, draft, rule(1500), leader_ids=[other.leader_id]).json
    assert by_leader(found) == {other.leader_id: (100, 150, 50)}


def test_many_orders_are_a_job_whose_steps_count_once(
    world: World, plan_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sale = planned_sale(world, plan_id)
    for n in range(7):
        world.paid_order(sale, world.customer(f"cus_{n}"))
    monkeypatch.setattr(service, "PAGES_A_STEP", 1)
    monkeypatch.setattr(service, "ORDERS_A_PAGE", 1)
    monkeypatch.setattr(service, "STEPS_A_MESSAGE", 2)
    answer = simulate(world, plan_id, rule(1500))
    assert (answer.status, answer.json["status"]) == (202, "running")
    path = f"{PLANS}/{plan_id}/simulations/{answer.json['id']}"
    seen = [answer.json["percent"]]
    while waiting := world.messages("PLAN_SIMULATE"):
        for message in (*waiting, *waiting):
            service.go_on(message["subject"])
        seen.append(world.operator.get(path).json["percent"])
    assert seen == sorted(seen)
    assert seen[-1] == 100
    done = world.operator.get(path).json
    assert (done["status"], done["orders"]) == ("completed", 7)
    assert by_leader(done) == {sale.leader_id: (700, 1050, 350)}


def test_a_step_that_another_has_taken_adds_nothing(
    world: World, plan_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sale = planned_sale(world, plan_id)
    for n in range(3):
        world.paid_order(sale, world.customer(f"cus_{n}"))
    monkeypatch.setattr(service, "PAGES_A_STEP", 1)
    simulation = simulate(world, plan_id, rule(1500)).json
    stale = service.simulation_of(plan_id, simulation["id"])
    world.work()
    monkeypatch.setattr(store, "get_simulation", lambda _: stale)
    service.go_on(stale.id)
    monkeypatch.undo()
    assert world.messages("PLAN_SIMULATE") == [{"subject": stale.id}]
    found = world.operator.get(f"{PLANS}/{plan_id}/simulations/{stale.id}").json
    assert by_leader(found) == {sale.leader_id: (300, 450, 150)}


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"month": "2999-01"}, "month"),
        ({"month": "2026-13"}, "month"),
        ({"rules": []}, "rules"),
        ({"upline": [{"level": 1, "bps": 1}]}, "upline"),
        ({"leader_ids": ["x"] * 101}, "leader_ids"),
        ({"effective_from": "2026-01-01"}, "effective_from"),
    ],
)
def test_a_draft_that_could_not_be_saved_is_not_simulated(
    world: World, plan_id: str, said: Json, field: str
) -> None:
    before = snapshot(world.environment)
    answer = simulate(world, plan_id, rule(), **said)
    assert answer.status == 422
    assert [each["field"] for each in answer.json["errors"]] == [field]
    assert snapshot(world.environment) == before


def test_a_draft_is_not_tried_on_leaders_of_another_currency(world: World, plan_id: str) -> None:
    named = [world.add_leader(), world.add_leader(currency="PLN")]
    answer = simulate(world, plan_id, rule(), leader_ids=named)
    assert refused(answer, 422, "currency_mismatch", "leader_ids.1", "PLN, not EUR")
    free = created(world.operator.post(PLANS, {"name": "Any currency"}))["id"]
    assert simulate(world, free, rule(), leader_ids=named).status == 200


def test_what_is_not_there_is_not_found(world: World, plan_id: str) -> None:
    assert refused(simulate(world, "cpl_none", rule()), 404, "not_found")
    found = simulate(world, plan_id, rule()).json
    other = a_plan(world)
    for path in (f"{other}/simulations/{found['id']}", f"{plan_id}/simulations/sim_none"):
        assert world.operator.get(f"{PLANS}/{path}").status == 404


def test_last_month_is_the_one_that_is_asked_about(world: World, plan_id: str) -> None:
    world.paid_order(planned_sale(world, plan_id))
    found = simulate(world, plan_id, rule(), month=None).json
    assert (found["orders"], found["month"] < f"{clock.now():%Y-%m}") == (0, True)
