"""Schedules look at many things: one that fails holds back none of the others."""

from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from time import monotonic

from chalicelib.kernel.errors import Stale
from chalicelib.platform.log import logger
from chalicelib.platform.tracing import for_other_threads

LookAt = Callable[[str], None]


def sweep_each(subjects: Collection[str], look_at: LookAt) -> int:
    """Look at each subject; what another writer has changed meanwhile is his to go on with.

    Returns how many there were. Raises, once all have had their turn, the first failure.
    """
    _raise_first([_failure(subject, look_at) for subject in subjects])
    return len(subjects)


def sweep_until_done(
    find: Callable[[int], Collection[str]],
    look_at: LookAt,
    *,
    batch: int,
    side_by_side: int,
    seconds: float,
) -> int:
    """The same for all that `find` finds, up to so many at a time, until that is nothing new or
    the time is over."""
    seen: set[str] = set()
    failures: list[Exception | None] = []
    end = monotonic() + seconds
    looking = for_other_threads(_failure)
    with ThreadPoolExecutor(side_by_side) as pool:
        while monotonic() < end:
            new = [each for each in find(len(seen) + batch) if each not in seen]
            if not new:
                break
            seen.update(new)
            begun = [pool.submit(copy_context().run, looking, each, look_at) for each in new]
            failures += [each.result() for each in begun]
    _raise_first(failures)
    return len(seen)


def _failure(subject: str, look_at: LookAt) -> Exception | None:
    try:
        look_at(subject)
    except Stale:
        logger.info("changed meanwhile", subject=subject)
    except Exception as error:
        logger.exception("left to the next sweep", subject=subject)
        return error
    return None


def _raise_first(failures: Collection[Exception | None]) -> None:
    for each in failures:
        if each:
            raise each
