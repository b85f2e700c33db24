"""Endpoints, deliveries and their schedule (contract, section 5). Pure but for chance."""

import random
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Literal

from chalicelib.kernel.errors import Invalid

EndpointStatus = Literal["active", "disabled"]
DeliveryStatus = Literal["pending", "succeeded", "exhausted"]
ReplayStatus = Literal["running", "completed", "failed"]
EventType = Literal[
    "dispatch.created",
    "dispatch.cancelled",
    "dispatch.updated",
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
SUPPLIERS_EVENTS: frozenset[EventType] = frozenset(
    {"dispatch.created", "dispatch.cancelled", "dispatch.updated", "endpoint.disabled", "ping"}
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
DISABLED_AFTER = timedelta(days=5)
# Failures further apart than the longest pause between two attempts are not one failing.
ONE_FAILING = SCHEDULE[-1] * (1 + JITTER) + timedelta(hours=2)
# An endpoint's row is written for a failure at most this often.
FAILURES_NOTED_EVERY = timedelta(hours=1)
OLD_SECRET_LIVES = timedelta(hours=24)
GONE = 410
ATTEMPTS_KEPT = 30
ANSWER_KEPT = 256
REPLACEMENT = "\ufffd"
DISABLED = "the endpoint is disabled"
REPLAYED_BACK_TO = timedelta(days=30)
# A replay that no worker moves on in so many calls has failed.
CALLS_AT_MOST = 6


@dataclass(frozen=True)
class Endpoint:
    """Where an owner (a supplier, or the platform) hears of events.

    Its secret follows from its id and `generation`; the one before lives until `old_secret_until`.
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

    @property
    def is_active(self) -> bool:
        return self.status == "active"

    def wants(self, event_type: str) -> bool:
        return not self.event_types or event_type in self.event_types

    def failed(self, at: datetime) -> "Endpoint":
        """After a failed attempt: failing since the first of those that no long quiet parts."""
        quiet = self.last_failed_at is None or at - self.last_failed_at > ONE_FAILING
        since = at if quiet or self.failing_since is None else self.failing_since
        return replace(self, failing_since=since, last_failed_at=at, version=self.version + 1)

    def is_failure_news(self, at: datetime) -> bool:
        """Whether a failure at this instant has to be written down: not each one of many."""
        last = self.last_failed_at
        return last is None or at - last >= FAILURES_NOTED_EVERY

    def recovered(self) -> "Endpoint":
        return replace(self, failing_since=None, last_failed_at=None, version=self.version + 1)

    def disabled(self, reason: str) -> "Endpoint":
        return replace(self, status="disabled", disabled_reason=reason, version=self.version + 1)

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


@dataclass(frozen=True)
class Delivery:
    """One event for one endpoint. `body` is the exact text of every attempt and replay."""

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

    def succeeded(self, attempt: Attempt) -> "Delivery":
        return self._after(attempt, "succeeded", None)

    def failed(self, attempt: Attempt, now: datetime, wait: timedelta | None) -> "Delivery":
        """Try again after `wait`, or never where the schedule is at its end."""
        if wait is None:
            return self._after(attempt, "exhausted", None)
        return self._after(attempt, "pending", now + wait)

    def never_attempted(self, at: str, reason: str) -> "Delivery":
        """Kept to be seen and replayed, without an attempt."""
        return self._after(Attempt(at, None, 0, reason), "exhausted", None)

    def replayed(self, now: datetime) -> "Delivery":
        """The schedule from its beginning; what was tried before stays on record."""
        return replace(
            self, status="pending", round_attempts=0, next_attempt_at=now, version=self.version + 1
        )

    def _after(
        self, attempt: Attempt, status: DeliveryStatus, next_at: datetime | None
    ) -> "Delivery":
        return replace(
            self,
            status=status,
            attempts=(*self.attempts, attempt)[-ATTEMPTS_KEPT:],
            round_attempts=self.round_attempts + 1,
            next_attempt_at=next_at,
            version=self.version + 1,
        )


def wait_after(
    attempts: int, retry_after: timedelta | None, chance: random.Random
) -> timedelta | None:
    """How long to wait after that many attempts of a round, ±20 %; None where it was the last.

    An endpoint may ask for more patience with `Retry-After`, up to the longest step.
    """
    if attempts >= len(SCHEDULE):
        return None
    step = SCHEDULE[attempts] * chance.uniform(1 - JITTER, 1 + JITTER)
    if retry_after is None:
        return step
    return max(step, min(retry_after, SCHEDULE[-1]))


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
    since: datetime
    until: datetime
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
        of_it = delivery.endpoint_id == self.endpoint_id
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
