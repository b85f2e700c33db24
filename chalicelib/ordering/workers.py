"""Lets unpaid orders expire, and puts back the stock of cancelled ones that a crash left behind."""

from typing import Any

from chalice.app import Blueprint, Rate

from chalicelib.kernel import clock
from chalicelib.ordering import ending
from chalicelib.platform.worker import scheduled

workers = Blueprint(__name__)


@workers.schedule(Rate(1, unit=Rate.MINUTES), name="order_expire")
@scheduled
def order_expire(event: Any) -> None:
    ending.sweep(clock.now())
