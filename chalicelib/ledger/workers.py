"""Keeps the fold of the journal short, and what a day has brought."""

from contextlib import suppress
from typing import Any

from chalice.app import Blueprint, Rate

from chalicelib.kernel import clock
from chalicelib.kernel.errors import Stale
from chalicelib.ledger import income, service
from chalicelib.platform.settings import settings
from chalicelib.platform.worker import scheduled

workers = Blueprint(__name__)


@workers.schedule(Rate(1, unit=Rate.HOURS), name="ledger_fold")
@scheduled
def ledger_fold(event: Any) -> None:
    now = clock.now()
    with suppress(Stale):  # another run has kept this step
        service.keep_fold(now)
    income.keep(clock.day_before(clock.business_date(now, settings().zone)), now)
