"""The audit's list of checks over all that is stored, at once and without a trace."""

from collections.abc import Iterator
from datetime import datetime

from chalicelib.audit import looking
from chalicelib.audit.rules import Audit
from chalicelib.audit.store import Journal, Page
from chalicelib.ledger.checks import Finding


def look_at_everything(through: datetime, since: datetime | None = None) -> Iterator[Finding]:
    journal, audit = Journal(), Audit.new("aud_test", through, through, since)
    while True:
        looked = looking.look(Page(audit, journal))
        yield from looked.findings
        if audit.is_over_after(looked):
            return
        audit = audit.looked(looked)
