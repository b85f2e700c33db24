"""Posts the annual fees that have fallen due."""

from typing import Any

from chalice.app import Blueprint, Cron

from chalicelib.kernel import clock
from chalicelib.platform.worker import scheduled
from chalicelib.suppliers import fees

workers = Blueprint(__name__)


# Hourly, so that a night that was missed is made up for, in whatever time zone the platform is.
@workers.schedule(Cron("35", "*", "*", "*", "?", "*"), name="supplier_fees")
@scheduled
def supplier_fees(event: Any) -> None:
    fees.sweep(clock.now())
