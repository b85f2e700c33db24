"""Plays the local payment provider: `python -m infra.local.pay PAYMENT_ID [EVENT_ID]`.

Looks up what the payment's order costs, sends the provider's signed `payment.succeeded`, and says
what became of it. Each call tells of another receipt; with the event's id it tells of the same
one again.
"""

import json
import re
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

from chalicelib.kernel.currencies import written
from infra.failures import Fixable, exit_code_of
from infra.local.credentials import payment_event, token
from infra.local.stack import current, running

AGAIN = "This event was taken before: nothing changed."
# What is said of money that an order does not wait for, by the kind of the case about it.
SENT_BACK = {
    "second_payment": "{order} was paid before: the second payment was taken and goes back",
    "wrong_method": "{order} is paid to its leader, who tells of it with "
    "POST /v1/orders/{order}/payments: this payment was taken and goes back",
}
OTHERWISE_SENT_BACK = "{order} does not wait for this money: it was taken and goes back"


def main() -> None:
    payment_id, event_id = [*sys.argv[1:], "", ""][:2]
    if not re.fullmatch(r"pay_\w+", payment_id, re.ASCII):
        raise Fixable(f"PAYMENT is a payment's id, pay_..., not {payment_id!r}")
    if event_id and not re.fullmatch(r"evt_[\w.-]{1,60}", event_id, re.ASCII):
        raise Fixable(
            f"EVENT is the id that an earlier call printed, evt_..., and sends that "
            f"payment.succeeded again, not {event_id!r}; other kinds are not played"
        )
    running()
    pay(payment_id, event_id or None)


def pay(payment_id: str, event_id: str | None) -> None:
    before = get_order(payment_id)
    amount, currency = before["total"], before["currency"]
    headers, body = payment_event(payment_id, amount, currency, event_id=event_id)
    receipt = f"local:{json.loads(body)['data']['reference']}"
    known = event_id and case_about(receipt)
    send("POST", "/v1/payment-events/local", headers, body)
    event = headers["webhook-id"]
    paid = written(amount, currency)
    print(f"sent payment.succeeded of {paid} for {payment_id} (EVENT={event})")
    print(AGAIN if known else outcome(before, get_order(payment_id), receipt))


def outcome(before: Any, after: Any, receipt: str) -> str:
    """What became of the money, in a sentence."""
    order, was, is_now = before["id"], before["status"], after["status"]
    if was != is_now:
        back = ": the money goes back" if is_now == "refunded" else ""
        return f"{order} was {was} and is {is_now}{back}."
    case = case_about(receipt)
    if case is None:
        return AGAIN
    said = SENT_BACK.get(case["kind"], OTHERWISE_SENT_BACK).format(order=order)
    return f"{said}, as the case {case['id']} ({case['kind']}) says. The order stays {is_now}."


def case_about(receipt: str) -> Any:
    """The case about a receipt that no order waited for, if there is one."""
    return next((case for case in cases() if case["subject"] == receipt), None)


def cases() -> Iterator[Any]:
    cursor = ""
    while True:
        page = send("GET", f"/v1/cases?limit=100{cursor}", as_operator())
        yield from page["items"]
        if not page["next_cursor"]:
            return
        cursor = f"&cursor={page['next_cursor']}"


def get_order(payment_id: str) -> Any:
    try:
        return send("GET", f"/v1/orders/ord_{payment_id.removeprefix('pay_')}", as_operator())
    except Refused as refused:
        if refused.status == 404:
            raise Fixable(
                f"There is no payment {payment_id}: an order shows its own as payment.id."
            ) from refused
        raise


def as_operator() -> dict[str, str]:
    return {"authorization": f"Bearer {token('operator', 'make-pay')}"}


class Refused(Fixable):
    """The API did not do it."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(said)
        self.status = status


def send(method: str, path: str, headers: dict[str, str], body: bytes | None = None) -> Any:
    url = current().base_url + path
    request = urllib.request.Request(url, data=body, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        said = f"{method} {path}: {error.code} {error.read().decode()}"
        raise Refused(error.code, said) from error
    except OSError as error:
        raise Fixable(f"{method} {url}: {error}; is the local stack up?") from error


if __name__ == "__main__":
    sys.exit(exit_code_of(main))
