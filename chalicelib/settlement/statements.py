"""A leader's balance, and statements in the forms people ask for."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

from chalicelib.kernel.callers import Caller
from chalicelib.kernel.errors import NotFound
from chalicelib.ledger import store as ledger
from chalicelib.parties import service as parties
from chalicelib.platform import sheets
from chalicelib.platform.pages import Page, PageRequest
from chalicelib.platform.sheets import Cell, Sheet
from chalicelib.platform.transaction import write
from chalicelib.settlement import dry_store
from chalicelib.settlement import store as settlement
from chalicelib.settlement.kind_sums import by_kind, summed
from chalicelib.settlement.rules import EarnedLine, OfKind, Statement, StatementWhole


@dataclass(frozen=True)
class Balance:
    """What a leader has coming, in its currency's minor unit."""

    currency: str
    estimated: int
    pending: int
    available: int
    collected: int
    credit_limit: int | None
    in_payout: int
    paid_out: int


def balance(leader_id: str, caller: Caller) -> Balance:
    """Commission as the leader sees it: what the platform owes is positive."""
    caller.must_be("leader", leader_id, "leader")
    leader = parties.leader(leader_id)
    accounts = ledger.accounts_of(f"leader:{leader_id}")
    return Balance(
        currency=leader.currency,
        estimated=settlement.get_earnings(leader_id).estimated,
        pending=-accounts.pending,
        available=-accounts.available,
        collected=accounts.collected,
        credit_limit=leader.credit_limit,
        in_payout=-accounts.in_payout,
        paid_out=ledger.paid_out(f"leader:{leader_id}"),
    )


def statements_of(leader_id: str, caller: Caller, page: PageRequest) -> Page[Statement]:
    """A leader's statements without their lines, newest first."""
    caller.must_be("leader", leader_id, "leader")
    parties.leader(leader_id)
    return settlement.statements(leader_id, page)


def statement(leader_id: str, run_id: str, caller: Caller) -> StatementWhole:
    """That of a run; of a dry run what it would have been, which operators alone see. Raises
    NotFound."""
    caller.must_be("leader", leader_id, "statement")
    found = settlement.get_statement(leader_id, run_id)
    if found:
        return with_lines(found)
    dry = dry_store.get_statement(leader_id, run_id) if caller.is_operator else None
    if dry is None:
        raise NotFound(
            "There is no such statement. A run makes none for a leader to whom nothing has come "
            "since the one before, and a dry run none that a leader reads."
        )
    return dry


def with_lines(found: Statement) -> StatementWhole:
    lines = settlement.earned_between(found.leader_id, found.after_day, found.business_date)
    return StatementWhole(**vars(found), lines=[*lines, *found.caps])


def kinds_of(made: Statement) -> Sequence[OfKind]:
    """What the lines of a statement come to by kind. Of one from before runs have kept that, they
    are read once."""
    if made.by_kind is not None:
        return made.by_kind
    found = summed(by_kind(with_lines(made).lines))
    write(settlement.keep_by_kind(made, found))
    return found


# Told where a line is explained, or of use to the books alone.
APART = ("method", "sold", "parcel_id")
COLUMNS = ("currency", *(each.name for each in fields(EarnedLine) if each.name not in APART))


def as_csv(statement: StatementWhole) -> str:
    """The lines with a header, amounts in the minor unit (RFC 4180)."""
    rows = [_row(statement.currency, line) for line in statement.lines]
    return sheets.written([Sheet("Statement", COLUMNS, rows)], "csv").decode()


def _row(currency: str, line: EarnedLine) -> list[Cell]:
    said = vars(line) | {
        "currency": currency,
        "plan_version": line.plan_version if line.plan_id else None,
        "voided_by": " ".join(line.voided_by),
    }
    if not line.basis:
        said |= dict.fromkeys(("basis_amount", "rate_bps", "role", "share_bps"))
    return [said[column] for column in COLUMNS]
