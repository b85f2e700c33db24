"""Stripe: PaymentIntents for orders, and refunds of them.

An intent is made under the payment's id as idempotency key and bears it in its metadata, so it is
found again by either.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from chalicelib.kernel import clock
from chalicelib.payments.providers import (
    OutcomeUnknown,
    PaymentRequest,
    PaymentSucceeded,
    ProviderEvent,
    RefundAnswer,
    RefundOutcome,
    RefundRequest,
    RefundSettled,
    Refused,
    stripe_events,
)
from chalicelib.payments.providers.stripe_api import (
    NOT_TAKEN,
    ask,
    is_kept_failure,
    look_up,
    services,
    to_stripe,
)
from chalicelib.payments.providers.stripe_events import RefundMoved
from chalicelib.platform.secrets import secret
from chalicelib.platform.settings import settings

if TYPE_CHECKING:
    from stripe import PaymentIntent, PaymentIntentService, Refund, RefundService

# Stripe forgets a key after 24 hours and would then make a second intent.
KEYS_LIVE = timedelta(hours=23)

OUTCOMES: Mapping[str | None, RefundOutcome] = {
    "succeeded": "succeeded",
    "failed": "failed",
    "canceled": "failed",
}


class StripeProvider:
    """See `PaymentProvider`. A charge's reference is the id of its PaymentIntent.

    The secret is read when it is made; its calls may then come from many threads.
    """

    name = "stripe"

    def __init__(self) -> None:
        secrets = json.loads(secret("STRIPE_SECRET"))
        self._api_key: str = secrets["api_key"]
        self._webhook_secret: str = secrets["webhook_secret"]

    def takes(self, currency: str) -> bool:
        return currency not in NOT_TAKEN

    def start(self, asked: PaymentRequest) -> str | None:
        if _key_lives(asked):
            return self._create(asked).client_secret
        return next((intent.client_secret for intent in self._find(asked)), None)

    def stop(self, asked: PaymentRequest) -> PaymentSucceeded | None:
        ended = [self._cancel(intent.id) for intent in self._all_of(asked)]
        paid = (each.to_dict() for each in ended if each.status == "succeeded")
        return next(map(stripe_events.payment, paid), None)

    def read_event(self, headers: Mapping[str, str], body: bytes) -> ProviderEvent | None:
        signature = headers.get("stripe-signature")
        event = stripe_events.read(signature, body, self._webhook_secret)
        return self._refund_now(event) if isinstance(event, RefundMoved) else event

    def refund(self, asked: RefundRequest) -> RefundAnswer:
        """Looks for the refund before it asks for it, since its key may have been forgotten, and
        since an attempt that was taken for failed may not be."""
        made = self._attempts_of(asked)
        alive = (n for n, each in made.items() if OUTCOMES.get(each.status) != "failed")
        attempt = next(alive, asked.attempt)
        if attempt not in made and not asked.to_be_made:
            return RefundAnswer("failed", attempt)
        try:
            refund = made.get(attempt) or self._create_refund(asked)
        except Refused:
            return RefundAnswer("failed", attempt)
        return RefundAnswer(OUTCOMES.get(refund.status, "pending"), attempt)

    def _all_of(self, asked: PaymentRequest) -> list[PaymentIntent]:
        """Every intent of a payment. One that was never made is made now, since it holds the key:
        a call that is still on its way then makes no other."""
        if _key_lives(asked):
            try:
                return [self._create(asked)]
            except Refused:
                pass  # this call has made none, but another may have
        return self._find(asked)

    def _create(self, asked: PaymentRequest) -> PaymentIntent:
        """The payment's intent, made once. Which methods it offers is set in Stripe's dashboard."""
        try:
            return ask(
                lambda: self._intents.create(
                    {
                        "amount": to_stripe(asked.amount, asked.currency),
                        "currency": asked.currency.lower(),
                        "automatic_payment_methods": {"enabled": True},
                        "metadata": {"payment_id": asked.payment_id, "order_id": asked.order_id},
                    },
                    {"idempotency_key": asked.payment_id},
                )
            )
        except OutcomeUnknown as unknown:
            if is_kept_failure(unknown):  # nobody was given a secret, so nobody can pay
                raise Refused("failed_at_stripe") from unknown
            raise

    def _find(self, asked: PaymentRequest) -> list[PaymentIntent]:
        """Intents by their metadata. Stripe's search is a minute or so behind."""
        query = f"metadata['payment_id']:'{asked.payment_id}'"
        return look_up(lambda: list(self._intents.search({"query": query}).auto_paging_iter()))

    def _cancel(self, intent_id: str) -> PaymentIntent:
        """An intent that is cancelled, now or before, or paid. Raises OutcomeUnknown otherwise."""
        because = "abandoned"
        try:
            intent = ask(lambda: self._intents.cancel(intent_id, {"cancellation_reason": because}))
        except Refused:  # its state does not allow it
            intent = look_up(lambda: self._intents.retrieve(intent_id))
        if intent.status not in ("succeeded", "canceled"):
            raise OutcomeUnknown(f"the intent is {intent.status}")
        return intent

    def _attempts_of(self, asked: RefundRequest) -> dict[int, Refund]:
        def listed() -> list[Refund]:
            page = self._refunds.list({"payment_intent": asked.reference, "limit": 100})
            return list(page.auto_paging_iter())

        known = [(_metadata(each), each) for each in look_up(listed)]
        return {
            int(bears.get("attempt", 1)): each
            for bears, each in known
            if bears.get("refund_id") == asked.refund_id
        }

    def _create_refund(self, asked: RefundRequest) -> Refund:
        return ask(
            lambda: self._refunds.create(
                {
                    "payment_intent": asked.reference,
                    "amount": to_stripe(asked.amount, asked.currency),
                    "metadata": {"refund_id": asked.refund_id, "attempt": str(asked.attempt)},
                },
                {"idempotency_key": asked.key},
            )
        )

    def _refund_now(self, moved: RefundMoved) -> RefundSettled | None:
        """Stripe is asked what has become of it, since its events come in any order."""
        refund = look_up(lambda: self._refunds.retrieve(moved.id))
        outcome = OUTCOMES.get(refund.status)
        if outcome is None:
            return None
        return RefundSettled(moved.refund_id, moved.attempt, outcome == "succeeded")

    @property
    def _intents(self) -> PaymentIntentService:
        return services(self._api_key, settings().stripe_api_base).payment_intents

    @property
    def _refunds(self) -> RefundService:
        return services(self._api_key, settings().stripe_api_base).refunds


def _key_lives(asked: PaymentRequest) -> bool:
    return clock.now() < asked.asked_at + KEYS_LIVE


def _metadata(refund: Refund) -> dict[str, str]:
    return refund.to_dict().get("metadata") or {}
