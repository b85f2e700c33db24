"""A world whose cards are taken by Stripe, on loopback."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import boto3

from chalicelib.platform.settings import settings
from tests.support.gateway import Answer
from tests.support.stripe_server import API_KEY, WEBHOOK_SECRET, StripeServer, signature
from tests.support.world import World

NAME = "STRIPE_SECRET"


@contextmanager
def connected(stripe: StripeServer) -> Iterator[None]:
    """The cloud that is there has Stripe's secret, and Stripe is where the server listens."""
    with mock.patch.dict(os.environ, {NAME: _secret_arn(), "STRIPE_API_BASE": stripe.url}):
        settings.cache_clear()
        yield
    settings.cache_clear()


def tell(world: World, event: Any, *, at: float | None = None, signed: str | None = None) -> Answer:
    """Stripe sends an event, under its signature or another one."""
    body = json.dumps(event).encode()
    own = signature(body, at or time.time())
    headers = {"Stripe-Signature": own if signed is None else signed}
    return world.anyone.send("POST", "/v1/payment-events/stripe", body, headers)


def at_odds(world: World, stripe: StripeServer) -> list[str]:
    """Where Stripe's account and Tuan's books say different things."""
    found = []
    booked = world.trial_balance().get("cash:stripe", 0)
    if booked != stripe.takings():
        found.append(f"cash:stripe is {booked}, Stripe has {stripe.takings()}")
    for payment_id in sorted(stripe.payable()):
        status = world.order(payment_id.replace("pay_", "ord_"))["status"]
        if status != "pending_payment":
            found.append(f"{payment_id} can still be paid, its order is {status}")
    return found


def _secret_arn() -> str:
    value = json.dumps({"api_key": API_KEY, "webhook_secret": WEBHOOK_SECRET})
    client = boto3.client("secretsmanager")
    known = {each["Name"]: each["ARN"] for each in client.list_secrets()["SecretList"]}
    return str(known.get(NAME) or client.create_secret(Name=NAME, SecretString=value)["ARN"])
