"""Endpoints, deliveries and their schedule (contract, section 5). Pure but for chance."""

import json
import random
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Literal

from chalicelib.kernel.errors import Invalid

EndpointStatus = Literal["active", "disabled"]
CircuitState = Literal["closed", "open", "draining"]
DeliveryStatus = Literal["pending", "succeeded", "exhausted"]
ReplayStatus = Literal["running", "completed", "failed"]
EventType = Literal[
    "dispatch.created",
    "dispatch.cancelled",
    "dispatch.updated",
    "dispatch.reminder",
    "endpoint.disabled",
    "ping",
    "order.paid",
    "order.refunded",
    "refund.failed",
    "campaign.closed",
    "campaign.met",
    "campaign.missed",
    "campaign.cancelled",
    "settlement.completed",
    "after_sales.requested",
    "after_sales.decided",
    "case.opened",
]

PLATFORM = "platform"
PING = "ping"
SUPPLIERS_EVENTS: frozenset[EventType] = frozenset(
    {
        "dispatch.created",
        "dispatch.cancelled",
        "dispatch.updated",
        "dispatch.reminder",
        "endpoint.disabled",
        "ping",
    }
)
# How long after the attempt before it each attempt is made.
SCHEDULE = (
    timedelta(seconds=0),
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
JITTER = 0.2
# The jitter leaves room for how late an attempt may come: a longer wait than a queue's is ended by
# a sweep.
QUEUE_DELAY_AT_MOST = timedelta(minutes=15)
SWEPT_WITHIN = timedelta(minutes=2)
# Of a shorter one the message may be gathered with others for so long.
GATHERED_WITHIN = timedelta(seconds=1)
# A message this little early is not early: clocks differ.
TOLERANCE = timedelta(seconds=2)
DISABLED_AFTER = timedelta(days=5)
# Of an endpoint that goes on failing, a failure is written down at most this often.
FAILURES_NOTED_EVERY = timedelta(hours=1)
OLD_SECRET_LIVES = timedelta(hours=24)
GONE = 410
MILLISECOND = timedelta(milliseconds=1)
REPLACEMENT = "\ufffd"
# So many attempts lie in a delivery itself; those before them lie beside it.
ATTEMPTS_AT_HAND = 30
ANSWER_KEPT = 256
# Whoever takes longer to answer is served in a lane of its own kind.
GOOD_TIME = timedelta(seconds=2)
# A call is over by then, and what is to come behind it has its turn.
CALLED_WITHIN = timedelta(seconds=20)
# A circuit opens after so many failures in a row, if they are not all of one delivery.
OPENS_AFTER = 5
PROBED_AFTER = timedelta(minutes=1)
PROBED_AT_LEAST_EVERY = timedelta(minutes=30)
# What is held back is looked at by then, even if nothing else remembers it.
HELD_AT_MOST = timedelta(days=1)
# Longer than any worker lives: what one has held back, believing a circuit open, is there by then.
LAST_LOOK_AFTER = timedelta(minutes=20)
DISABLED = "the endpoint is disabled"
REPLAYED_BACK_TO = timedelta(days=30)
# A replay that no worker moves on in so many calls has failed.
CALLS_AT_MOST = 6


@dataclass(frozen=True)
class Health:
    """How an endpoint has answered lately.

    `failures` are those in a row, `first_failed` is the delivery of the first of them, and
    `several` says that not all of them were that one's. `probes` have failed since the circuit
    opened; `probed` is the age of the delivery that was the last of them.
    """

    slow: bool = False
    failures: int = 0
    first_failed: str = ""
    several: bool = False
    circuit: CircuitState = "closed"
    probes: int = 0
    probed: str = ""

    def failed(self, delivery_id: str) -> "Health":
        """One delivery alone never opens the circuit: its own schedule is all it needs."""
        if self.circuit == "open":
            return self
        failures = min(self.failures + 1, OPENS_AFTER)
        first = self.first_failed or delivery_id
        several = self.several or first != delivery_id
        circuit = "open" if several and failures == OPENS_AFTER else self.circuit
        return Health(self.slow, failures, first, several, circuit)

    def answered(self, *, in_good_time: bool) -> "Health":
        """What waits behind an open circuit has yet to be delivered before it is forgotten."""
        circuit: CircuitState = "closed" if self.circuit == "closed" else "draining"
        return Health(slow=self.slow and not in_good_time, circuit=circuit)


@dataclass(frozen=True)
class Endpoint:
    """Where an owner (a supplier, or the platform) hears of events.

    Its secret follows from its id and `generation`; the one before lives until `old_secret_until`.
    `epoch` rises with each new address and each enabling: what came of a call of an epoch before
    says nothing of it.
    """

    id: str
    owner: str
    url: str
    event_types: tuple[str, ...]
    status: EndpointStatus
    generation: int
    old_secret_until: datetime | None
    failing_since: datetime | None
    last_failed_at: datetime | None
    disabled_reason: str | None
    version: int
    created_at: datetime
    health: Health = Health()
    look_at: datetime | None = None
    epoch: int = 1

    @property
    def is_active(self) -> bool:
        return self.status == "active"

    @property
    def circuit(self) -> CircuitState:
        return self.health.circuit

    @property
    def slow(self) -> bool:
        return self.health.slow

    @property
    def as_called(self) -> str:
        """The same as long as its address and its secret are."""
        return f"{self.epoch}.{self.generation}"

    def wants(self, event_type: str) -> bool:
        return not self.event_types or event_type in self.event_types

    def failed(self, at: datetime, delivery_id: str) -> "Endpoint":
        """After a failed attempt: failing since the first that no success has followed."""
        health = self.health.failed(delivery_id)
        opens = health.circuit == "open" != self.circuit
        return self._next(
            failing_since=self.failing_since or at,
            last_failed_at=at,
            health=health,
            look_at=at + PROBED_AFTER if opens else self.look_at,
        )

    def is_news(self, failed: "Endpoint") -> bool:
        """Whether it has to be written down that it has failed: not each time of many."""
        last, at = self.last_failed_at, failed.last_failed_at
        if last is None or at is None or self.health != failed.health:
            return True
        return at - last >= FAILURES_NOTED_EVERY

    def answered(self, at: datetime, *, in_good_time: bool) -> "Endpoint":
        """It is no longer failing. What waits is delivered from this instant on."""
        return self._next(
            failing_since=None,
            last_failed_at=None,
            health=self.health.answered(in_good_time=in_good_time),
            look_at=at if self.circuit == "open" else self.look_at,
        )

    def is_well(self, *, in_good_time: bool) -> bool:
        """Whether an answer like this one is nothing new of it."""
        as_before = self.health.answered(in_good_time=in_good_time) == self.health
        return as_before and self.failing_since is None

    def slowed_down(self) -> "Endpoint":
        return self._next(health=replace(self.health, slow=True))

    def claimed(self, until: datetime) -> "Endpoint":
        """Somebody looks after it; whoever comes before `until` need not."""
        return self._next(look_at=until)

    def probed(self, at: datetime, delivery_id: str, age: str, wait: timedelta) -> "Endpoint":
        """A probe has failed; the next one is of another delivery."""
        health = replace(self.health, probes=self.health.probes + 1, probed=age)
        return replace(self.failed(at, delivery_id), health=health, look_at=at + wait)

    def drained(self, at: datetime) -> "Endpoint":
        """Nothing waits any more, as far as can be seen: the circuit is closed, and looked at once
        more when everybody knows."""
        if self.circuit == "draining":
            health = replace(self.health, circuit="closed")
            return self._next(health=health, look_at=at + LAST_LOOK_AFTER)
        return self._next(look_at=None)

    def disabled(self, reason: str, at: datetime) -> "Endpoint":
        """What waits has to be ended, from this instant on."""
        return self._next(
            status="disabled", disabled_reason=reason, health=Health(slow=self.slow), look_at=at
        )

    def _next(self, **changes: Any) -> "Endpoint":
        return replace(self, **changes, version=self.version + 1)

    def live_generations(self, now: datetime) -> tuple[int, ...]:
        """The newest secret first."""
        if self.old_secret_until and now < self.old_secret_until:
            return self.generation, self.generation - 1
        return (self.generation,)


@dataclass(frozen=True)
class Attempt:
    """`status_code` is None and `error` says why where no answer came. `at` is an RFC 3339 text;
    `answer` is how the body of the answer began."""

    at: str
    status_code: int | None
    duration_ms: int
    error: str | None
    answer: str = ""

    @property
    def is_success(self) -> bool:
        return self.status_code is not None and 200 <= self.status_code < 300

    @property
    def in_good_time(self) -> bool:
        return self.status_code is not None and self.duration_ms <= GOOD_TIME / MILLISECOND


@dataclass(frozen=True)
class Delivery:
    """One event for one endpoint. `body` is the exact text of every attempt and replay.

    It `waits` while its endpoint's circuit is open, then `pending`, or for somebody to replay it
    because the endpoint was disabled, then `exhausted`. So many of its `attempts`, the first, lie
    `aside`. `called_as` is how a `ping` found its endpoint, `asked_at` when it was replayed.
    """

    id: str
    owner: str
    endpoint_id: str
    event_type: str
    subject: str
    body: str
    status: DeliveryStatus
    attempts: tuple[Attempt, ...]
    round_attempts: int
    next_attempt_at: datetime | None
    version: int
    created_at: datetime
    waits: bool = False
    aside: int = 0
    called_as: str | None = None
    asked_at: datetime | None = None

    @property
    def is_ping(self) -> bool:
        """Whether it is a test of its endpoint, which is sent once."""
        return self.event_type == PING

    @property
    def waits_since(self) -> datetime:
        return self.asked_at or self.created_at

    @property
    def is_held(self) -> bool:
        return self.waits and self.status == "pending"

    @property
    def told_version(self) -> int:
        """The version of its subject that its body tells of; 0 where that has none."""
        version: int = json.loads(self.body)["data"].get("version", 0)
        return version

    @property
    def is_waiting_for_its_first_attempt(self) -> bool:
        """Of its present round, so that a replay would change nothing."""
        return self.status == "pending" and self.round_attempts == 0

    def succeeded(self, attempt: Attempt) -> "Delivery":
        return self._after(attempt, "succeeded", None)

    def failed(self, attempt: Attempt, now: datetime, wait: timedelta | None) -> "Delivery":
        """Try again after `wait`, or never where the schedule is at its end."""
        if wait is None:
            return self._after(attempt, "exhausted", None)
        return self._after(attempt, "pending", now + wait)

    def held(self, now: datetime) -> "Delivery":
        """It waits, and uses up nothing of its schedule."""
        return replace(
            self, waits=True, next_attempt_at=now + HELD_AT_MOST, version=self.version + 1
        )

    def put_off(self, until: datetime) -> "Delivery":
        """It has its turn later, and uses up nothing of its schedule."""
        return replace(self, waits=False, next_attempt_at=until, version=self.version + 1)

    def probed(self, attempt: Attempt) -> "Delivery":
        """It was tried out of its turn, and waits on."""
        return self._with(attempt)

    def tried_late(self, attempt: Attempt) -> "Delivery":
        """An attempt came to its end after another outcome, or a replay, was written."""
        if attempt.is_success and self.status == "pending" and self.round_attempts:
            return self.succeeded(attempt)
        return self._with(attempt)

    def missed(self, attempt: Attempt) -> "Delivery":
        """Its endpoint is disabled: it is kept to be replayed, unless it is but a test."""
        return replace(self._after(attempt, "exhausted", None), waits=not self.is_ping)

    def replayed(self, now: datetime) -> "Delivery":
        """The schedule from its beginning; what was tried before stays on record."""
        return replace(
            self,
            status="pending",
            round_attempts=0,
            next_attempt_at=now,
            asked_at=now,
            waits=False,
            version=self.version + 1,
        )

    def _after(
        self, attempt: Attempt, status: DeliveryStatus, next_at: datetime | None
    ) -> "Delivery":
        return replace(
            self._with(attempt),
            status=status,
            round_attempts=self.round_attempts + 1,
            next_attempt_at=next_at,
            waits=False,
        )

    def _with(self, attempt: Attempt) -> "Delivery":
        attempts = (*self.attempts, attempt)
        too_many = max(len(attempts) - ATTEMPTS_AT_HAND, 0)
        return replace(
            self,
            attempts=attempts[too_many:],
            aside=self.aside + too_many,
            version=self.version + 1,
        )


def in_order(deliveries: Iterable[Delivery]) -> list[Delivery]:
    """The oldest first, but those of one subject by their versions, whatever came first."""
    by_age = sorted(deliveries, key=lambda each: (each.created_at, each.id))
    of_subject: dict[str, list[Delivery]] = defaultdict(list)
    for each in by_age:
        of_subject[each.subject].append(each)
    by_version = {
        subject: iter(sorted(each, key=lambda delivery: delivery.told_version))
        for subject, each in of_subject.items()
    }
    return [next(by_version[each.subject]) for each in by_age]


def wait_after(
    attempts: int, retry_after: timedelta | None, chance: random.Random
) -> timedelta | None:
    """How long to wait after that many attempts of a round, ±20 %; None where it was the last.

    An endpoint may ask for more patience with `Retry-After`, up to the step after this one.
    """
    if attempts >= len(SCHEDULE):
        return None
    step = SCHEDULE[attempts]
    late = SWEPT_WITHIN if step > QUEUE_DELAY_AT_MOST else GATHERED_WITHIN
    wait = _between(step * (1 - JITTER), step * (1 + JITTER) - late, chance)
    if retry_after is None:
        return wait
    return max(wait, min(retry_after, SCHEDULE[min(attempts + 1, len(SCHEDULE) - 1)]))


def probe_after(probes: int, retry_after: timedelta | None, chance: random.Random) -> timedelta:
    """How long to wait after that many failed probes: longer each time, up to half an hour.

    `Retry-After` may ask for as much, and for no more.
    """
    step = min(PROBED_AFTER * 2 ** min(probes, 10), PROBED_AT_LEAST_EVERY)
    asked = min(retry_after or timedelta(), PROBED_AT_LEAST_EVERY)
    return max(_between(step * (1 - JITTER), step, chance), asked)


def _between(least: timedelta, most: timedelta, chance: random.Random) -> timedelta:
    return timedelta(seconds=chance.uniform(least.total_seconds(), most.total_seconds()))


def excerpt(body: bytes) -> str:
    """How an answer begins, as far as it is kept: readable, and harmless wherever it is shown."""
    text = body[: 4 * ANSWER_KEPT].decode("utf-8", "replace")[:ANSWER_KEPT]
    return "".join(each if each.isprintable() else _shown(each) for each in text)


def _shown(unprintable: str) -> str:
    return " " if unprintable.isspace() else REPLACEMENT


def read_retry_after(text: str | None, now: datetime) -> timedelta | None:
    """Seconds or an HTTP date (RFC 9110, section 10.2.3); None for anything else."""
    if not text:
        return None
    if text.isascii() and text.isdigit() and len(text) < 10:
        return timedelta(seconds=int(text))
    try:
        return max(parsedate_to_datetime(text) - now, timedelta())
    except (ValueError, TypeError, OverflowError):
        return None


@dataclass(frozen=True)
class Replay:
    """Deliveries of one endpoint that are sent again, each once.

    First those from `since` to `until` are listed in pages, up to `listed_to`; then the pages
    before `page` have been sent. `total` of the deliveries are listed and `done` are sent.
    `calls` counts how often it had to be called again since it last moved on.
    """

    id: str
    owner: str
    endpoint_id: str
    since: datetime | None
    until: datetime | None
    wanted: DeliveryStatus | None
    status: ReplayStatus
    is_listed: bool
    listed_to: str
    pages: int
    page: int
    total: int
    done: int
    calls: int
    failure: str | None
    version: int
    created_at: datetime
    moved_at: datetime
    completed_at: datetime | None

    @property
    def is_running(self) -> bool:
        return self.status == "running"

    def covers(self, delivery: Delivery) -> bool:
        """A `ping` has nothing to say once it is over."""
        of_it = delivery.endpoint_id == self.endpoint_id and not delivery.is_ping
        return of_it and self.wanted in (None, delivery.status)

    def listed(self, found: int, listed_to: str, *, is_last: bool, now: datetime) -> "Replay":
        """A page of `found` deliveries is listed, if there are any."""
        pages = self.pages + (1 if found else 0)
        moved = replace(
            self, listed_to=listed_to, is_listed=is_last, pages=pages, total=self.total + found
        )
        return moved._moved(now)

    def sent(self, sent: int, now: datetime) -> "Replay":
        """The deliveries of the page are on their way."""
        return replace(self, page=self.page + 1, done=self.done + sent)._moved(now)

    def called(self, now: datetime) -> "Replay":
        """It stood still and is called again; in the end it is given up."""
        if self.calls >= CALLS_AT_MOST:
            return self.failed("It stands still. Ask for what is left with a new replay.", now)
        return replace(self, calls=self.calls + 1, moved_at=now, version=self.version + 1)

    def failed(self, reason: str, now: datetime) -> "Replay":
        return replace(
            self, status="failed", failure=reason, moved_at=now, version=self.version + 1
        )

    def _moved(self, now: datetime) -> "Replay":
        over = self.is_listed and self.page == self.pages
        return replace(
            self,
            status="completed" if over else "running",
            completed_at=now if over else None,
            calls=0,
            moved_at=now,
            version=self.version + 1,
        )


def replayed_range(
    since: datetime | None, until: datetime | None, now: datetime
) -> tuple[datetime, datetime]:
    """From when to when deliveries are replayed: at most 30 days, which is as long as they are
    kept, and up to now. Raises Invalid."""
    end = min(until or now, now)
    start = since or end - REPLAYED_BACK_TO
    if start > end:
        raise Invalid.field("from", "lies after `to` or in the future")
    if end - start > REPLAYED_BACK_TO:
        raise Invalid.field("from", "lies more than 30 days before `to`")
    return start, end
