"""The outbox: an event is stored with the change it tells of, then sent, then forgotten.

Between the commit and the sending a function can die, or SQS refuse; `outbox_sweep` sends what is
left, so an event reaches its queues at least once. The table is empty at rest: a scan of it is
the list of what still waits, and no index is paid for.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from pynamodb.attributes import JSONAttribute, UnicodeAttribute
from pynamodb.exceptions import DeleteError

from chalicelib.kernel import clock
from chalicelib.kernel.events import Event
from chalicelib.platform import queues, store
from chalicelib.platform.log import logger, metric
from chalicelib.platform.sweeping import sweep_each
from chalicelib.platform.table import InstantAttribute, Row, table

# A record this young may still be on its way in the invocation that wrote it.
GRACE = timedelta(seconds=20)
PAGE = 500


class OutboxRow(Row):
    """An event that has not been sent yet, or not been seen to be."""

    Meta = table("OUTBOX_TABLE")

    type = UnicodeAttribute()
    subject = UnicodeAttribute()
    data = JSONAttribute()
    published_at = InstantAttribute()

    @property
    def event(self) -> Event:
        return Event(self.type, self.subject, self.data)


def records(events: Iterable[Event]) -> list[OutboxRow]:
    now = clock.now()
    return [
        OutboxRow(
            e.id, "event", type=e.type, subject=e.subject, data=dict(e.data), published_at=now
        )
        for e in events
    ]


def send(rows: Iterable[OutboxRow]) -> None:
    """Send committed events at once. What cannot be sent now stays for the sweep."""
    for row in rows:
        try:
            _send(row)
        except Exception as error:  # the change has committed: its caller must not see a failure
            logger.warning("event left to the sweep", event=row.pk, reason=type(error).__name__)
            metric("EventsLeftToSweep")


def sweep(now: datetime) -> int:
    """Send what was left behind, and tell how long the oldest has waited. Returns how many."""
    waiting = [row for row in store.scan(OutboxRow, limit=PAGE) if row.published_at <= now - GRACE]
    oldest = min((row.published_at for row in waiting), default=now)
    metric("OutboxLag", (now - oldest).total_seconds(), unit="Seconds")
    rows = {row.pk: row for row in waiting}
    return sweep_each(rows, lambda event_id: _send(rows[event_id]))


def _send(row: OutboxRow) -> None:
    queues.send_event(row.event)
    try:
        row.delete(OutboxRow.published_at == row.published_at)
    except DeleteError as error:
        # Sent by another, or published again since: then its own sender takes it away.
        if error.cause_response_code != "ConditionalCheckFailedException":
            raise
