"""How an amount was determined: one line of a statement with all that it follows from."""

from dataclasses import dataclass, replace

from chalicelib.kernel.callers import Caller
from chalicelib.kernel.errors import NotFound
from chalicelib.ledger import store as ledger
from chalicelib.ledger.rules import Entry
from chalicelib.settlement import rules, statements
from chalicelib.settlement.rules import EarnedLine, Rounding, StatementWhole

# What the run itself makes available, as it does whatever else was posted to the pending balance;
# every other line was available before.
BY_THE_RUN = ("commission", "spread", "bonus", "cap")


@dataclass(frozen=True)
class LineExplained(EarnedLine):
    """The line of that number, the first being 1, with the entries' postings to its leader."""

    number: int = 0
    run_id: str = ""
    currency: str = ""
    rounding: Rounding | None = None
    entry: Entry | None = None
    settled_by: Entry | None = None


def line(leader_id: str, run_id: str, number: str, caller: Caller) -> LineExplained:
    """Raises NotFound where the statement has no such line."""
    statement = statements.statement(leader_id, run_id, caller)
    if not number.isdecimal() or not 1 <= int(number) <= len(statement.lines):
        raise NotFound(f"The statement has lines 1 to {len(statement.lines)}.")
    return _explained(statement, int(number))


def _explained(statement: StatementWhole, number: int) -> LineExplained:
    found = statement.lines[number - 1]
    entry = _entry(found.entry_id, statement.leader_id)
    by_the_run = found.kind in BY_THE_RUN or _is_pending(entry)
    return LineExplained(
        **vars(found),
        number=number,
        run_id=statement.run_id,
        currency=statement.currency,
        rounding=rules.rounding(found),
        entry=entry,
        settled_by=_entry(rules.maturing_entry_id(statement), statement.leader_id)
        if by_the_run
        else None,
    )


def _is_pending(entry: Entry | None) -> bool:
    """Whether all that it moves of the leader's waits for a run."""
    return entry is not None and all(each.account.endswith(":pending") for each in entry.postings)


def _entry(entry_id: str, leader_id: str) -> Entry | None:
    """The entry with those of its postings that touch the leader."""
    found = ledger.get_entry(entry_id) if entry_id else None
    if found is None:
        return None
    own = tuple(each for each in found.postings if each.account.startswith(f"leader:{leader_id}:"))
    return replace(found, postings=own)
