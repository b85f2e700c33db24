"""The pages of an audit: what is read for each check.

The journal and parties' balances are looked at here, each other domain in a module of its own.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import chain

from chalicelib.audit import (
    of_entries,
    of_leaders,
    of_orders,
    of_payments,
    of_payouts,
    of_reconciliations,
    of_runs,
    of_suppliers,
    paying_out,
)
from chalicelib.audit.at_rest import LOOKS, tell_unchecked
from chalicelib.audit.checks import goods_checks, item_checks
from chalicelib.audit.rules import Audit, Looked, Phase
from chalicelib.audit.store import Journal, Page
from chalicelib.kernel import clock
from chalicelib.ledger import checks as own
from chalicelib.ledger import period_store
from chalicelib.ledger import rules as books
from chalicelib.ledger import store as ledger
from chalicelib.ledger.checks import Finding
from chalicelib.ledger.rules import Entry, Sums, party_of
from chalicelib.ledger.seals import Seal, seal_of
from chalicelib.platform.settings import settings

ITEMS_A_READ, READS_A_STEP = 1_000, 100
PARTIES_A_STEP = 1_000
# Longer than an index is behind, so that no entry is missed in two looks.
BETWEEN_LOOKS = timedelta(seconds=5)


def look(page: Page) -> Looked:
    """The next page of an audit. In the phase `journal` it adds to what the page has of it."""
    return _PHASES[page.audit.phase](page)


def _journal(page: Page) -> Looked:
    """All entries: each by itself and with the rows that it is of, then each day against its seal,
    and the accounts that every order touches."""
    found, things, after = list[Finding](), 0, page.audit.after
    for _ in range(READS_A_STEP):
        rows, after = ledger.scanned(after, ITEMS_A_READ)
        entries = list[Entry]()
        for row in rows:
            if row.posted_at is None:
                page.journal.books.setdefault((row.currency or "", f"{row.pk}:payable"), Sums())
            elif row.posted_at > page.audit.through:
                continue
            elif row.is_history:
                paying_out.add(page.journal.told, row.currency, row.postings)
            else:
                entries.append(row.to_entry())
                found += _entry(page.journal, entries[-1], row.pk)
        things += len(entries)
        found += of_entries.look_at(entries, page)
        if after is None:
            found += _whole_journal(page)
            break
    return Looked({"entries": things}, found, after)


def _entry(journal: Journal, entry: books.Entry, key: str) -> Iterator[Finding]:
    paying_out.add(journal.books, entry.currency, entry.postings)
    paying_out.add(journal.paid, entry.currency, paying_out.of(entry))
    day = clock.business_date(entry.posted_at, settings().zone).isoformat()
    journal.days[day] = journal.days.get(day, Seal()) + seal_of(entry)
    yield from own.entry_sums_to_zero(entry)
    yield from own.ids_unique(entry, key)
    yield from goods_checks.goods(entry)


def _whole_journal(page: Page) -> Iterator[Finding]:
    yield from _days(page)
    yield from own.wrong_sides(page.journal.books)
    yield from own.supplier_history(page.journal.books, page.journal.told)
    yield from item_checks.items_left(page.journal.books, page.journal.left)


def _days(page: Page) -> Iterator[Finding]:
    """Days that are over are what they were when they were sealed, and so are closed months."""
    kept, found = period_store.seals(), page.journal.days
    for day in sorted(kept):
        yield from own.entries_unchanged(day, kept[day], found.get(day, Seal()))
    for period in period_store.periods():
        of_month = (seal for day, seal in found.items() if day.startswith(period.month))
        yield from own.closed_periods_unchanged(period.month, period.seal, sum(of_month, Seal()))


def newly_over(page: Page) -> dict[str, Seal]:
    """The seals of the days that are over and have none: from the first entry's day on, so that
    one without entries has its seal as well."""
    days = page.journal.days
    if not days:
        return {}
    kept, first = period_store.seals(), date.fromisoformat(min(days))
    present = clock.business_date(page.audit.through, settings().zone)
    over = (str(first + timedelta(days=n)) for n in range((present - first).days))
    return {day: days.get(day, Seal()) for day in over if day not in kept}


@dataclass(frozen=True)
class Balances:
    """A party's balances as they are kept, and as its postings make them, by purpose."""

    kept: Mapping[str, int]
    posted: Mapping[str, int]


def _parties(page: Page) -> Looked:
    """Balances of parties against the fold of their postings."""
    posted = by_party(page.journal.books, page.journal.paid)
    behind = (party for party in sorted(posted) if party > (page.audit.after or ""))
    names = [party for _, party in zip(range(PARTIES_A_STEP), behind, strict=False)]
    balances = _balances(page.audit, posted, names)
    doubtful = {name: each for name, each in balances.items() if each.kept != each.posted}
    sure = {name: each for name, each in balances.items() if name not in doubtful}
    for _ in range(LOOKS):
        if not doubtful:
            break
        time.sleep(BETWEEN_LOOKS.total_seconds())
        again = _balances(page.audit, posted, doubtful)
        sure |= {name: each for name, each in again.items() if each == doubtful[name]}
        doubtful = {name: each for name, each in again.items() if name not in sure}
    tell_unchecked(len(doubtful))
    found = [finding for name in sorted(sure) for finding in _party(name, sure[name])]
    paid = (name for name in sorted(sure) if sure[name].kept.get("in_payout"))
    found += (finding for name in paid for finding in of_payouts.in_payout(name))
    suppliers = sum(name.startswith("supplier:") for name in names)
    read = {"balances": len(names), "suppliers": suppliers}
    return Looked(read, found, names[-1] if len(names) == PARTIES_A_STEP else None)


def _party(party: str, of: Balances) -> Iterator[Finding]:
    yield from own.party_balances(party, of.kept, of.posted)
    for purpose, balance in of.kept.items():
        yield from own.wrong_side(f"{party}:{purpose}", balance)


def by_party(*folded: books.Books) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for (_, account), sums in chain.from_iterable(each.items() for each in folded):
        if party := party_of(account):
            of_party = found.setdefault(party[0], {})
            of_party[party[1]] = of_party.get(party[1], 0) + sums.balance
    return found


def _balances(
    audit: Audit, posted: Mapping[str, Mapping[str, int]], names: Iterable[str]
) -> dict[str, Balances]:
    wanted = list(names)
    kept, paid_out = ledger.accounts_of_each(wanted), ledger.paid_out_to_each(wanted)
    entries = list(ledger.entries_between(audit.through, clock.now()))
    since = by_party(books.fold({}, entries), paying_out.fold(entries))
    return {
        name: Balances(
            _non_zero(
                kept[name].by_purpose if name in kept else {},
                {paying_out.PAID_OUT: paid_out.get(name, 0)},
            ),
            _non_zero(posted[name], since.get(name, {})),
        )
        for name in wanted
    }


def _non_zero(*sums: Mapping[str, int]) -> dict[str, int]:
    names = {name for each in sums for name in each}
    added = {name: sum(each.get(name, 0) for each in sums) for name in sorted(names)}
    return {name: amount for name, amount in added.items() if amount}


_PHASES: Mapping[Phase, Callable[[Page], Looked]] = {
    "journal": _journal,
    "parties": _parties,
    "orders": of_orders.look,
    "leaders": of_leaders.look,
    "runs": of_runs.look,
    "suppliers": of_suppliers.look,
    "payments": of_payments.look,
    "payouts": of_payouts.look,
    "reconciliations": of_reconciliations.look,
}
