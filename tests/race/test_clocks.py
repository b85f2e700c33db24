"""Suppliers' clocks that run out while sweeps overlap, suppliers answer and operators decide."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.dispatch import clocks
from chalicelib.kernel import clock
from chalicelib.kernel.errors import Stale
from tests.race.test_dispatches import PARCEL, move, orders_with_dispatches
from tests.support.at_once import THREADS, at_once, each, outcomes
from tests.support.clouds import IN_MEMORY
from tests.support.dispatching import back_then
from tests.support.gateway import Answer
from tests.support.invariants import findings
from tests.support.unguarded import unguarded
from tests.support.world import Json, Sale, World

# Half of the time to ship is not over when the time to accept is.
FINE: Json = {"on_missed": "fine", "fine_amount": 300, "ship_by_hours": 48}
CANCEL = {"on_missed": "cancel"}
HALF_TIME, ACCEPT_END, SHIP_END = timedelta(hours=6), timedelta(hours=12), timedelta(hours=24)


def a_sale(world: World, **terms: Any) -> Sale:
    sale = world.sale(stock=16)
    path = f"/v1/suppliers/{sale.supplier_id}/terms"
    assert world.operator.put(path, terms).status == 200
    return sale


def read(world: World, orders: Sequence[Json]) -> list[Json]:
    paths = [f"/v1/dispatches/{order['dispatches'][0]['id']}" for order in orders]
    return [world.operator.get(path).json for path in paths]


def look(order: Json) -> None:
    """As a sweep does, which leaves to the next what another has changed meanwhile."""
    try:
        clocks.look_at(order["dispatches"][0]["id"], clock.now())
    except Stale:
        return


def look_at_each(orders: list[Json]) -> None:
    for order in orders:
        look(order)


def called(world: World) -> list[str]:
    cases = world.operator.get("/v1/cases?limit=100").json["items"]
    return sorted(case["subject"] for case in cases)


def sweep_at_once(world: World) -> tuple[list[Json], list[str]]:
    """Sixteen sweeps find that the time to accept eight dispatches is over."""
    with back_then(ACCEPT_END):
        orders = orders_with_dispatches(world, a_sale(world, **FINE))
    # A sweep's own threads would not wait for each other's.
    at_once([lambda: look_at_each(orders)] * THREADS)
    clocks.sweep(clock.now())
    world.work()
    return read(world, orders), findings()


@IN_MEMORY
def test_each_clock_fires_once_however_many_sweeps_look(world: World) -> None:
    dispatches, found = sweep_at_once(world)
    assert found == []
    assert called(world) == sorted(dispatch["id"] for dispatch in dispatches)
    assert {dispatch["version"] for dispatch in dispatches} == {2}
    assert world.trial_balance()["platform:revenue"] == -8 * 300


@IN_MEMORY
def test_control_the_rig_catches_a_fine_that_is_taken_twice(world: World) -> None:
    with unguarded():
        _, found = sweep_at_once(world)
    assert any(finding.startswith("party_balances: supplier:") for finding in found)


def accept_while_it_ends(
    world: World, ago: timedelta, **terms: Any
) -> tuple[list[Answer], list[Json], list[str]]:
    """Each of eight dispatches is accepted at the moment that its clock has something to do."""
    with back_then(ago):
        sale = a_sale(world, **terms)
        orders = orders_with_dispatches(world, sale)
    accepts = [move(world, order, "accept", {}) for order in orders]
    looks = each(orders, look)
    answers: list[Any] = at_once([*accepts, *looks])
    world.work()
    return answers[:8], read(world, orders), findings({sale.sku_ids[0]: 16})


@IN_MEMORY
def test_an_answer_or_its_clock_wins_never_both(world: World) -> None:
    answers, dispatches, found = accept_while_it_ends(world, ACCEPT_END, **CANCEL)
    assert found == []
    ended = [dispatch["id"] for dispatch in dispatches if dispatch["status"] == "cancelled"]
    for answer, dispatch in zip(answers, dispatches, strict=True):
        if dispatch["id"] in ended:
            assert answer.code == "invalid_transition"
        else:
            assert (answer.status, dispatch["status"]) == (200, "accepted")
    assert called(world) == sorted(ended)


@IN_MEMORY
def test_control_the_rig_catches_an_answer_to_what_was_cancelled(world: World) -> None:
    with unguarded():
        _, _, found = accept_while_it_ends(world, ACCEPT_END, **CANCEL)
    assert found


@IN_MEMORY
def test_an_answer_is_not_lost_by_a_reminder(world: World) -> None:
    answers, dispatches, found = accept_while_it_ends(world, HALF_TIME)
    assert outcomes(answers) == {"200": 8}
    assert {dispatch["status"] for dispatch in dispatches} == {"accepted"}
    for dispatch in dispatches:
        reminded = dispatch["clocks"][0]["reminded_at"] is not None
        assert dispatch["version"] == (3 if reminded else 2)
    assert found == []


@IN_MEMORY
def test_control_the_rig_catches_an_answer_that_a_reminder_loses(world: World) -> None:
    with unguarded():
        _, dispatches, found = accept_while_it_ends(world, HALF_TIME)
    lost = {dispatch["status"] for dispatch in dispatches} != {"accepted"}
    assert lost or {dispatch["version"] for dispatch in dispatches} == {2} or found


def ship_while(world: World, *ways: str) -> tuple[list[Answer], list[Json], list[str]]:
    """Eight accepted dispatches are shipped while they are called off, by hand or by the clock."""
    with back_then(SHIP_END):
        sale = a_sale(world, **CANCEL)
        orders = orders_with_dispatches(world, sale, "accept")
    calls: list[Any] = [move(world, order, "ship", PARCEL) for order in orders]
    if "by hand" in ways:
        calls += [move(world, order, "cancel", {"reason": "recalled"}) for order in orders]
    if "by the clock" in ways:
        calls += each(orders, look)
    answers = at_once(calls)[:8]
    world.work()
    return answers, read(world, orders), findings({sale.sku_ids[0]: 16})


WAYS = [("by hand",), ("by the clock",), ("by hand", "by the clock")]


@IN_MEMORY
@pytest.mark.parametrize("ways", WAYS, ids=" and ".join)
def test_a_dispatch_is_shipped_or_called_off_never_both(
    world: World, ways: tuple[str, ...]
) -> None:
    answers, dispatches, found = ship_while(world, *ways)
    for answer, dispatch in zip(answers, dispatches, strict=True):
        if dispatch["status"] == "shipped":
            assert answer.status == 200
        else:
            assert (dispatch["status"], answer.code) == ("cancelled", "invalid_transition")
    assert found == []


@IN_MEMORY
@pytest.mark.parametrize("ways", WAYS, ids=" and ".join)
def test_control_the_rig_catches_what_is_shipped_and_called_off(
    world: World, ways: tuple[str, ...]
) -> None:
    with unguarded():
        _, _, found = ship_while(world, *ways)
    assert any(finding.startswith("committed ") for finding in found)


def waive_at_once(world: World) -> tuple[list[Answer], list[str]]:
    with back_then(ACCEPT_END):
        orders = orders_with_dispatches(world, a_sale(world, **FINE))[:1]
    look(orders[0])
    waive = move(world, orders[0], "fines/accept/waive", {"reason": "flood"})
    return at_once([waive] * THREADS), findings()


@IN_MEMORY
def test_a_fine_waived_sixteen_times_at_once_is_given_back_once(world: World) -> None:
    answers, found = waive_at_once(world)
    assert outcomes(answers) == {"200": THREADS}
    assert len({answer.text for answer in answers}) == 1
    assert "platform:revenue" not in world.trial_balance()
    assert found == []


@IN_MEMORY
def test_control_the_rig_catches_a_fine_given_back_twice(world: World) -> None:
    with unguarded():
        _, found = waive_at_once(world)
    assert any(finding.startswith("party_balances: supplier:") for finding in found)


def set_terms_at_once(world: World) -> tuple[list[int], Json]:
    """Sixteen operators set other terms each."""
    path = f"/v1/suppliers/{world.add_supplier()}/terms"
    answers = at_once(
        each(range(1, THREADS + 1), lambda n: world.operator.put(path, {"accept_by_hours": n}))
    )
    versions = [answer.json["version"] for answer in answers if answer.status == 200]
    return versions, world.operator.get(path).json


@IN_MEMORY
def test_terms_set_at_once_are_versions_of_their_own(world: World) -> None:
    versions, terms = set_terms_at_once(world)
    assert len(set(versions)) == len(versions)
    assert terms["version"] == max(versions)


@IN_MEMORY
def test_control_the_rig_catches_two_terms_of_one_version(world: World) -> None:
    with unguarded():
        versions, _ = set_terms_at_once(world)
    assert len(set(versions)) < len(versions)
