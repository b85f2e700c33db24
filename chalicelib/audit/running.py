"""An audit from its start to its end, in steps that any worker may take and no two take at once."""

from datetime import UTC, datetime, time, timedelta
from time import monotonic

from chalicelib.audit import looking
from chalicelib.audit import store as audits
from chalicelib.audit.rules import FINDINGS_KEPT, Audit
from chalicelib.audit.store import Head, Journal, Page
from chalicelib.cases import service as cases
from chalicelib.kernel import clock, ids
from chalicelib.kernel.errors import Stale
from chalicelib.ledger import period_store
from chalicelib.ledger.service import SETTLED_AFTER
from chalicelib.platform.log import logger, metric
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.settings import settings
from chalicelib.platform.transaction import Transaction, write

# A worker takes steps so long, and has a minute more for its last one.
WORKED_FOR = timedelta(minutes=4)
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


def go_on(now: datetime) -> None:
    """Begin the night's audit where it is due, and take steps of the one under way."""
    found = audits.head()
    if found.running is None and next_due(found, now) <= now:
        start()
    until = monotonic() + WORKED_FOR.total_seconds()
    while monotonic() < until:
        running = audits.head().running
        if running is None or running.is_held(clock.now()):
            return
        try:
            _take_step(running)
        except Stale:
            logger.info("the step was taken meanwhile")
            return


def next_due(found: Head, now: datetime) -> datetime:
    """When the next one starts by itself: once a business date, from its early morning on."""
    zone, last = settings().zone, found.completed
    today = clock.business_date(now, zone)
    is_done = last is not None and clock.business_date(last.started_at, zone) >= today
    day = today + timedelta(days=1) if is_done else today
    return datetime.combine(day, NIGHT, zone).astimezone(UTC)


def _take_step(audit: Audit) -> None:
    """Look at one page, and write what was found before it is said that it was looked at."""
    held = audit.held(clock.now())
    write(audits.replace_audit(held))
    journal = audits.journal_of(held.id, held.kept_at) if held.needs_journal else Journal()
    page = Page(held, journal)
    looked = looking.look(page)
    room = max(0, FINDINGS_KEPT - held.findings)
    audits.add_findings(held, looked.findings[:room])
    if held.phase == "journal":
        audits.keep_journal(held, page.journal)
        if looked.next_after is None:
            for day, seal in looking.newly_over(page).items():
                period_store.keep_seal(day, seal)
    after = held.looked(looked)
    if held.is_over_after(looked):
        _complete(after)
    else:
        write(audits.replace_audit(after))


def _complete(audit: Audit) -> None:
    """The audit is over: a case for each kind of finding that the one before did not have."""
    before = audits.head().completed
    done = audit.completed(clock.now())
    transaction = Transaction()
    transaction.add(audits.replace_audit(done), audits.end(done))
    for kind in done.kinds:
        if before is None or kind not in before.kinds:
            detail = f"Audit {done.id} finds what does not hold: see GET /v1/ledger/audit."
            cases.open_in(transaction, "audit_finding", kind, detail, occurrence=done.id)
    transaction.commit()
    metric("AuditsCompleted")
    metric("AuditFindings", done.findings)
    logger.info("audit completed", findings=done.findings)
