"""What goes wrong is told in one shape, with an id to find it by, and tells no secrets."""

import re

import pytest

from chalicelib.parties import service
from infra.template.compose import load
from tests.support.gateway import own_answer
from tests.support.world import World

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.mark.parametrize("sent", ["my-request-1", "!", "~" * 128, "0af7651916cd43dd"])
def test_a_request_id_that_is_sent_comes_back(world: World, sent: str) -> None:
    for answer in (
        world.operator.get("/v1/suppliers", **{"X-Request-Id": sent}),
        world.operator.get("/v1/suppliers/sup_0", **{"X-Request-Id": sent}),
        world.customer().get("/v1/suppliers", **{"X-Request-Id": sent}),
        world.anyone.get("/health", **{"X-Request-Id": sent}),
    ):
        assert answer.headers["x-request-id"] == sent


@pytest.mark.parametrize("sent", ["", " ", "two words", "caf\u00e9", "a\nb", "x" * 129])
def test_a_request_id_that_cannot_be_logged_is_replaced(world: World, sent: str) -> None:
    answer = world.operator.get("/v1/suppliers", **{"X-Request-Id": sent})
    assert UUID.fullmatch(answer.headers["x-request-id"])


def test_every_answer_has_a_request_id_of_its_own(world: World) -> None:
    answers = [world.operator.get("/v1/suppliers") for _ in range(3)]
    answers.append(world.operator.get("/v1/suppliers/sup_0"))
    answers.append(world.anyone.get("/v1/suppliers"))
    assert len({answer.headers["x-request-id"] for answer in answers}) == 5


def test_a_problem_names_its_kind_and_all_fields_at_once(world: World) -> None:
    answer = world.operator.post("/v1/suppliers", {"name": "", "currency": "XXX", "fax": "1"})
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json
    assert (problem["status"], problem["code"]) == (422, "invalid_request")
    assert problem["type"].endswith("invalid_request")
    assert problem["title"]
    fields = {each["field"] for each in problem["errors"]}
    assert fields == {"name", "email", "currency", "fax"}
    assert all(each["message"] for each in problem["errors"])


def test_a_problem_never_repeats_what_was_sent(world: World) -> None:
    phone = "no-phone-but-a-secret"
    sale = world.sale()
    body = world.order_body(sale)
    body["ship_to"] = {**body["ship_to"], "phone": phone}
    answer = world.customer().post("/v1/orders", body)
    assert answer.status == 422
    assert phone not in answer.text


def test_a_422_names_fields_or_none(world: World) -> None:
    """`errors` stands on every 422; a key that was used for another request is no field."""
    body = {"name": "A", "email": "a@b.example", "currency": "EUR"}
    world.operator.post("/v1/suppliers", body, key="k")
    reused = world.operator.post("/v1/suppliers", {**body, "name": "B"}, key="k")
    assert (reused.status, reused.code) == (422, "idempotency_key_reused")
    assert reused.json["errors"] == []


@pytest.mark.parametrize("kind", ["UNAUTHORIZED", "INVALID_API_KEY", "EXPIRED_TOKEN"])
def test_who_is_not_let_in_is_told_what_to_send(kind: str) -> None:
    assert "as 'Authorization: Bearer ...'." in own_answer(kind).json["detail"]


def test_a_path_or_a_method_that_is_not_there_is_not_found(world: World) -> None:
    for method, path in (("GET", "/v1/nothing"), ("GET", "/"), ("DELETE", "/v1/orders")):
        answer = world.operator.send(method, path, None, {})
        assert (answer.status, answer.code) == (404, "not_found")


def test_what_the_gateway_answers_by_itself_is_a_problem_too() -> None:
    for kind in load("gateway"):
        answer = own_answer(kind)
        problem = answer.json
        assert set(problem) == {"type", "title", "status", "detail", "code"}, kind
        assert problem["status"] == answer.status, kind
        assert answer.headers["content-type"] == "application/problem+json", kind
        assert answer.headers["x-request-id"], kind
        assert ("retry-after" in answer.headers) == (answer.status in (429, 503)), kind


def test_a_fault_of_ours_tells_nothing_of_its_insides(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("the secret of Alice Doe, +49 30 1234567")

    monkeypatch.setattr(service, "supplier", fail)
    answer = world.operator.get("/v1/suppliers/sup_1")
    assert (answer.status, answer.code) == (500, "internal_error")
    assert "Alice" not in answer.text
    assert "RuntimeError" not in answer.text
