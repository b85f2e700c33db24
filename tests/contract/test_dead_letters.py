"""Dead letters: put aside with their cause, looked at without being taken, and moved back."""

import boto3

from chalicelib.kernel.errors import Conflict
from chalicelib.platform import dead_letters, queues
from chalicelib.platform.dead_letters import DeadLetter
from chalicelib.platform.settings import required

QUEUE = queues.WEBHOOK_FAN_OUT


def park(body: str, error: Exception) -> None:
    try:
        raise error
    except type(error):
        dead_letters.park("webhook_fan_out", f"id-of-{body}", body, error)


def bodies(found: list[DeadLetter]) -> list[str]:
    return sorted(each.body for each in found)


def sent_back() -> list[str]:
    client, url = boto3.client("sqs"), required(QUEUE)
    taken: list[str] = []
    while found := client.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in found:
            assert not message.get("MessageAttributes")
            client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            taken.append(message["Body"])
    return sorted(taken)


def test_a_message_is_given_up_at_its_last_receive() -> None:
    receives = range(1, queues.MAX_RECEIVES + 2)
    assert [dead_letters.is_last(n) for n in receives] == [False] * 4 + [True] * 2


def test_it_lies_aside_as_it_came_with_its_cause() -> None:
    park('{"n": "grüße"}', Conflict("It waits: »später«."))
    (letter,) = dead_letters.look(QUEUE, 10)
    assert letter.body == '{"n": "grüße"}'
    cause = letter.cause
    assert cause
    assert (cause.worker, cause.message_id) == ("webhook_fan_out", f"id-of-{letter.body}")
    assert (cause.failure, cause.behind, cause.detail) == ("Conflict", None, "It waits: »später«.")
    assert "park" in cause.trace[-1]


def test_what_sqs_put_aside_has_no_cause() -> None:
    url = required("WEBHOOK_FAN_OUT_DEAD_LETTER_QUEUE")
    boto3.client("sqs").send_message(QueueUrl=url, MessageBody="{}")
    (letter,) = dead_letters.look(QUEUE, 10)
    assert letter.cause is None


def test_looking_hides_nothing_and_takes_nothing() -> None:
    made = [f"{n:02}" for n in range(23)]
    for body in made:
        park(body, ValueError())
    for _ in range(2):
        assert bodies(dead_letters.look(QUEUE, 100)) == made
        assert dead_letters.count(QUEUE) == 23
    assert len(dead_letters.look(QUEUE, 7)) == 7
    assert sent_back() == []


def test_all_are_moved_back_as_they_came() -> None:
    made = [f"{n:02}" for n in range(23)]
    for body in made:
        park(body, ValueError())
    assert dead_letters.move_back(QUEUE) == 23
    assert dead_letters.count(QUEUE) == 0
    assert sent_back() == made
    assert dead_letters.move_back(QUEUE) == 0
