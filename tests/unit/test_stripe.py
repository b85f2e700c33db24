"""The Stripe adapter: how it counts, how long it waits, and what it takes silence for."""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer

from chalicelib.kernel import clock
from chalicelib.kernel.currencies import CODES
from chalicelib.payments.providers import (
    OutcomeUnknown,
    PaymentRequest,
    RefundAnswer,
    RefundRequest,
    Refused,
    stripe_api,
)
from chalicelib.payments.providers import stripe as adapter
from chalicelib.payments.providers.stripe import StripeProvider
from chalicelib.platform.settings import settings
from tests.support.stripe_server import API_KEY, WEBHOOK_SECRET, StripeServer

ROOT = Path(__file__).resolve().parents[2]
SECRET = json.dumps({"api_key": API_KEY, "webhook_secret": WEBHOOK_SECRET})


@pytest.fixture(scope="module")
def listening() -> Iterator[HTTPServer]:
    with HTTPServer(host="127.0.0.1", threaded=True) as server:
        yield server


@pytest.fixture
def stripe(listening: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[StripeServer]:
    listening.clear()
    server = StripeServer(listening)
    monkeypatch.setattr(adapter, "secret", lambda _: SECRET)
    monkeypatch.setenv("STRIPE_API_BASE", server.url)
    settings.cache_clear()
    yield server
    settings.cache_clear()


def asked(**changes: Any) -> PaymentRequest:
    usual: dict[str, Any] = {
        "payment_id": "pay_1",
        "order_id": "ord_1",
        "amount": 1000,
        "currency": "EUR",
        "asked_at": clock.now(),
    }
    return PaymentRequest(**{**usual, **changes})


def back(
    intent_id: str, attempt: int = 1, *, amount: int = 1000, currency: str = "EUR"
) -> RefundRequest:
    """Some of what an intent has brought in."""
    return RefundRequest("rfd_1", attempt, intent_id, amount, currency)


def paid_intent(stripe: StripeServer) -> str:
    StripeProvider().start(asked())
    stripe.pay(stripe.intents["pi_0001"]["client_secret"])
    return "pi_0001"


@given(st.integers(1, 10**12), st.sampled_from(sorted(CODES)))
def test_an_amount_comes_back_as_it_was_sent(amount: int, currency: str) -> None:
    assert stripe_api.from_stripe(stripe_api.to_stripe(amount, currency), currency) == amount


@pytest.mark.parametrize(
    ("currency", "units"), [("EUR", 1000), ("JPY", 1000), ("VND", 1000), ("ISK", 100_000)]
)
def test_stripe_counts_in_its_own_units(stripe: StripeServer, currency: str, units: int) -> None:
    request = asked(currency=currency)
    StripeProvider().start(request)
    (intent,) = stripe.intents.values()
    assert (intent["amount"], intent["currency"]) == (units, currency.lower())
    stripe.pay(intent["client_secret"])
    paid = StripeProvider().stop(request)
    assert paid is not None
    assert (paid.amount, paid.currency) == (1000, currency)
    StripeProvider().refund(back(intent["id"], amount=400, currency=currency))
    assert [each["amount"] for each in stripe.refunds.values()] == [units * 400 // 1000]


@pytest.mark.parametrize("currency", ["KWD", "BHD", "TND", "MGA", "UGX"])
def test_currencies_that_stripe_cannot_count_to_the_last_digit_are_not_taken(
    stripe: StripeServer, currency: str
) -> None:
    assert not StripeProvider().takes(currency)
    assert StripeProvider().takes("CNY")


def test_an_answer_that_comes_too_late_is_unknown_and_its_intent_is_found_again(
    stripe: StripeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stripe_api, "READ_SECONDS", 0.2)
    stripe_api.services.cache_clear()
    request = asked()
    with stripe.accident("POST", "hang"), pytest.raises(OutcomeUnknown):
        StripeProvider().start(request)
    assert StripeProvider().start(request) == stripe.intents["pi_0001"]["client_secret"]
    assert len(stripe.intents) == 1
    stripe_api.services.cache_clear()


def test_an_address_where_nobody_listens_is_unknown(
    stripe: StripeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRIPE_API_BASE", "http://127.0.0.1:9")
    settings.cache_clear()
    with pytest.raises(OutcomeUnknown):
        StripeProvider().stop(asked())


def test_a_call_is_made_once_and_by_no_proxy(
    stripe: StripeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    stripe_api.services.cache_clear()
    with stripe.accident("POST", "down"), pytest.raises(OutcomeUnknown):
        StripeProvider().start(asked())
    assert len(stripe.asked) == 1


def test_a_refusal_is_told_in_stripes_own_code(stripe: StripeServer) -> None:
    with pytest.raises(Refused, match="amount_too_small"):
        StripeProvider().start(asked(amount=1))


def test_a_key_that_was_used_for_another_request_is_no_refusal(stripe: StripeServer) -> None:
    StripeProvider().start(asked())
    with pytest.raises(OutcomeUnknown):
        StripeProvider().start(asked(amount=2000))


def test_all_intents_of_a_payment_are_stopped_and_the_paid_one_is_told(
    stripe: StripeServer,
) -> None:
    long_ago = asked(asked_at=clock.now() - timedelta(hours=25))
    for _ in range(3):
        StripeProvider().start(asked())
        stripe.forget_keys()
    stripe.pay(stripe.intents["pi_0002"]["client_secret"])
    paid = StripeProvider().stop(long_ago)
    assert paid is not None
    assert (paid.reference, paid.payment_id, paid.amount) == ("pi_0002", "pay_1", 1000)
    assert stripe.payable() == set()


def test_after_a_day_a_payment_is_started_no_more(stripe: StripeServer) -> None:
    long_ago = asked(asked_at=clock.now() - timedelta(hours=23))
    assert StripeProvider().start(long_ago) is None
    assert StripeProvider().stop(long_ago) is None
    assert stripe.intents == {}


@pytest.mark.parametrize("status", ["processing", "requires_capture"])
def test_what_is_neither_paid_nor_cancelled_may_still_be_paid(
    stripe: StripeServer, status: str
) -> None:
    StripeProvider().start(asked())
    stripe.intents["pi_0001"]["status"] = status
    with pytest.raises(OutcomeUnknown, match=status):
        StripeProvider().stop(asked())


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("succeeded", "succeeded"),
        ("pending", "pending"),
        ("requires_action", "pending"),
        ("failed", "failed"),
        ("canceled", "failed"),
    ],
)
def test_a_refunds_status_is_told_in_the_ports_words(
    stripe: StripeServer, status: str, outcome: Any
) -> None:
    intent_id = paid_intent(stripe)
    stripe.refunds_begin_as = status
    for _ in range(2):
        assert StripeProvider().refund(back(intent_id)) == RefundAnswer(outcome, 1)
    assert len(stripe.refunds) == 1


@pytest.mark.parametrize("status", ["failed", "canceled"])
def test_a_second_attempt_is_another_refund_under_a_key_of_its_own(
    stripe: StripeServer, status: str
) -> None:
    intent_id = paid_intent(stripe)
    stripe.refunds_begin_as = status
    StripeProvider().refund(back(intent_id))
    stripe.refunds_begin_as = "succeeded"
    for _ in range(2):
        assert StripeProvider().refund(back(intent_id, 2)) == RefundAnswer("succeeded", 2)
    assert [each["metadata"]["attempt"] for each in stripe.refunds.values()] == ["1", "2"]
    assert [key for method, _, key in stripe.asked if method == "POST"][1:] == ["rfd_1", "rfd_1-2"]


@pytest.mark.parametrize(
    ("status", "outcome"), [("succeeded", "succeeded"), ("pending", "pending")]
)
def test_no_second_attempt_is_made_beside_one_that_has_not_failed(
    stripe: StripeServer, status: str, outcome: Any
) -> None:
    intent_id = paid_intent(stripe)
    stripe.refunds_begin_as = status
    StripeProvider().refund(back(intent_id))
    assert StripeProvider().refund(back(intent_id, 2)) == RefundAnswer(outcome, 1)
    assert len(stripe.refunds) == 1


def test_a_charge_that_stripe_does_not_know_is_no_failed_refund(stripe: StripeServer) -> None:
    with pytest.raises(OutcomeUnknown, match="resource_missing"):
        StripeProvider().refund(back("pi_of_another_account"))
    assert [method for method, _, _ in stripe.asked] == ["GET"]


def test_the_library_is_loaded_where_stripe_is_asked_and_nowhere_else() -> None:
    """Neither the API's cold start nor a worker's pays for it."""
    modules = ["app", "chalicelib.ordering.workers", "chalicelib.payments.providers.stripe"]
    code = f"import sys, {', '.join(modules)}; print({{'stripe', 'requests'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == "set()", done.stderr
