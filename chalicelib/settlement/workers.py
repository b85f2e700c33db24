"""Starts the nightly run, lists and settles leaders, and watches that nothing stays behind."""

from typing import Any

from chalice.app import Blueprint, Cron, Rate

from chalicelib.kernel import clock
from chalicelib.kernel.errors import Conflict
from chalicelib.platform.log import logger
from chalicelib.platform.worker import Message, each_message, scheduled
from chalicelib.settlement import closing, listing, runs, settling, watching

workers = Blueprint(__name__)


# Hourly, so that a night that was missed is made up for, in whatever time zone the platform is.
@workers.schedule(Cron("15", "*", "*", "*", "?", "*"), name="settlement_start")
@scheduled
def settlement_start(event: Any) -> None:
    try:
        runs.start_for_last_night(clock.now())
    except Conflict as waiting:
        logger.info("last night waits for another run", reason=waiting.code)


@workers.on_sqs_message(queue="settlement-list", batch_size=1, name="settlement_list")
@each_message
def settlement_list(message: Message) -> None:
    listing.list_page(message["subject"], message["data"].get("page", 0))


@workers.on_sqs_message(queue="settlement-settle", batch_size=10, name="settlement_settle")
@each_message
def settlement_settle(message: Message) -> None:
    run_id, data = message["subject"], message["data"]
    if "leader_id" in data:
        settling.settle_leader(run_id, data["page"], data["leader_id"])
    else:
        closing.close_pages(run_id, data["page"])


@workers.schedule(Rate(1, unit=Rate.MINUTES), name="settlement_watch")
@scheduled
def settlement_watch(event: Any) -> None:
    watching.watch(clock.now())
