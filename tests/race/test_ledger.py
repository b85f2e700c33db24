"""Steps of the fold kept at once: the books stay what the journal says."""

from collections import Counter
from datetime import timedelta
from unittest import mock

import pytest

from chalicelib.kernel import clock
from chalicelib.kernel.errors import Stale
from chalicelib.ledger import fold_store, rules, service
from chalicelib.ledger import store as ledger
from chalicelib.platform.transaction import write
from tests.support.at_once import THREADS, at_once, each
from tests.support.clouds import IN_MEMORY
from tests.support.unguarded import unguarded
from tests.support.world import World

ENTRIES = 40


def post_entries() -> None:
    """One entry an hour, back to the day before yesterday, each of 1 more than the one before."""
    now = clock.now()
    for n in range(1, ENTRIES + 1):
        at = now - timedelta(hours=n)
        amounts = {"cash:local": n, rules.CUSTOMER_PREPAYMENTS: -n}
        write(*ledger.post(rules.entry(f"receipt:{n}", "EUR", "ord_1", at, amounts)))


def balances() -> dict[str, int]:
    currencies = service.trial_balance("").currencies
    return {row.account: row.balance for currency in currencies for row in currency.accounts}


def keep_steps_at_once() -> Counter[str]:
    """Sixteen steps, each through another hour, all begun where the last kept one ended."""
    now = clock.now()

    def keep(hours_ago: int) -> str:
        try:
            service.keep_fold(now - timedelta(hours=hours_ago))
        except Stale:
            return "stale"
        return "kept"

    return Counter(at_once(each(range(2, 2 + 2 * THREADS, 2), keep)))


def test_of_steps_kept_at_once_one_counts_and_the_books_are_right(world: World) -> None:
    post_entries()
    assert keep_steps_at_once() == {"kept": 1, "stale": 15}
    # 1 + 2 + ... + 40
    assert balances() == {"cash:local": 820, "customer_prepayments": -820}
    service.keep_fold(clock.now())
    assert balances() == {"cash:local": 820, "customer_prepayments": -820}


def test_entries_posted_while_steps_are_kept_are_counted_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    post_entries()
    sale = world.sale()
    orders = [world.place(sale) for _ in range(8)]
    now = clock.now()

    def keep() -> None:
        try:
            service.keep_fold(now)
        except Stale:
            return

    at_once([*each(orders, world.pay), *[keep] * 8])
    world.work()
    assert balances() == {"cash:local": 8820, "customer_prepayments": -8820}
    for hours in (1, 25):
        later = now + timedelta(hours=hours)
        monkeypatch.setattr(clock, "now", lambda at=later: at)
        service.keep_fold(later)
        assert balances() == {"cash:local": 8820, "customer_prepayments": -8820}


@IN_MEMORY
def test_control_the_rig_catches_steps_that_overwrite_each_other(world: World) -> None:
    post_entries()
    with unguarded(), mock.patch.object(fold_store, "_step", return_value="fold#in-place"):
        assert keep_steps_at_once() == {"kept": THREADS}
