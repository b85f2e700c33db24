"""Goes on with units that are on their way between the shards of a SKU's stock."""

from typing import Any

from chalice.app import Blueprint, Rate

from chalicelib.kernel import clock
from chalicelib.platform.worker import scheduled
from chalicelib.stock import sharding

workers = Blueprint(__name__)


@workers.schedule(Rate(1, unit=Rate.MINUTES), name="stock_tend")
@scheduled
def stock_tend(event: Any) -> None:
    sharding.sweep(clock.now())
