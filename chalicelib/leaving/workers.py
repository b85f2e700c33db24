"""Carries on, hour by hour, with the leaders that are leaving."""

from typing import Any

from chalice.app import Blueprint, Rate

from chalicelib.kernel import clock
from chalicelib.leaving import service
from chalicelib.platform.worker import scheduled

workers = Blueprint(__name__)


@workers.schedule(Rate(1, unit=Rate.HOURS), name="leaving_sweep")
@scheduled
def leaving_sweep(event: Any) -> None:
    service.sweep(clock.now())
