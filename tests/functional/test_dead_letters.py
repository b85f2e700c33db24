"""Dead letters: what workers gave up is put aside with its cause, listed, and sent back."""

import json
from typing import Any
from unittest import mock

import boto3
import pytest

from chalicelib.kernel.errors import Conflict
from chalicelib.platform import dead_letters, queues
from tests.support.events import failed_bodies, sqs_event
from tests.support.granted import running_as
from tests.support.lambdas import Killed, invoke
from tests.support.world import Json, World

PATH = "/v1/dead-letters"
STRANGER = {"type": "order.paid", "subject": "ord_unknown0000", "data": {}}


def give_up(function: str, *messages: Any) -> None:
    """Let a worker fail messages for the last time: it puts each aside and gives none back."""
    event = sqs_event(*messages, receive_count=queues.MAX_RECEIVES)
    assert failed_bodies(event, invoke(function, event)) == []


def put(world: World, queue: str, body: str) -> None:
    """What SQS itself puts aside, for a worker that was stopped."""
    with running_as(None):
        url = world.environment[f"{queue}_DEAD_LETTER_QUEUE"]
        boto3.client("sqs").send_message(QueueUrl=url, MessageBody=body)


def listed(world: World, queue: str) -> Json:
    answer = world.operator.get(f"{PATH}?limit=100")
    assert answer.status == 200, answer.text
    return next(each for each in answer.json["items"] if each["queue"] == queue)


def redrive(world: World, queue: str) -> Json:
    answer = world.operator.post(f"{PATH}/{queue}/redrive")
    assert answer.status == 200, answer.text
    return answer.json


def test_every_queue_is_listed_and_nothing_lies_aside_at_first(world: World) -> None:
    items = world.operator.get(f"{PATH}?limit=100").json["items"]
    names = [queue.removesuffix("_QUEUE").lower().replace("_", "-") for queue in queues.ALL]
    assert [each["queue"] for each in items] == [*names, "schedules"]
    assert all((each["count"], each["messages"]) == (0, []) for each in items)


def test_the_list_has_pages(world: World) -> None:
    first = world.operator.get(f"{PATH}?limit=3").json
    rest = world.operator.get(f"{PATH}?limit=100&cursor={first['next_cursor']}").json
    whole = world.operator.get(f"{PATH}?limit=100").json
    assert first["items"] + rest["items"] == whole["items"]
    assert rest["next_cursor"] is None


def test_a_message_is_tried_again_until_its_last_time(world: World) -> None:
    for n in range(1, queues.MAX_RECEIVES):
        event = sqs_event(STRANGER, receive_count=n)
        assert failed_bodies(event, invoke("dispatch_create", event)) == [STRANGER]
        assert listed(world, "dispatch-create")["count"] == 0
    give_up("dispatch_create", STRANGER)
    assert listed(world, "dispatch-create")["count"] == 1


def test_a_dead_letter_says_why_and_under_which_id_the_log_has_it(world: World) -> None:
    event = sqs_event(STRANGER, receive_count=queues.MAX_RECEIVES)
    invoke("dispatch_create", event)
    (message,) = listed(world, "dispatch-create")["messages"]
    assert message["id"] == event["Records"][0]["messageId"]
    assert json.loads(message["body"]) == STRANGER
    cause = message["cause"]
    assert cause["failure"] in cause["detail"]
    assert cause["trace"][-1] in cause["detail"]
    assert any("dispatch/workers.py" in place for place in cause["trace"])
    assert cause["failed_at"] <= message["parked_at"]
    assert "ord_unknown" not in json.dumps(cause)


def test_an_error_for_people_is_told_in_its_own_words(world: World) -> None:
    cause = cause_of_what_fails_with(world, Conflict("It waits for its campaign."))
    assert (cause["failure"], cause["detail"]) == ("Conflict", "It waits for its campaign.")


def test_values_that_a_failure_carries_are_not_kept(world: World) -> None:
    cause = cause_of_what_fails_with(world, ValueError("Alice Doe, +49 30 1234567"))
    assert cause["failure"] == "ValueError"
    assert "Alice" not in json.dumps(cause)


def test_what_is_behind_a_failure_is_named(world: World) -> None:
    error = RuntimeError("outer")
    error.__cause__ = KeyError("inner")
    assert cause_of_what_fails_with(world, error)["behind"] == "KeyError"


def cause_of_what_fails_with(world: World, error: Exception) -> Json:
    with mock.patch("chalicelib.webhooks.delivering.fan_out", side_effect=error):
        give_up("webhook_fan_out", STRANGER)
    (message,) = listed(world, "webhook-fan-out")["messages"]
    return message["cause"]


def test_a_message_that_is_no_json_is_put_aside_as_it_came(world: World) -> None:
    event = sqs_event("{ no json", receive_count=queues.MAX_RECEIVES)
    assert invoke("refund_execute", event) == {"batchItemFailures": []}
    (message,) = listed(world, "refund-execute")["messages"]
    assert (message["body"], message["cause"]["failure"]) == ("{ no json", "JSONDecodeError")


