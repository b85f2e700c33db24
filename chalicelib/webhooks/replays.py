"""What a replay is: many deliveries of an endpoint that are sent again, and how far it has come."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from chalicelib.kernel.errors import Invalid
from chalicelib.webhooks.rules import Delivery, DeliveryStatus

ReplayStatus = Literal["running", "completed", "failed"]
REPLAYED_BACK_TO = timedelta(days=30)
# A replay that no worker moves on in so many calls has failed.
CALLS_AT_MOST = 6


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
