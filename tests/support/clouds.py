"""The clouds that the code must run on alike."""

import os
from contextlib import AbstractContextManager

import pytest

from tests.support.memory_cloud import memory_cloud
from tests.support.ministack_cloud import ministack_cloud
from tests.support.moto_cloud import moto_cloud

CLOUDS = ("memory", "moto", "ministack")
# Races run on MiniStack unless they say otherwise; in memory their threads meet most closely.
ALSO_IN_MEMORY = pytest.mark.parametrize("world", ["memory", "ministack"], indirect=True)
IN_MEMORY = pytest.mark.parametrize("world", ["memory"], indirect=True)


# What the quick tests run on, unless `CLOUD=moto make test` asks for the other of this process.
QUICK = os.environ.get("CLOUD", "memory")


def quick_cloud(**settings: str) -> AbstractContextManager[dict[str, str]]:
    """A new, empty cloud in this process."""
    return {"memory": memory_cloud, "moto": moto_cloud}[QUICK](**settings)


def cloud(
    kind: str, request: pytest.FixtureRequest, **settings: str
) -> AbstractContextManager[dict[str, str]]:
    """A new, empty cloud of one of the kinds."""
    if kind == "memory":
        return memory_cloud(**settings)
    if kind == "moto":
        return moto_cloud(**settings)
    return ministack_cloud(request.getfixturevalue("stack"), **settings)
