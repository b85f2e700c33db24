"""The pull feed: what a supplier reads where a webhook cannot reach it (contract, section 3)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.dispatch import store as dispatches
from chalicelib.dispatch.rules import Dispatch
from chalicelib.ordering.rules import DispatchStatus

# An index may show a change late; whoever begins this far behind the newest shown misses none.
OVERLAP = timedelta(seconds=60)
BATCH = 100
BATCHES_AT_MOST = 10


@dataclass(frozen=True)
class Wanted:
    """What is read, of one supplier or of all; None reads all."""

    status: DispatchStatus | None = None
    due_before: datetime | None = None
    supplier_id: str | None = None

    def fits(self, dispatch: Dispatch) -> bool:
        if self.status not in (None, dispatch.status):
            return False
        return self.due_before is None or dispatch.is_due_by(self.due_before)


@dataclass(frozen=True)
class FeedPage:
    """Oldest change first. `next_after` is where a longer answer goes on.

    Where one does, `next_updated_since` is the newest shown itself: 60 s behind it, whoever asks
    by instants alone would see a busy minute's first page for ever.
    """

    items: tuple[Dispatch, ...]
    next_after: str | None
    next_updated_since: datetime | None


def read(
    wanted: Wanted,
    since: datetime | None,
    after: str | None,
    limit: int,
) -> FeedPage:
    shown: list[Dispatch] = []
    position, newest = after, None
    for _ in range(BATCHES_AT_MOST):
        batch = dispatches.changed_since(wanted.supplier_id, since, position, BATCH)
        for change in batch:
            if len(shown) == limit:
                return FeedPage(tuple(shown), position, newest or since)
            position = change.position
            if wanted.fits(change.dispatch):
                shown.append(change.dispatch)
                newest = change.at
        if len(batch) < BATCH:
            return FeedPage(tuple(shown), None, newest - OVERLAP if newest else since)
    return FeedPage(tuple(shown), position, newest or since)
