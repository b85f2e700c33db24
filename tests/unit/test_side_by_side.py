"""Messages taken side by side: at once, lane by lane, and only what fails comes again."""

import io
import json
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from chalice.app import SQSEvent

from chalicelib.platform import log
from chalicelib.platform.log import logger, metric
from chalicelib.platform.worker import LANE_WIDTH, Message, Step, side_by_side
from tests.support.events import Event, failed_bodies, sqs_event

PATIENCE = 10.0


def subject(n: int) -> str:
    return f"whd_{n:012d}"


def asking(*numbers: int) -> Event:
    return sqs_event(*({"subject": subject(n)} for n in numbers))


def failed(event: Event, plan: Callable[[Sequence[Message]], Sequence[Step]]) -> list[Any]:
    """The messages that a worker of this plan gives back."""
    return failed_bodies(event, side_by_side(plan)(SQSEvent(event, None)))


def each(take: Callable[[str], None], lane: Callable[[str], str] = str) -> Any:
    """A plan that takes every subject alike."""

    def plan(messages: Sequence[Message]) -> list[Step]:
        def step(name: str) -> Step:
            return Step(lane(name), lambda: take(name))

        return [step(message["subject"]) for message in messages]

    return plan


def test_fifty_steps_of_fifty_lanes_are_taken_at_once() -> None:
    all_there = threading.Barrier(50)
    assert failed(asking(*range(50)), each(lambda _: wait_at(all_there))) == []


def wait_at(barrier: threading.Barrier) -> None:
    barrier.wait(PATIENCE)


class Counted:
    """How many are inside at once, and how many were at most."""

    def __init__(self) -> None:
        self.now = self.most = 0
        self._lock = threading.Lock()

    def enter(self) -> None:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        time.sleep(0.02)
        with self._lock:
            self.now -= 1


def test_a_lane_has_only_so_many_steps_at_once_and_all_of_them_in_the_end() -> None:
    inside, taken = Counted(), list[str]()

    def take(name: str) -> None:
        inside.enter()
        taken.append(name)

    assert failed(asking(*range(50)), each(take, lambda _: "one")) == []
    assert inside.most == LANE_WIDTH
    assert sorted(taken) == [subject(n) for n in range(50)]


def test_a_lane_that_hangs_holds_up_no_other() -> None:
    others_done, seen = threading.Event(), list[str]()

    def take(name: str) -> None:
        if name < subject(40):
            assert others_done.wait(PATIENCE), "the others wait for the lane that hangs"
            return
        seen.append(name)
        if len(seen) == 10:
            others_done.set()

    lanes = each(take, lambda name: "hanging" if name < subject(40) else name)
    assert failed(asking(*range(50)), lanes) == []


def test_only_the_step_that_fails_goes_back() -> None:
    taken: list[str] = []

    def take(name: str) -> None:
        if name == subject(1):
            raise RuntimeError
        taken.append(name)

    assert failed(asking(0, 1, 2), each(take, lambda _: "one")) == [{"subject": subject(1)}]
    assert sorted(taken) == [subject(0), subject(2)]


@pytest.mark.parametrize(
    "poison",
    [
        "",
        "{",
        "[]",
        "null",
        '"whd_000000000001"',
        "{}",
        '{"subject": null}',
        '{"subject": 7}',
        '{"subject": ""}',
        '{"subject": ["whd_000000000001"]}',
        '{"subject": "of no kind"}',
        '{"subject": "' + "whd_" + "0" * 3000 + '"}',
    ],
)
def test_what_cannot_be_read_is_not_planned_with_the_others(poison: str) -> None:
    taken: list[str] = []
    event = sqs_event({"subject": subject(0)}, poison, {"subject": subject(2)})
    answer = side_by_side(each(taken.append))(SQSEvent(event, None))
    (given_back,) = answer["batchItemFailures"]
    assert given_back["itemIdentifier"] == event["Records"][1]["messageId"]
    assert sorted(taken) == [subject(0), subject(2)]


def test_nothing_to_do_is_done() -> None:
    assert failed(sqs_event(), each(lambda _: None)) == []


def test_a_plan_that_fails_gives_all_messages_back() -> None:
    def plan(_: Sequence[Message]) -> list[Step]:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        side_by_side(plan)(SQSEvent(asking(0, 1), None))


def test_what_ends_the_process_is_no_messages_failure() -> None:
    class Ended(BaseException):
        pass

    def take(_: str) -> None:
        raise Ended

    with pytest.raises(Ended):
        side_by_side(each(take))(SQSEvent(asking(0), None))


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    text = io.StringIO()
    (handler,) = (h for h in log.logger._logger.handlers if isinstance(h, logging.StreamHandler))
    before, handler.stream = handler.stream, text
    yield text
    handler.stream = before


def test_each_line_bears_the_ids_of_its_own_message(logged: io.StringIO) -> None:
    all_bound = threading.Barrier(8)

    def take(name: str) -> None:
        logger.bind(seen=name)
        wait_at(all_bound)
        logger.info("taken", delivery=name)

    event = asking(*range(8))
    failed(event, each(take))
    sent = {record["messageId"]: json.loads(record["body"]) for record in event["Records"]}
    lines = [json.loads(line) for line in logged.getvalue().splitlines()]
    taken = [line for line in lines if line["message"] == "taken"]
    assert len(taken) == 8
    for line in taken:
        assert line["seen"] == line["delivery"] == line["delivery_id"]
        assert sent[line["message_id"]]["subject"] == line["delivery"]
    assert {line["message_id"] for line in lines if line["message"] == "message done"} == set(sent)


def test_nothing_that_was_bound_is_left_for_the_next_message(logged: io.StringIO) -> None:
    failed(asking(0, 1), each(lambda name: logger.bind(**{name: "bound"}), lambda _: "one"))
    logger.info("afterwards")
    *_, afterwards = logged.getvalue().splitlines()
    assert "bound" not in afterwards


def test_metrics_of_many_threads_are_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    def take(_: str) -> None:
        for _turn in range(20):
            metric("WebhookAttempts", outcome="succeeded")

    failed(asking(*range(30)), each(take))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    told = [line for line in lines if "WebhookAttempts" in line]
    assert len(told) == 600
    assert {line["outcome"] for line in told} == {"succeeded"}
