"""What the last audit has found, and how far the one under way is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from chalicelib.audit import starting
from chalicelib.audit import store as audits
from chalicelib.audit.rules import FINDINGS_KEPT, Audit
from chalicelib.kernel import clock
from chalicelib.ledger.checks import Finding


@dataclass(frozen=True)
class Report:
    checked_at: datetime | None
    through: datetime | None
    findings: Sequence[Finding]
    findings_total: int
    read: Mapping[str, int]
    next_due_at: datetime
    running: Audit | None


def report() -> Report:
    head = audits.head()
    done, due = head.completed, starting.next_due(head, clock.now())
    if done is None:
        return Report(None, None, (), 0, {}, due, head.running)
    return Report(
        checked_at=done.completed_at,
        through=done.through,
        findings=audits.findings_of(done.id, FINDINGS_KEPT) if done.findings else [],
        findings_total=done.findings,
        read=done.read,
        next_due_at=due,
        running=head.running,
    )
