"""How an amount was determined: one line of a statement with all that it follows from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from chalicelib.kernel.callers import Caller
from chalicelib.kernel.errors import NotFound
from chalicelib.leader_lines.origins import (
    CampaignOrigin,
    CapOrigin,
    SoldOrigin,
    campaign_of,
    cap_of,
    of_campaign,
    payout_of,
    sold_of,
)
from chalicelib.leader_lines.rules import Rounding, is_rated, rounding
from chalicelib.ledger import store as ledger
from chalicelib.ledger.rules import Entry
from chalicelib.ordering import store as ordering
from chalicelib.parties import service as parties
from chalicelib.payouts import store as payouts
from chalicelib.payouts.rules import Payout
from chalicelib.settlement import bonus_store, rules, statements
from chalicelib.settlement.open_statements import PostedLine, lines_of_entry, open_statement
from chalicelib.settlement.rules import EarnedLine, StatementWhole

# What was posted to the available balance before, unless its entry is of the pending one alone; of
# other kinds the account says so.
BEFORE_THE_RUN = ("clawback", "held", "payout", "payout_returned", "netting")


@dataclass(frozen=True)
class LineExplained(PostedLine):
    """The line of that number, the first being 1, with the entries' postings to its leader.
    `matures_on` is the day among whose pending lines it has that number."""

    number: int = 0
    matures_on: str | None = None
    run_id: str = ""
    currency: str = ""
    rounding: Rounding | None = None
    entry: Entry | None = None
    voiding: Sequence[Entry] = ()
    settled_by: Entry | None = None
    sold_as: SoldOrigin | None = None
    cap: CapOrigin | None = None
    campaign: CampaignOrigin | None = None
    payout: Payout | None = None


@dataclass(frozen=True)
class EntryExplained:
    """What one entry has brought a leader that no run has taken."""

    entry_id: str
    lines: Sequence[LineExplained]


def line(leader_id: str, run_id: str, number: str, caller: Caller) -> LineExplained:
    """Raises NotFound where the statement has no such line."""
    made = statements.statement(leader_id, run_id, caller)
    found = _of_number(made.lines, number)
    explained = _explained(found, number, leader_id, made.currency, caller)
    settled = _by_the_run(found, explained.entry, made)
    by_run = _entry(rules.maturing_entry_id(made), leader_id) if settled else None
    return replace(explained, run_id=run_id, settled_by=by_run, cap=cap_of(found, made))


def open_line(leader_id: str, number: str, caller: Caller, day: str | None) -> LineExplained:
    """The same of a line that the next statement will have, or of a pending one that matures on
    `day`: no run has made it available. Raises NotFound."""
    made = open_statement(leader_id, caller, day)
    lines = made.lines if made.pending_lines is None else made.pending_lines
    found = _of_number(lines, number, day)
    explained = _explained(found, number, leader_id, made.currency, caller)
    return replace(explained, matures_on=day)


def open_entry(leader_id: str, entry_id: str, caller: Caller) -> EntryExplained:
    """The same of all such lines that an entry has brought, by which they are found however many
    others there are by then. Raises NotFound where there is none."""
    found = lines_of_entry(leader_id, entry_id, caller)
    if not found:
        raise NotFound(
            "Nothing of that entry waits for a run: a statement tells what a run has taken."
        )
    currency = parties.leader(leader_id).currency
    lines = [
        replace(
            _explained(each.line, str(each.number), leader_id, currency, caller),
            matures_on=each.matures_on,
        )
        for each in found
    ]
    return EntryExplained(entry_id, lines)


def _of_number(lines: Sequence[EarnedLine], number: str, day: str | None = None) -> EarnedLine:
    if not number.isdecimal() or not 1 <= int(number) <= len(lines):
        of = f"What matures on {day}" if day else "The statement"
        raise NotFound(f"{of} has no line {number}: {_how_many(len(lines))}.")
    return lines[int(number) - 1]


def _how_many(lines: int) -> str:
    if not lines:
        return "there are none"
    return "there is one" if lines == 1 else f"there are 1 to {lines}"


def _explained(
    found: EarnedLine, number: str, leader_id: str, currency: str, caller: Caller
) -> LineExplained:
    order = ordering.get_order(found.order_id) if is_rated(found) else None
    return LineExplained(
        **vars(found),
        number=int(number),
        currency=currency,
        rounding=rounding(found, order, None if caller.is_operator else leader_id),
        entry=_entry(found.entry_id, leader_id),
        voiding=_entries(found.voided_by, leader_id),
        sold_as=sold_of(found),
        campaign=_campaign(found, leader_id),
        payout=_payout(found),
    )


def _payout(line: EarnedLine) -> Payout | None:
    payout_id = payout_of(line)
    return payouts.get_payout(payout_id) if payout_id else None


def _campaign(line: EarnedLine, leader_id: str) -> CampaignOrigin | None:
    campaign_id = campaign_of(line)
    if campaign_id is None:
        return None
    return of_campaign(line, bonus_store.campaign_total(leader_id, campaign_id))


def _by_the_run(of: EarnedLine, entry: Entry | None, statement: StatementWhole) -> bool:
    """Whether the run has made it available: it was pending. An entry may have posted to both
    accounts, of parcels that were settled and that were not; what had matured before the statement
    before was available."""
    posted_to = {each.account.rpartition(":")[2] for each in entry.postings} if entry else set()
    if of.kind in BEFORE_THE_RUN:
        return posted_to == {"pending"}
    if of.kind == "cap" or entry is None:
        return True
    if {"pending", "available"} <= posted_to:
        return of.matured_on > statement.after_day
    return "pending" in posted_to


def _entries(entry_ids: Sequence[str], leader_id: str) -> list[Entry]:
    return [found for each in entry_ids if (found := _entry(each, leader_id))]


def _entry(entry_id: str, leader_id: str) -> Entry | None:
    """The entry with those of its postings that touch the leader."""
    found = ledger.get_entry(entry_id) if entry_id else None
    if found is None:
        return None
    own = tuple(each for each in found.postings if each.account.startswith(f"leader:{leader_id}:"))
    return replace(found, postings=own)
