"""Audits, in the ledger table: the one under way, the last finished one, and their findings."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from pynamodb.attributes import BinaryAttribute, JSONAttribute, TTLAttribute, UnicodeAttribute

from chalicelib.audit.rules import Amount, Audit
from chalicelib.kernel import clock
from chalicelib.ledger import fold_store
from chalicelib.ledger.checks import Finding
from chalicelib.ledger.rules import Books
from chalicelib.ledger.seals import Seal
from chalicelib.platform import store
from chalicelib.platform.table import (
    EntityRow,
    InstantAttribute,
    IntegerAttribute,
    Row,
    TextsAttribute,
    absent,
    table,
)
from chalicelib.platform.transaction import Put, create, write_alone

AUDIT, AUDITS, HEAD, FINDING = "audit", "audits", "head", "finding#"
ACCOUNTS_A_PAGE = 2_000
KEPT_FOR = timedelta(days=90)


AuditMeta = table("LEDGER_TABLE")


class AmountsAttribute(JSONAttribute):
    """Sums by currency."""

    def deserialize(self, value: str) -> tuple[Amount, ...]:
        return tuple(Amount(*each) for each in json.loads(value))


class AuditRow(EntityRow[Audit]):
    Meta = AuditMeta
    entity = Audit

    id = UnicodeAttribute()
    status = UnicodeAttribute()
    through = InstantAttribute()
    phase = UnicodeAttribute()
    after = JSONAttribute(null=True)
    step = IntegerAttribute()
    read = JSONAttribute()
    in_flight = AmountsAttribute()
    findings = IntegerAttribute()
    kinds = TextsAttribute()
    started_at = InstantAttribute()
    completed_at = InstantAttribute(null=True)
    version = IntegerAttribute()
    held_until = InstantAttribute(null=True)
    journal_steps = IntegerAttribute()
    since = InstantAttribute(null=True)
    tallies = JSONAttribute(null=True)
    ttl = TTLAttribute(null=True)

    @classmethod
    def keys(cls, entity: Audit) -> dict[str, Any]:
        return {"pk": entity.id, "sk": AUDIT, "ttl": entity.started_at + KEPT_FOR}


class HeadRow(Row):
    """Which audit is under way, and which was finished last."""

    Meta = AuditMeta

    running = UnicodeAttribute(null=True)
    completed = UnicodeAttribute(null=True)


class FindingRow(EntityRow[Finding]):
    Meta = AuditMeta
    entity = Finding

    check = UnicodeAttribute()
    subject = UnicodeAttribute()
    detail = UnicodeAttribute()
    amount = IntegerAttribute(null=True)
    ttl = TTLAttribute()


class JournalPartRow(Row):
    """A part of what an audit has added up of the journal: balances as entries, histories or
    open items make them, or the days' seals."""

    Meta = AuditMeta

    balances = BinaryAttribute(legacy_encoding=False, null=True)
    days = JSONAttribute(null=True)
    ttl = TTLAttribute()


@dataclass
class Journal:
    """The entries seen so far: all balances, what each party was paid out, what suppliers'
    histories tell of theirs, what open items have left, and the seal of each business date."""

    books: Books = field(default_factory=dict)
    paid: Books = field(default_factory=dict)
    told: Books = field(default_factory=dict)
    left: Books = field(default_factory=dict)
    days: dict[str, Seal] = field(default_factory=dict)

    @property
    def by_prefix(self) -> dict[str, Books]:
        """What is added up by account, under the key of its parts."""
        return {"balances": self.books, "paid": self.paid, "told": self.told, "left": self.left}


@dataclass(frozen=True)
class Page:
    """What a page is of: the audit, and what it has added up of the journal so far."""

    audit: Audit
    journal: Journal


@dataclass(frozen=True)
class Head:
    running: Audit | None
    completed: Audit | None


def head() -> Head:
    row = store.get(HeadRow, AUDITS, HEAD)
    return Head(_get(row.running if row else None), _get(row.completed if row else None))


def begin(audit: Audit, before: Head) -> list[Put]:
    """Make an audit the one under way; Stale where another is."""
    free = absent() | HeadRow.running.does_not_exist()
    completed = before.completed.id if before.completed else None
    head = Put(HeadRow(AUDITS, HEAD, running=audit.id, completed=completed), free)
    return [create(AuditRow.of(audit)), head]


def end(completed: Audit) -> Put:
    row = HeadRow(AUDITS, HEAD, completed=completed.id)
    return Put(row, HeadRow.running == completed.id)


def replace_audit(changed: Audit) -> Put:
    return Put(AuditRow.of(changed), AuditRow.version == changed.version - 1)


def add_findings(audit: Audit, findings: Sequence[Finding]) -> None:
    """Write them, each in its place, so that a page that is looked at again adds none."""
    expires = clock.now() + KEPT_FOR
    for each in findings:
        row = FindingRow(audit.id, f"{FINDING}{each.check}#{each.subject}", ttl=expires)
        row.attribute_values |= {k: v for k, v in vars(each).items() if v is not None}
        write_alone(Put(row, when=None))


def findings_of(audit_id: str, limit: int) -> list[Finding]:
    where = FindingRow.sk.startswith(FINDING)
    rows = store.query(FindingRow, audit_id, where=where, limit=limit)
    return [row.to_entity() for row in rows]


def keep_journal(audit: Audit, journal: Journal) -> None:
    """Keep what was added up, for the step after this one of the audit."""
    pk, expires = _part(audit.id, audit.step + 1), clock.now() + KEPT_FOR
    for prefix, books in journal.by_prefix.items():
        keys = sorted(books)
        for n in range(0, len(keys), ACCOUNTS_A_PAGE):
            packed = fold_store.pack({key: books[key] for key in keys[n : n + ACCOUNTS_A_PAGE]})
            part = JournalPartRow(pk, f"{prefix}#{n:08d}", balances=packed, ttl=expires)
            write_alone(Put(part, when=None))
    days = {day: [seal.entries, seal.digest] for day, seal in journal.days.items()}
    write_alone(Put(JournalPartRow(pk, "days", days=days, ttl=expires), when=None))


def journal_of(audit_id: str, step: int) -> Journal:
    """What was kept for a step of an audit."""
    journal = Journal()
    for part in store.query(JournalPartRow, _part(audit_id, step)):
        if part.balances:
            books = journal.by_prefix[part.sk.partition("#")[0]]
            books.update(fold_store.unpack(part.balances))
        journal.days.update(_seals(part.days or {}))
    return journal


def _seals(days: Mapping[str, Sequence[Any]]) -> dict[str, Seal]:
    return {day: Seal(*each) for day, each in days.items()}


def _get(audit_id: str | None) -> Audit | None:
    row = store.get(AuditRow, audit_id, AUDIT) if audit_id else None
    return row.to_entity() if row else None


def _part(audit_id: str, step: int) -> str:
    return f"{audit_id}#journal#{step:06d}"
