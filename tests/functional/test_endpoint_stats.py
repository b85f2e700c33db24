"""`GET .../stats`: how an endpoint has answered in the last 24 hours, and what waits for it."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kernel import clock
from chalicelib.platform.transaction import write
from chalicelib.webhooks import stats
from chalicelib.webhooks import store as webhooks
from chalicelib.webhooks.rules import DISABLED, Attempt, Delivery, DeliveryStatus
from tests.functional.conftest import new_world
from tests.support.granted import running_as
from tests.support.world import Api, Issuer, Json, World, created

ENDPOINTS = "/v1/webhook-endpoints"
HOOK = {"url": "http://127.0.0.1:9/hook"}


class Endpoint:
    """An endpoint, and deliveries made for it."""

    def __init__(self, world: World, api: Api | None = None) -> None:
        self.api = api or world.supplier(world.add_supplier())
        self.shown = created(self.api.post(ENDPOINTS, HOOK))
        self.path = f"{ENDPOINTS}/{self.shown['id']}"
        self.made = 0

    def stats(self) -> Json:
        answer = self.api.get(f"{self.path}/stats")
        assert answer.status == 200, answer.text
        return answer.json

    def delivery(
        self,
        *attempts: Attempt,
        status: DeliveryStatus = "succeeded",
        waits: bool = False,
        **ago: float,
    ) -> None:
        self.made += 1
        made = Delivery(
            id=f"whd_{self.shown['id'][4:]}{self.made:05}",
            owner=self.shown["owner"],
            endpoint_id=self.shown["id"],
            event_type="ping",
            subject=self.shown["id"],
            body="{}",
            status=status,
            attempts=attempts,
            round_attempts=len(attempts),
            next_attempt_at=clock.now() + timedelta(hours=9) if status == "pending" else None,
            version=1,
            created_at=clock.now() - timedelta(**ago),
            waits=waits,
        )
        with running_as(None):
            write(webhooks.add_delivery(made))


def attempt(status: int | None = 200, took: int = 10, error: Any = None, **ago: float) -> Attempt:
    return Attempt(clock.to_text(clock.now() - timedelta(**ago)), status, took, error)


@pytest.fixture
def world(issuer: Issuer) -> Iterator[World]:
    """One whose deliveries are made up: nobody looks after those that wait."""
    with new_world(issuer) as made:
        yield made


@pytest.fixture
def endpoint(world: World) -> Endpoint:
    return Endpoint(world)


def test_an_endpoint_that_was_never_called_has_none(endpoint: Endpoint) -> None:
    found = endpoint.stats()
    window = found.pop("window")
    assert found == {
        "success_rate_bps": None,
        "attempts": 0,
        "p50_ms": None,
        "p95_ms": None,
        "backlog": 0,
        "oldest_waiting_at": None,
    }
    assert window["complete"] is True
    covered = clock.from_text(window["to"]) - clock.from_text(window["from"])
    assert covered == timedelta(hours=24)


def test_attempts_are_counted_and_their_durations_ranked(endpoint: Endpoint) -> None:
    for n in range(1, 21):
        endpoint.delivery(attempt(took=10 * n, hours=1), hours=1)
    failing = attempt(503, 5, "answered 503", hours=2), attempt(None, 15_000, "timed out", hours=1)
    endpoint.delivery(*failing, attempt(204, 7), hours=2)
    found = endpoint.stats()
    assert (found["attempts"], found["success_rate_bps"]) == (23, 10_000 * 21 // 23)
    # Of 5, 7, 10, 20 ... 200 and 15,000 the twelfth, and the twenty-second.
    assert (found["p50_ms"], found["p95_ms"]) == (100, 200)


def test_what_was_attempted_before_is_not_counted(endpoint: Endpoint) -> None:
    old, young = attempt(500, hours=24, seconds=1), attempt(500, hours=23, minutes=59)
    endpoint.delivery(old, young, attempt(200), days=2)
    found = endpoint.stats()
    assert (found["attempts"], found["success_rate_bps"]) == (2, 5_000)


def test_what_waits_is_counted_however_old(endpoint: Endpoint) -> None:
    endpoint.delivery(attempt(500, days=3), status="pending", days=3)
    endpoint.delivery(attempt(500), status="pending", hours=1)
    endpoint.delivery(attempt(500), status="exhausted", days=4)
    found = endpoint.stats()
    assert found["backlog"] == 2
    oldest = clock.from_text(found["oldest_waiting_at"])
    assert timedelta(days=3) <= clock.now() - oldest < timedelta(days=3, minutes=1)


def test_a_disabled_endpoint_was_not_attempted(endpoint: Endpoint) -> None:
    endpoint.delivery(attempt(None, 0, DISABLED), status="exhausted", hours=1)
    assert endpoint.stats()["attempts"] == 0


def test_endpoints_of_one_owner_are_told_apart(world: World, endpoint: Endpoint) -> None:
    other = Endpoint(world, endpoint.api)
    endpoint.delivery(attempt(500))
    other.delivery(attempt(200))
    assert endpoint.stats()["success_rate_bps"] == 0
    assert other.stats()["success_rate_bps"] == 10_000


def test_another_suppliers_endpoint_is_not_there(world: World, endpoint: Endpoint) -> None:
    stranger = Endpoint(world)
    answer = stranger.api.get(f"{endpoint.path}/stats")
    assert (answer.status, answer.code) == (404, "not_found")
    assert world.operator.get(f"{endpoint.path}/stats").status == 200


def test_where_there_are_too_many_the_newest_are_counted_and_that_is_said(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stats, "READ_AT_ONCE", 2)
    monkeypatch.setattr(stats, "LOOKED_AT_MOST", 4)
    for hours in (1, 2, 3, 4):
        endpoint.delivery(attempt(hours=hours, seconds=-1), hours=hours)
    whole = endpoint.stats()
    assert (whole["attempts"], whole["window"]["complete"]) == (4, True)
    endpoint.delivery(attempt(500, hours=5), status="pending", hours=5)
    part = endpoint.stats()
    assert (part["attempts"], part["window"]["complete"]) == (4, False)
    start = clock.from_text(part["window"]["from"])
    assert timedelta(hours=4) <= clock.now() - start < timedelta(hours=4, minutes=1)


def test_what_an_open_circuit_holds_back_is_counted_however_many_came_since(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stats, "READ_AT_ONCE", 1)
    monkeypatch.setattr(stats, "LOOKED_AT_MOST", 3)
    for hours in (30, 20, 3, 2, 1):
        endpoint.delivery(status="pending", waits=hours > 2, hours=hours)
    found = endpoint.stats()
    assert (found["backlog"], found["window"]["complete"]) == (5, False)
    oldest = clock.from_text(found["oldest_waiting_at"])
    assert timedelta(hours=30) <= clock.now() - oldest < timedelta(hours=30, minutes=1)


def test_what_is_older_than_five_days_does_not_make_it_incomplete(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stats, "READ_AT_ONCE", 2)
    monkeypatch.setattr(stats, "LOOKED_AT_MOST", 4)
    for days in (1, 2, 6, 7, 8):
        endpoint.delivery(attempt(days=days), days=days)
    assert endpoint.stats()["window"]["complete"] is True


@given(st.lists(st.integers(0, 20_000), min_size=1), st.integers(1, 100))
def test_a_percentile_is_exceeded_by_no_more_than_the_rest(
    durations: list[int], percent: int
) -> None:
    found = stats.percentile(sorted(durations), percent)
    assert found in durations
    at_most = sum(each <= found for each in durations)
    below = sum(each < found for each in durations)
    assert 100 * at_most >= percent * len(durations)
    assert 100 * below < percent * len(durations)


def test_the_oldest_has_waited_since_it_was_replayed(endpoint: Endpoint) -> None:
    endpoint.delivery(attempt(500, hours=90), status="exhausted", hours=90)
    (exhausted,) = endpoint.api.get("/v1/webhook-deliveries").json["items"]
    before = clock.to_text(clock.now())
    assert endpoint.api.post(f"/v1/webhook-deliveries/{exhausted['id']}/replay").status == 202
    stats = endpoint.stats()
    assert stats["backlog"] == 1
    assert before <= stats["oldest_waiting_at"]
