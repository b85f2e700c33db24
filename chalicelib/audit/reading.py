"""What the last audit has found, and how far the one under way is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chalicelib.audit import store as audits
from chalicelib.audit.rules import FINDINGS_KEPT, Audit
from chalicelib.ledger.checks import Finding


@dataclass(frozen=True)
class Report:
    checked_at: datetime | None
    through: datetime | None
    findings: Sequence[Finding]
    findings_total: int
    running: Audit | None


def report() -> Report:
    head = audits.head()
    done = head.completed
    if done is None:
        return Report(None, None, (), 0, head.running)
    findings = audits.findings_of(done.id, FINDINGS_KEPT) if done.findings else []
    return Report(done.completed_at, done.through, findings, done.findings, head.running)
