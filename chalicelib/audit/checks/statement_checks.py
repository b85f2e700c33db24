"""What must hold of statements, and of the entries by which runs have made them. Pure."""

from collections.abc import Iterator, Mapping

from chalicelib.audit.checks.due_postings import Due, differing
from chalicelib.audit.checks.leader_checks import Standing
from chalicelib.ledger import rules as books
from chalicelib.ledger.checks import Finding
from chalicelib.ledger.rules import Entry
from chalicelib.settlement.rules import Statement, maturing_entry_id


def statements_posted(standing: Standing, entries: Mapping[str, Entry]) -> Iterator[Finding]:
    """A statement is what its days come to, and has made available what had matured of them."""
    for made in standing.statements:
        yield from _statement(made, standing, entries)


def _statement(
    made: Statement, standing: Standing, entries: Mapping[str, Entry]
) -> Iterator[Finding]:
    days = [of for day, of in standing.days.items() if made.has_taken(day)]
    matured, adjusted = sum(of.matured for of in days), sum(of.adjusted for of in days)
    withheld = sum(line.amount for line in made.caps)
    what = f"Statement {made.run_id} of {made.leader_id}"
    if out := made.total - matured - adjusted - withheld:
        detail = f"{what} is {made.total}, its days {made.total - out}."
        yield Finding("statements_posted", made.leader_id, detail, out)
    entry_id, account = maturing_entry_id(made), books.leader_account
    due = [
        Due(entry_id, account(made.leader_id, "pending"), matured),
        Due(entry_id, account(made.leader_id, "available"), -matured - withheld),
    ]
    yield from differing("statements_posted", made.leader_id, what, due, entries)
