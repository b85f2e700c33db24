"""The deployed functions, called by name as Lambda calls them: by their own module, not the app."""

import importlib
import json
import random
from collections.abc import Iterable
from functools import cache
from typing import Any

from tests.support.aws_calls import Send, around_each_call
from tests.support.events import Event, failed_bodies, sample, sqs_event
from tests.support.granted import as_function
from tests.support.world import Context, World, workers

Json = Any


@cache
def functions() -> dict[str, str]:
    """Every function of the package but the API, and the string by which Lambda finds it."""
    from app import app

    declared: list[Any] = [*app.event_sources, *app.builtin_auth_handlers]
    return {each.name: each.handler_string for each in declared}


def invoke(function: str, event: Event | None = None) -> Any:
    """What a function answers to an event, or else to its sample of `events/`."""
    module, _, name = functions()[function].rpartition(".")
    handler = getattr(importlib.import_module(module), name)
    return as_function(function, handler)(sample(function) if event is None else event, Context())


def sample_about(function: str, subject: str, **data: Any) -> Event:
    """A queue worker's sample, with one message about another subject."""
    event = sample(function)
    body = json.loads(event["Records"][0]["body"])
    changed = {**body, "subject": subject}
    if data:
        changed["data"] = data
    event["Records"][0]["body"] = json.dumps(changed)
    return event


def handle(function: str, *messages: Json) -> list[Json]:
    """Give a queue worker one batch of messages, if there are any; those that it gives back."""
    if not messages:
        return []
    event = sqs_event(*messages)
    return failed_bodies(event, invoke(function, event))


class Killed(BaseException):
    """A function was stopped where it stood; no code of its own sees that."""


def invoke_killed(function: str, event: Event, after_calls: int) -> bool:
    """Invoke a function and stop it behind so many calls to AWS. False: it was done before."""
    made = 0

    def counted(_: str, send: Send) -> Any:
        nonlocal made
        answer = send()
        made += 1
        if made == after_calls:
            raise Killed
        return answer

    try:
        with around_each_call(counted):
            invoke(function, event)
    except Killed:
        return True
    return False


def work_badly(world: World, seed: int, times: int = 2) -> None:
    """Let all workers do what waits, every message more than once and in no order.

    A message that fails comes again later, as from a queue; one that never succeeds fails the test.
    """
    chance = random.Random(seed)
    waiting: list[tuple[str, Json]] = []
    failures = 0
    while True:
        waiting += [each for each in _taken(world) for _ in range(times)]
        if not waiting:
            return
        queue, message = waiting.pop(chance.randrange(len(waiting)))
        if _failed(queue, [message]):
            waiting.append((queue, message))
            failures += 1
            assert failures < 200, f"seed {seed}: {queue} never takes {message}"


def _taken(world: World) -> Iterable[tuple[str, Json]]:
    return [(queue, message) for queue in workers() for message in world.messages(queue)]


def _failed(queue: str, messages: list[Json]) -> bool:
    answer = workers()[queue](sqs_event(*messages), Context())
    return bool(answer["batchItemFailures"])
