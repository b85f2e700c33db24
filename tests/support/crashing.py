"""Killing a use case at each of its calls to AWS, then letting everything be tried again.

A Lambda can die between any two calls. What it wrote stays, what it was about to do is lost, its
message comes again, and its caller asks again with the same key.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import boto3
from botocore.exceptions import ClientError

from chalicelib.catalogue import on_sale
from chalicelib.dispatch import clocks
from chalicelib.kernel import clock
from chalicelib.ordering import ending
from chalicelib.payments import refunds
from chalicelib.payouts import paging, sending
from chalicelib.platform import outbox
from chalicelib.settlement import watching
from chalicelib.stock import sharding
from chalicelib.webhooks import delivering, recovering
from tests.support.at_once import WRITES
from tests.support.aws_calls import Send, around_each_call
from tests.support.events import sqs_event
from tests.support.world import Context, Json, World, workers

# How a test takes and acknowledges messages is no part of the application.
OF_THE_TEST = {"ReceiveMessage", "DeleteMessage", "GetSecretValue"}
LEAVES_A_MARK = {*WRITES, "SendMessageBatch"}
AFTER_GRACE = timedelta(minutes=1)
AFTER_PATIENCE = timedelta(minutes=6)


class Killed(BaseException):
    """The process ends here; no handler of the application may keep it alive."""


@dataclass(frozen=True)
class Point:
    """Where to kill: before the call of this number, or just after it."""

    number: int
    after: bool
    operation: str

    def __str__(self) -> str:
        return f"{'after' if self.after else 'before'} call {self.number}, {self.operation}"


def points_of(act: Callable[[], object]) -> list[Point]:
    """Run it once; then before its first call, and after each call that left a mark.

    Nothing else can be told apart by what comes later: to die before a call is to have died after
    the one before it, and to die after a call that only reads is to have died before it.
    """
    operations: list[str] = []

    def count(operation: str, send: Send) -> Any:
        if operation not in OF_THE_TEST:
            operations.append(operation)
        return send()

    with around_each_call(count):
        act()
    marks = [Point(n, True, each) for n, each in enumerate(operations) if each in LEAVES_A_MARK]
    return [Point(0, False, operations[0]), *marks]


def kill(act: Callable[[], object], point: Point) -> None:
    """Run it up to a point, which it must reach."""
    seen = -1

    def killing(operation: str, send: Send) -> Any:
        nonlocal seen
        if operation in OF_THE_TEST or seen >= point.number:
            return send()
        seen += 1
        if seen < point.number:
            return send()
        if point.after:
            with suppress(ClientError):  # what is refused ends here too
                send()
        raise Killed(str(point))

    try:
        with around_each_call(killing):
            act()
    except Killed:
        return
    raise AssertionError(f"it was not killed {point}")


def work_off(world: World) -> None:
    """Let the workers do what waits; a message whose worker is killed comes again."""
    while any(_work_off(world, queue, worker) for queue, worker in workers().items()):
        pass


def lose_messages(world: World) -> None:
    """What waits in the queues never arrives, as when it has failed too often."""
    for queue in workers():
        world.messages(queue)


def _work_off(world: World, queue: str, worker: Any) -> bool:
    waiting = world.messages(queue)
    try:
        answer = worker(sqs_event(*waiting), Context()) if waiting else None
    except Killed:
        _put_back(world, queue, waiting)
        raise
    assert answer in (None, {"batchItemFailures": []}), (queue, waiting, answer)
    return bool(waiting)


def _put_back(world: World, queue: str, messages: list[Json]) -> None:
    client, url = boto3.client("sqs"), world.environment[f"{queue}_QUEUE"]
    for message in messages:
        client.send_message(QueueUrl=url, MessageBody=json.dumps(message))


def come_to_rest(world: World) -> None:
    """What the queues and the schedules do in the minutes that follow."""
    now = clock.now()
    outbox.sweep(now + AFTER_GRACE)
    ending.sweep(now)
    clocks.sweep(now)
    sharding.sweep(now)
    refunds.look_after(now + AFTER_PATIENCE)
    work_off(world)
    recovering.sweep(now + AFTER_PATIENCE)
    delivering.sweep(now + AFTER_PATIENCE)
    watching.watch(now + AFTER_PATIENCE)
    paging.watch(now + AFTER_PATIENCE)
    sending.look_after(now + AFTER_PATIENCE)
    work_off(world)


class Snapshot:
    """All tables as they are now, to return to as often as one likes."""

    def __init__(self, world: World) -> None:
        self._client = boto3.client("dynamodb")
        names = [name for key, name in world.environment.items() if key.endswith("_TABLE")]
        self._before = {name: self._items(name) for name in names}
        on_sale.forget_all()

    def restore(self) -> None:
        # Whoever comes after a process that died has read nothing yet.
        on_sale.forget_all()
        for name, before in self._before.items():
            now = self._items(name)
            for key in now.keys() - before.keys():
                keys = {part: now[key][part] for part in ("pk", "sk")}
                self._client.delete_item(TableName=name, Key=keys)
            for key, item in before.items():
                if now.get(key) != item:
                    self._client.put_item(TableName=name, Item=item)

    def _items(self, table: str) -> dict[tuple[str, str], Json]:
        items = self._client.scan(TableName=table)["Items"]
        return {(item["pk"]["S"], item["sk"]["S"]): item for item in items}
