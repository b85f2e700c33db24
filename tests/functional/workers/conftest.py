"""Time that stands still until a test moves it on, and queries as AWS takes them."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import pytest
from botocore.client import BaseClient

from chalicelib.kernel import clock
from tests.functional.conftest import new_world
from tests.support.world import Issuer, World

# A Tuesday. What is delivered on it matures seven days later, on the 17th.
NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


class StillClock:
    """The instant that all code reads as now."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def move_on(self, **time: float) -> None:
        self.at += timedelta(**time)

    def move_to(self, text: str) -> None:
        self.at = clock.from_text(text)


@pytest.fixture(autouse=True)
def time(monkeypatch: pytest.MonkeyPatch) -> StillClock:
    still = StillClock(NOON)
    monkeypatch.setattr(clock, "now", still.now)
    return still


@pytest.fixture
def world(issuer: Issuer, time: StillClock) -> Iterator[World]:
    """A new world. Tests here stop half-way on purpose: those that come to rest look themselves."""
    with new_world(issuer) as made:
        yield made


@pytest.fixture(autouse=True)
def bounds_in_order() -> Iterator[None]:
    """DynamoDB refuses a BETWEEN whose upper bound lies below the lower one; moto finds nothing."""
    make = BaseClient._make_api_call

    def checked(client: BaseClient, operation: str, parameters: dict[str, Any]) -> Any:
        condition = parameters.get("KeyConditionExpression", "")
        for lower, upper in re.findall(r"BETWEEN (:\w+) AND (:\w+)", condition):
            values = parameters["ExpressionAttributeValues"]
            assert values[lower]["S"] <= values[upper]["S"], values
        return make(client, operation, parameters)

    with mock.patch.object(BaseClient, "_make_api_call", checked):
        yield
