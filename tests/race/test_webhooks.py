"""Endpoints that fail: looked after by many at once, and by workers that die between two steps."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from chalicelib.kernel import clock
from chalicelib.platform import worker
from chalicelib.platform.transaction import write
from chalicelib.webhooks import delivering, endpoint_store, recovering
from chalicelib.webhooks import store as webhooks
from chalicelib.webhooks.rules import Delivery, Endpoint, Health
from tests.support.at_once import THREADS, at_once
from tests.support.clouds import ALSO_IN_MEMORY, IN_MEMORY
from tests.support.crashing import Snapshot, kill, points_of, work_off
from tests.support.unguarded import unguarded
from tests.support.world import World

ENDPOINT, OTHER = "whe_0000000000aa", "whd_0000000000ff"
# What one holds that has died is somebody else's after this.
AFTER_CLAIM = timedelta(minutes=7)


class Supplier:
    """An endpoint, the deliveries that wait there, and what it hears."""

    def __init__(self, server: HTTPServer, health: Health, *, held: bool) -> None:
        now = clock.now()
        self.status, self.heard = 200, list[str]()
        server.expect_request("/hook").respond_with_handler(self._hear)
        endpoint = Endpoint(
            id=ENDPOINT,
            owner="sup_1",
            url=server.url_for("/hook"),
            event_types=(),
            status="active",
            generation=1,
            old_secret_until=None,
            failing_since=now if health.failures else None,
            last_failed_at=now if health.failures else None,
            disabled_reason=None,
            version=1,
            created_at=now,
            health=health,
            look_at=now if health.circuit == "open" else None,
        )
        write(*endpoint_store.add_endpoint(endpoint, 1, RuntimeError()))
        self.ids = [self._wait(n, now, held=held) for n in range(2)]

    def _wait(self, n: int, now: datetime, *, held: bool) -> str:
        made = Delivery(
            id=f"whd_0000000000a{n}",
            owner="sup_1",
            endpoint_id=ENDPOINT,
            event_type="dispatch.created",
            subject=f"dsp_0000000000a{n}",
            body='{"type":"dispatch.created","timestamp":"","data":{"version":1}}',
            status="pending",
            attempts=(),
            round_attempts=0,
            next_attempt_at=now - timedelta(minutes=5),
            version=1,
            created_at=now + timedelta(milliseconds=n),
        )
        begun = replace(made.held(now), version=1) if held else made
        write(webhooks.add_delivery(begun))
        return made.id

    def _hear(self, request: Request) -> Response:
        self.heard.append(request.headers["webhook-id"])
        return Response(status=self.status)

    def statuses(self) -> set[str]:
        return {each.status for each in webhooks.get_deliveries(self.ids).values()}


OPEN = Health(failures=5, first_failed=OTHER, several=True, circuit="open")
ABOUT_TO_OPEN = Health(failures=4, first_failed=OTHER)


def look_after_at_once(server: HTTPServer) -> list[str]:
    supplier = Supplier(server, OPEN, held=True)
    at_once([lambda: recovering.look_after(ENDPOINT)] * THREADS)
    return supplier.heard


@ALSO_IN_MEMORY
def test_sixteen_that_look_after_an_endpoint_try_it_once(world: World, server: HTTPServer) -> None:
    assert len(look_after_at_once(server)) == 1


@ALSO_IN_MEMORY
def test_control_without_its_condition_the_claim_is_everybodys(
    world: World, server: HTTPServer
) -> None:
    with unguarded():
        assert len(look_after_at_once(server)) > 1


def minutes_later(
    world: World, monkeypatch: pytest.MonkeyPatch, now: Callable[[], datetime]
) -> None:
    """What the sweep and the queues do in the twenty minutes that follow."""
    for n in range(1, 4):
        later = n * AFTER_CLAIM
        monkeypatch.setattr(clock, "now", lambda later=later: now() + later)
        recovering.sweep(clock.now())
        delivering.sweep(clock.now())
        work_off(world)
    monkeypatch.setattr(clock, "now", now)


def sweep_and_work(world: World) -> None:
    recovering.sweep(clock.now())
    delivering.sweep(clock.now())
    work_off(world)


@IN_MEMORY
@pytest.mark.parametrize("health", [OPEN, ABOUT_TO_OPEN], ids=["open", "about to open"])
def test_wherever_a_worker_dies_all_that_waits_is_heard(
    health: Health, world: World, server: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # In one thread, so that its calls come in one order each time.
    monkeypatch.setattr(worker, "LANE_WIDTH", 1)
    supplier = Supplier(server, health, held=health is OPEN)
    before, now, act = Snapshot(world), clock.now, partial(sweep_and_work, world)
    first_status = 200 if health is OPEN else 503
    supplier.status = first_status
    points = points_of(act)
    for point in points:
        before.restore()
        supplier.heard.clear()
        supplier.status = first_status
        kill(act, point)
        supplier.status = 200
        minutes_later(world, monkeypatch, now)
        assert supplier.statuses() == {"succeeded"}, f"killed {point}"
        assert set(supplier.heard) >= set(supplier.ids), f"killed {point}"
        endpoint = endpoint_store.get_endpoint(ENDPOINT)
        assert endpoint is not None
        assert endpoint.circuit == "closed", f"killed {point}"
    assert len(points) > 5


@IN_MEMORY
def test_control_the_rig_catches_a_claim_that_never_ends(
    world: World, server: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovering, "CLAIMED_FOR", timedelta(days=1))
    supplier = Supplier(server, OPEN, held=True)
    now, act = clock.now, partial(sweep_and_work, world)
    before = Snapshot(world)
    ends = set[bool]()
    for point in points_of(act)[::3]:
        before.restore()
        kill(act, point)
        minutes_later(world, monkeypatch, now)
        ends.add(supplier.statuses() == {"succeeded"})
    assert False in ends
