"""Suppliers, carriers, residents and operators who act on one dispatch's parcels at once."""

from collections.abc import Callable
from functools import partial

from tests.race.test_dispatches import orders_with_dispatches
from tests.race.test_settlement import begin_run, until_settled
from tests.support.at_once import THREADS, at_once, each, outcomes
from tests.support.clouds import IN_MEMORY
from tests.support.gateway import Answer
from tests.support.invariants import findings
from tests.support.unguarded import unguarded
from tests.support.world import Json, World

Call = Callable[[], Answer]
pytestmark = IN_MEMORY


def post(world: World, order: Json, verb: str, body: Json) -> Call:
    path = f"/v1/dispatches/{order['dispatches'][0]['id']}/{verb}"
    return partial(world.operator.send, "POST", path, body, {})


def of_eggs(order: Json, units: int) -> Json:
    return {"lines": [{"sku_id": order["lines"][0]["sku_id"], "quantity": units}]}


def answer_twice_at_once(world: World) -> tuple[list[tuple[Answer, Answer]], list[str]]:
    """Of three units one call accepts two while another rejects two, of eight dispatches."""
    sale = world.sale(stock=24)
    orders = orders_with_dispatches(world, sale, quantity=3)
    accepts = [post(world, order, "accept", of_eggs(order, 2)) for order in orders]
    body = {"reason": "damaged"}
    rejects = [post(world, order, "reject", {**body, **of_eggs(order, 2)}) for order in orders]
    answers = at_once([*accepts, *rejects])
    world.work()
    pairs = list(zip(answers[:8], answers[8:], strict=True))
    return pairs, findings({sale.sku_ids[0]: 24})


def test_two_answers_to_one_dispatch_at_once_take_turns(world: World) -> None:
    """Whoever comes second is judged by what the first has left: one unit to be shipped."""
    pairs, found = answer_twice_at_once(world)
    for accepted, rejected in pairs:
        assert {accepted.status, rejected.status} <= {200, 422}
        assert 200 in (accepted.status, rejected.status)
        assert {accepted.code, rejected.code} <= {None, "more_than_is_left"}
    assert found == []


def test_control_the_rig_catches_two_answers_that_do_not_mind_each_other(world: World) -> None:
    with unguarded():
        pairs, found = answer_twice_at_once(world)
    assert any(one.status == other.status == 200 for one, other in pairs)
    assert found != []


def ship_sixteen_parcels_at_once(world: World) -> tuple[list[Answer], list[str]]:
    """Sixteen parcels of one unit each, of a dispatch of eight."""
    sale = world.sale(stock=8)
    order = world.paid_order(sale, quantity=8)
    world.move(order["dispatches"][0]["id"], "accept")
    parcels = [
        {"carrier": "DHL", "tracking_number": f"T{n}", **of_eggs(order, 1)} for n in range(THREADS)
    ]
    answers = at_once(each(parcels, lambda body: patiently(post(world, order, "ship", body))))
    return answers, findings({sale.sku_ids[0]: 8})


def patiently(call: Call) -> Answer:
    """As a supplier does: where the dispatch is busy, the same request some times more."""
    for _ in range(5):
        answer = call()
        if answer.status != 503:
            break
    return answer


def test_no_more_parcels_ship_than_there_are_units(world: World) -> None:
    answers, found = ship_sixteen_parcels_at_once(world)
    assert outcomes(answers) == {"200": 8, "409 already_shipped": 8}
    assert found == []


def test_control_the_rig_catches_parcels_beyond_the_units(world: World) -> None:
    with unguarded():
        answers, found = ship_sixteen_parcels_at_once(world)
    assert outcomes(answers)["200"] > 8
    assert any(finding.startswith("committed ") for finding in found)


def test_one_parcel_told_sixteen_times_at_once_is_one(world: World) -> None:
    sale = world.sale(stock=3)
    order = world.paid_order(sale, quantity=3)
    world.move(order["dispatches"][0]["id"], "accept")
    body = {"carrier": "DHL", "tracking_number": "T1", **of_eggs(order, 1)}
    answers = at_once([post(world, order, "ship", body)] * THREADS)
    assert outcomes(answers) == {"200": THREADS}
    assert len({answer.text for answer in answers}) == 1
    assert findings({sale.sku_ids[0]: 3}) == []


def test_two_parcels_delivered_at_once_each_post_their_own(world: World) -> None:
    sale = world.sale(stock=16)
    orders = orders_with_dispatches(world, sale, "accept", quantity=2)
    delivers = []
    for order in orders:
        for number in ("T1", "T2"):
            body = {"carrier": "DHL", "tracking_number": number, **of_eggs(order, 1)}
            shipped = post(world, order, "ship", body)().json
        for parcel in shipped["parcels"]:
            delivers.append(post(world, order, f"parcels/{parcel['id']}/deliver", {}))
    assert outcomes(at_once(delivers)) == {"200": 16}
    assert {world.order(order["id"])["status"] for order in orders} == {"delivered"}
    assert world.trial_balance()[f"supplier:{sale.supplier_id}:payable"] == -11200
    assert findings({sale.sku_ids[0]: 16}) == []


