"""Twenty thousand random operations leave no cent unexplained, and planted mistakes are found."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest import mock

import pytest

from chalicelib.ledger import store as ledger
from chalicelib.ledger.rules import Entry
from chalicelib.ledger.rules import entry as entry_of
from chalicelib.platform.transaction import Write
from chalicelib.settlement import earning
from tests.soak.everything import OPERATIONS
from tests.soak.side_by_side import soak
from tests.soak.soaking import SEASON, Soak

SEEDS = (1, 2, 3, 4)
# Leaders take weeks to leave, and few change their minds: not every season sees it.
SELDOM = {"a_leader_stays_after_all", "another_leader_comes"}


@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", SEEDS)
def test_no_cent_is_unexplained_after_any_operation(seed: int) -> None:
    report = Soak(seed).run(SEASON)
    assert (report.findings, report.out_by) == ([], 0)
    assert report.operations == SEASON
    assert {each.name for each in OPERATIONS} - SELDOM <= report.done.keys()


def test_a_seed_gives_the_same_again() -> None:
    """Schedules and statements among it."""
    first, second = (Soak(7).run(700) for _ in range(2))
    assert (first.done, first.refused, first.entries, first.turnover) == (
        second.done,
        second.refused,
        second.entries,
        second.turnover,
    )


def test_seasons_go_by_in_processes_of_their_own() -> None:
    shown: list[int] = []
    report = soak(7, 100, processes=1, show=shown.append)
    assert (report.operations, report.findings, report.out_by) == (100, [], 0)
    assert shown[-1] == 100
    assert report.entries > 0
    assert report.turnover


@contextmanager
def a_posting_dropped() -> Iterator[None]:
    """What a supplier is owed for a delivery is in no entry."""
    post = ledger.post

    def dropping(*entries: Entry, **more: Any) -> list[Write]:
        return post(*map(_without_payable, entries), **more)

    with mock.patch.object(ledger, "post", dropping):
        yield


def _without_payable(entry: Entry) -> Entry:
    kept = tuple(each for each in entry.postings if not each.account.endswith(":payable"))
    return Entry(entry.id, entry.currency, kept, entry.posted_at, entry.subject)


@contextmanager
def a_balance_forgotten() -> Iterator[None]:
    """An entry is written, and the balances it moves are not."""
    post = ledger.post

    def forgetting(*entries: Entry, **more: Any) -> list[Write]:
        return post(*entries, **more)[: len(entries)]

    with mock.patch.object(ledger, "post", forgetting):
        yield


@contextmanager
def a_clawback_clamped() -> Iterator[None]:
    """Of a leader no more is taken back than its last cent."""
    with mock.patch.object(earning, "take_back", return_value=[]):
        yield


@contextmanager
def a_refund_clamped() -> Iterator[None]:
    """A supplier gives back no more than it has; the platform bears the rest, and all balances."""
    post = ledger.post

    def clamping(*entries: Entry, **more: Any) -> list[Write]:
        return post(*map(_clamped, entries), **more)

    with mock.patch.object(ledger, "post", clamping):
        yield


def _clamped(entry: Entry) -> Entry:
    if not entry.id.startswith("refund:"):
        return entry
    amounts = Counter[str]()
    for each in entry.postings:
        party, _, purpose = each.account.rpartition(":")
        borne = 0
        if purpose == "payable":
            borne = max(0, each.amount + min(0, ledger.accounts_of(party).payable))
        amounts[each.account] += each.amount - borne
        amounts["platform:revenue"] += borne
    return entry_of(entry.id, entry.currency, entry.subject, entry.posted_at, amounts)


PLANTED: Sequence[Callable[[], AbstractContextManager[None]]] = [
    a_posting_dropped,
    a_balance_forgotten,
    a_clawback_clamped,
    a_refund_clamped,
]


@pytest.mark.parametrize("planted", PLANTED, ids=lambda each: each.__name__)
def test_control_a_planted_mistake_is_found(
    planted: Callable[[], AbstractContextManager[None]],
) -> None:
    with planted():
        assert Soak(1).run(1_500).findings
