"""The whole of Tuan on a local cloud: its gateway, its packaged functions, its schedules."""

from collections.abc import Iterator

import pytest
from pytest_httpserver import HTTPServer

from infra.local.stack import LocalStack
from tests.support.deployed import DeployedGateway, DeployedWorld


@pytest.fixture
def world(stack: LocalStack) -> Iterator[DeployedWorld]:
    """The deployed application with an empty store."""
    gateway = DeployedGateway(stack)
    world = DeployedWorld(stack, gateway)
    world.start_empty()
    yield world
    gateway.close()


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    """A supplier's own web server on loopback."""
    with HTTPServer(host="127.0.0.1") as server:
        yield server
