"""Goes through the pages of batches, and watches that nothing stays behind."""

from typing import Any

from chalice.app import Blueprint, Rate

from chalicelib.kernel import clock
from chalicelib.payouts import paging, sending
from chalicelib.platform.worker import Message, each_message, scheduled

workers = Blueprint(__name__)


@workers.on_sqs_message(queue="payout-page", batch_size=1, name="payout_page")
@each_message
def payout_page(message: Message) -> None:
    data = message["data"]
    paging.work_on(
        message["subject"],
        data.get("page"),
        data.get("after"),
        give_up=data.get("give_up", False),
    )


@workers.schedule(Rate(1, unit=Rate.MINUTES), name="payout_watch")
@scheduled
def payout_watch(event: Any) -> None:
    now = clock.now()
    paging.watch(now)
    sending.look_after(now)
