"""Makes deliveries of events, attempts and replays them, and sweeps for those that are due."""

from typing import Any

from chalice.app import Blueprint, Rate

from chalicelib.kernel import clock
from chalicelib.platform.worker import Message, each_message, scheduled
from chalicelib.webhooks import delivering, replaying

workers = Blueprint(__name__)


@workers.on_sqs_message(queue="webhook-fan-out", batch_size=10, name="webhook_fan_out")
@each_message
def webhook_fan_out(message: Message) -> None:
    delivering.fan_out(message["type"], message["subject"])


@workers.on_sqs_message(queue="webhook-attempt", batch_size=10, name="webhook_attempt")
@each_message
def webhook_attempt(message: Message) -> None:
    delivering.attempt(message["subject"])


@workers.schedule(Rate(1, unit=Rate.MINUTES), name="webhook_sweep")
@scheduled
def webhook_sweep(event: Any) -> None:
    delivering.sweep(clock.now())


@workers.on_sqs_message(queue="webhook-replay", batch_size=1, name="webhook_replay")
@each_message
def webhook_replay(message: Message) -> None:
    replaying.go_on(message["subject"])


@workers.schedule(Rate(1, unit=Rate.MINUTES), name="webhook_replay_sweep")
@scheduled
def webhook_replay_sweep(event: Any) -> None:
    replaying.sweep(clock.now())
