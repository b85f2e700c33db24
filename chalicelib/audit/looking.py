"""The pages of an audit: what is read for each check, and when what is read can be believed.

Orders go on while it looks. What was read in several steps counts as wrong only where it stood
still meanwhile: its version, or its balances, are the same before and after.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import chain

from chalicelib.audit import checks
from chalicelib.audit.checks import Standing
from chalicelib.audit.rules import Amount, Audit, Looked, Phase
from chalicelib.audit.store import Journal
from chalicelib.cases import store as cases
from chalicelib.cases.rules import CaseKind
from chalicelib.kernel import clock
from chalicelib.ledger import checks as own
from chalicelib.ledger import rules as books
from chalicelib.ledger import store as ledger
from chalicelib.ledger.checks import Finding
from chalicelib.ledger.rules import Sums, party_of
from chalicelib.ledger.seals import Seal, seal_of
from chalicelib.ordering import store as ordering
from chalicelib.ordering.rules import Order
from chalicelib.parties import store as parties
from chalicelib.payments import store as payments
from chalicelib.payments.rules import Receipt, Refund
from chalicelib.platform.log import logger, metric
from chalicelib.platform.settings import settings
from chalicelib.settlement import statements
from chalicelib.settlement import store as settlement

ITEMS_A_READ, READS_A_STEP = 1_000, 100
PARTIES_A_STEP, ORDERS_A_STEP, LEADERS_A_STEP, PAYMENTS_A_STEP = 1_000, 300, 100, 300
LOOKS = 5
# Longer than an index is behind, so that no entry is missed in two looks.
BETWEEN_LOOKS = timedelta(seconds=5)


@dataclass(frozen=True)
class Page:
    """What a page is of: the audit, and what it has added up of the journal so far."""

    audit: Audit
    journal: Journal


def look(page: Page) -> Looked:
    """The next page of an audit. In the phase `journal` it adds to what the page has of it."""
    return _PHASES[page.audit.phase](page)


def _journal(page: Page) -> Looked:
    """All entries: each by itself, then each day against its seal, and the accounts that every
    order touches."""
    found, things, after = list[Finding](), 0, page.audit.after
    for _ in range(READS_A_STEP):
        rows, after = ledger.scanned(after, ITEMS_A_READ)
        for row in rows:
            if not row.is_entry:
                page.journal.books.setdefault((row.currency or "", f"{row.pk}:payable"), Sums())
            elif row.posted_at <= page.audit.through:
                things += 1
                found += _entry(page.journal, row.to_entry(), row.pk)
        if after is None:
            found += [*_days(page), *own.wrong_sides(page.journal.books)]
            break
    return Looked(things, found, after)


def _entry(journal: Journal, entry: books.Entry, key: str) -> Iterator[Finding]:
    for posting in entry.postings:
        at = (entry.currency, posting.account)
        journal.books[at] = journal.books.get(at, Sums()).plus(posting.amount)
    day = clock.business_date(entry.posted_at, settings().zone).isoformat()
    journal.days[day] = journal.days.get(day, Seal()) + seal_of(entry)
    yield from own.entry_sums_to_zero(entry)
    yield from own.ids_unique(entry, key)


def _days(page: Page) -> Iterator[Finding]:
    """Days that are over are what they were when they were sealed, and so are closed months."""
    kept, found = ledger.seals(), page.journal.days
    for day in sorted(kept):
        yield from own.entries_unchanged(day, kept[day], found.get(day, Seal()))
    for period in ledger.periods():
        of_month = (seal for day, seal in found.items() if day.startswith(period.month))
        yield from own.closed_periods_unchanged(period.month, period.seal, sum(of_month, Seal()))


def newly_over(page: Page) -> dict[str, Seal]:
    """The seals of the days that are over and have none: from the first entry's day on, so that
    one without entries has its seal as well."""
    days = page.journal.days
    if not days:
        return {}
    kept, first = ledger.seals(), date.fromisoformat(min(days))
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
    posted = _by_party(page.journal.books)
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
    _tell_unchecked(len(doubtful))
    found = [finding for name in sorted(sure) for finding in _party(name, sure[name])]
    return Looked(len(names), found, names[-1] if len(names) == PARTIES_A_STEP else None)


def _party(party: str, of: Balances) -> Iterator[Finding]:
    yield from own.party_balances(party, of.kept, of.posted)
    for purpose, balance in of.kept.items():
        yield from own.wrong_side(f"{party}:{purpose}", balance)


def _by_party(folded: books.Books) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for (_, account), sums in folded.items():
        if party := party_of(account):
            of_party = found.setdefault(party[0], {})
            of_party[party[1]] = of_party.get(party[1], 0) + sums.balance
    return found


def _balances(
    audit: Audit, posted: Mapping[str, Mapping[str, int]], names: Iterable[str]
) -> dict[str, Balances]:
    wanted = list(names)
    kept = ledger.accounts_of_all(wanted)
    since = _by_party(books.fold({}, ledger.entries_between(audit.through, clock.now())))
    return {
        name: Balances(
            kept[name].by_purpose if name in kept else {},
            _non_zero(posted[name], since.get(name, {})),
        )
        for name in wanted
    }


def _non_zero(*sums: Mapping[str, int]) -> dict[str, int]:
    names = {name for each in sums for name in each}
    added = {name: sum(each.get(name, 0) for each in sums) for name in sorted(names)}
    return {name: amount for name, amount in added.items() if amount}


def _orders(page: Page) -> Looked:
    """Every paid order against the entries that tell of it."""
    orders, after = ordering.scanned(page.audit.after, ORDERS_A_STEP)
    paid = [order for order in orders if order.paid_at]
    named = (name for order in paid for each in checks.entry_ids(order).values() for name in each)
    entries = ledger.get_entries(named)
    wrong = [order.id for order in paid if any(_order(order, entries))]
    return Looked(len(orders), [each for name in wrong for each in _order_again(name)], after)


def _order(order: Order, entries: Mapping[str, books.Entry]) -> Iterator[Finding]:
    yield from checks.order_money(order, entries)
    yield from checks.order_shares(order, entries)
    yield from checks.commission(order, entries)


def _order_again(order_id: str) -> list[Finding]:
    """What is wrong with an order and its entries, at one version of it."""

    def read() -> tuple[int, Iterator[Finding]]:
        order = ordering.get_order(order_id)
        if order is None:
            return 0, iter(())
        names = [name for each in checks.entry_ids(order).values() for name in each]
        return order.version, _order(order, ledger.get_entries(names))

    return _at_rest(read, lambda: _version(ordering.get_order(order_id)))


def _leaders(page: Page) -> Looked:
    """Every leader's statements, where they leave its balance, and its bonuses."""
    names = parties.leader_ids_after(page.audit.after, LEADERS_A_STEP)
    found = [finding for name in names for finding in _leader(name)]
    return Looked(len(names), found, names[-1] if len(names) == LEADERS_A_STEP else None)


