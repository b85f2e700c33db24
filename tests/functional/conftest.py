"""Worlds whose every answer is held against the OpenAPI document, and a clock that can be moved."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
from pytest_httpserver import HTTPServer

from chalicelib.kernel import clock
from chalicelib.reconciliation import cells
from tests.support import documented
from tests.support.clouds import quick_cloud
from tests.support.gateway import Gateway
from tests.support.invariants import findings
from tests.support.world import Issuer, World


@contextmanager
def new_world(issuer: Issuer, **settings: str) -> Iterator[World]:
    """Tuan on a new, empty cloud in this process, with some settings of its own."""
    with quick_cloud(**issuer.settings, **settings) as environment:
        from app import app

        yield World(Gateway(app, documented.check), issuer, environment)


class Clock:
    """The time that the code under test reads; it can be moved on."""

    def __init__(self) -> None:
        self._moved = timedelta()
        self._real = clock.now

    def now(self) -> datetime:
        return self._real() + self._moved

    def move_on(self, **time: float) -> None:
        self._moved += timedelta(**time)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Clock:
    moving = Clock()
    monkeypatch.setattr(clock, "now", moving.now)
    return moving


@pytest.fixture
def deployed_with() -> dict[str, str]:
    """Settings of the world, where a file's tests need any."""
    return {}


@pytest.fixture
def world(issuer: Issuer, time: Clock, deployed_with: dict[str, str]) -> Iterator[World]:
    """A new world, in which all must add up once it is at rest."""
    with new_world(issuer, **deployed_with) as made:
        yield made
        made.work()
        assert findings() == []


@pytest.fixture
def days_to_come(monkeypatch: pytest.MonkeyPatch) -> None:
    """Statements of days after the one that all is posted on are taken on that day."""
    monkeypatch.setattr(cells, "AHEAD", timedelta(days=30))


@pytest.fixture(scope="session")
def listening() -> Iterator[HTTPServer]:
    with HTTPServer(host="127.0.0.1") as server:
        yield server


@pytest.fixture
def server(listening: HTTPServer) -> Iterator[HTTPServer]:
    """A supplier's own web server on loopback, without any handlers yet."""
    listening.clear()
    yield listening
    listening.clear()
