"""Endpoints, how they fare, and deliveries (contract, section 5)."""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from chalicelib.webhooks.schedule import PROBED_AFTER

EndpointStatus = Literal["active", "disabled"]
CircuitState = Literal["closed", "open", "draining"]
DeliveryStatus = Literal["pending", "succeeded", "exhausted"]
EventType = Literal[
    "dispatch.created",
    "dispatch.cancelled",
    "dispatch.updated",
    "dispatch.reminder",
    "payout.paid",
    "payout.returned",
    "payout.failed",
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
        "payout.paid",
        "payout.returned",
        "payout.failed",
        "endpoint.disabled",
        "ping",
    }
)
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
# What is held back is looked at by then, even if nothing else remembers it.
HELD_AT_MOST = timedelta(days=1)
# Longer than any worker lives: what one has held back, believing a circuit open, is there by then.
LAST_LOOK_AFTER = timedelta(minutes=20)
DISABLED = "the endpoint is disabled"


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


def excerpt(body: bytes) -> str:
    """How an answer begins, as far as it is kept: readable, and harmless wherever it is shown."""
    text = body[: 4 * ANSWER_KEPT].decode("utf-8", "replace")[:ANSWER_KEPT]
    return "".join(each if each.isprintable() else _shown(each) for each in text)


def _shown(unprintable: str) -> str:
    return " " if unprintable.isspace() else REPLACEMENT
