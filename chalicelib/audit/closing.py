"""Closing a month of the books, once an audit has found nothing wrong with it.

No entry can be dated into a closed month: an entry's instant is taken at most minutes before it is
written, a month is closed no sooner than that after its end, and posting checks it where an entry
is not of the present month. What is told later is dated by its posting, and names its own month.
"""

import re
from collections.abc import Mapping
from datetime import datetime

from chalicelib.audit import store as audits
from chalicelib.audit.rules import Audit
from chalicelib.kernel import clock
from chalicelib.kernel.errors import Conflict, Invalid
from chalicelib.ledger import period_store
from chalicelib.ledger.periods import Period, first_day_after
from chalicelib.ledger.seals import Seal
from chalicelib.ledger.service import SETTLED_AFTER
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.settings import settings
from chalicelib.platform.transaction import Recorder, Transaction

MONTH = re.compile(r"(19|[2-8][0-9])[0-9]{2}-(0[1-9]|1[0-2])")


@retry_stale
def close(month: str, closed_by: str, recorder: Recorder | None) -> tuple[Period, bool]:
    """Close a month that is over, once; and whether that is new. Raises Invalid, and Conflict where
    it is not over, an earlier one is open, or the last audit does not reach its end or has
    findings."""
    if not MONTH.fullmatch(month):
        raise Invalid.field("month", "is not a month such as 2026-03")
    if before := period_store.get_period(month):
        return before, False
    now = clock.now()
    ends = clock.begin_of(first_day_after(month), settings().zone)
    if now < ends + SETTLED_AFTER:
        raise Conflict(
            f"{month} is not over; it can be closed a quarter of an hour after its last day.",
            code="period_not_over",
        )
    audit = _clean_audit(month, ends)
    seals = period_store.seals()
    _check_earlier_are_closed(month, seals)
    days = (seal for day, seal in seals.items() if day.startswith(month))
    seal = sum(days, Seal())
    period = Period(month, now, closed_by, audit.id, seal.entries, seal.digest)
    transaction = Transaction(recorder)
    transaction.add(period_store.close_period(period))
    transaction.commit(period)
    return period, True


def _check_earlier_are_closed(month: str, seals: Mapping[str, Seal]) -> None:
    """Those that have entries; a month before the first of them has nothing to close."""
    closed = {period.month for period in period_store.periods()}
    booked = {day[: len(month)] for day, seal in seals.items() if seal.entries}
    if still_open := sorted(each for each in booked - closed if each < month):
        raise Conflict(
            f"{still_open[0]} is open; months are closed in their order.",
            code="earlier_month_open",
        )


def _clean_audit(month: str, ends: datetime) -> Audit:
    audit = audits.head().completed
    if audit is None or audit.through < ends:
        raise Conflict(
            f"No audit has looked at all of {month} yet; start one, and wait for its end.",
            code="audit_outdated",
        )
    if audit.findings:
        raise Conflict(
            f"The last audit has {audit.findings} findings ({', '.join(audit.kinds)}); see "
            "GET /v1/ledger/audit.",
            code="audit_not_clean",
        )
    return audit
