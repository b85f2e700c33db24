"""10,000 events to 50 suppliers, by workers that die and between messages of no sense.

Of all invocations 30 % die before they have done anything, and 30 % once they have done all of it:
their messages come again. What is put aside because it met that too often is sent once more, as an
operator would; what cannot be read must be all that is left.
"""

import random
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Sequence
from unittest import mock

from tests.bench.caller import CONTEXT
from tests.bench.delivering import Handler, add_endpoint, handlers
from tests.bench.figures import Figure
from tests.bench.process import Say, tell
from tests.bench.suppliers import suppliers
from tests.support.mail import Letter, Mail

EVENTS, SUPPLIERS, BEFORE, AFTER, POISON = 10_000, 50, 0.3, 0.3, 0.05
GROUP = "10,000 events to 50 suppliers, one of them gone, workers that die"
NONSENSE = ["{", "[]", "null", "{}", '{"subject": 7}', '{"subject": "x"}', '{"type": "none"}']
BATCHES = {"WEBHOOK_FAN_OUT": 10, "WEBHOOK_ATTEMPT": 50, "WEBHOOK_SLOW": 50, "WEBHOOK_RECOVER": 1}
THREADS_EACH = 3


def measure(say: Say) -> list[Figure]:
    from chalicelib.webhooks import bodies
    from chalicelib.webhooks.bodies import Told

    with suppliers() as base:
        kinds = ["gone", *["0"] * (SUPPLIERS - 1)]
        endpoints = [
            add_endpoint(f"{base}/{kind}/{n}", owner=f"sup_{n:012d}")
            for n, kind in enumerate(kinds)
        ]

        def told_of(_: str, subject: str) -> list[Told]:
            if not subject.startswith("dsp_"):
                return []
            owner = endpoints[int(subject.removeprefix("dsp_")) % SUPPLIERS].owner
            data = {"dispatch_id": subject, "version": 1}
            return [Told(owner, "dispatch.created", subject, subject, data)]

        mail, chance = Mail(), random.Random(1)
        poison = send_everything(mail, chance)
        with mail.carrying(), mock.patch.object(bodies, "told_of", told_of):
            Workers(mail, chance, BEFORE, AFTER).work(say)
            for queue, messages in mail.dead.items():
                mail.send(queue, [each for each in messages if each not in NONSENSE])
                messages[:] = [each for each in messages if each in NONSENSE]
            Workers(mail, chance, 0, 0).work(say)
        with urllib.request.urlopen(f"{base}/heard") as answer:
            heard = set(answer.read().decode().split())
    dead = [each for messages in mail.dead.values() for each in messages]
    return [*figures(endpoints, heard), *_of_poison(poison, dead)]


def send_everything(mail: Mail, chance: random.Random) -> list[str]:
    """The events, and the poison among them, which is answered."""
    poison = []
    for n in range(EVENTS):
        subject = f"dsp_{n:012d}"
        mail.send("WEBHOOK_FAN_OUT", [{"type": "made up", "subject": subject, "data": {}}])
        if chance.random() < POISON:
            poison.append(chance.choice(NONSENSE))
            mail.send(chance.choice(["WEBHOOK_FAN_OUT", "WEBHOOK_ATTEMPT"]), [poison[-1]])
    return poison


class Workers:
    """Threads that take batches from the queues; some die before or after they have worked."""

    def __init__(self, mail: Mail, chance: random.Random, before: float, after: float) -> None:
        self.mail, self.chance, self.before, self.after = mail, chance, before, after
        self.done = threading.Event()

    def work(self, say: Say) -> None:
        """Do what waits, until nothing does."""
        threads = [
            threading.Thread(target=self._run, args=[queue, handler])
            for queue, handler in _all_handlers().items()
            for _ in range(THREADS_EACH)
        ]
        for thread in threads:
            thread.start()
        while not self.mail.is_empty():
            left = sum(map(len, self.mail.waiting.values()))
            say(f"{EVENTS} events: {left} messages wait")
            time.sleep(1)
        self.done.set()
        for thread in threads:
            thread.join()

    def _run(self, queue: str, handler: Handler) -> None:
        while not self.done.is_set():
            if letters := self.mail.take(queue, BATCHES[queue]):
                self.mail.settle(queue, letters, self._given_back(handler, letters))
            else:
                time.sleep(0.05)

    def _given_back(self, handler: Handler, letters: Sequence[Letter]) -> set[str]:
        everything = {each.id for each in letters}
        if self.chance.random() < self.before:
            return everything
        answer = handler({"Records": [each.record() for each in letters]}, CONTEXT)
        if self.chance.random() < self.after:
            return everything
        return {each["itemIdentifier"] for each in answer["batchItemFailures"]}


def _all_handlers() -> dict[str, Handler]:
    from chalicelib.webhooks import workers

    return {"WEBHOOK_FAN_OUT": workers.webhook_fan_out, **handlers()}


def figures(endpoints: Sequence[object], heard: set[str]) -> list[Figure]:
    from chalicelib.kernel import ids
    from chalicelib.webhooks import store as webhooks
    from chalicelib.webhooks.rules import Endpoint

    made = []
    for n in range(EVENTS):
        endpoint = endpoints[n % SUPPLIERS]
        assert isinstance(endpoint, Endpoint)
        made.append(ids.derived("whd", f"dsp_{n:012d}", endpoint.id))
    found = webhooks.get_deliveries(made)
    ends = Counter(each.status for each in found.values())
    unheard = [
        each
        for each in found.values()
        if each.id not in heard
        and not (each.status == "exhausted" and each.attempts and each.attempts[-1].error)
    ]
    return [
        Figure(GROUP, "events that are not delivered", EVENTS - ends["succeeded"]),
        Figure(GROUP, "events that became no delivery", EVENTS - len(found), 0),
        Figure(GROUP, "neither heard nor exhausted with a cause", len(unheard), 0),
        Figure(GROUP, "that wait still", ends["pending"], 0),
    ]


def _of_poison(sent: Sequence[str], put_aside: Sequence[object]) -> list[Figure]:
    missing = Counter(sent)
    missing.subtract(Counter(str(each) for each in put_aside))
    wrong = sum(abs(number) for number in missing.values())
    return [
        Figure(GROUP, "messages of no sense", len(sent)),
        Figure(GROUP, "of them not put aside, or others that are", wrong, 0),
    ]


if __name__ == "__main__":
    tell(measure)