def _leader(leader_id: str) -> list[Finding]:
    def read() -> tuple[int, Iterator[Finding]]:
        standing = _standing(leader_id)
        return standing.earnings.version, chain(_of_standing(standing), _bonuses(leader_id))

    return _at_rest(read, lambda: settlement.get_earnings(leader_id).version)


def _of_standing(standing: Standing) -> Iterator[Finding]:
    yield from checks.statements_chain(standing)
    yield from checks.statement_lines(standing)
    yield from checks.leader_available(standing)


def _bonuses(leader_id: str) -> Iterator[Finding]:
    given = settlement.all_bonuses(leader_id)
    yield from checks.bonuses(given, ledger.get_entries(checks.bonus_entry_ids(given)))


def _standing(leader_id: str) -> Standing:
    earnings = settlement.get_earnings(leader_id)
    made = settlement.all_statements(leader_id)
    lines = statements.with_lines(made[-1]).lines if made else ()
    waiting = settlement.maturing_between(leader_id, earnings.settled_through, "9999-12-31")
    return Standing(
        earnings,
        made,
        sum(line.amount for line in lines),
        sum(day.adjusted for day in waiting),
        ledger.accounts_of(f"leader:{leader_id}").available,
    )


def _payments(page: Page) -> Looked:
    """Refunds against what lies in flight, and money that nobody was found for."""
    refunds, receipts, after = payments.scanned(page.audit.after, PAYMENTS_A_STEP)
    through = page.audit.through
    entries = ledger.get_entries(
        name for each in refunds for name in (f"refund:{each.id}", f"refund-done:{each.id}")
    )
    wrong = [each.id for each in refunds if any(checks.refunds_posted(each, entries))]
    found = [
        *(finding for name in wrong for finding in _refund_again(name)),
        *(finding for each in refunds for finding in _overdue(each)),
        *(finding for each in receipts for finding in _unmatched(each, clock.now())),
    ]
    under_way = [
        Amount(each.currency, each.amount)
        for each in refunds
        if each.decided_at <= through and not (each.completed_at and each.completed_at <= through)
    ]
    if after is None:
        found += _in_flight(page, under_way)
    return Looked(len(refunds) + len(receipts), found, after, under_way)