def dispute_while_settling(world: World) -> tuple[list[Answer], list[str]]:
    """A resident disputes each delivery while the run that would take its commission comes."""
    sale = world.sale(stock=8)
    orders = orders_with_dispatches(world, sale, "accept", "ship", "deliver")
    body = {"reason": "Nothing came."}
    paths = [f"/v1/dispatches/{order['dispatches'][0]['id']}/disputes" for order in orders]
    disputes = [partial(world.customer().post, path, body) for path in paths]
    settle = partial(until_settled, begin_run(world)["id"], sale.leader_id)
    calls: list[Callable[[], Answer | None]] = [*disputes, settle]
    answers = [answer for answer in at_once(calls) if answer]
    world.work()
    return answers, findings({sale.sku_ids[0]: 8})


def test_what_is_disputed_while_a_run_comes_is_held_or_held_after_it(world: World) -> None:
    answers, found = dispute_while_settling(world)
    assert outcomes(answers) == {"201": 8}
    assert found == []


def test_control_the_rig_catches_what_is_held_and_taken_by_a_run(world: World) -> None:
    with unguarded():
        _, found = dispute_while_settling(world)
    assert any(finding.startswith("leader_pending: ") for finding in found)


def resolve_both_ways_at_once(world: World) -> tuple[list[Answer], list[str]]:
    """Each dispute is upheld by one operator and dismissed by another."""
    sale = world.sale(stock=8)
    orders = orders_with_dispatches(world, sale, "accept", "ship", "deliver")
    calls = []
    for outcome in ("upheld", "dismissed"):
        for order in orders:
            path = f"/v1/dispatches/{order['dispatches'][0]['id']}/disputes"
            opened = world.customer().post(path, {"reason": "Nothing came."}).json
            body = {"outcome": outcome, "note": "seen"}
            calls.append(partial(world.operator.post, f"{path}/{opened['id']}/resolve", body))
    answers = at_once(calls)
    world.work()
    return answers, findings({sale.sku_ids[0]: 8})


def test_a_dispute_is_upheld_or_dismissed_never_both(world: World) -> None:
    answers, found = resolve_both_ways_at_once(world)
    for upheld, dismissed in zip(answers[:8], answers[8:], strict=True):
        assert sorted([upheld.status, dismissed.status]) == [200, 409]
        assert {upheld.code, dismissed.code} == {None, "already_resolved"}
    assert found == []


def test_control_the_rig_catches_a_dispute_upheld_and_dismissed(world: World) -> None:
    with unguarded():
        answers, found = resolve_both_ways_at_once(world)
    assert outcomes(answers)["200"] > 8
    assert found != []


def resolve_disputes_and_their_cases_at_once(world: World) -> tuple[list[Answer], int, list[str]]:
    """An operator resolves each dispute while another one resolves its case by hand: the answers
    to the first, and how many notes that were taken by hand are not there."""
    sale = world.sale(stock=8)
    orders = orders_with_dispatches(world, sale, "accept", "ship", "deliver")
    paths = [f"/v1/dispatches/{order['dispatches'][0]['id']}/disputes" for order in orders]
    body = {"outcome": "dismissed", "note": "seen"}
    resolve = [
        partial(
            world.operator.post,
            f"{path}/{world.customer().post(path, {'reason': 'Nothing came.'}).json['id']}/resolve",
            body,
        )
        for path in paths
    ]
    cases = [f"/v1/cases/{case['id']}" for case in world.operator.get("/v1/cases").json["items"]]
    by_hand = [partial(world.operator.post, f"{case}/resolve", {"note": "mine"}) for case in cases]
    answers = at_once([*resolve, *by_hand])
    said = [case for case, answer in zip(cases, answers[8:], strict=True) if answer.status == 200]
    lost = sum(world.operator.get(case).json["note"] != "mine" for case in said)
    return answers[:8], lost, findings({sale.sku_ids[0]: 8})


def test_a_case_resolved_by_hand_while_its_dispute_is_keeps_its_note(world: World) -> None:
    answers, lost, found = resolve_disputes_and_their_cases_at_once(world)
    assert outcomes(answers) == {"200": 8}
    assert (lost, found) == (0, [])


def test_control_the_rig_catches_a_note_that_is_written_over(world: World) -> None:
    with unguarded():
        _, lost, _ = resolve_disputes_and_their_cases_at_once(world)
    assert lost > 0


def reject_more_than_the_alternate_has(world: World) -> tuple[World, list[str], list[str]]:
    """Eight orders of two are rejected at once, and their alternate has units for three."""
    sale = world.sale(stock=16)
    orders = orders_with_dispatches(world, sale, quantity=2)
    brown = world.add_product(world.add_supplier())["skus"][0]["id"]
    world.set_stock(brown, 7)
    world.operator.patch(f"/v1/skus/{brown}", {"alternate_of": sale.sku_ids[0]})
    rejects = [post(world, order, "reject", {"reason": "damaged"}) for order in orders]
    assert outcomes(at_once(each(rejects, patiently))) == {"200": 8}
    world.work()
    statuses = [world.order(order["id"])["status"] for order in orders]
    return world, statuses, findings({sale.sku_ids[0]: 16, brown: 7})


def test_an_alternate_is_taken_as_often_as_it_has_units_and_the_rest_refunded(
    world: World,
) -> None:
    world, statuses, found = reject_more_than_the_alternate_has(world)
    assert sorted(statuses) == ["paid"] * 3 + ["refunded"] * 5
    assert found == []


def test_control_the_rig_catches_an_alternate_that_is_oversold(world: World) -> None:
    with unguarded():
        _, _, found = reject_more_than_the_alternate_has(world)
    assert any(" is oversold by " in finding for finding in found)
