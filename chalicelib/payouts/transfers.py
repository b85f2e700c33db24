"""Transfers to Stripe accounts of parties (Connect), each under its payout's id.

The id is the idempotency key and the transfer group, by which a transfer is found again.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from chalicelib.kernel.errors import Busy, Conflict, Invalid
from chalicelib.payments.providers import OutcomeUnknown
from chalicelib.payments.providers.stripe_api import NOT_TAKEN, ask, look_up, services, to_stripe
from chalicelib.payouts.accounts import details_of
from chalicelib.payouts.rules import Payout
from chalicelib.platform.secrets import secret
from chalicelib.platform.settings import settings

if TYPE_CHECKING:
    from stripe import TransferService


SECRET = "STRIPE_SECRET"


class NotAsked(Exception):
    """Stripe has not looked at the call: nothing is done, and it may be asked again."""


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


def find(payout: Payout) -> str | None:
    """The id of the payout's transfer. That none is found does not say that there is none."""
    page = look_up(lambda: _transfers().list({"transfer_group": payout.id, "limit": 1}))
    return page.data[0].id if page.data else None


def must_not_exist(payout: Payout) -> None:
    """Raises Conflict where Stripe shows the payout's transfer, Busy where it shows nothing at all
    at this moment."""
    try:
        found = find(payout)
    except OutcomeUnknown:
        raise Busy(
            "Stripe does not say whether it has a transfer of it. Ask again shortly."
        ) from None
    if found:
        raise Conflict(
            f"Stripe has the transfer {found} of this payout: it is paid, or returned once that is "
            "reversed.",
            code="transfer_found",
        )


def _is_not_asked(unknown: OutcomeUnknown) -> bool:
    from stripe import AuthenticationError, PermissionError, RateLimitError

    return isinstance(unknown.__cause__, AuthenticationError | PermissionError | RateLimitError)


def _transfers() -> TransferService:
    api_key: str = json.loads(secret(SECRET))["api_key"]
    return services(api_key, settings().stripe_api_base).transfers
