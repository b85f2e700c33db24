"""The clouds that every store is held to, with the same tests."""

from collections.abc import Iterator

import pytest

from tests.support.clouds import CLOUDS, cloud


@pytest.fixture(params=CLOUDS, autouse=True)
def environment(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """A new, empty cloud, and the environment that names its parts."""
    with cloud(request.param, request) as environment:
        yield environment
