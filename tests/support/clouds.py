"""The clouds that the code must run on alike."""

from contextlib import AbstractContextManager

import pytest

from tests.support.ministack_cloud import ministack_cloud
from tests.support.moto_cloud import moto_cloud

CLOUDS = ("moto", "ministack")


def cloud(
    request: pytest.FixtureRequest, **settings: str
) -> AbstractContextManager[dict[str, str]]:
    """A new, empty cloud of the kind that the fixture's parameter names."""
    if request.param == "moto":
        return moto_cloud(**settings)
    return ministack_cloud(request.getfixturevalue("stack"), **settings)


# For what only a cloud of its own process can show, and for controls, which need no second one.
ON_MINISTACK = pytest.mark.parametrize("world", ["ministack"], indirect=True)
