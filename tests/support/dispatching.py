"""Dispatches in every state and of any age, and the calls that move them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from unittest import mock

from chalicelib.kernel import clock
from tests.support.gateway import Answer
from tests.support.world import Api, Json, Sale, World

SHIP = {"carrier": "DHL", "tracking_number": "T1"}
REJECT = {"reason": "sold out"}
# How a dispatch gets into each state.
WAYS: dict[str, tuple[str, ...]] = {
    "created": (),
    "accepted": ("accept",),
    "shipped": ("accept", "ship"),
    "delivered": ("accept", "ship", "deliver"),
    "rejected": ("reject",),
    "cancelled": (),
}
BODIES: dict[str, Json] = {"accept": {}, "reject": REJECT, "ship": SHIP, "deliver": {}}


def call(caller: Api, dispatch_id: str, verb: str, body: Json = None) -> Answer:
    """Without an idempotency key, so that nothing but the state can know a repeat."""
    sent = BODIES[verb] if body is None else body
    return caller.send("POST", f"/v1/dispatches/{dispatch_id}/{verb}", sent, {})


def read(world: World, dispatch_id: str) -> Json:
    return world.operator.get(f"/v1/dispatches/{dispatch_id}").json


def dispatch_in(world: World, state: str, sale: Sale | None = None) -> Json:
    order = world.paid_order(sale or world.sale(), quantity=2)
    dispatch_id = order["dispatches"][0]["id"]
    for verb in WAYS[state]:
        assert call(world.operator, dispatch_id, verb).status == 200
    if state == "cancelled":
        world.operator.post(f"/v1/orders/{order['id']}/cancel", {})
    found = read(world, dispatch_id)
    assert found["status"] == state
    return found


@contextmanager
def back_then(ago: timedelta) -> Iterator[None]:
    """All that is done within was done so long ago."""
    real = clock.now

    def then() -> datetime:
        return real() - ago

    with mock.patch.object(clock, "now", then):
        yield
