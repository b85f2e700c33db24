"""Lets paid orders go on: their dispatches are made, or their money goes back. Keeps the clocks
that suppliers owe."""

from typing import Any

from chalice.app import Blueprint, Rate

from chalicelib.dispatch import clocks, going_on
from chalicelib.kernel import clock
from chalicelib.platform.worker import Message, each_message, scheduled

workers = Blueprint(__name__)


@workers.on_sqs_message(queue="dispatch-create", batch_size=10, name="dispatch_create")
@each_message
def dispatch_create(message: Message) -> None:
    going_on.go_on(message["subject"])


@workers.schedule(Rate(1, unit=Rate.MINUTES), name="dispatch_clocks")
@scheduled
def dispatch_clocks(event: Any) -> None:
    clocks.sweep(clock.now())
