"""`POST .../test`: the `ping` is sent while its owner waits, and shown with its answer."""

import socket
import threading
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
from pytest_httpserver import HTTPServer
from standardwebhooks import Webhook
from werkzeug import Request, Response

from chalicelib.webhooks import delivering
from chalicelib.webhooks import store as webhooks
from tests.functional.conftest import Clock
from tests.support.gateway import Answer
from tests.support.lambdas import Killed, invoke
from tests.support.snapshot import snapshot
from tests.support.world import Json, World, created

ENDPOINTS = "/v1/webhook-endpoints"
DELIVERIES = "/v1/webhook-deliveries"


class Supplier:
    """A supplier whose server keeps what it is sent and answers as it is told to."""

    def __init__(self, world: World, server: HTTPServer) -> None:
        self.world = world
        self.api = world.supplier(world.add_supplier())
        self.received: list[Request] = []
        self.answer: Callable[[], Response] = lambda: Response("welcome", status=200)
        server.expect_request("/hook").respond_with_handler(self._take)
        self.endpoint = created(self.api.post(ENDPOINTS, {"url": server.url_for("/hook")}))
        self.path = f"{ENDPOINTS}/{self.endpoint['id']}"

    def _take(self, request: Request) -> Response:
        request.get_data()
        self.received.append(request)
        return self.answer()

    def answers(self, body: bytes | str, status: int, **headers: str) -> None:
        self.answer = lambda: Response(body, status=status, headers=headers)

    def test(self, key: str | None = None) -> Answer:
        answer = self.api.post(f"{self.path}/test", key=key)
        assert answer.status == 202, answer.text
        return answer

    def delivery(self, delivery_id: str) -> Json:
        return self.api.get(f"{DELIVERIES}/{delivery_id}").json


@pytest.fixture
def supplier(world: World, server: HTTPServer) -> Supplier:
    return Supplier(world, server)


def test_it_shows_what_was_sent_and_what_was_answered(supplier: Supplier) -> None:
    tested = supplier.test().json
    (heard,) = supplier.received
    assert tested["request"]["url"] == supplier.endpoint["url"]
    assert tested["request"]["body"].encode() == heard.get_data()
    assert {name: heard.headers[name] for name in tested["request"]["headers"]} == tested[
        "request"
    ]["headers"]
    assert tested["answer"]["status_code"] == 200
    assert tested["answer"]["body"] == "welcome"
    assert tested["answer"]["error"] is None
    assert tested["answer"]["duration_ms"] >= 0


def test_the_signature_it_shows_is_the_real_one_and_no_secret(supplier: Supplier) -> None:
    answer = supplier.test()
    sent, secret = answer.json["request"], supplier.endpoint["secret"]
    assert Webhook(secret).verify(sent["body"], sent["headers"])["type"] == "ping"
    assert secret not in answer.text
    assert secret.removeprefix("whsec_") not in answer.text


def test_the_delivery_is_stored_with_that_attempt(supplier: Supplier) -> None:
    tested = supplier.test().json
    stored = supplier.delivery(tested["id"])
    assert {name: tested[name] for name in stored} == stored
    assert (stored["event_type"], stored["status"]) == ("ping", "succeeded")
    (attempt,) = stored["attempts"]
    assert (attempt["status_code"], attempt["answer"]) == (200, "welcome")
    supplier.world.work()
    assert len(supplier.received) == 1


def test_a_failure_is_shown_and_not_tried_again(supplier: Supplier, time: Clock) -> None:
    supplier.answers("no such hook", 404)
    tested = supplier.test().json
    assert (tested["status"], tested["next_attempt_at"], tested["waits"]) == (
        "exhausted",
        None,
        False,
    )
    assert tested["answer"]["status_code"] == 404
    assert tested["answer"]["body"] == "no such hook"
    assert tested["answer"]["error"] == "answered 404"
    time.move_on(minutes=10)
    invoke("webhook_sweep")
    supplier.world.work()
    assert len(supplier.received) == 1


def test_where_nobody_answers_it_says_why(supplier: Supplier) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        gone = f"http://127.0.0.1:{free.getsockname()[1]}/"
    assert supplier.api.patch(supplier.path, {"url": gone}).status == 200
    tested = supplier.test().json
    assert tested["answer"]["status_code"] is None
    assert tested["answer"]["error"] == "connection refused"
    assert tested["request"]["url"] == gone


def test_a_redirect_is_shown_and_not_followed(supplier: Supplier) -> None:
    supplier.answers("", 302, Location="http://169.254.169.254/latest/meta-data/")
    tested = supplier.test().json
    assert (tested["status"], tested["answer"]["status_code"]) == ("exhausted", 302)


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b"x" * 300, "x" * 256),
        ("grüße".encode(), "grüße"),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"a\x00b\x1b[31mc\r\nd", "a\ufffdb\ufffd[31mc  d"),
        ("safe\u202etxt.exe".encode(), "safe\ufffdtxt.exe"),
        (b"", ""),
    ],
)
def test_an_answer_is_shown_in_part_and_made_harmless(
    supplier: Supplier, body: bytes, shown: str
) -> None:
    supplier.answers(body, 200)
    assert supplier.test().json["answer"]["body"] == shown


