"""Fixtures that every kind of test may use."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any
from unittest import mock

import botocore.session
import pytest
from pytest_httpserver import HTTPServer
from xdist.scheduler import LoadScopeScheduling

from infra.local.stack import LocalStack, local_stack
from tests.support.clouds import quick_cloud
from tests.support.gateway import Gateway
from tests.support.granted import holding_to_roles
from tests.support.world import Issuer, World

# Their tests talk to the local cloud, but for those whose parameter says that they need none.
ON_THE_LOCAL_CLOUD = ("contract", "journey", "race", "template")
IN_PROCESS = re.compile(r"[\[-](moto|memory)[-\]]")


class Apart(LoadScopeScheduling):  # type: ignore[misc]
    """Where tests run side by side, those on the local cloud run in two processes, each with a
    cloud of its own: races, which take as long as all others together, and all others."""

    def _split_scope(self, nodeid: str) -> str:
        kind = nodeid.split("/")[1]
        if kind not in ON_THE_LOCAL_CLOUD or IN_PROCESS.search(nodeid):
            return nodeid
        return "races on a local cloud" if kind == "race" else "a local cloud"


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Apart:
    return Apart(config, log)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say at how many points processes were killed, whichever of them ran the tests."""
    passed = terminalreporter.stats.get("passed", ())
    points = [n for each in passed for name, n in each.user_properties if name == "crash_points"]
    if points:
        terminalreporter.write_line(
            f"killed at {sum(points)} points of {len(points)} flows: nothing lost, nothing twice"
        )


@pytest.fixture(scope="session", autouse=True)
def service_models_are_read_once() -> Iterator[None]:
    """Tests make clients anew; to parse the models of their services each time takes longest."""
    once = cache(botocore.session.create_loader)
    with mock.patch.object(botocore.session, "create_loader", once):
        yield


@pytest.fixture(scope="session", autouse=True)
def functions_are_held_to_their_roles() -> Iterator[None]:
    with holding_to_roles():
        yield


@pytest.fixture(scope="session")
def issuer(make_httpserver: HTTPServer) -> Issuer:
    return Issuer(make_httpserver)


@pytest.fixture
def world(issuer: Issuer) -> Iterator[World]:
    """Tuan on a new, empty cloud in this process."""
    with quick_cloud(**issuer.settings) as environment:
        from app import app

        yield World(Gateway(app), issuer, environment)


@pytest.fixture(scope="session")
def stack() -> Iterator[LocalStack]:
    """A local cloud with the packaged application, the same for all tests that ask for one."""
    with local_stack() as stack:
        yield stack
