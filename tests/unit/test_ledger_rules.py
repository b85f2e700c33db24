"""Double entry: every entry sums to zero, and balances follow from entries in any order."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.ledger.rules import (
    Entry,
    Sums,
    cash,
    entry,
    fold,
    leader_account,
    party_of,
    reversal,
    supplier_payable,
)

AT = datetime(2026, 3, 1, tzinfo=UTC)
ACCOUNTS = ("cash:local", "customer_prepayments", "platform:revenue", "leader:ldr_1:pending")


@st.composite
def entries(draw: st.DrawFn) -> list[Entry]:
    made = []
    for n in range(draw(st.integers(0, 12))):
        debited, credited = draw(st.permutations(ACCOUNTS))[:2]
        amount = draw(st.integers(1, 10**12))
        currency = draw(st.sampled_from(["EUR", "USD"]))
        made.append(entry(f"e{n}", currency, "ord_1", AT, {debited: amount, credited: -amount}))
    return made


def test_an_entry_has_a_posting_for_each_account() -> None:
    made = entry("e1", "EUR", "ord_1", AT, {"cash:local": 500, "customer_prepayments": -500})
    assert [(p.account, p.amount) for p in made.postings] == [
        ("cash:local", 500),
        ("customer_prepayments", -500),
    ]
    assert (made.id, made.currency, made.subject, made.posted_at) == ("e1", "EUR", "ord_1", AT)


def test_an_entry_that_does_not_balance_is_refused() -> None:
    with pytest.raises(ValueError, match="does not balance"):
        entry("e1", "EUR", "ord_1", AT, {"cash:local": 500, "customer_prepayments": -499})


@pytest.mark.parametrize("amounts", [{}, {"cash:local": 0, "customer_prepayments": 0}])
def test_an_entry_that_moves_nothing_is_refused(amounts: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="moves nothing"):
        entry("e1", "EUR", "ord_1", AT, amounts)


def test_an_account_that_nothing_is_posted_to_is_left_out() -> None:
    amounts = {"customer_prepayments": 700, "supplier:sup_1:payable": -700, "platform:revenue": 0}
    postings = entry("e1", "EUR", "ord_1", AT, amounts).postings
    assert [posting.account for posting in postings] == [
        "customer_prepayments",
        "supplier:sup_1:payable",
    ]


@given(st.dictionaries(st.sampled_from(ACCOUNTS), st.integers(-(10**12), 10**12), min_size=1))
def test_only_what_sums_to_zero_becomes_an_entry(amounts: dict[str, int]) -> None:
    amounts["refunds_in_flight"] = -sum(amounts.values())
    if any(amounts.values()):
        made = entry("e1", "EUR", "ord_1", AT, amounts)
        assert sum(posting.amount for posting in made.postings) == 0
        assert all(posting.amount for posting in made.postings)


def test_debits_and_credits_are_summed_apart() -> None:
    sums = Sums().plus(500).plus(-200).plus(0).plus(-400)
    assert (sums.debits, sums.credits, sums.balance) == (500, 600, -100)


@given(entries(), st.randoms())
def test_a_fold_does_not_depend_on_the_order_of_entries(made: list[Entry], chance: object) -> None:
    shuffled = sorted(made, key=lambda _: chance.random())  # type: ignore[attr-defined]
    assert fold({}, shuffled) == fold({}, made)


@given(entries(), st.integers(0, 12))
def test_a_fold_may_be_kept_at_any_step_and_gone_on_with(made: list[Entry], at: int) -> None:
    assert fold(fold({}, made[:at]), made[at:]) == fold({}, made)


@given(entries())
def test_every_currency_balances(made: list[Entry]) -> None:
    books = fold({}, made)
    for currency in ("EUR", "USD"):
        sums = [each for (of, _), each in books.items() if of == currency]
        assert sum(each.balance for each in sums) == 0
        assert sum(each.debits for each in sums) == sum(each.credits for each in sums)


def test_a_fold_leaves_what_it_began_with() -> None:
    before = {("EUR", "cash:local"): Sums(500, 0)}
    sold = entry("e1", "EUR", "ord_1", AT, {"cash:local": 100, "customer_prepayments": -100})
    after = fold(before, [sold])
    assert before == {("EUR", "cash:local"): Sums(500, 0)}
    assert after[("EUR", "cash:local")] == Sums(600, 0)


def test_a_reversal_takes_back_all_that_an_entry_has_posted() -> None:
    sold = entry("e1", "EUR", "ord_1", AT, {"cash:local": 100, "customer_prepayments": -100})
    back = reversal(sold, "e1-reversed", AT + timedelta(days=1))
    assert (back.id, back.currency, back.subject) == ("e1-reversed", "EUR", "ord_1")
    assert back.posted_at == AT + timedelta(days=1)
    assert set(fold(fold({}, [sold]), [back]).values()) == {Sums(100, 100)}


def test_accounts_are_named_as_the_contract_says() -> None:
    assert cash("local") == "cash:local"
    assert supplier_payable("sup_1") == "supplier:sup_1:payable"
    assert leader_account("ldr_1", "in_payout") == "leader:ldr_1:in_payout"


@pytest.mark.parametrize(
    ("account", "party"),
    [
        ("leader:ldr_1:pending", ("leader:ldr_1", "pending")),
        ("supplier:sup_1:payable", ("supplier:sup_1", "payable")),
        ("cash:local", None),
        ("customer_prepayments", None),
        ("refunds_in_flight", None),
        ("unmatched_receipts", None),
        ("platform:revenue", None),
    ],
)
def test_only_parties_have_balances_of_their_own(
    account: str, party: tuple[str, str] | None
) -> None:
    assert party_of(account) == party