def test_a_disabled_endpoint_is_called_too(supplier: Supplier) -> None:
    """Its owner wants to know whether it can be enabled again."""
    supplier.api.patch(supplier.path, {"status": "disabled"})
    tested = supplier.test().json
    assert (tested["status"], tested["answer"]["status_code"]) == ("succeeded", 200)
    assert supplier.api.get(supplier.path).json["status"] == "disabled"


def test_gone_disables_the_endpoint(supplier: Supplier) -> None:
    supplier.answers("", 410)
    assert supplier.test().json["status"] == "exhausted"
    assert supplier.api.get(supplier.path).json["status"] == "disabled"


def test_a_secret_that_was_rotated_signs_beside_the_old_one(supplier: Supplier) -> None:
    new = supplier.api.post(f"{supplier.path}/rotate-secret").json["secret"]
    sent = supplier.test().json["request"]
    for secret in (supplier.endpoint["secret"], new):
        assert Webhook(secret).verify(sent["body"], sent["headers"])


@pytest.mark.parametrize("status", [200, 404, 410])
def test_the_same_key_sends_one_ping_and_shows_the_same(supplier: Supplier, status: int) -> None:
    supplier.answers("so it is", status)
    first = supplier.test(key="one")
    again = supplier.test(key="one")
    assert again.json == first.json
    assert again.headers["idempotent-replayed"] == "true"
    assert len(supplier.received) == 1
    assert "webhook-signature" not in str(snapshot(supplier.world.environment))


@pytest.mark.parametrize("change", ["address", "secret"])
def test_what_was_sent_is_not_made_up_once_the_endpoint_has_changed(
    supplier: Supplier, change: str
) -> None:
    first = supplier.test(key="one").json
    if change == "address":
        elsewhere = supplier.endpoint["url"] + "?new"
        assert supplier.api.patch(supplier.path, {"url": elsewhere}).status == 200
    else:
        assert supplier.api.post(f"{supplier.path}/rotate-secret").status == 200
    again = supplier.test(key="one").json
    assert (again["request"], again["answer"]) == (None, first["answer"])


def test_a_repeat_that_comes_during_the_call_sends_nothing(supplier: Supplier) -> None:
    """Its own answer is not there yet, and neither is an attempt to be shown."""
    during: list[Answer] = []

    def ask_again() -> Response:
        repeat = threading.Thread(target=lambda: during.append(supplier.test(key="one")))
        repeat.start()
        repeat.join(20)
        return Response(status=204)

    supplier.answer = ask_again
    first = supplier.test(key="one").json
    (repeat,) = during
    assert (repeat.json["id"], repeat.json["status"]) == (first["id"], "pending")
    assert (repeat.json["request"], repeat.json["answer"]) == (None, None)
    assert len(supplier.received) == 1


@pytest.mark.parametrize("before_the_call", [True, False])
def test_a_ping_whose_caller_dies_is_sent_all_the_same(
    supplier: Supplier, time: Clock, before_the_call: bool
) -> None:
    deliver = delivering.deliver

    def dying(*arguments: Any) -> bool:
        if not before_the_call:
            with mock.patch.object(webhooks, "replace_delivery", side_effect=Killed):
                deliver(*arguments)
        raise Killed

    with mock.patch.object(delivering, "deliver", dying), pytest.raises(Killed):
        supplier.api.post(f"{supplier.path}/test", key="one")
    time.move_on(minutes=2)
    invoke("webhook_sweep")
    supplier.world.work()
    assert len(supplier.received) == (1 if before_the_call else 2)
    assert len({each.headers["webhook-id"] for each in supplier.received}) == 1
    shown = supplier.test(key="one").json
    assert (shown["status"], shown["answer"]["status_code"]) == ("succeeded", 200)


def test_a_name_that_points_inside_by_now_is_not_called(supplier: Supplier) -> None:
    """The test must not become a way to look at what only Tuan can reach."""
    hook = {"url": "https://hooks.supplier.example/in"}
    with pointing_to("93.184.216.34"):
        endpoint = created(supplier.api.post(ENDPOINTS, hook))
    with pointing_to("169.254.169.254"):
        tested = supplier.api.post(f"{ENDPOINTS}/{endpoint['id']}/test").json
    assert tested["answer"]["status_code"] is None
    assert "not public" in tested["answer"]["error"]
    assert "169.254" not in tested["answer"]["error"]


def pointing_to(address: str) -> Any:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443))]
    return mock.patch.object(socket, "getaddrinfo", return_value=found)
