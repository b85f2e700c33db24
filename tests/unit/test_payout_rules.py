"""Payouts: what is netted and sent, what may follow what, and how currencies are written."""

from itertools import product
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kernel.currencies import in_major
from chalicelib.kernel.errors import Conflict
from chalicelib.payouts import files, rules
from chalicelib.payouts.rules import Batch, Method, Outcome, Party, Payout, Standing
from tests.support.made import NOW

AMOUNTS = st.integers(min_value=-(10**12), max_value=10**12)


def a_batch(**changes: Any) -> Batch:
    usual: dict[str, Any] = {
        "id": "pob_1",
        "currency": "EUR",
        "kind": "leaders",
        "method": "bank_file",
        "minimum": 1,
        "status": "approved",
        "made_by": "op_1",
        "made_at": NOW,
        "asked_at": NOW,
        "version": 1,
    }
    return Batch(**{**usual, **changes})


def a_payout(**changes: Any) -> Payout:
    usual: dict[str, Any] = {
        "id": "pyt_1",
        "batch_id": "pob_1",
        "page": 0,
        "party": "leader:ldr_1",
        "currency": "EUR",
        "method": "manual",
        "amount": 500,
        "netted": 0,
        "made_at": NOW,
        "version": 1,
    }
    return Payout(**{**usual, **changes})


@given(coming=AMOUNTS, owed=AMOUNTS, minimum=st.integers(min_value=0, max_value=10**12))
def test_what_is_paid_is_what_is_left_and_never_more(coming: int, owed: int, minimum: int) -> None:
    standing = Standing(coming, owed)
    assert standing.left == max(0, coming - owed)
    assert coming - standing.left - standing.netted - (owed - standing.netted) == min(
        0, coming - owed
    )
    if a_batch(minimum=minimum).wants(standing) and standing.left:
        assert standing.left >= minimum


@given(coming=AMOUNTS, owed=AMOUNTS)
def test_netting_moves_both_towards_nothing_and_leaves_nothing_to_be_netted(
    coming: int, owed: int
) -> None:
    standing = Standing(coming, owed)
    for before, after in (
        (coming, coming - standing.left - standing.netted),
        (owed, owed - standing.netted),
    ):
        assert abs(after) <= abs(before)
        assert before * after >= 0
    again = Standing(coming - standing.left - standing.netted, owed - standing.netted)
    assert (again.left, again.netted) == (0, 0)
    assert not a_batch().wants(again)


@pytest.mark.parametrize(
    ("coming", "owed", "netted", "left"),
    [
        (1500, 1000, 1000, 500),
        (1000, 1000, 1000, 0),
        (900, 1000, 900, 0),
        (900, -50, -50, 950),
        (0, -50, -50, 50),
        (-20, -50, -50, 30),
        (-70, -50, -50, 0),
        (-70, 50, 0, 0),
        (0, 50, 0, 0),
    ],
)
def test_a_debt_is_paid_first_whoever_has_it(
    coming: int, owed: int, netted: int, left: int
) -> None:
    standing = Standing(coming, owed)
    assert (standing.netted, standing.left) == (netted, left)


LEGAL = {
    (None, "paid"),
    (None, "returned"),
    (None, "failed"),
    (None, "unknown"),
    (None, "cancelled"),
    ("unknown", "paid"),
    ("unknown", "returned"),
    ("unknown", "failed"),
    ("paid", "returned"),
    ("offset", "cancelled"),
}


def test_only_these_outcomes_follow_each_other() -> None:
    outcomes: list[Outcome] = list(get_args(Outcome))
    found = {
        (before, after)
        for before, after in product([None, *outcomes], outcomes)
        if a_payout(outcome=before).may_become(after)
    }
    assert found == LEGAL


def test_a_payout_of_a_batch_and_a_party_is_always_the_same() -> None:
    leader, supplier = Party("leader", "1"), Party("supplier", "1")
    first = rules.payout_id("pob_1", leader)
    assert rules.payout_id("pob_1", Party.of(leader.key)) == first
    assert len({first, rules.payout_id("pob_2", leader), rules.payout_id("pob_1", supplier)}) == 3


@pytest.mark.parametrize(
    ("amount", "currency", "written"),
    [(1500, "JPY", "1500"), (1500, "KWD", "1.500"), (5, "KWD", "0.005"), (5, "EUR", "0.05")],
)
def test_files_write_amounts_to_the_digits_of_their_currency(
    amount: int, currency: str, written: str
) -> None:
    assert in_major(amount, currency) == written
    payout = a_payout(amount=amount, currency=currency)
    row = f"pyt_1,ldr_1,,,,{written},{currency}\r\n"
    assert files._csv([payout]).decode().endswith(row)


@pytest.mark.parametrize(
    ("method", "currency", "by_sepa"),
    [
        ("bank_file", "EUR", True),
        ("bank_file", "JPY", False),
        ("manual", "EUR", False),
        ("stripe", "EUR", False),
    ],
)
def test_only_a_file_in_eur_asks_for_sepa_transfers(
    method: Method, currency: str, by_sepa: bool
) -> None:
    assert a_batch(method=method, currency=currency).by_sepa is by_sepa


@pytest.mark.parametrize("currency", ["JPY", "KWD", "USD"])
def test_there_is_no_sepa_file_in_another_currency(currency: str) -> None:
    with pytest.raises(Conflict) as refused:
        files._check_sepa(a_batch(currency=currency))
    assert refused.value.code == "currency_not_sepa"
    assert currency in refused.value.detail
