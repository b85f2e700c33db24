"""The demo's client keeps its key over every try and raises what it cannot mend."""

import httpx
import pytest

from infra.demo import client
from infra.demo.client import Api, Problem


def api(*answers: httpx.Response | httpx.TransportError, seen: list[httpx.Request]) -> Api:
    left = iter(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        given = next(left)
        if isinstance(given, httpx.TransportError):
            raise given
        return given

    transport = httpx.MockTransport(answer)
    return Api(httpx.Client(base_url="http://stack/api", transport=transport), "secret")


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    slept: list[float] = []
    monkeypatch.setattr("infra.demo.client.time.sleep", slept.append)
    return slept


def test_a_pressed_store_is_asked_again_with_the_same_key(pauses: list[float]) -> None:
    seen: list[httpx.Request] = []
    pressed = httpx.Response(503, headers={"Retry-After": "2"})
    calls = api(pressed, httpx.ReadTimeout("lost"), httpx.Response(201, json={"id": 1}), seen=seen)
    assert calls.create("/v1/orders", {"a": 1}) == {"id": 1}
    assert len({request.headers["idempotency-key"] for request in seen}) == 1
    assert [request.url.path for request in seen] == ["/api/v1/orders"] * 3
    assert pauses[0] >= 2
    assert calls.traffic["retries"] == 2


def test_two_creations_have_two_keys() -> None:
    seen: list[httpx.Request] = []
    calls = api(httpx.Response(201, json={}), httpx.Response(201, json={}), seen=seen)
    calls.create("/v1/orders", {})
    calls.create("/v1/orders", {})
    first, second = (request.headers["idempotency-key"] for request in seen)
    assert first != second


def test_a_problem_carries_its_code_and_request() -> None:
    problem = {"status": 409, "code": "out_of_stock", "detail": "no more"}
    answer = httpx.Response(409, json=problem, headers={"X-Request-Id": "req_1"})
    with pytest.raises(Problem, match=r"409 out_of_stock no more \(request req_1\)") as caught:
        api(answer, seen=[]).create("/v1/orders", {})
    assert (caught.value.status, caught.value.code) == (409, "out_of_stock")


def test_a_store_that_stays_pressed_is_given_up(
    pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "PATIENCE_SECONDS", 1.0)
    pressed = httpx.Response(503, headers={"Retry-After": "2"})
    with pytest.raises(Problem, match="503"):
        api(pressed, seen=[]).get("/v1/orders")
    assert pauses == []


def test_an_api_that_cannot_be_reached_is_told(pauses: list[float]) -> None:
    gone = httpx.ConnectError("refused")
    with pytest.raises(httpx.ConnectError):
        api(gone, gone, gone, seen=[]).get("/v1/orders")
    assert len(pauses) == 2


def test_a_listing_follows_its_cursors() -> None:
    seen: list[httpx.Request] = []
    first = httpx.Response(200, json={"items": [{"id": 1}], "next_cursor": "c"})
    last = httpx.Response(200, json={"items": [{"id": 2}], "next_cursor": None})
    assert list(api(first, last, seen=seen).listing("/v1/orders")) == [{"id": 1}, {"id": 2}]
    assert [request.url.params.get("cursor") for request in seen] == [None, "c"]
