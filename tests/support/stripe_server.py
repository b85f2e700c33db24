"""Stripe on loopback, as far as Tuan uses it: intents, refunds, transfers, idempotency keys, signed
events.

It keeps keys as Stripe does, its own failures with them, and can be told to lose answers. What it
does not know it refuses, so that no call passes unseen.
"""

import hashlib
import hmac
import json
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal
from urllib.parse import parse_qsl

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

Json = dict[str, Any]
# `fail`: nothing is done, and its key keeps the failure. `down`: nothing is done or kept.
# `lose`: all is done and the answer cut off. `hang`: all is done, and answered too late.
Accident = Literal["fail", "down", "lose", "hang", "limit"]

API_KEY, WEBHOOK_SECRET = "sk_test_tuan", "whsec_of_stripe"
CREATABLE = {
    "/v1/payment_intents": {
        "amount",
        "currency",
        "automatic_payment_methods[enabled]",
        "metadata[payment_id]",
        "metadata[order_id]",
    },
    "/v1/transfers": {
        "amount",
        "currency",
        "destination",
        "transfer_group",
        "metadata[payout_id]",
        "metadata[batch_id]",
    },
    "/v1/refunds": {"payment_intent", "amount", "metadata[refund_id]", "metadata[attempt]"},
}
LARGEST = 99_999_999


class TooLate(Exception):
    """The intent is cancelled, or paid."""


