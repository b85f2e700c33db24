"""A process that dies while a supplier's fee or deposit is booked, and all of it done again."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import pytest

from chalicelib.kernel import clock
from chalicelib.suppliers import fees
from tests.race.test_supplier_money import agree, later
from tests.support.clouds import ON_MOTO
from tests.support.crashing import Snapshot, come_to_rest, kill, points_of
from tests.support.invariants import findings
from tests.support.unguarded import piecemeal
from tests.support.world import World, created

Act = Callable[[], object]


@dataclass(frozen=True)
class Scenario:
    """What is done, again with the same key, and what the supplier has then."""

    act: Act
    supplier_id: str
    owed: int = 0
    deposit: int = 0
    payable: int = 0

    def end(self, world: World) -> list[str]:
        """What is wrong once all is at rest."""
        found = world.operator.get(f"/v1/suppliers/{self.supplier_id}/balance").json
        due = {"owed": self.owed, "deposit": self.deposit, "payable": self.payable}
        wrong = [f"{name} is {found[name]}" for name, sum_ in due.items() if found[name] != sum_]
        return wrong + findings()


def annual_fee(world: World) -> Scenario:
    supplier_id = world.add_supplier()
    agree(world, supplier_id, annual_fee=1000)

    def post() -> None:
        with later(days=1):
            fees.sweep(clock.now())

    return Scenario(post, supplier_id, owed=1000)


def community_fee(world: World) -> Scenario:
    sale = world.sale()
    agree(world, sale.supplier_id, community_fee=300)
    dispatch_id = world.paid_order(sale)["dispatches"][0]["id"]
    world.move(dispatch_id, "accept", "ship")
    path = f"/v1/dispatches/{dispatch_id}/deliver"
    deliver = partial(world.operator.post, path, {}, key="once")
    return Scenario(deliver, sale.supplier_id, owed=300, payable=700)


def deposit(world: World) -> Scenario:
    supplier_id = world.add_supplier()
    path, body = f"/v1/suppliers/{supplier_id}/deposits", {"amount": 1000, "reference": "T1"}
    book = partial(world.operator.post, path, body, key="once")
    return Scenario(book, supplier_id, deposit=1000)


def drawing(world: World) -> Scenario:
    supplier_id = world.add_supplier()
    path = f"/v1/suppliers/{supplier_id}/deposits"
    created(world.operator.post(path, {"amount": 1000, "reference": "T1"}))
    body = {"amount": 400, "reason": "spoilt", "pays": "damages"}
    draw = partial(world.operator.post, f"{path}/draw", body, key="once")
    return Scenario(draw, supplier_id, deposit=600)


SCENARIOS = {each.__name__: each for each in (annual_fee, community_fee, deposit, drawing)}


def crash_everywhere(world: World, made: Scenario) -> dict[str, list[str]]:
    """What is wrong where it died at each point and was done again, by point."""
    before = Snapshot(world)
    points = points_of(made.act)
    wrong = {}
    for point in points:
        before.restore()
        kill(made.act, point)
        made.act()
        with later(days=1):
            come_to_rest(world)
            wrong[str(point)] = made.end(world)
    return wrong


@ON_MOTO
@pytest.mark.parametrize("name", SCENARIOS)
def test_whatever_dies_wherever_the_supplier_has_the_same(name: str, world: World) -> None:
    wrong = crash_everywhere(world, SCENARIOS[name](world))
    assert {point: found for point, found in wrong.items() if found} == {}
    assert len(wrong) > 1


@ON_MOTO
@pytest.mark.parametrize("name", SCENARIOS)
def test_control_the_rig_catches_what_is_booked_piece_by_piece(name: str, world: World) -> None:
    with piecemeal():
        wrong = crash_everywhere(world, SCENARIOS[name](world))
    assert any(wrong.values())
