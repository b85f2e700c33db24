"""Transfers to Stripe accounts of parties (Connect), each under its payout's id.

The id is the idempotency key and the transfer group, by which a transfer is found again.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from chalicelib.kernel.errors import Busy, Conflict, Invalid
from chalicelib.payments.providers import OutcomeUnknown
from chalicelib.payments.providers.stripe_api import NOT_TAKEN, ask, look_up, services, to_stripe
from chalicelib.payouts.accounts import details_of
from chalicelib.payouts.rules import MAY_COME_FOR, Payout
from chalicelib.platform.secrets import secret
from chalicelib.platform.settings import settings

if TYPE_CHECKING:
    from stripe import TransferService


SECRET = "STRIPE_SECRET"


class NotAsked(Exception):
    """Stripe has not looked at the call: nothing is done, and it may be asked again."""


@dataclass(frozen=True)
class Transfer:
    """What Stripe shows of one; `is_reversed` where all of it has come back."""

    id: str
    is_reversed: bool


def check(currency: str) -> None:
    """Raises Invalid where payouts of the currency cannot be sent by Stripe."""
    if SECRET not in os.environ:
        raise Invalid.field("method", "is not to be had: this stack has no Stripe account")
    if currency in NOT_TAKEN:
        raise Invalid.field("currency", f"is none that Stripe takes to the minor unit: {currency}")


def send(payout: Payout) -> str:
    """The transfer's id. Raises Refused where Stripe has clearly done nothing and will not,
    NotAsked where it may yet, else OutcomeUnknown."""
    destination = details_of(payout.sealed or "", payout.payee).stripe_account or ""
    try:
        made = ask(
            lambda: _transfers().create(
                {
                    "amount": to_stripe(payout.amount, payout.currency),
                    "currency": payout.currency.lower(),
                    "destination": destination,
                    "transfer_group": payout.id,
                    "metadata": {"payout_id": payout.id, "batch_id": payout.batch_id},
                },
                {"idempotency_key": payout.id},
            )
        )
    except OutcomeUnknown as unknown:
        if _is_not_asked(unknown):
            raise NotAsked from unknown
        raise
    return made.id


def find(payout: Payout) -> Transfer | None:
    """The payout's transfer, one that is not reversed before any other. That none is found does
    not say that there is none."""
    page = look_up(lambda: _transfers().list({"transfer_group": payout.id, "limit": 10}))
    found = [Transfer(each.id, each.reversed) for each in page.data]
    return min(found, key=lambda each: each.is_reversed, default=None)


def must_be_at_stripe_no_more(payout: Payout, now: datetime) -> None:
    """Raises Conflict where Stripe has the payout's money with the payee, or may be sending it at
    this moment, Busy where it shows nothing at all."""
    if payout.asked_at is None:
        return
    found = _find(payout)
    if found and not found.is_reversed:
        raise Conflict(
            f"Stripe has the transfer {found.id} of this payout: it is paid, and returned once all "
            "of that is reversed.",
            code="transfer_found",
        )
    if not found and payout.may_still_be_sent(now):
        raise Conflict(
            "Stripe was asked for this payout a moment ago and may still send it: tell its result "
            f"{MAY_COME_FOR.seconds // 60} minutes after that.",
            code="transfer_asked_for",
        )


def _find(payout: Payout) -> Transfer | None:
    try:
        return find(payout)
    except OutcomeUnknown:
        raise Busy(
            "Stripe does not say whether it has a transfer of it. Ask again shortly."
        ) from None


def _is_not_asked(unknown: OutcomeUnknown) -> bool:
    from stripe import AuthenticationError, PermissionError, RateLimitError

    return isinstance(unknown.__cause__, AuthenticationError | PermissionError | RateLimitError)


def _transfers() -> TransferService:
    api_key: str = json.loads(secret(SECRET))["api_key"]
    return services(api_key, settings().stripe_api_base).transfers
