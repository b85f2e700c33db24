"""Looks through the books at night, and goes on with an audit that is under way."""

from typing import Any

from chalice.app import Blueprint, Rate

from chalicelib.audit import running
from chalicelib.kernel import clock
from chalicelib.platform.worker import scheduled

workers = Blueprint(__name__)


@workers.schedule(Rate(1, unit=Rate.MINUTES), name="ledger_audit")
@scheduled
def ledger_audit(event: Any) -> None:
    running.go_on(clock.now())
