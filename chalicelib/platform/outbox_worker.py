"""Sends, every minute, the events that were committed but not sent."""

from typing import Any

from chalice.app import Blueprint, Rate

from chalicelib.kernel import clock
from chalicelib.platform import outbox
from chalicelib.platform.worker import scheduled

workers = Blueprint(__name__)


@workers.schedule(Rate(1, unit=Rate.MINUTES), name="outbox_sweep")
@scheduled
def outbox_sweep(event: Any) -> None:
    outbox.sweep(clock.now())
