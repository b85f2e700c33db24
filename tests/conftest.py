"""Fixtures that every kind of test may use."""

from collections.abc import Iterator

import pytest
from chalice.test import Client
from pytest_httpserver import HTTPServer

from tests.support.moto_cloud import moto_cloud
from tests.support.world import Issuer, World


@pytest.fixture(scope="session")
def issuer(make_httpserver: HTTPServer) -> Issuer:
    return Issuer(make_httpserver)


@pytest.fixture
def world(issuer: Issuer) -> Iterator[World]:
    """Tuan on a new, empty cloud in this process."""
    with moto_cloud(**issuer.settings) as environment:
        from app import app

        with Client(app) as client:
            yield World(client, issuer, environment)
