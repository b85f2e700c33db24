"""Where races are run: the application in this process, on each cloud there is."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from pytest_httpserver import HTTPServer

from chalicelib.reconciliation import cells
from tests.support.clouds import cloud
from tests.support.gateway import Gateway
from tests.support.world import Issuer, World

# A day may be settled before it is over, and commission matures at once: races need no calendar.
SETTINGS = {"COMMISSION_HOLD_DAYS": "0", "SETTLE_OPEN_DAY": "1"}


@pytest.fixture
def world(request: pytest.FixtureRequest, issuer: Issuer) -> Iterator[World]:
    """Tuan on an empty cloud: over HTTP on MiniStack, or as the test's parameter says."""
    from app import app

    kind = getattr(request, "param", "ministack")
    with cloud(kind, request, **issuer.settings, **SETTINGS) as environment:
        yield World(Gateway(app), issuer, environment)


@pytest.fixture
def days_to_come(monkeypatch: pytest.MonkeyPatch) -> None:
    """Statements of days after the one that all is posted on are taken on that day."""
    monkeypatch.setattr(cells, "AHEAD", timedelta(days=30))


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    """A supplier's own web server on loopback."""
    with HTTPServer(host="127.0.0.1") as server:
        yield server
