"""A process that dies while a supplier's clock ends, or while an operator decides about it."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from chalicelib.dispatch import clocks
from chalicelib.kernel import clock
from chalicelib.kernel.errors import Busy
from tests.race.test_crashes import (
    PAID,
    Made,
    Recorder,
    Scenario,
    a_sale,
    assert_it_ends_right,
    comes_to,
    crash_everywhere,
    is_caught_piece_by_piece,
    post,
    result,
)
from tests.support.clouds import IN_MEMORY
from tests.support.crashing import work_off
from tests.support.dispatching import back_then
from tests.support.unguarded import piecemeal
from tests.support.world import Json, World, created

HALF_TIME, END = timedelta(hours=6), timedelta(hours=12)
FINE: Json = {"on_missed": "fine", "fine_amount": 500}


def paid_ago(world: World, ago: timedelta, **terms: Any) -> Made:
    """Dispatched some time ago under terms, to a supplier that listens since."""
    with back_then(ago):
        sale = a_sale(world).sale
        path = f"/v1/suppliers/{sale.supplier_id}/terms"
        # Half of the time to ship is not over when the time to accept is.
        assert world.operator.put(path, {"ship_by_hours": 48, **terms}).status == 200
        order = world.paid_order(sale, quantity=3)
    hook = {"url": "http://127.0.0.1:9/hook", "supplier_id": sale.supplier_id}
    created(world.operator.post("/v1/webhook-endpoints", hook))
    return Made(sale, order)


def sweep(world: World, _: Made) -> None:
    clocks.sweep(clock.now())
    work_off(world)


def fined(world: World) -> Made:
    made = paid_ago(world, END, **FINE)
    sweep(world, made)
    return made


def waive(world: World, made: Made) -> None:
    post(world, f"{made.dispatch}/fines/accept/waive", {"reason": "flood"})


def call_off(world: World, made: Made) -> None:
    post(world, f"{made.dispatch}/cancel", {"reason": "recalled"})


def with_clock(world: World, made: Made) -> Json:
    """What the order comes to, with the first clock and what the supplier was told."""
    told = world.operator.get("/v1/webhook-deliveries").json["items"]
    accept = world.operator.get(made.dispatch).json["clocks"][0]
    marks = {name: accept[name] is not None for name in ("reminded_at", "fired_at", "waived_at")}
    return {**result(world, made), "told": sorted(each["event_type"] for each in told), **marks}


def marked(expected: Json, *marks: str, told: tuple[str, ...] = ()) -> Json:
    names = ("reminded_at", "fired_at", "waived_at")
    return {**expected, "told": list(told), **{name: name in marks for name in names}}


MISSED = {**PAID, "cases": ["accept_missed"]}
FINED = {
    **MISSED,
    "balances": {**PAID["balances"], "supplier:payable": 500, "platform:revenue": -500},
}
EXPIRED = comes_to("refunded", 7, refunded=6000, dispatches=["cancelled"], cases=["accept_missed"])
CALLED_OFF = comes_to("refunded", 10, refunded=6000, dispatches=["cancelled"])
CANCELLED = ("dispatch.cancelled",)
SCENARIOS = {
    "remind": Scenario(
        partial(paid_ago, ago=HALF_TIME),
        sweep,
        with_clock,
        marked(PAID, "reminded_at", told=("dispatch.reminder",)),
    ),
    "miss": Scenario(partial(paid_ago, ago=END), sweep, with_clock, marked(MISSED, "fired_at")),
    "miss and be fined": Scenario(
        partial(paid_ago, ago=END, **FINE), sweep, with_clock, marked(FINED, "fired_at")
    ),
    "miss and be cancelled": Scenario(
        partial(paid_ago, ago=END, on_missed="cancel"),
        sweep,
        with_clock,
        marked(EXPIRED, "fired_at", told=CANCELLED),
    ),
    "waive": Scenario(fined, waive, with_clock, marked(MISSED, "fired_at", "waived_at")),
    "call off": Scenario(
        partial(paid_ago, ago=timedelta()), call_off, with_clock, marked(CALLED_OFF, told=CANCELLED)
    ),
}


@IN_MEMORY
@pytest.mark.parametrize("name", SCENARIOS)
def test_whatever_dies_wherever_the_clock_comes_to_the_same(
    name: str, world: World, record_property: Recorder
) -> None:
    assert_it_ends_right(world, SCENARIOS[name], record_property)


@IN_MEMORY
def test_control_the_rig_catches_a_waiver_written_piece_by_piece(world: World) -> None:
    assert is_caught_piece_by_piece(world, SCENARIOS["waive"])


@IN_MEMORY
def test_control_the_rig_catches_an_end_written_piece_by_piece(world: World) -> None:
    """A fine that was taken without its mark cannot be taken again, and every sweep fails."""
    with piecemeal(), pytest.raises(Busy):
        dict(crash_everywhere(world, SCENARIOS["miss and be fined"]))
