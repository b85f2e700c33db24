"""An audit: a look at all that is stored, page by page, with its progress. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple, get_args

from chalicelib.ledger.checks import Finding

AuditStatus = Literal["running", "completed"]
Phase = Literal[
    "journal",
    "parties",
    "orders",
    "leaders",
    "runs",
    "suppliers",
    "payments",
    "payouts",
    "reconciliations",
]
PHASES: tuple[Phase, ...] = get_args(Phase)
# Sums by name, of each batch.
Tallies = Mapping[str, Mapping[str, int]]
# Whoever takes a step has it for himself so long: longer than any of them takes.
HELD_FOR = timedelta(minutes=6)
# What of an audit's findings is kept; all are counted.
FINDINGS_KEPT = 1_000


class Amount(NamedTuple):
    currency: str
    amount: int


@dataclass(frozen=True)
class Looked:
    """What one page came to: how many things of each sort it held, what is wrong with them, where
    the next page begins (None behind the last one), what of refunds on it was in flight, and what
    its payouts are of their batches."""

    read: Mapping[str, int]
    findings: Sequence[Finding]
    next_after: Any = None
    in_flight: Sequence[Amount] = ()
    tallies: Tallies = field(default_factory=dict)


@dataclass(frozen=True)
class Audit:
    """Entries until `through` are looked at. `after` is where the next page of the phase begins.

    Statements that were made before `since`, and batches that were over, were found right by an
    audit before: they are passed over, where it is not None.

    `read` counts what it has looked at, and `step` the steps taken; `held_until` says how long the
    one under way may take.
    """

    id: str
    status: AuditStatus
    through: datetime
    phase: Phase
    after: Any
    step: int
    read: Mapping[str, int]
    in_flight: Sequence[Amount]
    findings: int
    kinds: Sequence[str]
    started_at: datetime
    completed_at: datetime | None
    version: int
    held_until: datetime | None = None
    journal_steps: int = 0
    since: datetime | None = None
    tallies: Tallies | None = None

    @classmethod
    def new(
        cls, audit_id: str, now: datetime, through: datetime, since: datetime | None
    ) -> "Audit":
        return cls(
            id=audit_id,
            status="running",
            through=through,
            phase=PHASES[0],
            after=None,
            step=0,
            read={},
            in_flight=(),
            findings=0,
            kinds=(),
            started_at=now,
            completed_at=None,
            version=1,
            since=since,
        )

    @property
    def right_before(self) -> datetime | None:
        """Before when all that was over is known to be right, once this audit is completed."""
        return self.since if self.findings else self.through

    @property
    def kept_at(self) -> int:
        """The step for which the journal, as far as it was added up, was kept last."""
        return self.step if self.phase == "journal" else self.journal_steps

    @property
    def percent(self) -> int:
        return PHASES.index(self.phase) * 100 // len(PHASES)

    @property
    def needs_journal(self) -> bool:
        return self.phase in ("journal", "parties", "payments")

    @property
    def is_running(self) -> bool:
        return self.status == "running"

    def is_held(self, now: datetime) -> bool:
        return self.held_until is not None and now < self.held_until

    def held(self, now: datetime) -> "Audit":
        """The audit with its next step taken up."""
        return replace(self, held_until=now + HELD_FOR, version=self.version + 1)

    def looked(self, page: Looked) -> "Audit":
        """The audit after one more page; the phase after the last page of one."""
        phase = self.phase if page.next_after is not None else self._next_phase
        return replace(
            self,
            phase=phase or self.phase,
            after=page.next_after,
            step=self.step + 1,
            journal_steps=self.journal_steps + (self.phase == "journal"),
            read=dict(Counter(self.read) + Counter(page.read)),
            in_flight=_added(self.in_flight, page.in_flight),
            tallies=added_up(self.tallies, page.tallies),
            findings=self.findings + len(page.findings),
            kinds=sorted({*self.kinds, *(each.check for each in page.findings)}),
            held_until=None,
            version=self.version + 1,
        )

    def is_over_after(self, page: Looked) -> bool:
        return page.next_after is None and self._next_phase is None

    def completed(self, now: datetime) -> "Audit":
        return replace(self, status="completed", completed_at=now)

    @property
    def _next_phase(self) -> Phase | None:
        following = PHASES[PHASES.index(self.phase) + 1 :]
        return following[0] if following else None


def _added(before: Sequence[Amount], more: Sequence[Amount]) -> tuple[Amount, ...]:
    sums = dict(before)
    for currency, amount in more:
        sums[currency] = sums.get(currency, 0) + amount
    return tuple(Amount(*each) for each in sorted(sums.items()))


def added_up(before: Tallies | None, more: Tallies) -> dict[str, dict[str, int]]:
    """Sums by name, of each batch of either."""
    before = before or {}
    return {
        batch_id: dict(Counter(before.get(batch_id, {})) + Counter(more.get(batch_id, {})))
        for batch_id in sorted({*before, *more})
    }
