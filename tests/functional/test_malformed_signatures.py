"""The provider's route never fails of a signature that is none, and never believes one."""

import json
import time

from tests.support.malformed import malformed
from tests.support.snapshot import snapshot
from tests.support.world import World

PATH = "/v1/payment-events/local"


def test_no_malformed_signature_is_believed_or_makes_it_fail(world: World) -> None:
    order = world.place(world.sale())
    paid = {
        "payment_id": order["payment"]["id"],
        "amount": order["total"],
        "currency": order["currency"],
        "reference": "ch_1",
    }
    body = json.dumps({"id": "evt_1", "type": "payment.succeeded", "data": paid})
    good = world.signed("evt_1", body, time.time())
    bad = malformed(good)
    assert len(bad) >= 40
    before = snapshot(world.environment)
    answers = {}
    for what, headers in bad.items():
        answer = world.anyone.send("POST", PATH, body.encode(), headers)
        answers[what] = (answer.status, answer.code)
    assert answers == dict.fromkeys(bad, (400, "invalid_signature"))
    assert snapshot(world.environment) == before
    assert world.anyone.send("POST", PATH, body.encode(), good).status == 200
    assert world.order(order["id"])["status"] == "paid"
