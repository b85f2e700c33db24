"""A dispatch is told once more: the same body and id where it was told, anew where it was not."""

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from tests.support.dispatching import dispatch_in
from tests.support.gateway import Answer
from tests.support.snapshot import snapshot
from tests.support.world import Api, Json, World, created

Heard = list[tuple[str, str, bytes]]


@pytest.fixture
def heard(server: HTTPServer) -> Heard:
    """Path, id and body of what suppliers were sent."""
    found: Heard = []

    def hear(request: Request) -> Response:
        found.append((request.path, request.headers["webhook-id"], request.data))
        return Response(status=204)

    for path in ("/one", "/two"):
        server.expect_request(path).respond_with_handler(hear)
    return found


def listen(server: HTTPServer, supplier: Api, path: str, **changes: Json) -> Json:
    hook = {"url": server.url_for(path), **changes}
    return created(supplier.post("/v1/webhook-endpoints", hook))


def resend(caller: Api, dispatch: Json, key: str | None = None) -> Answer:
    return caller.post(f"/v1/dispatches/{dispatch['id']}/resend", key=key)


def test_it_is_sent_again_under_its_id_and_to_endpoints_made_since(
    world: World, server: HTTPServer, heard: Heard
) -> None:
    sale = world.sale()
    supplier = world.supplier(sale.supplier_id)
    listen(server, supplier, "/one")
    dispatch = dispatch_in(world, "created", sale)
    world.work()
    (first,) = heard
    listen(server, supplier, "/two")
    answer = resend(world.operator, dispatch)
    assert answer.status == 202, answer.text
    assert answer.json["dispatch_id"] == dispatch["id"]
    assert {each["status"] for each in answer.json["deliveries"]} == {"pending"}
    world.work()
    again, new = sorted(heard[1:])
    assert again == first
    assert (new[0], new[1] != first[1]) == ("/two", True)
    told = {each["id"] for each in answer.json["deliveries"]}
    assert told == {again[1], new[1]}
    assert resend(supplier, dispatch).status == 202
    world.work()
    assert sorted(heard[3:]) == [again, new]


def test_an_accepted_dispatch_is_still_told_as_the_first_version(
    world: World, server: HTTPServer, heard: Heard
) -> None:
    sale = world.sale()
    dispatch = dispatch_in(world, "accepted", sale)
    world.work()
    listen(server, world.supplier(sale.supplier_id), "/one")
    assert resend(world.operator, dispatch).status == 202
    world.work()
    ((_, _, body),) = heard
    assert b'"type":"dispatch.created"' in body
    assert b'"version":1' in body


def test_what_waits_for_its_first_attempt_is_only_asked_for_again(
    world: World, server: HTTPServer, heard: Heard
) -> None:
    sale = world.sale()
    listen(server, world.supplier(sale.supplier_id), "/one")
    dispatch = dispatch_in(world, "created", sale)
    world.messages("WEBHOOK_ATTEMPT")  # lost
    for _ in range(3):
        resend(world.operator, dispatch)
    world.work()
    assert len({webhook_id for _, webhook_id, _ in heard}) == 1


def test_a_key_resends_once(world: World, server: HTTPServer, heard: Heard) -> None:
    sale = world.sale()
    listen(server, world.supplier(sale.supplier_id), "/one")
    dispatch = dispatch_in(world, "created", sale)
    world.work()
    answers = [resend(world.operator, dispatch, key="once") for _ in range(2)]
    world.work()
    assert answers[0].text == answers[1].text
    assert len(heard) == 2


@pytest.mark.parametrize("state", ["shipped", "delivered", "rejected", "cancelled"])
def test_what_is_not_to_be_shipped_is_not_told_again(
    world: World, server: HTTPServer, heard: Heard, state: str
) -> None:
    sale = world.sale()
    listen(server, world.supplier(sale.supplier_id), "/one")
    dispatch = dispatch_in(world, state, sale)
    world.work()
    heard.clear()
    stored = snapshot(world.environment)
    answer = resend(world.operator, dispatch)
    assert (answer.status, answer.code) == (409, "dispatch_not_open")
    assert snapshot(world.environment) == stored
    world.work()
    assert heard == []


def test_somebody_must_be_there_to_hear(world: World, server: HTTPServer) -> None:
    sale = world.sale()
    supplier = world.supplier(sale.supplier_id)
    dispatch = dispatch_in(world, "created", sale)
    assert resend(world.operator, dispatch).code == "endpoint_not_active"
    other = listen(server, supplier, "/one", event_types=["dispatch.cancelled"])
    assert resend(world.operator, dispatch).code == "endpoint_not_active"
    path = f"/v1/webhook-endpoints/{other['id']}"
    supplier.patch(path, {"event_types": [], "status": "disabled"})
    assert resend(world.operator, dispatch).code == "endpoint_not_active"
    supplier.patch(path, {"status": "active"})
    assert resend(world.operator, dispatch).status == 202


def test_another_suppliers_dispatch_is_not_there(world: World) -> None:
    dispatch = dispatch_in(world, "created")
    assert resend(world.supplier(world.add_supplier()), dispatch).code == "not_found"