def test_the_others_of_its_batch_are_done(world: World) -> None:
    order = world.place(world.sale())
    world.pay(order)
    (told,) = world.messages("DISPATCH_CREATE")
    give_up("dispatch_create", STRANGER, told, STRANGER)
    assert len(world.order(order["id"])["dispatches"]) == 1
    assert listed(world, "dispatch-create")["count"] == 2


def test_where_it_cannot_be_put_aside_it_is_left_to_the_queue(world: World) -> None:
    event = sqs_event(STRANGER, receive_count=queues.MAX_RECEIVES)
    away = ConnectionError("SQS is away")
    with mock.patch.object(queues, "client", side_effect=away):
        answer = invoke("dispatch_create", event)
    assert failed_bodies(event, answer) == [STRANGER]


def test_a_worker_that_was_stopped_has_no_cause_and_that_is_said(world: World) -> None:
    put(world, "WEBHOOK_ATTEMPT", '{"subject": "whd_1"}')
    (message,) = listed(world, "webhook-attempt")["messages"]
    assert message["cause"]["failure"] is None
    assert "stopped" in message["cause"]["detail"]


def test_looking_takes_nothing_away(world: World) -> None:
    for n in range(25):
        put(world, "WEBHOOK_FAN_OUT", json.dumps({"n": n}))
    for _ in range(3):
        shown = listed(world, "webhook-fan-out")
        assert (shown["count"], len(shown["messages"])) == (25, 10)
    read = world.operator.get(f"{PATH}/webhook-fan-out?limit=100").json
    assert read["count"] == 25
    assert {json.loads(each["body"])["n"] for each in read["messages"]} == set(range(25))


def test_a_long_message_is_shown_in_part_and_sent_back_whole(world: World) -> None:
    body = json.dumps({"subject": "x" * 5000})
    put(world, "WEBHOOK_FAN_OUT", body)
    (message,) = listed(world, "webhook-fan-out")["messages"]
    assert message["body"] == body[:2000]
    redrive(world, "webhook-fan-out")
    assert world.messages("WEBHOOK_FAN_OUT") == [json.loads(body)]


def test_what_is_sent_back_is_done_once_its_cause_is_mended(world: World) -> None:
    order = world.place(world.sale())
    world.pay(order)
    (told,) = world.messages("DISPATCH_CREATE")
    with mock.patch("chalicelib.ordering.store.get_order", side_effect=RuntimeError("broken")):
        give_up("dispatch_create", told)
    assert world.order(order["id"])["dispatches"] == []
    answer = redrive(world, "dispatch-create")
    assert answer == {"queue": "dispatch-create", "moved": 1, "left": 0}
    world.work()
    assert len(world.order(order["id"])["dispatches"]) == 1
    assert listed(world, "dispatch-create")["count"] == 0


def test_nothing_is_sent_back_where_nothing_lies(world: World) -> None:
    assert redrive(world, "webhook-attempt")["moved"] == 0
    assert world.messages("WEBHOOK_ATTEMPT") == []


def test_a_queue_is_sent_back_alone(world: World) -> None:
    put(world, "WEBHOOK_FAN_OUT", "{}")
    put(world, "WEBHOOK_ATTEMPT", "{}")
    redrive(world, "webhook-fan-out")
    assert listed(world, "webhook-attempt")["count"] == 1
    assert world.messages("WEBHOOK_FAN_OUT") == [{}]


def test_the_same_key_sends_back_once(world: World) -> None:
    put(world, "WEBHOOK_FAN_OUT", '{"n": 1}')
    path = f"{PATH}/webhook-fan-out/redrive"
    first = world.operator.post(path, key="one")
    put(world, "WEBHOOK_FAN_OUT", '{"n": 2}')
    again = world.operator.post(path, key="one")
    assert again.json == first.json
    assert again.headers["idempotent-replayed"] == "true"
    assert world.messages("WEBHOOK_FAN_OUT") == [{"n": 1}]
    assert listed(world, "webhook-fan-out")["count"] == 1


@pytest.mark.parametrize("stopped_at", ["send_message", "delete_message"])
def test_whoever_is_stopped_on_the_way_loses_nothing(world: World, stopped_at: str) -> None:
    for n in range(3):
        put(world, "WEBHOOK_FAN_OUT", json.dumps({"n": n}))
    real, calls = queues.client(), []

    class Dying:
        def __getattr__(self, name: str) -> Any:
            if name != stopped_at:
                return getattr(real, name)

            def call(**arguments: Any) -> Any:
                calls.append(name)
                if len(calls) == 2:
                    raise Killed
                return getattr(real, name)(**arguments)

            return call

    with mock.patch.object(queues, "client", return_value=Dying()), pytest.raises(Killed):
        world.operator.post(f"{PATH}/webhook-fan-out/redrive")
    moved = [message["n"] for message in world.messages("WEBHOOK_FAN_OUT")]
    with running_as(None):
        left = listed(world, "webhook-fan-out")["count"]
    assert len(moved) + left >= 3
    assert len(set(moved)) == len(moved)
    assert left == 2


