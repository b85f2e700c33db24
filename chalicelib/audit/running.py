"""An audit from its start to its end, in steps that any worker may take and no two take at once."""

from datetime import datetime, timedelta
from time import monotonic

from chalicelib.audit import looking, starting
from chalicelib.audit import store as audits
from chalicelib.audit.rules import FINDINGS_KEPT, Audit
from chalicelib.audit.store import Journal, Page
from chalicelib.cases import service as cases
from chalicelib.kernel import clock
from chalicelib.kernel.errors import Stale
from chalicelib.ledger import period_store
from chalicelib.platform.log import logger, metric
from chalicelib.platform.transaction import Transaction, write

# A worker takes steps so long; its timeout leaves room for the last one.
WORKED_FOR = timedelta(minutes=4)


def go_on(now: datetime) -> None:
    """Begin the night's audit where it is due, and take steps of the one under way."""
    found = audits.head()
    if found.running is None and starting.next_due(found, now) <= now:
        starting.start()
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
