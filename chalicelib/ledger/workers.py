"""Keeps the fold of the journal short."""

from typing import Any

from chalice.app import Blueprint, Rate

from chalicelib.kernel import clock
from chalicelib.kernel.errors import Stale
from chalicelib.ledger import service
from chalicelib.platform.worker import scheduled

workers = Blueprint(__name__)


@workers.schedule(Rate(1, unit=Rate.HOURS), name="ledger_fold")
@scheduled
def ledger_fold(event: Any) -> None:
    try:
        service.keep_fold(clock.now())
    except Stale:
        return  # another run has kept this step