def _refund_again(refund_id: str) -> list[Finding]:
    def read() -> tuple[int, Iterator[Finding]]:
        refund = payments.get_refund(refund_id)
        if refund is None:
            return 0, iter(())
        names = [f"refund:{refund_id}", f"refund-done:{refund_id}"]
        return refund.version, checks.refunds_posted(refund, ledger.get_entries(names))

    return _at_rest(read, lambda: _version(payments.get_refund(refund_id)))


def _overdue(refund: Refund) -> Iterator[Finding]:
    now = clock.now()
    if any(checks.refunds_overdue(refund, now, has_case=False)):
        kind: CaseKind = "refund_failed" if refund.status == "failed" else "refund_unconfirmed"
        case_id = cases.case_id(kind, refund.id, refund.occurrence)
        has_case = cases.get_case(case_id) is not None
        yield from checks.refunds_overdue(refund, now, has_case=has_case)


def _unmatched(receipt: Receipt, now: datetime) -> Iterator[Finding]:
    is_new = receipt.received_at + checks.GRACE > now
    if receipt.order_id or is_new:
        return
    if cases.get_case(cases.case_id("unmatched_receipt", receipt.id, "")) is None:
        yield checks.unmatched(receipt)


def _in_flight(page: Page, more: Sequence[Amount]) -> Iterator[Finding]:
    sums: dict[str, int] = {}
    for currency, amount in (*page.audit.in_flight, *more):
        sums[currency] = sums.get(currency, 0) + amount
    posted = {
        currency for currency, account in page.journal.books if account == books.REFUNDS_IN_FLIGHT
    }
    for currency in sorted({*sums, *posted}):
        yield from own.refunds_in_flight(currency, page.journal.books, sums.get(currency, 0))


def _at_rest(
    read: Callable[[], tuple[int, Iterator[Finding]]], version: Callable[[], int]
) -> list[Finding]:
    """What is wrong, where nothing has changed while it was read."""
    for _ in range(LOOKS):
        before, findings = read()
        found = list(findings)
        if not found or version() == before:
            return found
    _tell_unchecked(1)
    return []


def _version(found: Order | Refund | None) -> int:
    return found.version if found else 0


def _tell_unchecked(things: int) -> None:
    """They changed too quickly to stand still once; the next audit looks again."""
    if things:
        metric("AuditUnchecked", things)
        logger.info("changed too quickly to be checked", things=things)


_PHASES: Mapping[Phase, Callable[[Page], Looked]] = {
    "journal": _journal,
    "parties": _parties,
    "orders": _orders,
    "leaders": _leaders,
    "payments": _payments,
}