class StripeServer:
    """One Stripe account. `asked` are the calls it got: method, path, idempotency key."""

    def __init__(self, server: HTTPServer) -> None:
        self.api_key = API_KEY
        self.url = server.url_for("").rstrip("/")
        self.intents: dict[str, Json] = {}
        self.refunds: dict[str, Json] = {}
        self.transfers: dict[str, Json] = {}
        self.disputes: dict[str, Json] = {}
        self.closed_accounts: set[str] = set()
        self.asked: list[tuple[str, str, str | None]] = []
        self.refunds_begin_as = "succeeded"
        self.seconds_of_hanging = 1.0
        self.keeps_keys = True
        self.refunds_too_much = False
        self._keys: dict[str, tuple[str, int, Json]] = {}
        self._accidents: list[tuple[re.Pattern[str], Accident, int]] = []
        self._lock = threading.RLock()
        server.expect_request(re.compile("/v1/.*")).respond_with_handler(self._answer)

    # What happens at Stripe without Tuan.

    def pay(self, client_secret: str) -> Json:
        """A customer's device confirms. Returns the event; raises TooLate where none can."""
        with self._lock:
            intents = self.intents.values()
            (intent,) = [each for each in intents if each["client_secret"] == client_secret]
            if not self._payable(intent):
                raise TooLate
            intent |= {"status": "succeeded", "amount_received": intent["amount"]}
            return event("payment_intent.succeeded", intent)

    def pay_order(self, order: Json) -> Json:
        """The same by the order, whoever has its client secret."""
        return self.pay(self.intent_of(order)["client_secret"])

    def intent_of(self, order: Json) -> Json:
        (found,) = self.intents_of(order)
        return found

    def intents_of(self, order: Json) -> list[Json]:
        return self._bearing(order["payment"]["id"])

    def _bearing(self, payment_id: str) -> list[Json]:
        intents = self.intents.values()
        return [each for each in intents if each["metadata"].get("payment_id") == payment_id]

    def settle(self, refund: Json, status: str) -> None:
        """A refund comes to its end, or fails after it had seemed to arrive."""
        with self._lock:
            refund["status"] = status

    def payable(self) -> set[str]:
        """The payments that a customer can still make."""
        with self._lock:
            intents = self.intents.values()
            return {each["metadata"]["payment_id"] for each in intents if self._payable(each)}

    def takings(self) -> int:
        """What customers have paid, without what went back to them or on to others."""
        paid = sum(each["amount_received"] for each in self.intents.values())
        back = (each["amount"] for each in self.refunds.values() if each["status"] == "succeeded")
        sent = sum(each["amount"] for each in self.transfers.values() if not each["reversed"])
        moved = (n for each in self.disputes.values() for n in each["balance_transactions"])
        return int(paid - sum(back) - sent + sum(n["amount"] - n["fee"] for n in moved))

    def reverse(self, transfer_id: str) -> None:
        """Somebody takes all of a transfer back."""
        self.transfers[transfer_id]["reversed"] = True

    def dispute(self, intent_id: str, amount: int, fee: int = 1500) -> Json:
        """The customer's bank takes a payment back; the dispute as Stripe tells it."""
        dispute_id = f"dp_{len(self.disputes) + 1:04}"
        taken = {"amount": -amount, "fee": fee, "currency": "eur"}
        self.disputes[dispute_id] = {
            "id": dispute_id,
            "object": "dispute",
            "amount": amount,
            "currency": "eur",
            "charge": f"ch_{intent_id}",
            "payment_intent": intent_id,
            "status": "needs_response",
            "balance_transactions": [taken],
        }
        return self.disputes[dispute_id]

    def win(self, dispute: Json, fee_back: int = 0) -> Json:
        """Stripe gives the amount back, and as a rule keeps its fee."""
        back = {"amount": dispute["amount"], "fee": -fee_back, "currency": "eur"}
        moved = [*dispute["balance_transactions"], back]
        self.disputes[dispute["id"]] = {**dispute, "status": "won", "balance_transactions": moved}
        return self.disputes[dispute["id"]]

    def forget_keys(self) -> None:
        """A day has gone by."""
        self._keys.clear()

    @contextmanager
    def accident(self, path: str, kind: Accident, times: int = 1) -> Iterator[None]:
        """The next calls whose method and path fit go wrong; the test fails where none comes."""
        planned = (re.compile(path), kind, times)
        self._accidents.append(planned)
        yield
        left = [each for each in self._accidents if each[0] is planned[0]]
        self._accidents = [each for each in self._accidents if each[0] is not planned[0]]
        assert not left or left[0][2] < times, f"nobody asked {path}"

    @staticmethod
    def _payable(intent: Json) -> bool:
        return bool(intent["status"] == "requires_payment_method")

    # What Tuan asks.

    def _answer(self, request: Request) -> Response:
        with self._lock:
            accident = self._next_accident(f"{request.method} {request.path}")
            key = request.headers.get("Idempotency-Key")
            self.asked.append((request.method, request.path, key))
            if request.headers.get("Authorization") != f"Bearer {self.api_key}":
                return _response(401, _error("Invalid API Key provided"))
            if accident in ("down", "limit"):
                return _response(503 if accident == "down" else 429, _error("not now"))
            status, body, replayed = self._once(request, key, accident)
        return self._sent(accident, status, body, replayed)

    def _sent(self, accident: Accident | None, status: int, body: Json, replayed: bool) -> Response:
        if accident == "hang":
            time.sleep(self.seconds_of_hanging)
        response = _response(status, body)
        if replayed:
            response.headers["Idempotent-Replayed"] = "true"
        if accident == "lose":
            response.headers["Content-Length"] = str(len(response.data) + 1)
            response.automatically_set_content_length = False
        return response

    def _next_accident(self, call: str) -> Accident | None:
        for n, (path, kind, times) in enumerate(self._accidents):
            if times and path.search(call):
                self._accidents[n] = (path, kind, times - 1)
                return kind
        return None

    def _once(
        self, request: Request, key: str | None, accident: Accident | None
    ) -> tuple[int, Json, bool]:
        sent = request.get_data(as_text=True)
        if request.method == "POST" and key in self._keys:
            mark, status, body = self._keys[key]
            if mark != f"{request.path} {sent}":
                return 400, _error("another request", kind="idempotency_error"), False
            return status, body, True
        if accident == "fail":
            status, body = 500, _error("something went wrong", kind="api_error")
        else:
            status, body = self._route(request, dict(parse_qsl(sent)))
        if request.method == "POST" and key and status != 400 and self.keeps_keys:
            self._keys[key] = (f"{request.path} {sent}", status, json.loads(json.dumps(body)))
        return status, body, False

    def _route(self, request: Request, sent: Json) -> tuple[int, Json]:
        path = request.path
        if unknown := set(sent) - CREATABLE.get(path, set(sent)):
            return 400, _error(f"Received unknown parameters: {unknown}")
        _, _, kind, *rest = path.split("/")
        if request.method == "POST":
            return self._done(kind, rest, sent)
        return self._shown(kind, rest, request.args)

    def _done(self, kind: str, rest: list[str], sent: Json) -> tuple[int, Json]:
        match [kind, *rest]:
            case ["payment_intents"]:
                return self._make_intent(sent)
            case ["payment_intents", intent_id, "cancel"]:
                return self._cancel(self.intents.get(intent_id))
            case ["refunds"]:
                return self._make_refund(sent)
            case ["transfers"]:
                return self._make_transfer(sent)
        return 404, _error("Unrecognized request URL")

    def _shown(self, kind: str, rest: list[str], query: Mapping[str, str]) -> tuple[int, Json]:
        match [kind, *rest]:
            case ["payment_intents", "search"]:
                return self._search(query["query"])
            case ["payment_intents", intent_id]:
                return _found(self.intents.get(intent_id))
            case ["refunds"]:
                return self._list_refunds(query["payment_intent"])
            case ["refunds", refund_id]:
                return _found(self.refunds.get(refund_id))
            case ["transfers"]:
                return self._list_transfers(query["transfer_group"])
        return 404, _error("Unrecognized request URL")

    def _make_intent(self, sent: Json) -> tuple[int, Json]:
        amount = int(sent["amount"])
        if not 50 <= amount <= LARGEST:
            return 400, _error("the amount is not taken", code="amount_too_small")
        intent_id = f"pi_{len(self.intents) + 1:04}"
        self.intents[intent_id] = {
            "id": intent_id,
            "object": "payment_intent",
            "amount": amount,
            "amount_received": 0,
            "currency": sent["currency"],
            "status": "requires_payment_method",
            "client_secret": f"{intent_id}_secret_{hashlib.sha256(intent_id.encode()).hexdigest()}",
            "metadata": _metadata(sent),
        }
        return 200, self.intents[intent_id]

    def _search(self, query: str) -> tuple[int, Json]:
        found = re.fullmatch(r"metadata\['payment_id'\]:'(\w+)'", query)
        assert found, query
        data = self._bearing(found[1])
        return 200, {**_list(data, "/v1/payment_intents/search"), "object": "search_result"}

    def _cancel(self, intent: Json | None) -> tuple[int, Json]:
        if intent and not self._payable(intent):
            return 400, _error("wrong state", code="payment_intent_unexpected_state")
        if intent:
            intent["status"] = "canceled"
        return _found(intent)

    def _make_refund(self, sent: Json) -> tuple[int, Json]:
        intent, amount = self.intents.get(sent["payment_intent"]), int(sent["amount"])
        if intent is None:
            return _found(intent)
        gone = sum(each["amount"] for each in self._refunds_of(intent["id"]) if _counts(each))
        if amount > intent["amount_received"] - gone and not self.refunds_too_much:
            return 400, _error("more than is left", code="charge_already_refunded")
        refund_id = f"re_{len(self.refunds) + 1:04}"
        self.refunds[refund_id] = {
            "id": refund_id,
            "object": "refund",
            "amount": amount,
            "currency": intent["currency"],
            "payment_intent": intent["id"],
            "status": self.refunds_begin_as,
            "metadata": _metadata(sent),
        }
        return 200, self.refunds[refund_id]

    def _make_transfer(self, sent: Json) -> tuple[int, Json]:
        if sent["destination"] in self.closed_accounts:
            return 400, _error("No such destination", code="account_invalid")
        transfer_id = f"tr_{len(self.transfers) + 1:04}"
        self.transfers[transfer_id] = {
            "id": transfer_id,
            "object": "transfer",
            "amount": int(sent["amount"]),
            "currency": sent["currency"],
            "destination": sent["destination"],
            "transfer_group": sent["transfer_group"],
            "reversed": False,
            "metadata": _metadata(sent),
        }
        return 200, self.transfers[transfer_id]

    def _list_transfers(self, group: str) -> tuple[int, Json]:
        found = [each for each in self.transfers.values() if each["transfer_group"] == group]
        return 200, _list(found, "/v1/transfers")

    def _list_refunds(self, intent_id: str) -> tuple[int, Json]:
        if intent_id not in self.intents:
            return _found(None)
        return 200, _list(self._refunds_of(intent_id), "/v1/refunds")

    def _refunds_of(self, intent_id: str) -> list[Json]:
        return [each for each in self.refunds.values() if each["payment_intent"] == intent_id]


