"""Cash that is collected and remitted at once: never beyond the limit, never more than is held."""

from collections import Counter

from tests.support.at_once import THREADS, at_once, each, outcomes
from tests.support.clouds import ALSO_IN_MEMORY, IN_MEMORY
from tests.support.gateway import Answer
from tests.support.invariants import findings
from tests.support.unguarded import unguarded
from tests.support.world import Json, Sale, World, created


def orders_of(world: World, sale: Sale, number: int) -> list[Json]:
    """Orders of 10.00 that the leader collects."""
    return [world.place(sale, payment_method="leader_collect") for _ in range(number)]


def collect(world: World, order: Json) -> Answer:
    body = {"amount": 1000, "reference": "cash"}
    return world.operator.post(f"/v1/orders/{order['id']}/payments", body)


def remit(world: World, sale: Sale, amount: int, reference: str) -> Answer:
    body = {"amount": amount, "reference": reference}
    return world.operator.post(f"/v1/leaders/{sale.leader_id}/remittances", body)


def limit(world: World, sale: Sale, amount: int) -> None:
    path = f"/v1/leaders/{sale.leader_id}/credit-limit"
    assert world.operator.put(path, {"amount": amount}).status == 200


def held(world: World, sale: Sale) -> int:
    return world.trial_balance().get(f"leader:{sale.leader_id}:collected", 0)


def holding(world: World, orders: int) -> Sale:
    """A sale whose leader has collected 10.00 for each of so many orders."""
    sale = world.sale()
    for order in orders_of(world, sale, orders):
        assert collect(world, order).status == 201
    return sale


def remit_at_once(world: World, references: list[str]) -> tuple[Counter[str], int, list[str]]:
    """A leader that holds 10.00 remits 3.00 under each reference."""
    sale = holding(world, 1)
    answers = at_once(each(references, lambda reference: remit(world, sale, 300, reference)))
    world.work()
    return outcomes(answers), held(world, sale), findings({sale.sku_ids[0]: 100})


SIXTEEN_REFERENCES = [f"T{n}" for n in range(THREADS)]


@ALSO_IN_MEMORY
def test_sixteen_remittances_at_once_never_exceed_what_is_held(world: World) -> None:
    answered, left, found = remit_at_once(world, SIXTEEN_REFERENCES)
    assert answered == {"201": 3, "409 more_than_collected": 13}
    assert (left, found) == (100, [])


@IN_MEMORY
def test_control_the_rig_catches_more_remitted_than_is_held(world: World) -> None:
    with unguarded():
        answered, _, found = remit_at_once(world, SIXTEEN_REFERENCES)
    assert answered == {"201": 16}
    assert any("4800 is remitted of 1000 that came in" in finding for finding in found)


@ALSO_IN_MEMORY
def test_one_reference_told_sixteen_times_at_once_is_one_remittance(world: World) -> None:
    answered, left, found = remit_at_once(world, ["T1"] * THREADS)
    assert answered == {"201": 1, "200": 15}
    assert (left, found) == (700, [])


@IN_MEMORY
def test_control_the_rig_catches_a_reference_booked_twice(world: World) -> None:
    with unguarded():
        answered, _, found = remit_at_once(world, ["T1"] * THREADS)
    assert answered == {"201": 16}
    assert any(finding.startswith("party_balances: leader:") for finding in found)


def reverse_at_once(world: World) -> tuple[Counter[str], int, list[str]]:
    """A remittance of 3.00 of 10.00 is reversed by sixteen."""
    sale = holding(world, 1)
    made = created(remit(world, sale, 300, "T1"))
    path = f"/v1/leaders/{sale.leader_id}/remittances/{made['id']}/reverse"
    reverse = each(range(THREADS), lambda _: world.operator.post(path, {"reason": "wrong"}))
    answers = at_once(reverse)
    world.work()
    return outcomes(answers), held(world, sale), findings({sale.sku_ids[0]: 100})


@ALSO_IN_MEMORY
def test_a_remittance_reversed_by_sixteen_at_once_is_reversed_once(world: World) -> None:
    assert reverse_at_once(world) == ({"200": 16}, 1000, [])


@IN_MEMORY
def test_control_the_rig_catches_a_remittance_reversed_twice(world: World) -> None:
    with unguarded():
        answered, _, found = reverse_at_once(world)
    assert answered == {"200": 16}
    assert any(finding.startswith("party_balances: leader:") for finding in found)


def collect_at_once(world: World) -> tuple[Counter[str], int, list[str]]:
    """Sixteen orders of 10.00 are collected for at once, where 50.00 may be held."""
    sale = world.sale()
    limit(world, sale, 5000)
    orders = orders_of(world, sale, THREADS)
    answers = at_once(each(orders, lambda order: collect(world, order)))
    world.work()
    return outcomes(answers), held(world, sale), findings({sale.sku_ids[0]: 100})


@ALSO_IN_MEMORY
def test_sixteen_collections_at_once_never_exceed_the_limit(world: World) -> None:
    answered, total, found = collect_at_once(world)
    assert answered == {"201": 5, "409 credit_limit_reached": 11}
    assert (total, found) == (5000, [])


@IN_MEMORY
def test_control_the_rig_catches_a_limit_passed(world: World) -> None:
    with unguarded():
        answered, total, _ = collect_at_once(world)
    assert (answered, total) == ({"201": 16}, 16_000)


@ALSO_IN_MEMORY
def test_collecting_and_remitting_at_once_keep_to_the_limit_and_to_what_is_held(
    world: World,
) -> None:
    sale = holding(world, 4)
    limit(world, sale, 4000)
    orders = orders_of(world, sale, 4)
    collects = each(orders, lambda order: collect(world, order))
    remits = each(SIXTEEN_REFERENCES[:12], lambda name: remit(world, sale, 1000, name))
    answers = at_once([*collects, *remits])
    world.work()
    taken, handed = outcomes(answers[:4]), outcomes(answers[4:])
    assert set(taken) <= {"201", "409 credit_limit_reached"}
    assert set(handed) <= {"201", "409 more_than_collected"}
    assert handed["201"] >= 4
    assert held(world, sale) == 4000 + 1000 * (taken["201"] - handed["201"])
    assert 0 <= held(world, sale) <= 4000
    assert findings({sale.sku_ids[0]: 100}) == []
