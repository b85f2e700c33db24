"""Leaders that have left, looked at by several sweeps at once: what they owe is claimed once."""

from collections.abc import Callable

from chalicelib.kernel import clock
from chalicelib.leaving import service
from chalicelib.ledger import rules as books
from chalicelib.ledger import store as ledger
from chalicelib.parties import store as parties
from chalicelib.platform.transaction import write
from tests.support.at_once import THREADS, at_once
from tests.support.clouds import ALSO_IN_MEMORY, IN_MEMORY
from tests.support.unguarded import unguarded
from tests.support.world import World


def gone(world: World) -> str:
    """A leader that has left with nothing between it and the platform."""
    leader_id = world.add_leader()
    assert world.operator.post(f"/v1/leaders/{leader_id}/leave", {}).status == 200
    sweep()
    assert world.operator.get(f"/v1/leaders/{leader_id}/leave").json["status"] == "left"
    return leader_id


def sweep() -> None:
    service.sweep(clock.now())


def comes_to_owe(leader_id: str) -> None:
    """By something that is of no matter here."""
    amounts = {books.leader_account(leader_id, "available"): 500, books.PLATFORM_REVENUE: -500}
    entry = books.entry(f"test:{leader_id}", "EUR", leader_id, clock.now(), amounts)
    write(*ledger.post(entry))


def claims(world: World, leader_id: str) -> int:
    found = world.operator.get("/v1/cases").json["items"]
    return sum((each["kind"], each["subject"]) == ("leader_owes", leader_id) for each in found)


def claim_at_once(world: World) -> int:
    """How often what a leader owes is claimed by sixteen sweeps at once."""
    leader_id = gone(world)
    comes_to_owe(leader_id)
    at_once([sweep] * THREADS)
    return claims(world, leader_id)


@ALSO_IN_MEMORY
def test_what_one_that_has_left_owes_is_claimed_by_one_of_sixteen_sweeps(world: World) -> None:
    assert claim_at_once(world) == 1


@IN_MEMORY
def test_control_the_rig_catches_a_claim_that_is_made_twice(world: World) -> None:
    with unguarded():
        assert any(claim_at_once(world) > 1 for _ in range(5))


def leave_at_once(world: World) -> tuple[str, str]:
    """What a leader comes to that is let go and stays at the same moment, and how it is listed."""
    leader_id = world.add_leader()
    path = f"/v1/leaders/{leader_id}/leave"
    assert world.operator.post(path, {}).status == 200
    calls: list[Callable[[], object]] = [sweep, lambda: world.operator.post(f"{path}/cancel")]
    at_once(calls * (THREADS // 2))
    status = str(world.operator.get(path).json["status"])
    return status, "left" if listed_as_left(leader_id) else "not left"


def listed_as_left(leader_id: str) -> list[str]:
    return [row.pk for page in parties.all_that_left() for row in page if row.pk == leader_id]


@ALSO_IN_MEMORY
def test_of_a_leaving_and_a_staying_at_once_one_holds(world: World) -> None:
    assert leave_at_once(world) in (("left", "left"), ("active", "not left"))
