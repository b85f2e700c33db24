"""Schedules look at many things: one that fails holds back none of the others."""

from collections.abc import Callable, Collection

from chalicelib.kernel.errors import Stale
from chalicelib.platform.log import logger


def sweep_each(subjects: Collection[str], look_at: Callable[[str], None]) -> int:
    """Look at each subject; what another writer has changed meanwhile is his to go on with.

    Returns how many there were. Raises, once all have had their turn, the first failure.
    """
    failures: list[Exception] = []
    for subject in subjects:
        try:
            look_at(subject)
        except Stale:
            logger.info("changed meanwhile", subject=subject)
        except Exception as error:
            logger.exception("left to the next sweep", subject=subject)
            failures.append(error)
    if failures:
        raise failures[0]
    return len(subjects)
