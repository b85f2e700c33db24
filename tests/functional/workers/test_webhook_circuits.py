"""An endpoint that goes on failing is spared: what it must hear waits, one at a time tries whether
it answers again, and then it hears all of it in order."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import cycle, pairwise
from typing import Any
from unittest import mock

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from chalicelib.webhooks import endpoint_store, recovering
from chalicelib.webhooks import store as webhooks
from tests.functional.workers.conftest import StillClock
from tests.support.lambdas import handle, invoke
from tests.support.told import Supplier, Telling, telling
from tests.support.world import Json, World


@pytest.fixture
def told(world: World, time: StillClock) -> Iterator[Telling]:
    with telling(world, time) as made:
        yield made


@pytest.fixture
def supplier(world: World, server: HTTPServer) -> Supplier:
    return Supplier(world, server)


def open_circuit(told: Telling, supplier: Supplier, deliveries: int = 5) -> list[str]:
    """So many deliveries that have failed once each."""
    supplier.answers(503)
    made = [told.tell(supplier, dispatch=n) for n in range(deliveries)]
    told.work()
    assert supplier.endpoint()["circuit"] == "open"
    return made


def waiting(supplier: Supplier) -> list[str]:
    """What its open circuit holds back, the oldest first."""
    found = [each["id"] for each in supplier.deliveries() if each["waits"]]
    return found[::-1]


def test_it_opens_when_several_deliveries_have_failed_in_a_row(
    told: Telling, supplier: Supplier
) -> None:
    supplier.answers(503)
    for n in range(4):
        told.tell(supplier, dispatch=n)
        told.work()
        assert supplier.endpoint()["circuit"] == "closed"
    told.tell(supplier, dispatch=4)
    told.work()
    assert supplier.endpoint()["circuit"] == "open"


def test_one_delivery_alone_goes_through_its_whole_schedule(
    told: Telling, supplier: Supplier, time: StillClock
) -> None:
    supplier.answers(503)
    delivery_id = told.tell(supplier)
    told.go_on(hours=92)
    delivery = supplier.delivery(delivery_id)
    assert (delivery["status"], len(delivery["attempts"])) == ("exhausted", 10)
    assert supplier.heard == [delivery_id] * 10
    assert supplier.endpoint()["circuit"] == "closed"


def test_an_answer_in_between_keeps_the_circuit_closed(told: Telling, supplier: Supplier) -> None:
    answers = cycle([503, 503, 503, 503, 200])
    supplier.answer = lambda _: Response(status=next(answers))
    for n in range(12):
        told.tell(supplier, dispatch=n)
        told.work()
        assert supplier.endpoint()["circuit"] == "closed"


def test_what_is_due_while_it_is_open_waits_and_uses_up_nothing_of_its_schedule(
    told: Telling, supplier: Supplier
) -> None:
    made = open_circuit(told, supplier)
    heard = len(supplier.heard)
    told.go_on(seconds=30)
    assert len(supplier.heard) == heard
    for delivery_id in made:
        delivery = supplier.delivery(delivery_id)
        assert (delivery["status"], delivery["waits"]) == ("pending", True)
        assert len(delivery["attempts"]) == 1
    assert waiting(supplier) == made


def test_what_happens_while_it_is_open_waits_from_its_beginning(
    told: Telling, supplier: Supplier
) -> None:
    open_circuit(told, supplier)
    heard = len(supplier.heard)
    new = told.tell(supplier, dispatch=9)
    assert told.mail.is_empty()
    delivery = supplier.delivery(new)
    assert (delivery["status"], delivery["waits"], delivery["attempts"]) == ("pending", True, [])
    assert len(supplier.heard) == heard


def test_one_at_a_time_tries_it_another_one_each_time_and_less_and_less_often(
    told: Telling, supplier: Supplier, time: StillClock
) -> None:
    made = open_circuit(told, supplier)
    told.go_on(seconds=30)
    supplier.heard.clear()
    at, started = list[float](), time.at

    def answer(_: Request) -> Response:
        at.append((time.at - started) / timedelta(minutes=1))
        return Response(status=503)

    supplier.answer = answer
    told.go_on(hours=3)
    assert supplier.heard[:6] == [*made, made[0]]
    waits = [after - before for before, after in pairwise(at)]
    # Twice as long each time, a fifth less at most, and then half an hour; a sweep is a minute.
    for wait, step in zip(waits, [2, 4, 8, 16, 30, 30], strict=False):
        assert 0.8 * step <= wait <= step + 2
    assert all(len(supplier.delivery(each)["attempts"]) >= 2 for each in made)
    assert waiting(supplier) == made


def test_a_probe_that_is_heard_brings_the_others_oldest_first_and_by_version(
    told: Telling, supplier: Supplier
) -> None:
    open_circuit(told, supplier)
    told.go_on(seconds=30)
    later = [
        told.tell(supplier, dispatch=7, version=2),
        told.tell(supplier, dispatch=7, version=1),
        told.tell(supplier, dispatch=8, version=1),
    ]
    made = waiting(supplier)
    supplier.heard.clear()
    supplier.answers(200)
    told.go_on(minutes=3)
    second, first, other = later
    assert supplier.heard == [*made[:5], first, second, other]
    assert {each["status"] for each in supplier.deliveries()} == {"succeeded"}
    assert waiting(supplier) == []
    assert supplier.endpoint()["circuit"] == "closed"


def test_more_than_a_page_of_what_waits_is_delivered(
    told: Telling, supplier: Supplier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovering, "PAGE", 3)
    made = open_circuit(told, supplier, 8)
    told.go_on(seconds=30)
    supplier.answers(200)
    told.go_on(minutes=3)
    assert sorted(set(supplier.heard)) == sorted(made)
    assert {each["status"] for each in supplier.deliveries()} == {"succeeded"}


def test_one_that_is_always_refused_blocks_none_of_the_others(
    told: Telling, supplier: Supplier
) -> None:
    refused, *others = open_circuit(told, supplier)
    told.go_on(seconds=30)

    def answer(request: Request) -> Response:
        return Response(status=422 if request.headers["webhook-id"] == refused else 200)

    supplier.answer = answer
    told.go_on(minutes=8)
    assert {supplier.delivery(each)["status"] for each in others} == {"succeeded"}
    assert supplier.endpoint()["circuit"] == "closed"
    told.go_on(hours=92)
    delivery = supplier.delivery(refused)
    # Its ten of the schedule, and those that it was tried by out of its turn.
    assert delivery["status"] == "exhausted"
    assert delivery["attempts"][-1]["status_code"] == 422


def test_while_it_is_drained_what_is_new_goes_its_own_way(
    told: Telling, supplier: Supplier
) -> None:
    open_circuit(told, supplier)
    told.go_on(seconds=30)
    supplier.answers(200)
    (message,) = [{"subject": supplier.endpoint_id}]
    told.time.at += timedelta(minutes=2)
    assert handle("webhook_recover", message) == []
    assert supplier.endpoint()["circuit"] == "draining"
    new = told.tell(supplier, dispatch=9)
    told.work("WEBHOOK_ATTEMPT")
    assert supplier.delivery(new)["status"] == "succeeded"


def test_it_opens_again_where_it_fails_while_it_is_drained(
    told: Telling, supplier: Supplier
) -> None:
    made = open_circuit(told, supplier, 12)
    told.go_on(seconds=30)
    answers = iter([200])
    supplier.answer = lambda _: Response(status=next(answers, 503))
    supplier.heard.clear()
    told.go_on(minutes=2)
    assert supplier.endpoint()["circuit"] == "open"
    assert len(supplier.heard) <= 1 + 5 + 1
    supplier.answers(200)
    told.go_on(hours=1)
    assert {supplier.delivery(each)["status"] for each in made} == {"succeeded"}


def test_a_ping_tries_it_at_once(told: Telling, supplier: Supplier, world: World) -> None:
    made = open_circuit(told, supplier)
    told.go_on(seconds=30)
    supplier.answers(200)
    assert world.operator.post(f"{supplier.path}/test").status == 202
    told.work()
    assert {supplier.delivery(each)["status"] for each in made} == {"succeeded"}


def test_retry_after_of_a_probe_is_honoured_up_to_half_an_hour(
    told: Telling, supplier: Supplier
) -> None:
    open_circuit(told, supplier)
    told.go_on(seconds=30)
    supplier.heard.clear()
    supplier.answers(503, **{"Retry-After": "7200"})
    told.go_on(minutes=25)
    assert len(supplier.heard) == 1
    told.go_on(minutes=10)
    assert len(supplier.heard) == 2


def test_a_message_of_the_recovery_that_is_lost_or_doubled_changes_nothing(
    told: Telling, supplier: Supplier
) -> None:
    made = open_circuit(told, supplier)
    told.go_on(seconds=30)
    supplier.heard.clear()
    told.time.at += timedelta(minutes=2)
    invoke("webhook_sweep")
    told.mail.waiting["WEBHOOK_RECOVER"].clear()
    message = {"subject": supplier.endpoint_id}
    for _ in range(3):
        assert handle("webhook_recover", message, message) == []
    assert len(supplier.heard) == 1
    supplier.answers(200)
    told.time.at += timedelta(minutes=5)
    assert handle("webhook_recover", message) == []
    told.mail.waiting["WEBHOOK_RECOVER"].clear()
    told.go_on(minutes=3)
    assert {supplier.delivery(each)["status"] for each in made} == {"succeeded"}


def test_what_one_holds_back_that_believes_it_open_is_found_by_the_last_look(
    told: Telling, supplier: Supplier
) -> None:
    open_circuit(told, supplier)
    told.go_on(seconds=30)
    late = told.tell(supplier, dispatch=9)
    held = told.world.operator.get(f"/v1/webhook-deliveries/{late}").json
    assert held["waits"]
    with unseen(late):
        supplier.answers(200)
        told.go_on(minutes=5)
        assert supplier.endpoint()["circuit"] == "closed"
        assert supplier.delivery(late)["status"] == "pending"
    told.go_on(minutes=25)
    assert supplier.delivery(late)["status"] == "succeeded"


def unseen(delivery_id: str) -> Any:
    """An index that does not know one yet."""
    held = webhooks.held

    def without(*args: Any, **kwargs: Any) -> list[Any]:
        return [each for each in held(*args, **kwargs) if each.id != delivery_id]

    return mock.patch.object(webhooks, "held", without)


def test_what_nothing_remembers_is_asked_for_after_a_day(told: Telling, supplier: Supplier) -> None:
    open_circuit(told, supplier)
    late = told.tell(supplier, dispatch=9)
    supplier.answers(200)
    with unseen(late):
        told.go_on(hours=23)
        assert supplier.delivery(late)["status"] == "pending"
        told.go_on(hours=2)
    assert supplier.delivery(late)["status"] == "succeeded"


def enable(world: World, supplier: Supplier) -> Json:
    answer = world.operator.patch(supplier.path, {"status": "active"})
    assert answer.status == 200, answer.text
    return answer.json


def test_after_five_days_it_is_disabled_and_enabling_it_says_how_many_wait(
    told: Telling, supplier: Supplier, world: World
) -> None:
    made = open_circuit(told, supplier)
    for _ in range(5):
        told.time.at += timedelta(hours=23)
        told.go_on(hours=1, minutes=5)
    endpoint = supplier.endpoint()
    assert (endpoint["status"], endpoint["circuit"]) == ("disabled", "closed")
    for delivery_id in made:
        delivery = supplier.delivery(delivery_id)
        assert (delivery["status"], delivery["waits"]) == ("exhausted", True)
        assert delivery["attempts"][-1]["error"] == "the endpoint is disabled"
    new = told.tell(supplier, dispatch=9)
    supplier.heard.clear()
    supplier.answers(200)
    assert enable(world, supplier)["waiting"] == 6
    told.go_on(hours=1)
    assert supplier.heard == []
    for delivery_id in (*made, new):
        path = f"/v1/webhook-deliveries/{delivery_id}/replay"
        assert world.operator.post(path).status == 202
    told.work()
    assert sorted(supplier.heard) == sorted([*made, new])
    assert enable(world, supplier)["waiting"] == 0


def test_gone_while_it_is_probed_disables_it(told: Telling, supplier: Supplier) -> None:
    made = open_circuit(told, supplier)
    told.go_on(seconds=30)
    supplier.answers(410)
    told.go_on(minutes=5)
    assert supplier.endpoint()["status"] == "disabled"
    assert {supplier.delivery(each)["status"] for each in made} == {"exhausted"}


def test_disabled_by_hand_it_gives_up_what_waits_and_enabled_before_that_delivers_it(
    told: Telling, supplier: Supplier, world: World
) -> None:
    made = open_circuit(told, supplier)
    told.go_on(seconds=30)
    assert world.operator.patch(supplier.path, {"status": "disabled"}).json["waiting"] == 5
    supplier.answers(200)
    assert enable(world, supplier)["waiting"] == 5
    told.go_on(minutes=2)
    assert {supplier.delivery(each)["status"] for each in made} == {"succeeded"}


def test_a_new_address_is_told_at_once_what_has_waited(
    told: Telling, supplier: Supplier, world: World, server: HTTPServer
) -> None:
    made = open_circuit(told, supplier)
    told.go_on(seconds=30)
    elsewhere = Supplier(world, server)
    url = {"url": elsewhere.endpoint()["url"]}
    answer = world.operator.patch(supplier.path, url).json
    assert (answer["circuit"], answer["waiting"]) == ("closed", 5)
    told.go_on(minutes=2)
    assert elsewhere.heard == made


def test_what_waits_at_an_endpoint_that_is_deleted_is_given_up(
    told: Telling, supplier: Supplier, world: World
) -> None:
    made = open_circuit(told, supplier)
    told.go_on(seconds=30)
    assert world.operator.delete(supplier.path).status == 204
    told.go_on(hours=25)
    for delivery_id in made:
        delivery = supplier.delivery(delivery_id)
        assert delivery["status"] == "exhausted"
        assert delivery["attempts"][-1]["error"] == "the endpoint is gone"


def test_a_healthy_endpoint_is_not_written_for_what_it_hears(
    told: Telling, supplier: Supplier
) -> None:
    before = endpoint_store.get_endpoint(supplier.endpoint_id)
    for n in range(3):
        told.tell(supplier, dispatch=n)
    told.work()
    assert endpoint_store.get_endpoint(supplier.endpoint_id) == before


def test_a_later_version_comes_behind_one_that_fails_while_it_is_drained(
    told: Telling, supplier: Supplier
) -> None:
    open_circuit(told, supplier)
    versions = [told.tell(supplier, dispatch=9, version=each) for each in (1, 2, 3)]
    told.work()
    assert waiting(supplier)[-3:] == versions
    supplier.heard.clear()
    fails_once = {versions[0]}

    def answer(request: Request) -> Response:
        delivery_id = request.headers["webhook-id"]
        if delivery_id in fails_once:
            fails_once.remove(delivery_id)
            return Response(status=503)
        return Response(status=204)

    supplier.answer = answer
    told.go_on(minutes=20)
    about_it = [each for each in supplier.heard if each in versions]
    assert about_it == [versions[0], *versions]
    assert waiting(supplier) == []
