"""How an endpoint answers, and what waits for it: counted when somebody asks.

Deliveries are found by their owner and age, so that none costs a write more for being counted.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.kernel import clock
from chalicelib.kernel.callers import Caller
from chalicelib.platform.pages import PageRequest
from chalicelib.webhooks import rules
from chalicelib.webhooks import store as webhooks
from chalicelib.webhooks.endpoints import endpoint_for
from chalicelib.webhooks.rules import Attempt, Delivery, Endpoint

COUNTED = timedelta(hours=24)
# Nothing waits longer: the schedule is over before, and so is the patience with an endpoint.
LOOKED_BACK = rules.DISABLED_AFTER
LOOKED_AT_MOST = 2_000
READ_AT_ONCE = 100


@dataclass(frozen=True)
class Window:
    """Which attempts are counted; not `complete` where there were too many deliveries to look
    at."""

    since: datetime
    until: datetime
    complete: bool


@dataclass(frozen=True)
class Stats:
    """Rates are basis points, durations milliseconds; None where nothing was attempted."""

    success_rate_bps: int | None
    attempts: int
    p50_ms: int | None
    p95_ms: int | None
    backlog: int
    oldest_waiting_at: datetime | None
    window: Window


def of_endpoint(endpoint_id: str, caller: Caller) -> Stats:
    endpoint = endpoint_for(endpoint_id, caller)
    return of_endpoints(endpoint.owner, [endpoint])[endpoint.id]


def of_endpoints(owner: str, endpoints: Iterable[Endpoint]) -> dict[str, Stats]:
    """How some endpoints of one owner answer, by their ids; its deliveries are read once."""
    now = clock.now()
    seen, complete = _newest(owner, now - LOOKED_BACK)
    since = now - COUNTED if complete else max(now - COUNTED, seen[-1].created_at)
    window = Window(since, now, complete)
    return {each.id: _of(each, seen, window) for each in endpoints}


def _of(endpoint: Endpoint, seen: Sequence[Delivery], window: Window) -> Stats:
    own = webhooks.with_all_attempts(each for each in seen if each.endpoint_id == endpoint.id)
    waiting = {each.id: each.waits_since for each in own if each.status == "pending"}
    held = webhooks.ids_held(endpoint.id, LOOKED_AT_MOST)
    older = webhooks.get_deliveries(each for each in held if each not in waiting)
    waiting |= {each.id: each.waits_since for each in older.values() if each.is_held}
    return _stats(window, own, waiting.values())


def _stats(window: Window, own: Sequence[Delivery], waiting: Collection[datetime]) -> Stats:
    made = [each for delivery in own for each in delivery.attempts if _counts(each, window)]
    durations = sorted(each.duration_ms for each in made)
    return Stats(
        success_rate_bps=_rate(sum(each.is_success for each in made), len(made)),
        attempts=len(made),
        p50_ms=percentile(durations, 50),
        p95_ms=percentile(durations, 95),
        backlog=len(waiting),
        oldest_waiting_at=min(waiting, default=None),
        window=window,
    )


def percentile(ordered: Sequence[int], percent: int) -> int | None:
    """By the nearest rank: the least of them that `percent` of them do not exceed."""
    rank = -(-percent * len(ordered) // 100)
    return ordered[rank - 1] if ordered else None


def _newest(owner: str, since: datetime) -> tuple[list[Delivery], bool]:
    """An owner's deliveries since then, the newest first, and whether these are all of them."""
    seen: list[Delivery] = []
    after = None
    for _ in range(LOOKED_AT_MOST // READ_AT_ONCE):
        page = webhooks.deliveries(owner, PageRequest("", READ_AT_ONCE, after))
        seen += [each for each in page.items if each.created_at >= since]
        after = page.next_after
        if after is None or after < clock.to_text(since):
            return seen, True
    return seen, False


def _counts(attempt: Attempt, window: Window) -> bool:
    """Nobody was called where the endpoint was disabled."""
    return attempt.error != rules.DISABLED and attempt.at >= clock.to_text(window.since)


def _rate(successes: int, attempts: int) -> int | None:
    return 10_000 * successes // attempts if attempts else None
