"""Queues in memory, for code that must cope with whatever SQS may do to a message.

A message is given out at least once, in no order; it comes again until its worker has said that it
is done, and is put aside once it has been given out too often.
"""

import random
import threading
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any
from unittest import mock

from chalicelib.platform import dead_letters, queues
from chalicelib.platform.queues import MAX_RECEIVES
from tests.support.events import Event, sqs_record

Json = Any


@dataclass
class Letter:
    """A message, when it may be given out, and how often it has been."""

    id: str
    body: Json
    at: float
    received: int = 0

    def record(self) -> Event:
        return {**sqs_record(self.body, self.received), "messageId": self.id}


class Mail:
    """All queues, by their names in capitals, such as `WEBHOOK_ATTEMPT`."""

    def __init__(self, now: Callable[[], float] = time.time, seed: int = 0) -> None:
        self.now, self.chance = now, random.Random(seed)
        self.waiting: dict[str, list[Letter]] = defaultdict(list)
        self.taken: Counter[str] = Counter()
        self.dead: dict[str, list[Json]] = defaultdict(list)
        self._given_out: dict[str, Letter] = {}
        self._buried: set[str] = set()
        self._lock = threading.Lock()

    @contextmanager
    def carrying(self) -> Iterator[None]:
        """While this lasts, what the application sends goes through here."""
        with (
            mock.patch.object(queues, "send", self.send),
            mock.patch.object(dead_letters, "park", self.put_aside),
        ):
            yield

    def put_aside(self, worker: str, message_id: str, body: str, error: Exception) -> None:
        """What a worker gives up itself, with its cause."""
        with self._lock:
            self._bury(worker.upper(), self._given_out[message_id])

    def send(self, queue: str, messages: Sequence[Json], *, delay_seconds: int = 0) -> None:
        at = self.now() + delay_seconds
        with self._lock:
            self.waiting[queue.removesuffix("_QUEUE")] += [
                Letter(uuid.uuid4().hex, each, at) for each in messages
            ]

    def take(self, queue: str, most: int) -> list[Letter]:
        """Some of what may be given out now; each must be settled."""
        with self._lock:
            chosen = [self._taken_out(queue, each) for each in self._some_ready(queue, most)]
            self.taken[queue] += len(chosen)
        return chosen

    def _some_ready(self, queue: str, most: int) -> list[int]:
        """Where they lie, the last first, from some place on: no queue has to be looked through."""
        letters, now = self.waiting[queue], self.now()
        start = self.chance.randrange(len(letters)) if letters else 0
        around = chain(range(start, len(letters)), range(start))
        ready = (n for n in around if letters[n].at <= now)
        return sorted(islice(ready, most), reverse=True)

    def _taken_out(self, queue: str, place: int) -> Letter:
        letters = self.waiting[queue]
        letters[place], letters[-1] = letters[-1], letters[place]
        letter = letters.pop()
        letter.received += 1
        self._given_out[letter.id] = letter
        return letter

    def settle(self, queue: str, letters: Sequence[Letter], failed: set[str]) -> None:
        """What is done is gone; what has failed comes again, or is put aside."""
        with self._lock:
            self.taken[queue] -= len(letters)
            for letter in letters:
                if letter.id not in failed:
                    continue
                if letter.received < MAX_RECEIVES:
                    self.waiting[queue].append(letter)
                else:
                    self._bury(queue, letter)

    def _bury(self, queue: str, letter: Letter) -> None:
        """Once, though its worker may put it aside and die before it can say so."""
        if letter.id not in self._buried:
            self._buried.add(letter.id)
            self.dead[queue].append(letter.body)

    def is_empty(self, *but: str) -> bool:
        """Whether nothing waits and nobody works, except for what is sent for later."""
        with self._lock:
            now = self.now()
            due = [each for queue in self.waiting.values() for each in queue if each.at <= now]
            return not due and not self.taken.total()
