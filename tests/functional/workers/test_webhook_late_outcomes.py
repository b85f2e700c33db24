"""What came of a call of an endpoint as it was before says nothing of it as it is now."""

import time as real_time
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from chalicelib.webhooks import rules
from tests.functional.workers.conftest import StillClock
from tests.support.told import Supplier, Telling, telling
from tests.support.world import Json, World

GOOD_TIME = 0.2


@pytest.fixture
def told(world: World, time: StillClock) -> Iterator[Telling]:
    with telling(world, time) as made:
        yield made


@pytest.fixture
def supplier(world: World, server: HTTPServer) -> Supplier:
    return Supplier(world, server)


@pytest.fixture(params=["a new address", "enabled again"])
def begins_anew(
    request: pytest.FixtureRequest, supplier: Supplier, server: HTTPServer
) -> Callable[[], None]:
    server.expect_request("/new").respond_with_data("", status=204)

    def change(changes: Json) -> None:
        assert supplier.world.operator.patch(supplier.path, changes).status == 200

    def begin() -> None:
        if request.param == "a new address":
            change({"url": server.url_for("/new")})
        else:
            change({"status": "disabled"})
            change({"status": "active"})

    return begin


def answers_after(
    begins_anew: Callable[[], None], supplier: Supplier, status: int, seconds: float = 0
) -> None:
    """The answer to one call comes when the endpoint has begun anew."""

    def answer(_: Request) -> Response:
        supplier.answers(204)
        begins_anew()
        real_time.sleep(seconds)
        return Response(status=status)

    supplier.answer = answer


def test_a_late_gone_disables_nothing_and_is_tried_where_it_is_now(
    told: Telling, supplier: Supplier, begins_anew: Callable[[], None]
) -> None:
    answers_after(begins_anew, supplier, 410)
    delivery_id = told.tell(supplier)
    told.work("WEBHOOK_ATTEMPT")
    assert supplier.endpoint()["status"] == "active"
    told.go_on(seconds=10)
    assert supplier.delivery(delivery_id)["status"] == "succeeded"


def test_a_late_failure_is_not_its_own(
    told: Telling, supplier: Supplier, begins_anew: Callable[[], None]
) -> None:
    answers_after(begins_anew, supplier, 503)
    told.tell(supplier)
    told.work("WEBHOOK_ATTEMPT")
    assert supplier.endpoint()["failing_since"] is None


def test_a_late_answer_makes_it_neither_slow_nor_well(
    told: Telling,
    supplier: Supplier,
    begins_anew: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rules, "GOOD_TIME", timedelta(seconds=GOOD_TIME))
    answers_after(begins_anew, supplier, 204, seconds=3 * GOOD_TIME)
    told.tell(supplier)
    told.work("WEBHOOK_ATTEMPT")
    assert not supplier.endpoint()["slow"]


def test_a_late_success_ends_no_failing_of_the_new_one(
    told: Telling, supplier: Supplier, begins_anew: Callable[[], None]
) -> None:
    supplier.answers(503)
    told.tell(supplier)
    told.work("WEBHOOK_ATTEMPT")
    assert supplier.endpoint()["failing_since"]

    def fails_where_it_is_now() -> None:
        begins_anew()
        supplier.world.operator.patch(supplier.path, {"url": "http://127.0.0.1:9/"})
        assert supplier.world.operator.post(f"{supplier.path}/test").status == 202
        told.tell(supplier, dispatch=3)
        told.work("WEBHOOK_ATTEMPT")

    answers_after(fails_where_it_is_now, supplier, 204)
    told.tell(supplier, dispatch=2)
    told.work("WEBHOOK_ATTEMPT")
    assert supplier.endpoint()["failing_since"]
