"""Sends refunds to their providers, and watches those that do not arrive."""

from typing import Any

from chalice.app import Blueprint, Rate

from chalicelib.kernel import clock
from chalicelib.payments import refunds
from chalicelib.platform.worker import Message, each_message, scheduled

workers = Blueprint(__name__)


@workers.on_sqs_message(queue="refund-execute", batch_size=10, name="refund_execute")
@each_message
def refund_execute(message: Message) -> None:
    refunds.execute(message["subject"])


@workers.schedule(Rate(1, unit=Rate.MINUTES), name="refund_sweep")
@scheduled
def refund_sweep(event: Any) -> None:
    refunds.look_after(clock.now())