def test_a_message_that_fails_at_once_is_not_sent_back_for_ever(world: World) -> None:
    """Its worker gives it up while others are still being moved."""
    for n in range(12):
        put(world, "WEBHOOK_FAN_OUT", json.dumps({"n": n}))
    real = queues.client()

    class FailingAtOnce:
        def __getattr__(self, name: str) -> Any:
            return getattr(real, name)

        def send_message(self, **sent: Any) -> Any:
            with running_as(None):
                put(world, "WEBHOOK_FAN_OUT", sent["MessageBody"])
            return real.send_message(**sent)

    with mock.patch.object(queues, "client", return_value=FailingAtOnce()):
        answer = redrive(world, "webhook-fan-out")
    assert answer == {"queue": "webhook-fan-out", "moved": 12, "left": 12}
    assert len(world.messages("WEBHOOK_FAN_OUT")) == 12


def test_what_there_is_no_time_for_is_left(world: World) -> None:
    for n in range(12):
        put(world, "WEBHOOK_FAN_OUT", json.dumps({"n": n}))
    with mock.patch.object(dead_letters, "MOVE_FOR_SECONDS", 0):
        assert redrive(world, "webhook-fan-out") == {
            "queue": "webhook-fan-out",
            "moved": 0,
            "left": 12,
        }
    assert redrive(world, "webhook-fan-out")["moved"] == 12
    assert len(world.messages("WEBHOOK_FAN_OUT")) == 12


def test_an_unknown_queue_is_not_there(world: World) -> None:
    for answer in (
        world.operator.get(f"{PATH}/webhooks"),
        world.operator.post(f"{PATH}/webhooks/redrive"),
        world.operator.post(f"{PATH}/WEBHOOK_FAN_OUT/redrive"),
    ):
        assert (answer.status, answer.code) == (404, "not_found")
    assert "webhook-fan-out" in world.operator.get(f"{PATH}/webhooks").json["detail"]


def test_a_schedules_failure_is_told_and_done_again_by_its_next_run(world: World) -> None:
    told = {
        "timestamp": "2026-03-02T09:46:20.511Z",
        "requestContext": {
            "functionArn": "arn:aws:lambda:eu-west-1:123456789012:function:OrderExpire:$LATEST",
            "condition": "RetriesExhausted",
        },
        "requestPayload": {"source": "aws.events"},
        "responsePayload": {"errorType": "Busy", "errorMessage": "Alice Doe"},
    }
    put(world, "SCHEDULES", json.dumps(told))
    shown = listed(world, "schedules")
    assert (shown["count"], shown["redrivable"]) == (1, False)
    cause = shown["messages"][0]["cause"]
    assert cause["failure"] == "Busy"
    assert "OrderExpire" in cause["detail"]
    answer = world.operator.post(f"{PATH}/schedules/redrive")
    assert (answer.status, answer.code) == (409, "nothing_to_redrive")
    assert listed(world, "schedules")["count"] == 1


def test_a_schedule_that_was_never_started_is_told(world: World) -> None:
    put(world, "SCHEDULES", json.dumps({"source": "aws.events"}))
    (message,) = listed(world, "schedules")["messages"]
    assert message["cause"]["failure"] is None
    assert "could not start" in message["cause"]["detail"]


@pytest.mark.parametrize("lane", ["attempt", "slow"])
def test_a_worker_that_works_side_by_side_puts_aside_what_it_gives_up(
    world: World, lane: str
) -> None:
    failing = {"subject": "whd_0123456789ab"}
    with mock.patch("chalicelib.webhooks.delivering._attempt", side_effect=ValueError("Alice")):
        give_up(f"webhook_{lane}", "{ no json", failing)
    messages = listed(world, f"webhook-{lane}")["messages"]
    causes = {each["body"]: each["cause"] for each in messages}
    assert causes["{ no json"]["failure"] == "JSONDecodeError"
    failed = causes[json.dumps(failing)]
    assert failed["failure"] == "ValueError"
    assert "Alice" not in json.dumps(failed)


def test_side_by_side_a_message_is_tried_again_until_its_last_time(world: World) -> None:
    failing = {"subject": "whd_0123456789ab"}
    event = sqs_event(failing, receive_count=queues.MAX_RECEIVES - 1)
    with mock.patch("chalicelib.webhooks.delivering._attempt", side_effect=ValueError):
        assert failed_bodies(event, invoke("webhook_attempt", event)) == [failing]
    assert listed(world, "webhook-attempt")["count"] == 0
