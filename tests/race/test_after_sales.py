"""After-sales of one order, asked for and decided at the same moment."""

from chalicelib.aftersales import service
from chalicelib.kernel import clock
from tests.support.at_once import THREADS, at_once, each, outcomes
from tests.support.clouds import IN_MEMORY
from tests.support.gateway import Answer
from tests.support.invariants import findings
from tests.support.unguarded import unguarded
from tests.support.world import Json, World, created

UNITS = 5


def a_delivered_order(world: World) -> tuple[Json, str]:
    sale = world.sale()
    return world.delivered_order(sale, quantity=UNITS), sale.sku_ids[0]


def one_of(sku_id: str) -> Json:
    return {"lines": [{"sku_id": sku_id, "quantity": 1}], "reason": "broken"}


def ask_at_once(world: World) -> tuple[list[Answer], list[str]]:
    """Sixteen requests, each for one of five units."""
    order, sku_id = a_delivered_order(world)
    path, alice = f"/v1/orders/{order['id']}/after-sales", world.customer()

    def patiently(_: int) -> Answer:
        answer = alice.post(path, one_of(sku_id))
        return alice.post(path, one_of(sku_id)) if answer.status == 503 else answer

    answers = at_once(each(range(THREADS), patiently))
    world.work()
    return answers, findings()


@IN_MEMORY
def test_no_unit_is_asked_for_by_two_requests_at_once(world: World) -> None:
    answers, found = ask_at_once(world)
    assert outcomes(answers) == {"201": UNITS, "422 more_than_is_left": THREADS - UNITS}
    assert found == []
    for request in world.operator.get("/v1/after-sales").json["items"]:
        decide = {"refund": True, "note": "Sorry."}
        path = f"/v1/after-sales/{request['id']}/decide"
        assert world.operator.post(path, decide).status == 200
    world.work()
    assert world.trial_balance() == {}


@IN_MEMORY
def test_control_the_rig_catches_units_asked_for_twice(world: World) -> None:
    with unguarded():
        answers, found = ask_at_once(world)
    assert sum(answer.status == 201 for answer in answers) > UNITS
    assert any(finding.startswith("open requests of ") for finding in found)


def decide_at_once(world: World) -> tuple[list[Answer], Json, list[str]]:
    """Sixteen operators refund the two units of one request."""
    order, sku_id = a_delivered_order(world)
    wanted = {"lines": [{"sku_id": sku_id, "quantity": 2}], "reason": "broken"}
    path = f"/v1/orders/{order['id']}/after-sales"
    request = created(world.customer().post(path, wanted))
    body = {"refund": True, "note": "Sorry."}
    path = f"/v1/after-sales/{request['id']}/decide"
    answers = at_once([lambda: world.operator.post(path, body)] * THREADS)
    world.work()
    return answers, world.order(order["id"]), findings()


@IN_MEMORY
def test_a_request_decided_sixteen_times_at_once_is_refunded_once(world: World) -> None:
    answers, order, found = decide_at_once(world)
    assert outcomes(answers) == {"200": THREADS}
    assert len({answer.text for answer in answers}) == 1
    assert (order["refunded_amount"], len(order["refunds"])) == (2000, 1)
    assert found == []


@IN_MEMORY
def test_control_the_rig_catches_a_request_refunded_twice(world: World) -> None:
    with unguarded():
        _, _, found = decide_at_once(world)
    assert any(finding.startswith("party_balances: supplier:") for finding in found)


def refund_while_deciding(world: World) -> tuple[list[Answer], Json, list[str]]:
    """Every unit is in a request that is decided while an operator refunds all of the order."""
    order, sku_id = a_delivered_order(world)
    path, alice = f"/v1/orders/{order['id']}/after-sales", world.customer()
    requests = [created(alice.post(path, one_of(sku_id))) for _ in range(UNITS)]
    decides = [f"/v1/after-sales/{request['id']}/decide" for request in requests]
    whole = {"amount": order["total"], "reason": "recalled"}
    answers = at_once(
        [
            *each(decides, lambda path: world.operator.post(path, {"refund": True, "note": "x"})),
            lambda: world.operator.post(f"/v1/orders/{order['id']}/refunds", whole),
        ]
    )
    world.work()
    return answers, world.order(order["id"]), findings()


@IN_MEMORY
def test_units_are_refunded_by_a_request_or_with_the_order_never_both(world: World) -> None:
    answers, order, found = refund_while_deciding(world)
    assert set(outcomes(answers)) <= {
        "200",
        "201",
        "409 units_already_refunded",
        "409 order_not_refundable",
        "422 more_than_is_left",
    }
    assert order["refunded_amount"] <= order["total"]
    assert found == []


@IN_MEMORY
def test_control_the_rig_catches_units_refunded_by_both(world: World) -> None:
    with unguarded():
        _, _, found = refund_while_deciding(world)
    assert any(finding.startswith("account EUR supplier:") for finding in found)


def escalate_while_deciding(world: World) -> tuple[Json, int, list[str]]:
    """A request is declined at the moment when its clock runs out, seen by many sweeps."""
    order, sku_id = a_delivered_order(world)
    path = f"/v1/orders/{order['id']}/after-sales"
    request = created(world.customer().post(path, one_of(sku_id)))
    late = clock.from_text(request["due_at"])
    decide = {"refund": False, "note": "No."}
    path = f"/v1/after-sales/{request['id']}/decide"
    at_once(
        [
            lambda: world.operator.post(path, decide).status,
            *[lambda: service.sweep(late)] * (THREADS - 1),
        ]
    )
    world.work()
    called = len(world.operator.get("/v1/cases").json["items"])
    return world.operator.get(f"/v1/after-sales/{request['id']}").json, called, findings()


def actions(request: Json) -> list[str]:
    return [step["action"] for step in request["steps"]]


@IN_MEMORY
def test_a_clock_that_runs_out_while_it_is_decided_is_told_at_most_once(world: World) -> None:
    request, called, found = escalate_while_deciding(world)
    assert request["status"] == "declined"
    assert actions(request) in (
        ["requested", "declined"],
        ["requested", "escalated", "declined"],
    )
    assert called == actions(request).count("escalated")
    assert found == []


@IN_MEMORY
def test_control_the_rig_catches_a_step_that_is_lost(world: World) -> None:
    with unguarded():
        request, called, _ = escalate_while_deciding(world)
    assert request["status"] != "declined" or called > actions(request).count("escalated")
