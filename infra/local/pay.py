"""Plays the local payment provider: `python -m infra.local.pay PAYMENT_ID [EVENT_ID]`.

Looks up what the payment's order costs, and sends the provider's signed `payment.succeeded`. Each
call tells of another receipt; with the event's id it tells of the same one again.
"""

import argparse
import json
import sys
import urllib.error
import urllib.request
from typing import Any

from infra.failures import Fixable, exit_code_of
from infra.local.credentials import payment_event, token
from infra.local.stack import current


def main() -> None:
    parser = argparse.ArgumentParser(prog="make pay", description=__doc__)
    parser.add_argument("payment", help="PAYMENT: the payment's id, pay_...")
    parser.add_argument("event", nargs="?", help="EVENT: the id of an event to send again")
    arguments = parser.parse_args()
    pay(arguments.payment, arguments.event or None)


def pay(payment_id: str, event_id: str | None) -> None:
    order_id = order_of(payment_id)
    order = get_order(order_id)
    amount, currency = order["total"], order["currency"]
    headers, body = payment_event(payment_id, amount, currency, event_id=event_id)
    send("POST", "/v1/payment-events/local", headers, body)
    event = headers["webhook-id"]
    print(f"{order_id} was {order['status']}")
    print(f"sent payment.succeeded of {amount} {currency} for {payment_id} (EVENT={event})")
    print(f"{order_id} is {get_order(order_id)['status']}")


def order_of(payment_id: str) -> str:
    prefix, _, suffix = payment_id.partition("_")
    if prefix != "pay" or not suffix:
        raise Fixable(f"PAYMENT is a payment's id, pay_..., not {payment_id!r}")
    return f"ord_{suffix}"


def get_order(order_id: str) -> Any:
    bearer = {"authorization": f"Bearer {token('operator', 'make-pay')}"}
    return send("GET", f"/v1/orders/{order_id}", bearer)


def send(method: str, path: str, headers: dict[str, str], body: bytes | None = None) -> Any:
    url = current().base_url + path
    request = urllib.request.Request(url, data=body, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise Fixable(f"{method} {path}: {error.code} {error.read().decode()}") from error
    except urllib.error.URLError as error:
        raise Fixable(f"{method} {url}: {error.reason}; is the local stack up?") from error


if __name__ == "__main__":
    sys.exit(exit_code_of(main))
