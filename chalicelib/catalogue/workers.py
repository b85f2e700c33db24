"""Tells of campaigns whose window has closed."""

from typing import Any

from chalice.app import Blueprint, Rate

from chalicelib.catalogue import service
from chalicelib.kernel import clock
from chalicelib.platform.worker import scheduled

workers = Blueprint(__name__)


@workers.schedule(Rate(1, unit=Rate.MINUTES), name="campaign_close")
@scheduled
def campaign_close(event: Any) -> None:
    service.announce_closings(clock.now())
