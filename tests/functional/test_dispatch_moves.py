"""Every move of a dispatch from every state: legal, a repeat, or refused."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.functional.conftest import new_world
from tests.support.dispatching import BODIES, WAYS, call, dispatch_in, read
from tests.support.invariants import findings
from tests.support.snapshot import snapshot
from tests.support.world import Issuer, Json, Sale, World

OTHER_BODIES: dict[str, Json] = {
    "reject": {"reason": "no van"},
    "ship": {"carrier": "UPS", "tracking_number": "T1"},
    "deliver": {"delivered_at": "2026-01-01T00:00:00Z"},
}
REACHES = {"accept": "accepted", "reject": "rejected", "ship": "shipped", "deliver": "delivered"}
LEGAL = {
    ("created", "accept"),
    ("created", "reject"),
    ("accepted", "ship"),
    ("accepted", "reject"),
    ("shipped", "deliver"),
}


@dataclass(frozen=True)
class Floor:
    """One world and one sale for many orders that do not mind each other."""

    world: World
    sale: Sale


@pytest.fixture(scope="module")
def floor(issuer: Issuer) -> Iterator[Floor]:
    with new_world(issuer) as world:
        yield Floor(world, world.sale(stock=1000))
        world.work()
        assert findings() == []


@pytest.mark.parametrize("verb", BODIES)
@pytest.mark.parametrize("state", WAYS)
def test_each_move_is_legal_a_repeat_or_refused(floor: Floor, state: str, verb: str) -> None:
    world = floor.world
    before = dispatch_in(world, state, floor.sale)
    world.work()
    stored = snapshot(world.environment)
    answer = call(world.operator, before["id"], verb)
    if (state, verb) in LEGAL:
        assert (answer.status, answer.json["status"]) == (200, REACHES[verb])
        assert answer.json["version"] == before["version"] + 1
        assert read(world, before["id"]) == answer.json
        return
    if state == REACHES[verb]:
        assert (answer.status, answer.json) == (200, before)
    else:
        assert (answer.status, answer.code) == (409, "invalid_transition")
        assert state in answer.json["detail"]
        assert REACHES[verb] in answer.json["detail"]
    assert snapshot(world.environment) == stored


@pytest.mark.parametrize("verb", OTHER_BODIES)
def test_the_state_reached_in_other_words_is_a_conflict(floor: Floor, verb: str) -> None:
    world, state = floor.world, REACHES[verb]
    before = dispatch_in(world, state, floor.sale)
    stored = snapshot(world.environment)
    answer = call(world.operator, before["id"], verb, OTHER_BODIES[verb])
    assert (answer.status, answer.code) == (409, f"already_{state}")
    assert snapshot(world.environment) == stored
