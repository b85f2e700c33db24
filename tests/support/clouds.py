"""The clouds that the code must run on alike."""

from contextlib import AbstractContextManager

import pytest

from tests.support.ministack_cloud import ministack_cloud
from tests.support.moto_cloud import moto_cloud

CLOUDS = ("moto", "ministack")
ON_EACH_CLOUD = pytest.mark.parametrize("world", CLOUDS, indirect=True)
ON_MOTO = pytest.mark.parametrize("world", ["moto"], indirect=True)


def cloud(
    kind: str, request: pytest.FixtureRequest, **settings: str
) -> AbstractContextManager[dict[str, str]]:
    """A new, empty cloud of one of the kinds."""
    if kind == "moto":
        return moto_cloud(**settings)
    return ministack_cloud(request.getfixturevalue("stack"), **settings)
