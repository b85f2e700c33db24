"""What an operator does with dead letters."""

from dataclasses import dataclass
from datetime import datetime

from chalicelib.deadletters.causes import Why, of_message, of_schedule
from chalicelib.kernel.errors import Conflict, NotFound
from chalicelib.platform import dead_letters, queues
from chalicelib.platform.dead_letters import SCHEDULES, DeadLetter
from chalicelib.platform.log import logger, metric
from chalicelib.platform.pages import Page, PageRequest, paged

BODY_SHOWN = 2_000
SHOWN_IN_THE_LIST = 10


@dataclass(frozen=True)
class Parked:
    """A message that was given up; `id` is the `message_id` of its worker's log."""

    id: str
    body: str
    parked_at: datetime
    cause: Why


@dataclass(frozen=True)
class ParkedQueue:
    """What lies aside of a queue: about how many, and the newest of them."""

    queue: str
    count: int
    redrivable: bool
    messages: tuple[Parked, ...]


@dataclass(frozen=True)
class Redriven:
    """What a redrive came to; `left` is what there was no time for, or what came meanwhile."""

    queue: str
    moved: int
    left: int


def all_queues(page: PageRequest) -> Page[ParkedQueue]:
    """Every queue that can hold dead letters, with a few messages of each."""
    return paged(list(_QUEUES), page).map(lambda name: read(name, SHOWN_IN_THE_LIST))


def read(name: str, at_most: int) -> ParkedQueue:
    queue = _queue(name)
    count = dead_letters.count(queue)
    found = dead_letters.look(queue, at_most) if count else []
    return ParkedQueue(name, count, queue != SCHEDULES, tuple(_shown(queue, e) for e in found))


def redrive(name: str) -> Redriven:
    """Send a queue's dead letters back to its worker."""
    queue = _queue(name)
    if queue == SCHEDULES:
        raise Conflict(
            "A schedule's next run does the same work again: there is nothing to send back.",
            code="nothing_to_redrive",
        )
    moved = dead_letters.move_back(queue)
    logger.info("dead letters sent back", queue=name, moved=moved)
    metric("DeadLettersRedriven", moved, queue=name)
    return Redriven(name, moved, dead_letters.count(queue))


def _queue(name: str) -> str:
    if name not in _QUEUES:
        raise NotFound(f"There is no such queue; there are {', '.join(_QUEUES)}.")
    return _QUEUES[name]


def _shown(queue: str, letter: DeadLetter) -> Parked:
    shown_id = letter.cause.message_id if letter.cause else letter.id
    cause = of_schedule(letter.body) if queue == SCHEDULES else of_message(letter.cause)
    return Parked(shown_id, letter.body[:BODY_SHOWN], letter.parked_at, cause)


def _name(queue: str) -> str:
    return queue.removesuffix("_QUEUE").lower().replace("_", "-")


_QUEUES = {_name(queue): queue for queue in (*queues.ALL, SCHEDULES)}
