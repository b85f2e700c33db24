"""When an endpoint is called: the schedule of attempts and of probes (contract, section 5). Pure
but for chance."""

import random
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

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
# One of what an open circuit holds back is tried after so long, and then less and less often.
PROBED_AFTER = timedelta(minutes=1)
PROBED_AT_LEAST_EVERY = timedelta(minutes=30)


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
