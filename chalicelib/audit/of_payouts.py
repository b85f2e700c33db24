"""Payouts, a page at a time, against their entries; and the batches that they add up to."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from chalicelib.audit.at_rest import found_at_rest
from chalicelib.audit.checks import payout_checks
from chalicelib.audit.rules import Looked, Tallies, added_up
from chalicelib.audit.store import Page
from chalicelib.ledger import store as ledger
from chalicelib.ledger.checks import Finding
from chalicelib.ledger.rules import Entry
from chalicelib.payouts import batch_store
from chalicelib.payouts import store as payouts
from chalicelib.payouts.rules import Batch, Payout
from chalicelib.platform.pages import PageRequest

PAYOUTS_A_STEP, PAYOUTS_A_READ = 200, 100


def look(page: Page) -> Looked:
    """Every payout, and the batches that were not over when an audit last found them right."""
    found, made, after = batch_store.scanned(page.audit.after, PAYOUTS_A_STEP)
    entries = ledger.get_entries(name for each in found for name in payout_checks.entry_ids(each))
    opened = payouts.open_ids(each.party for each in found)
    wrong = [each.id for each in found if any(_payout(each, entries, opened))]
    findings = [finding for name in wrong for finding in _again(name)]
    tallies = _tallies(found, made, page.audit.since)
    if after is None:
        for batch_id, due in added_up(page.audit.tallies, tallies).items():
            findings += _batch(batch_id, due)
    read = {"payouts": len(found), "batches": len(made)}
    return Looked(read, findings, after, tallies=tallies)


def in_payout(party: str) -> list[Finding]:
    """What is wrong with what is in payout to a party, where it stands still."""

    def read() -> tuple[Any, Iterator[Finding]]:
        balance, opened = standing()
        return (balance, opened), payout_checks.in_payout(party, balance, opened)

    def standing() -> tuple[int, Payout | None]:
        opened = payouts.get_payouts(payouts.open_ids([party]).values())
        return -ledger.accounts_of(party).in_payout, next(iter(opened), None)

    return found_at_rest(read, standing)


def _payout(
    payout: Payout, entries: Mapping[str, Entry], opened: Mapping[str, str]
) -> Iterator[Finding]:
    yield from payout_checks.payouts_posted(payout, entries)
    yield from payout_checks.payout_amounts(payout)
    yield from payout_checks.payouts_open(payout, opened.get(payout.party))


def _again(payout_id: str) -> list[Finding]:
    def read() -> tuple[int, Iterator[Finding]]:
        payout = payouts.get_payout(payout_id)
        if payout is None:
            return 0, iter(())
        entries = ledger.get_entries(payout_checks.entry_ids(payout))
        return payout.version, _payout(payout, entries, payouts.open_ids([payout.party]))

    def version() -> int:
        payout = payouts.get_payout(payout_id)
        return payout.version if payout else 0

    return found_at_rest(read, version)


def _tallies(found: list[Payout], made: list[Batch], since: datetime | None) -> Tallies:
    """What these payouts are of the batches that are looked at; such a batch may have none."""
    looked_at = {each.id for each in made if _is_looked_at(each, since)}
    of = batch_store.get_batches({each.batch_id for each in found})
    sums = {batch_id: Counter[str]() for batch_id in looked_at}
    for each in found:
        batch = of.get(each.batch_id)
        if batch is None or _is_looked_at(batch, since):
            sums.setdefault(each.batch_id, Counter()).update(payout_checks.counted(each))
    return sums


def _is_looked_at(batch: Batch, since: datetime | None) -> bool:
    return since is None or batch.ended_at is None or batch.ended_at >= since


def _batch(batch_id: str, due: Mapping[str, int]) -> list[Finding]:
    batch = batch_store.get_batch(batch_id)
    if batch is None:
        return [Finding("batches", batch_id, f"Payouts are of batch {batch_id}, which is missing.")]
    if not any(payout_checks.batches(batch, batch_store.tally(batch_id), due)):
        return []
    return found_at_rest(lambda: _counted_again(batch_id), lambda: _version(batch_id))


def _counted_again(batch_id: str) -> tuple[Any, Iterator[Finding]]:
    batch, tally = _version(batch_id)
    sums, page = Counter[str](), PageRequest("audit", PAYOUTS_A_READ)
    while True:
        some = payouts.payouts_in(batch_id, page)
        for each in some.items:
            sums.update(payout_checks.counted(each))
        if some.next_after is None:
            break
        page = PageRequest("audit", PAYOUTS_A_READ, some.next_after)
    return (batch, tally), payout_checks.batches(batch, tally, sums)


def _version(batch_id: str) -> tuple[Any, Any]:
    return batch_store.get_batch(batch_id), batch_store.tally(batch_id)
