"""`/v1/chargebacks`, and what payment providers tell."""

from types import SimpleNamespace
from typing import Any

from chalicelib.chargebacks import closing, opening
from chalicelib.chargebacks.opening import Opened
from chalicelib.chargebacks.schema import (
    BookChargeback,
    ChargebackView,
    CloseChargeback,
    EventTaken,
    PaymentEvent,
)
from chalicelib.kernel import ids
from chalicelib.ordering import paying
from chalicelib.parties.authorizer import authorizer
from chalicelib.payments import chargeback_store
from chalicelib.payments.providers import PaymentDisputed
from chalicelib.payments.rules import Chargeback
from chalicelib.platform.endpoints import Also, Reply, Request
from chalicelib.platform.http_in import Routes
from chalicelib.platform.pages import Page

routes = Routes(__name__, tag="Payments", authorizer=authorizer)

# Each provider signs in headers of its own.
SIGNED = {
    "webhook-id": "The local provider's: the event's id.",
    "webhook-timestamp": "When the local provider sent it, in Unix seconds.",
    "webhook-signature": "The local provider's: `v1,` and the base64 HMAC-SHA256 of id, timestamp "
    "and body.",
    "stripe-signature": "Stripe's own, over time and body.",
}


@routes.endpoint(
    "POST",
    "/v1/payment-events/{provider}",
    summary="Take a payment provider's signed event, once",
    roles=None,
    answer=EventTaken,
    errors={"invalid_signature": 400, "provider_unavailable": 503},
    also=Also(body=PaymentEvent, takes=SIGNED),
)
def take_payment_event(request: Request, provider: str) -> Any:
    event = paying.read_event(provider, request.headers, request.raw_body)
    if isinstance(event, PaymentDisputed):
        closing.hear(provider, event)
    else:
        paying.take_event(provider, event)
    return SimpleNamespace(received=True)


@routes.endpoint(
    "POST",
    "/v1/chargebacks",
    summary="Book what a customer's bank has taken back",
    notes="For providers that do not tell it themselves. The order is refunded, and the refund is "
    "done at once. The fee is paid by whom `chargeback_fee` of `PUT /v1/refund-bearers` names, and "
    "by the platform where it names nobody. What is more than the order has left is booked apart, "
    "with a case. The same again with the same reference answers 200.",
    roles=("operator",),
    body=BookChargeback,
    answer=ChargebackView,
    status=201,
    key="required",
    errors={"order_not_charged": 409, "reference_reused": 409},
    also=Also(statuses={200: "The chargeback of that reference, which was booked before."}),
)
def book_chargeback(request: Request) -> Reply:
    sent: BookChargeback = request.body
    order_id = sent.order_id or ids.sibling("ord", sent.payment_id or "")
    recorder = request.recorder(_reply)
    return _reply(
        opening.book(order_id, sent.amount, sent.fee, sent.reference, request.caller, recorder)
    )


def _reply(opened: Opened) -> Reply:
    return Reply(opened.chargeback, status=201 if opened.is_new else 200)


@routes.endpoint(
    "GET",
    "/v1/chargebacks",
    summary="List chargebacks",
    roles=("operator",),
    answer=ChargebackView,
    is_list=True,
)
def list_chargebacks(request: Request) -> Page[Chargeback]:
    return chargeback_store.chargebacks(request.page)


@routes.endpoint(
    "GET",
    "/v1/chargebacks/{id}",
    summary="Read a chargeback",
    roles=("operator",),
    answer=ChargebackView,
)
def read_chargeback(request: Request, id: str) -> Chargeback:
    return opening.chargeback_of(id)


@routes.endpoint(
    "POST",
    "/v1/chargebacks/{id}/close",
    summary="Say how a chargeback ended",
    notes="`won`: the money is back, delivered lines are the order's again, and each side has its "
    "share of them; what is left is the customer's, and refunded. `lost`: it stays as it was "
    "booked. Who paid the fee has it back from the platform where the chargeback is won.",
    roles=("operator",),
    body=CloseChargeback,
    answer=ChargebackView,
    key="required",
    errors={"already_closed": 409},
)
def close_chargeback(request: Request, id: str) -> Chargeback:
    return closing.close(id, request.body.outcome, request.caller, request.idempotency)
