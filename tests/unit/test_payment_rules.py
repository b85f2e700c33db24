"""Receipts, refunds, and what a provider's event may say."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.kernel.errors import Malformed, NotFound
from chalicelib.payments.providers import (
    PaymentSucceeded,
    RefundRequest,
    RefundSettled,
    provider,
)
from chalicelib.payments.providers.local import LocalProvider
from chalicelib.payments.rules import Handed, Receipt, Refund
from tests.support.made import NOW

PAYMENT = {"reference": "ch_1", "payment_id": "pay_1", "amount": 1000, "currency": "EUR"}


@pytest.mark.parametrize(
    ("hours", "minutes", "looked_at"),
    [
        (0, 0, timedelta(minutes=15)),
        (10, 0, timedelta(hours=10, minutes=15)),
        (47, 44, timedelta(hours=47, minutes=59)),
        (47, 50, timedelta(hours=48)),
        (48, 0, timedelta(hours=48)),
    ],
)
def test_a_provider_is_asked_again_until_a_person_must_look(
    hours: int, minutes: int, looked_at: timedelta
) -> None:
    asked = NOW + timedelta(hours=hours, minutes=minutes)
    assert a_refund().next_look(asked) == NOW + looked_at


def test_nobody_is_asked_about_cash_that_a_leader_hands_back() -> None:
    by_hand = replace(a_refund(), method="leader_collect")
    assert by_hand.next_look(NOW) == by_hand.confirm_by == NOW + timedelta(hours=48)


@pytest.mark.parametrize("status", ["pending", "unknown", "failed"])
def test_only_a_refund_that_succeeded_is_done(status: Any) -> None:
    assert not replace(a_refund(), status=status).is_done
    assert replace(a_refund(), status="succeeded").is_done


# What is said of an attempt, and whether it changes a refund whose second one is under way.
SAID = [
    ("succeeded", 1, True),
    ("failed", 1, False),
    ("unknown", 1, False),
    ("succeeded", 2, True),
    ("failed", 2, True),
    ("unknown", 2, True),
]


@pytest.mark.parametrize(("outcome", "attempt", "is_news"), SAID)
def test_of_a_former_attempt_only_its_success_is_news(
    outcome: Any, attempt: int, is_news: bool
) -> None:
    second = replace(a_refund(), status="failed").retried(NOW)
    assert (second.status, second.attempt, second.version) == ("pending", 2, 2)
    assert second.is_news(outcome, attempt) == is_news
    assert not second.is_contradicted(outcome, attempt)


@pytest.mark.parametrize(("outcome", "attempt", "_"), SAID)
def test_a_refund_is_contradicted_by_the_failure_of_what_did_it_and_by_money_beside_it(
    outcome: Any, attempt: int, _: bool
) -> None:
    done = replace(a_refund(), attempt=2).settled("succeeded", 2, NOW)
    assert not done.is_news(outcome, attempt)
    contradicted = (outcome, attempt) in (("failed", 2), ("succeeded", 1))
    assert done.is_contradicted(outcome, attempt) == contradicted
    by_hand = done.handed_back(Handed("bank"), "cash:bank", NOW)
    assert not by_hand.is_news(outcome, attempt)
    assert by_hand.is_contradicted(outcome, attempt) == (outcome == "succeeded")


def test_a_refund_is_done_by_the_attempt_that_arrived() -> None:
    second = replace(a_refund(), status="failed").retried(NOW)
    done = second.settled("succeeded", 1, NOW)
    assert (done.attempt, done.completed_at) == (1, NOW)
    assert done.is_contradicted("failed", 1)
    assert not done.is_contradicted("failed", 2)


def test_what_is_said_again_is_no_news() -> None:
    assert not replace(a_refund(), status="failed").is_news("failed", 1)
    assert not replace(a_refund(), status="unknown").is_news("unknown", 1)


def test_a_new_attempt_has_its_own_48_hours_key_and_cases() -> None:
    later = NOW + timedelta(days=9)
    first = replace(a_refund(), status="failed")
    second = first.retried(later)
    assert (first.confirm_by, second.confirm_by) == (
        NOW + timedelta(hours=48),
        later + timedelta(hours=48),
    )
    assert first.occurrence != second.occurrence
    keys = {RefundRequest("rfd_1", n, "ch_1", 1000, "EUR").key for n in range(1, 12)}
    assert len(keys) == 11


def test_a_receipt_is_known_by_its_provider_and_the_providers_own_id() -> None:
    receipt = Receipt("local", "ch_1", "pay_1", "ord_1", 1000, "EUR", NOW)
    assert receipt.id == "local:ch_1"
    assert replace(receipt, provider="other").id != receipt.id


def test_a_payment_event_says_which_payment_and_how_much(signed: LocalProvider) -> None:
    assert read(signed, "payment.succeeded", PAYMENT) == PaymentSucceeded(
        "ch_1", "pay_1", 1000, "EUR"
    )


@pytest.mark.parametrize(
    ("kind", "succeeded"), [("refund.succeeded", True), ("refund.failed", False)]
)
def test_a_refund_event_says_how_it_ended(
    signed: LocalProvider, kind: str, succeeded: bool
) -> None:
    assert read(signed, kind, {"refund_id": "rfd_1"}) == RefundSettled("rfd_1", 1, succeeded)
    again = {"refund_id": "rfd_1", "attempt": 2}
    assert read(signed, kind, again) == RefundSettled("rfd_1", 2, succeeded)


def test_an_event_of_a_kind_that_does_not_matter_is_passed_over(signed: LocalProvider) -> None:
    assert read(signed, "payment.created", {}) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": 10.0},
        {"amount": 10.5},
        {"amount": "1000"},
        {"amount": True},
        {"amount": 0},
        {"amount": -1000},
        {"amount": None},
        {"payment_id": ""},
        {"payment_id": 7},
        {"reference": "x" * 256},
        {"currency": None},
    ],
)
def test_a_signed_event_with_impossible_values_is_malformed(
    signed: LocalProvider, changes: dict[str, Any]
) -> None:
    with pytest.raises(Malformed):
        read(signed, "payment.succeeded", {**PAYMENT, **changes})


@pytest.mark.parametrize("missing", PAYMENT)
def test_a_signed_event_with_a_missing_value_is_malformed(
    signed: LocalProvider, missing: str
) -> None:
    rest = {name: value for name, value in PAYMENT.items() if name != missing}
    with pytest.raises(Malformed):
        read(signed, "payment.succeeded", rest)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b"{", b'{"type": "payment.succeeded"}', b'"text"', b"\xff"]
)
def test_a_signed_body_that_is_no_event_is_malformed(signed: LocalProvider, body: bytes) -> None:
    with pytest.raises(Malformed):
        signed.read_event({}, body)


def test_a_stack_without_the_local_provider_knows_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOCAL_PROVIDER_SECRET", raising=False)
    for name in ("local", "stripe", ""):
        with pytest.raises(NotFound):
            provider(name)


@pytest.fixture
def signed(monkeypatch: pytest.MonkeyPatch) -> LocalProvider:
    """The local provider, taking every signature for its own."""
    monkeypatch.setattr(LocalProvider, "_verify", lambda *_: None)
    return LocalProvider()


def read(of: LocalProvider, kind: str, data: dict[str, Any]) -> Any:
    return of.read_event({}, json.dumps({"id": "evt_1", "type": kind, "data": data}).encode())


def a_refund() -> Refund:
    return Refund(
        id="rfd_1",
        order_id="ord_1",
        leader_id="ldr_1",
        amount=1000,
        currency="EUR",
        status="pending",
        method="card",
        provider="local",
        receipt="ch_1",
        cash_account="cash:local",
        reason="broken",
        decided_at=NOW,
        completed_at=None,
        version=1,
    )
