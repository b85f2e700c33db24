"""Calls a person for after-sales requests that nobody has decided in time."""

from typing import Any

from chalice.app import Blueprint, Rate

from chalicelib.aftersales import service
from chalicelib.kernel import clock
from chalicelib.platform.worker import scheduled

workers = Blueprint(__name__)


@workers.schedule(Rate(1, unit=Rate.MINUTES), name="after_sales_sweep")
@scheduled
def after_sales_sweep(event: Any) -> None:
    service.sweep(clock.now())
