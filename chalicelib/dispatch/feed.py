"""The pull feed: what a supplier reads where a webhook cannot reach it (contract, section 3)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.dispatch import store as dispatches
from chalicelib.dispatch.rules import Dispatch
from chalicelib.kernel.callers import Caller
from chalicelib.ordering.rules import DispatchStatus

# An index may show a change late; whoever begins this far behind the newest shown misses none.
OVERLAP = timedelta(seconds=60)
BATCH = 100
BATCHES_AT_MOST = 10


@dataclass(frozen=True)
class FeedPage:
    """Oldest change first. `next_after` is where a longer answer goes on."""

    items: tuple[Dispatch, ...]
    next_after: str | None
    next_updated_since: datetime | None


def read(
    caller: Caller,
    status: DispatchStatus | None,
    since: datetime | None,
    after: str | None,
    limit: int,
) -> FeedPage:
    """A supplier's own dispatches, or for an operator everybody's."""
    supplier_id = None if caller.is_operator else caller.id
    shown: list[Dispatch] = []
    position, newest = after, since
    for _ in range(BATCHES_AT_MOST):
        batch = dispatches.changed_since(supplier_id, since, position, BATCH)
        for change in batch:
            if len(shown) == limit:
                return FeedPage(tuple(shown), position, newest)
            position = change.position
            if status in (None, change.dispatch.status):
                shown.append(change.dispatch)
                newest = change.at - OVERLAP
        if len(batch) < BATCH:
            return FeedPage(tuple(shown), None, newest)
    return FeedPage(tuple(shown), position, newest)
