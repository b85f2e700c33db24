"""What must hold of a leader's bonuses and of the entries that tell of them. Pure."""

from collections.abc import Iterator, Mapping, Sequence

from chalicelib.ledger.checks import Finding
from chalicelib.ledger.rules import Entry
from chalicelib.settlement.rules import Bonus


def entry_ids(given: Sequence[Bonus]) -> list[str]:
    return [named for each in given for named in (each.entry_id, each.back_entry_id)]


def bonuses(given: Sequence[Bonus], entries: Mapping[str, Entry]) -> Iterator[Finding]:
    """A leader has the bonuses that stand, and no other."""
    for bonus in given:
        named = (bonus.entry_id, bonus.back_entry_id)
        posted = sum(_to_leader(entries[each], bonus) for each in named if each in entries)
        due = bonus.amount if bonus.stands else 0
        if posted != due:
            detail = f"Of bonus {bonus.id} of {bonus.leader_id} {posted} is posted, not {due}."
            yield Finding("bonuses", bonus.id, detail, posted - due)


def _to_leader(entry: Entry, bonus: Bonus) -> int:
    party = f"leader:{bonus.leader_id}:"
    return -sum(each.amount for each in entry.postings if each.account.startswith(party))
