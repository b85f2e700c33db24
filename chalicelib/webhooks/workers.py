"""Makes deliveries of events, attempts and replays them, recovers endpoints, and sweeps."""

from collections.abc import Sequence
from typing import Any

from chalice.app import Blueprint, Rate

from chalicelib.kernel import clock
from chalicelib.platform.worker import Message, Step, each_message, scheduled, side_by_side
from chalicelib.webhooks import delivering, recovering, replaying, schedule

workers = Blueprint(__name__)
# Messages that are gathered for so many seconds, to be taken side by side.
BATCH, GATHERED_FOR = 50, int(schedule.GATHERED_WITHIN.total_seconds())


@workers.on_sqs_message(queue="webhook-fan-out", batch_size=10, name="webhook_fan_out")
@each_message
def webhook_fan_out(message: Message) -> None:
    delivering.fan_out(message["type"], message["subject"])


@workers.on_sqs_message(
    queue="webhook-attempt",
    batch_size=BATCH,
    maximum_batching_window_in_seconds=GATHERED_FOR,
    name="webhook_attempt",
)
@side_by_side
def webhook_attempt(messages: Sequence[Message]) -> list[Step]:
    return delivering.attempts([each["subject"] for each in messages], slow_lane=False)


@workers.on_sqs_message(
    queue="webhook-slow",
    batch_size=BATCH,
    maximum_batching_window_in_seconds=GATHERED_FOR,
    name="webhook_slow",
)
@side_by_side
def webhook_slow(messages: Sequence[Message]) -> list[Step]:
    return delivering.attempts([each["subject"] for each in messages], slow_lane=True)


@workers.on_sqs_message(queue="webhook-recover", batch_size=1, name="webhook_recover")
@each_message
def webhook_recover(message: Message) -> None:
    recovering.look_after(message["subject"])


@workers.schedule(Rate(1, unit=Rate.MINUTES), name="webhook_sweep")
@scheduled
def webhook_sweep(event: Any) -> None:
    """A look at endpoints that cannot be asked for holds back no attempt."""
    now = clock.now()
    try:
        delivering.sweep(now)
    finally:
        recovering.sweep(now)


@workers.on_sqs_message(queue="webhook-replay", batch_size=1, name="webhook_replay")
@each_message
def webhook_replay(message: Message) -> None:
    replaying.go_on(message["subject"])


@workers.schedule(Rate(1, unit=Rate.MINUTES), name="webhook_replay_sweep")
@scheduled
def webhook_replay_sweep(event: Any) -> None:
    replaying.sweep(clock.now())
