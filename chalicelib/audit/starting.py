"""When an audit begins: each night by itself, and whenever an operator asks for one."""

from datetime import UTC, datetime, time, timedelta

from chalicelib.audit import store as audits
from chalicelib.audit.rules import Audit
from chalicelib.audit.store import Head
from chalicelib.kernel import clock, ids
from chalicelib.ledger.service import SETTLED_AFTER
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.settings import settings
from chalicelib.platform.transaction import write

# Before the day begins, after the settlement run.
NIGHT = time(4)


@retry_stale
def start(*, whole: bool = False) -> tuple[Audit, bool]:
    """Begin an audit, or find the one under way; and whether it is new. A `whole` one looks at what
    others have found right as well."""
    before, now = audits.head(), clock.now()
    if before.running:
        return before.running, False
    since = before.completed.right_before if before.completed and not whole else None
    audit = Audit.new(ids.new("aud"), now, now - SETTLED_AFTER, since)
    write(*audits.begin(audit, before))
    return audit, True


def next_due(found: Head, now: datetime) -> datetime:
    """When the next one starts by itself: once a business date, from its early morning on."""
    zone, last = settings().zone, found.completed
    today = clock.business_date(now, zone)
    is_done = last is not None and clock.business_date(last.started_at, zone) >= today
    day = today + timedelta(days=1) if is_done else today
    return datetime.combine(day, NIGHT, zone).astimezone(UTC)
