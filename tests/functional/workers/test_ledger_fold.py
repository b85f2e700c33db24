"""The trial balance from kept steps is the trial balance from the whole journal."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest

from chalicelib.kernel import clock, ids
from chalicelib.ledger import fold_store, service
from chalicelib.ledger import store as ledger
from chalicelib.ledger.fold_store import FoldRow
from chalicelib.ledger.rules import entry
from chalicelib.platform.transaction import write
from tests.functional.workers.conftest import StillClock
from tests.support.aws_calls import Send, around_each_call
from tests.support.lambdas import invoke
from tests.support.world import World

# What is younger than this may still come in out of order; a kept step ends before it.
YOUNG = timedelta(minutes=15)


def test_the_balance_is_the_same_before_and_after_a_step(world: World, time: StillClock) -> None:
    sale = world.sale(skus=2)
    world.delivered_order(sale, quantity=3)
    world.paid_order(sale)
    before = read(world)
    assert before["currencies"][0]["debits"] == before["currencies"][0]["credits"] > 0
    time.move_on(hours=1)
    invoke("ledger_fold")
    assert steps()
    assert read(world)["currencies"] == before["currencies"]


def test_entries_before_and_behind_a_step_are_counted_once(world: World, time: StillClock) -> None:
    post(1)
    time.move_on(hours=1)
    invoke("ledger_fold")
    post(20)
    assert cash(world) == 21
    time.move_on(hours=1)
    post(300)
    invoke("ledger_fold")
    assert cash(world) == 321
    time.move_on(hours=1)
    invoke("ledger_fold")
    assert cash(world) == 321


def test_entries_on_the_edge_of_a_step_are_counted_once(world: World, time: StillClock) -> None:
    edge = time.at
    for n, around in enumerate((-1, 0, 1)):
        time.at = edge + timedelta(milliseconds=around)
        post(10**n)
    for n in range(3):
        time.at = edge + YOUNG + timedelta(milliseconds=n - 1)
        invoke("ledger_fold")
        assert kept_through() == edge + timedelta(milliseconds=n - 1)
        assert cash(world) == 111
    time.move_on(hours=1)
    assert cash(world) == 111


def test_what_is_young_is_in_the_balance_but_in_no_step(world: World, time: StillClock) -> None:
    post(5)
    time.move_on(minutes=14)
    invoke("ledger_fold")
    assert kept() == {}
    assert cash(world) == 5
    time.move_on(minutes=1)
    invoke("ledger_fold")
    assert kept()["cash:local"] == 5


def test_steps_reach_over_days(world: World, time: StillClock) -> None:
    for n in range(4):
        post(10**n)
        time.move_on(hours=11)
    invoke("ledger_fold")
    assert kept()["cash:local"] == 1111
    for n in range(4, 8):
        post(10**n)
        time.move_on(days=1, hours=5)
    assert cash(world) == 11_111_111
    invoke("ledger_fold")
    assert kept()["cash:local"] == cash(world) == 11_111_111


def test_a_step_ends_the_reading_of_what_lies_before_it(world: World, time: StillClock) -> None:
    for _ in range(20):
        post(1)
    time.move_on(hours=1)
    assert "Scan" in calls_of_a_balance(world)
    invoke("ledger_fold")
    after = calls_of_a_balance(world)
    assert "Scan" not in after
    for _ in range(20):
        post(1)
    time.move_on(hours=1)
    invoke("ledger_fold")
    assert calls_of_a_balance(world) == after


def test_many_accounts_are_kept_in_pages(
    world: World, time: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fold_store, "ACCOUNTS_A_PAGE", 3)
    for n in range(10):
        post(n + 1, account=f"cash:provider-{n}")
    before = accounts(world)
    time.move_on(hours=1)
    invoke("ledger_fold")
    assert len(steps()) == 4  # eleven accounts
    assert accounts(world) == before
    assert before["customer_prepayments"] == -55


def test_keepers_at_once_keep_one_step(world: World, time: StillClock) -> None:
    post(7)
    time.move_on(hours=1)
    invoke("ledger_fold")
    post(30)
    time.move_on(hours=1)
    keep = fold_store.keep_fold

    def overtaken(*args: Any) -> None:
        time.move_on(seconds=1)
        with mock.patch.object(fold_store, "keep_fold", keep):
            invoke("ledger_fold")
        time.move_on(seconds=-1)
        keep(*args)

    with mock.patch.object(fold_store, "keep_fold", overtaken):
        invoke("ledger_fold")
    assert kept_through() == time.at + timedelta(seconds=1) - YOUNG
    assert kept()["cash:local"] == cash(world) == 37


def test_the_first_keepers_at_once_keep_one_step(world: World, time: StillClock) -> None:
    post(7)
    time.move_on(hours=1)
    keep = fold_store.keep_fold

    def overtaken(*args: Any) -> None:
        with mock.patch.object(fold_store, "keep_fold", keep):
            invoke("ledger_fold")
        post(30)
        time.move_on(minutes=16)
        with mock.patch.object(fold_store, "keep_fold", keep):
            invoke("ledger_fold")
        keep(*args)

    with mock.patch.object(fold_store, "keep_fold", overtaken):
        invoke("ledger_fold")
    assert kept_through() == time.at - YOUNG
    assert kept()["cash:local"] == cash(world) == 37


def test_a_keeper_that_died_before_the_end_leaves_the_step_before(
    world: World, time: StillClock
) -> None:
    post(7)
    time.move_on(hours=1)
    invoke("ledger_fold")
    post(30)
    time.move_on(hours=1)
    with (
        mock.patch.object(fold_store, "write", side_effect=RuntimeError("crash")),
        pytest.raises(RuntimeError, match="crash"),
    ):
        invoke("ledger_fold")
    assert kept()["cash:local"] == 7
    assert cash(world) == 37
    invoke("ledger_fold")
    assert kept()["cash:local"] == cash(world) == 37


def test_a_reader_of_the_step_before_still_finds_it(world: World, time: StillClock) -> None:
    """It read the pointer just before another step was kept."""
    post(7)
    time.move_on(hours=1)
    invoke("ledger_fold")
    before = kept_through()
    post(30)
    time.move_on(hours=1)
    invoke("ledger_fold")
    old = [row for row in steps() if row.through == before]
    new = [row for row in steps() if row.through == kept_through()]
    assert old
    assert all(row.ttl and row.ttl >= time.at + timedelta(hours=1) for row in old)
    assert new
    assert not any(row.ttl for row in new)


def test_a_days_last_step_is_kept_for_good_and_no_other(world: World, time: StillClock) -> None:
    post(7)
    for _ in range(60):
        invoke("ledger_fold")
        time.move_on(hours=1)
    kept_for_good = (row.through for row in steps() if not row.ttl)
    assert sorted(kept_for_good)[:-1] == [
        clock.from_text(f"2026-03-{day}T23:59:59.999Z") for day in ("10", "11")
    ]


def test_a_keeper_that_dies_at_a_days_end_leaves_it_to_the_next(
    world: World, time: StillClock
) -> None:
    post(7)
    time.move_on(hours=1)
    invoke("ledger_fold")
    post(30)
    time.move_on(days=1)
    post(500)
    time.move_on(hours=1)
    for at in ("write", "_let_go"):
        with (
            mock.patch.object(fold_store, at, side_effect=RuntimeError("crash")),
            pytest.raises(RuntimeError, match="crash"),
        ):
            invoke("ledger_fold")
    invoke("ledger_fold")
    day = "/v1/ledger/trial-balance?as_of=2026-03-10"
    (found,) = world.operator.get(day).json["currencies"]
    assert found["debits"] == 37
    assert kept()["cash:local"] == cash(world) == 537


def test_a_step_that_is_kept_twice_is_one(world: World, time: StillClock) -> None:
    post(7)
    time.move_on(hours=1)
    for _ in range(2):
        invoke("ledger_fold")
    assert len(steps()) == 1
    assert not steps()[0].ttl
    assert cash(world) == 7


def test_currencies_are_kept_apart(world: World, time: StillClock) -> None:
    post(5, currency="EUR")
    post(7, currency="USD")
    time.move_on(hours=1)
    invoke("ledger_fold")
    post(100, currency="USD")
    found = read(world)["currencies"]
    assert [(each["currency"], each["debits"]) for each in found] == [("EUR", 5), ("USD", 107)]
    assert all(each["balanced"] for each in found)


def test_a_prefix_narrows_the_accounts_and_not_the_sums(world: World, time: StillClock) -> None:
    post(5)
    time.move_on(hours=1)
    invoke("ledger_fold")
    (found,) = world.operator.get("/v1/ledger/trial-balance?prefix=cash:").json["currencies"]
    assert found["accounts"] == [{"account": "cash:local", "balance": 5}]
    assert (found["debits"], found["credits"], found["balanced"]) == (5, 5, True)


def post(amount: int, *, account: str = "cash:local", currency: str = "EUR") -> None:
    """An entry of its own, now."""
    amounts = {account: amount, "customer_prepayments": -amount}
    write(*ledger.post(entry(ids.new("test"), currency, "ord_test", clock.now(), amounts)))


def read(world: World) -> Any:
    return world.operator.get("/v1/ledger/trial-balance").json


def accounts(world: World) -> dict[str, int]:
    (found,) = read(world)["currencies"]
    return {each["account"]: each["balance"] for each in found["accounts"]}


def cash(world: World) -> int:
    return accounts(world)["cash:local"]


def steps() -> Sequence[FoldRow]:
    """The pages of every step that is stored."""
    return list(FoldRow.scan(FoldRow.pk.startswith("fold#")))


def kept_through() -> Any:
    return fold_store.folded()[0]


def kept() -> dict[str, int]:
    """Balances of the newest step."""
    return {account: sums.balance for (_, account), sums in fold_store.folded()[1].items()}


def calls_of_a_balance(world: World) -> list[str]:
    made: list[str] = []

    def noted(operation: str, send: Send) -> Any:
        made.append(operation)
        return send()

    with around_each_call(noted):
        service.trial_balance("")
    return made