def event(kind: str, about: Mapping[str, Any]) -> Json:
    """An event about a thing as it is at this moment."""
    told = json.loads(json.dumps(about))
    told.pop("client_secret", None)
    return {"id": f"evt_{kind}", "object": "event", "type": kind, "data": {"object": told}}


def signature(body: bytes, at: float, secret: str = WEBHOOK_SECRET) -> str:
    """Stripe's header: HMAC-SHA256 in hexadecimal over `<time>.<body>`."""
    signed = hmac.new(secret.encode(), f"{int(at)}.".encode() + body, hashlib.sha256)
    return f"t={int(at)},v1={signed.hexdigest()}"


def _metadata(sent: Mapping[str, str]) -> dict[str, str]:
    return {name[9:-1]: value for name, value in sent.items() if name.startswith("metadata[")}


def _counts(refund: Json) -> bool:
    return refund["status"] not in ("failed", "canceled")


def _found(thing: Json | None) -> tuple[int, Json]:
    return (200, thing) if thing else (404, _error("No such thing", code="resource_missing"))


def _list(data: list[Json], url: str) -> Json:
    return {"object": "list", "data": data, "has_more": False, "url": url}


def _error(message: str, *, kind: str = "invalid_request_error", code: str | None = None) -> Json:
    return {"error": {"message": message, "type": kind, "code": code}}


def _response(status: int, body: Json) -> Response:
    return Response(json.dumps(body), status, content_type="application/json")
