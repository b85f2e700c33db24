"""What operators and suppliers do about webhooks that went wrong, on the deployed application."""

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from chalicelib.platform.queues import MAX_RECEIVES
from tests.support.deployed import DeployedWorld, until
from tests.support.world import Api, Json, created

ENDPOINTS, DELIVERIES = "/v1/webhook-endpoints", "/v1/webhook-deliveries"
STRANGER = {"type": "order.paid", "subject": "ord_unknown", "data": {}}


def test_a_dead_letter_is_told_with_its_cause_and_sent_back(world: DeployedWorld) -> None:
    world.invoke("DispatchCreate", STRANGER, receive_count=MAX_RECEIVES)
    path = "/v1/dead-letters/dispatch-create"
    found = world.operator.get(path)
    assert found.status == 200, found.text
    (message,) = found.json["messages"]
    assert message["cause"]["failure"]
    assert "dispatch/workers.py" in " ".join(message["cause"]["trace"])
    listed = world.operator.get("/v1/dead-letters?limit=100").json["items"]
    assert {each["queue"]: each["count"] for each in listed if each["count"]} == {
        "dispatch-create": 1
    }
    with world.without("DispatchCreate"):
        moved = world.operator.post(f"{path}/redrive")
        assert (moved.status, moved.json["moved"], moved.json["left"]) == (200, 1, 0)
        assert world.messages("DISPATCH_CREATE") == [STRANGER]


@pytest.fixture
def supplier(world: DeployedWorld) -> Api:
    return world.supplier(world.add_supplier())


def test_an_endpoint_is_tested_mended_and_replayed_to(
    world: DeployedWorld, supplier: Api, server: HTTPServer
) -> None:
    server.expect_ordered_request("/hook").respond_with_response(Response("no", status=410))
    server.expect_ordered_request("/hook").respond_with_response(Response("yes", status=200))
    endpoint = created(supplier.post(ENDPOINTS, {"url": server.url_for("/hook")}))
    path = f"{ENDPOINTS}/{endpoint['id']}"
    tested = supplier.post(f"{path}/test")
    assert (tested.status, tested.json["answer"]["status_code"]) == (202, 410), tested.text
    assert supplier.get(path).json["status"] == "disabled"
    assert supplier.patch(path, {"status": "active"}).status == 200
    named = {"endpoint_id": endpoint["id"], "delivery_ids": [tested.json["id"]]}
    replay = supplier.post(f"{DELIVERIES}/replays", named)
    assert replay.status == 202, replay.text

    def state() -> Json:
        return supplier.get(f"{DELIVERIES}/replays/{replay.json['id']}").json

    until(lambda: state()["status"] == "completed", "the replay is completed")
    assert (state()["total"], state()["done"]) == (1, 1)
    world.work()
    heard = supplier.get(f"{DELIVERIES}/{tested.json['id']}").json
    assert [each["status_code"] for each in heard["attempts"]] == [410, 200]
    stats = supplier.get(f"{path}/stats").json
    assert (stats["attempts"], stats["success_rate_bps"]) == (2, 5_000)
