"""The trial balance says what it adds up: of the whole books, and of what is listed."""

from typing import Any

import pytest

from tests.functional.workers.test_ledger_fold import post
from tests.support.world import World


def read(world: World, prefix: str = "") -> Any:
    (found,) = world.operator.get(f"/v1/ledger/trial-balance?prefix={prefix}").json["currencies"]
    return found


def test_sums_are_of_the_whole_books_and_of_what_is_listed(world: World) -> None:
    """100 come in by one bank, and 30 of them go out by another."""
    post(100, account="cash:one")
    post(-30, account="cash:other")
    post(7, account="cash:one")
    whole = read(world)
    assert (whole["debits"], whole["credits"]) == (137, 137)
    assert whole["listed"] == {
        "debits": 137,
        "credits": 137,
        "debit_balances": 107,
        "credit_balances": 107,
    }
    cash = read(world, "cash:")
    assert (cash["debits"], cash["credits"], cash["balanced"]) == (137, 137, True)
    assert cash["listed"] == {
        "debits": 107,
        "credits": 30,
        "debit_balances": 107,
        "credit_balances": 30,
    }
    assert read(world, "leader:ldr_1")["listed"] == dict.fromkeys(cash["listed"], 0)


def test_every_account_that_there_is_may_be_asked_for(world: World) -> None:
    sale = world.sale()
    world.delivered_order(sale)
    world.paid_order(sale)
    for each in read(world)["accounts"]:
        assert read(world, each["account"])["accounts"] == [each]


@pytest.mark.parametrize("query", ["prefix=platfrom:", "prefix=platfrom:&as_of=2026-03-09"])
def test_what_no_account_begins_with_is_refused(world: World, query: str) -> None:
    answer = world.operator.get(f"/v1/ledger/trial-balance?{query}")
    assert (answer.status, answer.json["errors"][0]["field"]) == (422, "prefix")
