"""A process that dies while a supplier pays or leaves money, and all of it done again."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from chalicelib.kernel import clock
from chalicelib.suppliers import fees
from tests.race.test_crashes import (
    Recorder,
    Scenario,
    assert_it_ends_right,
    balances,
    is_caught_piece_by_piece,
    post,
)
from tests.race.test_supplier_money import agree
from tests.support.clouds import IN_MEMORY
from tests.support.dispatching import back_then
from tests.support.world import Json, World, created


def with_annual_fee(world: World) -> str:
    """A year of a supplier began yesterday; it pays 10.00 for it."""
    with back_then(timedelta(days=1)):
        supplier_id = world.add_supplier()
        agree(world, supplier_id, annual_fee=1000)
    return supplier_id


def post_annual_fees(world: World, supplier_id: str) -> None:
    fees.sweep(clock.now())


def shipped(world: World) -> str:
    """One unit on its way to a community that its supplier pays 3.00 for."""
    sale = world.sale()
    agree(world, sale.supplier_id, community_fee=300)
    dispatch_id = str(world.paid_order(sale)["dispatches"][0]["id"])
    world.move(dispatch_id, "accept", "ship")
    return dispatch_id


def deliver(world: World, dispatch_id: str) -> None:
    post(world, f"/v1/dispatches/{dispatch_id}/deliver", {})


def deposit(world: World, supplier_id: str) -> None:
    post(world, deposits_of(supplier_id), {"amount": 1000, "reference": "T1"})


def deposited(world: World) -> str:
    supplier_id = world.add_supplier()
    body = {"amount": 1000, "reference": "T1"}
    created(world.operator.post(deposits_of(supplier_id), body))
    return supplier_id


def hand_back(world: World, supplier_id: str) -> None:
    post(world, f"{deposits_of(supplier_id)}/return", {"amount": 400, "reference": "T2"})


def draw(world: World, supplier_id: str, pays: str) -> None:
    body = {"amount": 400, "reason": "spoilt", "pays": pays}
    post(world, f"{deposits_of(supplier_id)}/draw", body)


def owing_with_deposit(world: World) -> str:
    supplier_id = with_fee_posted(world)
    deposit(world, supplier_id)
    return supplier_id


def with_fee_posted(world: World) -> str:
    supplier_id = with_annual_fee(world)
    post_annual_fees(world, supplier_id)
    return supplier_id


def remit(world: World, supplier_id: str) -> None:
    body = {"amount": 400, "reference": "T1"}
    post(world, f"/v1/suppliers/{supplier_id}/remittances", body)


def remitted(world: World) -> str:
    supplier_id = with_fee_posted(world)
    remit(world, supplier_id)
    return supplier_id


def take_transfer_back(world: World, supplier_id: str) -> None:
    path = f"/v1/suppliers/{supplier_id}/remittances"
    (made,) = world.operator.get(path).json["items"]
    post(world, f"{path}/{made['id']}/reverse", {"reason": "of another supplier"})


def deposits_of(supplier_id: str) -> str:
    return f"/v1/suppliers/{supplier_id}/deposits"


def result(world: World, made: Any) -> Json:
    return balances(world)


SCENARIOS = {
    "annual fee": Scenario(
        with_annual_fee,
        post_annual_fees,
        result,
        {"supplier:owed": 1000, "platform:revenue": -1000},
    ),
    # Of 1000 the supplier is owed 700, the leader 10 %; the fee is the platform's.
    "community fee": Scenario(
        shipped,
        deliver,
        result,
        {
            "cash:local": 1000,
            "supplier:payable": -700,
            "supplier:owed": 300,
            "leader:pending": -100,
            "platform:revenue": -500,
        },
    ),
    "deposit": Scenario(
        World.add_supplier, deposit, result, {"cash:bank": 1000, "supplier:deposit": -1000}
    ),
    "hand back": Scenario(
        deposited, hand_back, result, {"cash:bank": 600, "supplier:deposit": -600}
    ),
    "transfer": Scenario(
        with_fee_posted,
        remit,
        result,
        {"cash:bank": 400, "supplier:owed": 600, "platform:revenue": -1000},
    ),
    "transfer taken back": Scenario(
        remitted,
        take_transfer_back,
        result,
        {"supplier:owed": 1000, "platform:revenue": -1000},
    ),
    "draw for damages": Scenario(
        deposited,
        partial(draw, pays="damages"),
        result,
        {"cash:bank": 1000, "supplier:deposit": -600, "platform:revenue": -400},
    ),
    "draw for fees": Scenario(
        owing_with_deposit,
        partial(draw, pays="fees"),
        result,
        {
            "cash:bank": 1000,
            "supplier:deposit": -600,
            "supplier:owed": 600,
            "platform:revenue": -1000,
        },
    ),
}


@IN_MEMORY
@pytest.mark.parametrize("name", SCENARIOS)
def test_whatever_dies_wherever_the_supplier_has_the_same(
    name: str, world: World, record_property: Recorder
) -> None:
    assert_it_ends_right(world, SCENARIOS[name], record_property)


@IN_MEMORY
@pytest.mark.parametrize("name", SCENARIOS)
def test_control_the_rig_catches_what_is_booked_piece_by_piece(name: str, world: World) -> None:
    assert is_caught_piece_by_piece(world, SCENARIOS[name])
