"""Every attempt stands on record, whatever was written beside it, for 30 days after the last."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from unittest import mock

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from chalicelib.kernel import clock
from chalicelib.platform import queues, store
from chalicelib.webhooks import delivering, endpoint_store, health, rules
from chalicelib.webhooks import store as webhooks
from chalicelib.webhooks.store import DELIVERY, DeliveryRow
from tests.functional.workers.conftest import StillClock
from tests.support.told import Supplier, Telling, telling
from tests.support.world import World


@pytest.fixture
def told(world: World, time: StillClock) -> Iterator[Telling]:
    with telling(world, time) as made:
        yield made


@pytest.fixture
def supplier(world: World, server: HTTPServer) -> Supplier:
    return Supplier(world, server)


def statuses(supplier: Supplier, delivery_id: str) -> list[int]:
    return [each["status_code"] for each in supplier.delivery(delivery_id)["attempts"]]


def replays_when_called(supplier: Supplier, status: int) -> None:
    """It is asked for once more while the answer to it is on its way."""

    def answer(request: Request) -> Response:
        supplier.answers(204)
        replay = f"/v1/webhook-deliveries/{request.headers['webhook-id']}/replay"
        assert supplier.world.operator.post(replay).status == 202
        return Response(status=status)

    supplier.answer = answer


@pytest.mark.parametrize("status", [204, 503])
def test_an_attempt_that_a_replay_overtakes_is_on_record(
    told: Telling, supplier: Supplier, status: int
) -> None:
    supplier.answers(503)
    delivery_id = told.tell(supplier)
    told.work("WEBHOOK_ATTEMPT")
    replays_when_called(supplier, status)
    told.go_on(minutes=2)
    assert statuses(supplier, delivery_id) == [503, status, 204]
    assert len(supplier.heard) == 3
    assert supplier.delivery(delivery_id)["status"] == "succeeded"


def test_of_two_attempts_at_once_the_one_that_was_heard_counts(
    told: Telling, supplier: Supplier, time: StillClock
) -> None:
    supplier.answers(503)
    delivery_id = told.tell(supplier)
    told.work("WEBHOOK_ATTEMPT")
    delivery = webhooks.get_delivery(delivery_id)
    assert delivery is not None
    failed, heard = delivery.attempts[0], rules.Attempt(clock.to_text(time.at), 204, 9, None)
    delivering.keep(delivery, delivery.failed(failed, time.at, timedelta(minutes=5)), "failed")
    delivering.keep(delivery, delivery.succeeded(heard), "succeeded")
    assert statuses(supplier, delivery_id) == [503, 503, 204]
    assert supplier.delivery(delivery_id)["status"] == "succeeded"


def test_one_whose_writing_was_answered_late_is_on_record_once(
    told: Telling, supplier: Supplier, time: StillClock
) -> None:
    delivery = webhooks.get_delivery(told.tell(supplier))
    assert delivery is not None
    heard = delivery.succeeded(rules.Attempt(clock.to_text(time.at), 204, 9, None))
    for _ in range(2):
        delivering.keep(delivery, heard, "succeeded")
    assert statuses(supplier, delivery.id) == [204]


def test_attempts_that_have_no_room_in_the_delivery_are_shown_and_counted(
    told: Telling, supplier: Supplier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "ATTEMPTS_AT_HAND", 2)
    supplier.answers(503)
    delivery_id = told.tell(supplier)
    told.go_on(hours=23)
    attempts = supplier.delivery(delivery_id)["attempts"]
    assert len(attempts) == len(supplier.heard) > 4
    assert [each["at"] for each in attempts] == sorted({each["at"] for each in attempts})
    (listed,) = supplier.deliveries()
    assert listed["attempts"] == attempts
    stats = supplier.world.operator.get(f"{supplier.path}/stats").json
    assert stats["attempts"] == len(attempts)


def test_a_delivery_is_kept_for_30_days_after_what_came_last_of_it(
    told: Telling, supplier: Supplier, time: StillClock
) -> None:
    delivery_id = told.tell(supplier)
    told.work("WEBHOOK_ATTEMPT")
    time.move_on(days=29)
    replayed = supplier.world.operator.post(f"/v1/webhook-deliveries/{delivery_id}/replay")
    assert replayed.status == 202
    assert kept_for_30_days_after(time.at, delivery_id)
    time.move_on(hours=1)
    told.work("WEBHOOK_ATTEMPT")
    assert supplier.delivery(delivery_id)["status"] == "succeeded"
    assert kept_for_30_days_after(time.at, delivery_id)


def kept_for_30_days_after(at: datetime, delivery_id: str) -> bool:
    row = store.get(DeliveryRow, delivery_id, DELIVERY)
    assert row is not None
    return abs(row.ttl - at - timedelta(days=30)) <= timedelta(seconds=1)


def test_the_next_attempt_is_asked_for_though_the_failure_cannot_be_noted(
    told: Telling, supplier: Supplier
) -> None:
    supplier.answers(503)
    delivery_id = told.tell(supplier)
    told.mail.waiting["WEBHOOK_ATTEMPT"].clear()
    delivery = webhooks.get_delivery(delivery_id)
    endpoint = endpoint_store.get_endpoint(supplier.endpoint_id)
    assert delivery
    assert endpoint
    with (
        mock.patch.object(health, "note_failure", side_effect=TimeoutError),
        pytest.raises(TimeoutError),
    ):
        delivering.deliver(delivery, endpoint)
    asked = [each.body["subject"] for each in told.mail.waiting["WEBHOOK_ATTEMPT"]]
    assert asked == [delivery_id]


def test_a_replay_that_is_written_is_no_failure_though_its_message_is_lost(
    told: Telling, supplier: Supplier
) -> None:
    delivery_id = told.tell(supplier)
    told.work()
    with mock.patch.object(queues, "send", side_effect=queues.NotSent("refused")):
        answer = supplier.world.operator.post(f"/v1/webhook-deliveries/{delivery_id}/replay")
    assert (answer.status, answer.json["status"]) == (202, "pending")
    told.go_on(minutes=3)
    assert supplier.heard == [delivery_id] * 2
