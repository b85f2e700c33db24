"""The demo's suppliers: signatures, repeats, rejection, and failures that are told."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from infra.demo.client import Api
from infra.demo.supplier import Desk, Refused, Supplier

SECRET = "whsec_" + base64.b64encode(b"demo supplier's secret!!").decode()
STATES = {"accept": "accepted", "reject": "rejected", "ship": "shipped", "deliver": "delivered"}


def signed(body: bytes, webhook_id: str = "msg_1") -> dict[str, str]:
    now = datetime.now(UTC)
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(SECRET).sign(webhook_id, now, body.decode()),
    }


def created(dispatch_id: str = "dsp_1", sku: str = "milk") -> bytes:
    data: dict[str, Any] = {"dispatch_id": dispatch_id, "lines": [{"supplier_sku": sku}]}
    return json.dumps({"type": "dispatch.created", "data": data}).encode()


def desk(calls: list[tuple[str, Any]], status: int = 200) -> Desk:
    def answer(request: httpx.Request) -> httpx.Response:
        verb = request.url.path.rpartition("/")[2]
        calls.append((verb, json.loads(request.content)))
        return httpx.Response(status, json={"status": STATES[verb]})

    http = httpx.Client(base_url="http://stack", transport=httpx.MockTransport(answer))
    made = Desk(Api(http))
    made.know(Supplier("sup_1", SECRET, "tsk_1", sold_out=("cake",)))
    return made


def test_a_dispatch_is_accepted_shipped_and_delivered() -> None:
    calls: list[tuple[str, Any]] = []
    suppliers = desk(calls)
    suppliers.take("sup_1", signed(created()), created())
    suppliers.finish()
    assert [verb for verb, _ in calls] == ["accept", "ship", "deliver"]
    assert calls[1][1] == {"carrier": "Demo Express", "tracking_number": "DXDSP_1"}
    assert suppliers.report().delivered == 1


def test_what_is_sold_out_is_rejected_with_a_reason() -> None:
    calls: list[tuple[str, Any]] = []
    suppliers = desk(calls)
    body = created(sku="cake")
    suppliers.take("sup_1", signed(body), body)
    suppliers.finish()
    assert calls == [("reject", {"reason": "sold out: cake"})]


@pytest.mark.parametrize("second", ["msg_1", "msg_2"])
def test_a_repeat_by_webhook_or_by_dispatch_is_dropped(second: str) -> None:
    calls: list[tuple[str, Any]] = []
    suppliers = desk(calls)
    suppliers.take("sup_1", signed(created()), created())
    suppliers.take("sup_1", signed(created(), second), created())
    suppliers.finish()
    assert len(calls) == 3
    assert suppliers.report().repeats == 1


@pytest.mark.parametrize(
    "spoilt",
    [
        {"webhook-signature": "v1,AAAA"},
        {"webhook-signature": "nonsense"},
        {"webhook-signature": "v1,é"},
        {"webhook-timestamp": "1"},
        {"webhook-id": ""},
    ],
)
def test_a_bad_signature_is_refused(spoilt: dict[str, str]) -> None:
    calls: list[tuple[str, Any]] = []
    suppliers = desk(calls)
    with pytest.raises(Refused, match="bad signature"):
        suppliers.take("sup_1", signed(created()) | spoilt, created())
    suppliers.finish()
    assert calls == []


def test_an_unknown_supplier_is_refused() -> None:
    with pytest.raises(Refused, match="no supplier"):
        desk([]).take("sup_2", signed(created()), created())


def test_a_call_that_fails_is_reported() -> None:
    suppliers = desk([], status=409)
    suppliers.take("sup_1", signed(created()), created())
    suppliers.finish()
    report = suppliers.report()
    assert report.delivered == 0
    assert "409" in report.what_failed()
