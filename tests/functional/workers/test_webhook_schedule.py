"""Over thirty kinds of answer: every attempt on its time, and every delivery to its right end."""

import random
import socket
import threading
import time as real_time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise

import pytest
from pytest_httpserver import HTTPServer

from chalicelib.kernel import clock
from chalicelib.platform import http_out
from chalicelib.webhooks import delivering
from tests.functional.workers.conftest import StillClock
from tests.support.told import Supplier, Telling, telling
from tests.support.world import Json, World

# How long after the attempt before it each attempt comes (contract, section 5).
STEPS = [
    timedelta(seconds=each)
    for each in (0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
]
TIMED_OUT_AFTER = 0.4
# Queues are asked for whole seconds, and instants are kept in whole milliseconds.
ROUNDED = timedelta(milliseconds=2)
Talk = Callable[[socket.socket], None]


def says(status: int, *headers: str, body: bytes = b"") -> Talk:
    head = [f"HTTP/1.1 {status} Status", f"content-length: {len(body)}", *headers, "", ""]
    return lambda sock: sock.sendall("\r\n".join(head).encode() + body)


def resets(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def hangs(sock: socket.socket) -> None:
    with suppress(OSError):
        sock.recv(1)


def drips(sock: socket.socket) -> None:
    """An answer whose body never ends."""
    sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    with suppress(OSError):
        while True:
            sock.sendall(b".")
            real_time.sleep(TIMED_OUT_AFTER / 10)


def raw(answer: bytes) -> Talk:
    return lambda sock: sock.sendall(answer)


ENDLESS_HEAD = b"HTTP/1.1 200 OK\r\n" + b"x-more: and more\r\n" * 5000
HALF_AN_ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf"
HEARD: dict[str, Talk] = {
    "200": says(200, body=b"ok"),
    "201": says(201),
    "202": says(202),
    "204": raw(b"HTTP/1.1 204 No Content\r\n\r\n"),
    "299": says(299),
    "200 and much more than is read": says(200, body=b"x" * 100_000),
    "200 in no known encoding": says(200, "content-encoding: of-our-own", body=b"\xff\x00"),
}
FAILED: dict[str, Talk] = {
    **{str(status): says(status) for status in (400, 401, 404, 409, 425, 429, 500, 502)},
    **{
        f"{status} to elsewhere": says(status, "location: http://127.0.0.1:1/")
        for status in (301, 302, 303, 307, 308)
    },
    "304": raw(b"HTTP/1.1 304 Not Modified\r\n\r\n"),
    "503 and a nonsense of patience": says(503, "retry-after: when we are ready"),
    "503 and no patience": says(503, "retry-after: 0"),
    "504 and a secret of ours": says(504, body=b"\x1b]0;title\x07"),
    "599": says(599),
    "reset": resets,
    "closed without a word": lambda _: None,
    "half an answer": raw(HALF_AN_ANSWER),
    "an endless head": raw(ENDLESS_HEAD),
    "an endless body": drips,
    "no HTTP": raw(b"SSH-2.0-OpenSSH_9.6\r\n"),
    "a hang": hangs,
}
# What is asked for, and the wait that it comes to: never beyond the step after.
PATIENCE: dict[str, tuple[Talk, Callable[[int], timedelta]]] = {
    "429 and a minute": (
        says(429, "retry-after: 60"),
        lambda n: max(STEPS[n], timedelta(minutes=1)),
    ),
    "503 and a year": (
        says(503, "retry-after: 31536000"),
        lambda n: STEPS[min(n + 1, 9)],
    ),
}


class Answering:
    """A server on loopback that reads a request and then talks as it likes."""

    def __init__(self, talk: Talk) -> None:
        self.talk = talk
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/hook"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                sock, _ = self.listener.accept()
                threading.Thread(target=self._answer, args=[sock], daemon=True).start()

    def _answer(self, sock: socket.socket) -> None:
        with suppress(OSError), sock:
            sock.settimeout(10)
            sock.recv(65536)
            self.talk(sock)


@dataclass
class Case:
    """One supplier, and the one delivery that it answers so."""

    kind: str
    supplier: Supplier
    delivery_id: str = ""

    def delivery(self) -> Json:
        return self.supplier.delivery(self.delivery_id)


@pytest.fixture
def servers() -> Iterator[Callable[[Talk], str]]:
    made: list[Answering] = []

    def serve(talk: Talk) -> str:
        made.append(Answering(talk))
        return made[-1].url

    yield serve
    for each in made:
        each.listener.close()


class Always(random.Random):
    """A chance that falls alike each time: so far between the least and the most."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def uniform(self, a: float, b: float) -> float:
        return a + self.share * (b - a)


@pytest.fixture
def told(world: World, time: StillClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Telling]:
    post = partial(http_out.post, total_timeout=TIMED_OUT_AFTER)
    monkeypatch.setattr(http_out, "post", post)
    with telling(world, time) as made:
        yield made


@pytest.mark.parametrize("jitter", [0, 1], ids=["the least", "the most"])
def test_every_attempt_comes_on_its_time_and_every_delivery_to_its_end(
    jitter: float,
    world: World,
    server: HTTPServer,
    told: Telling,
    servers: Callable[[Talk], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(delivering, "chance", Always(jitter))
    talks = {**HEARD, **FAILED, "410": says(410), **{k: talk for k, (talk, _) in PATIENCE.items()}}
    cases = {
        kind: Case(kind, Supplier(world, server, servers(talk))) for kind, talk in talks.items()
    }
    assert len(cases) >= 30
    for case in cases.values():
        case.delivery_id = told.tell(case.supplier)
    begun = told.time.at
    told.go_on(hours=105)
    wrong = [finding for case in cases.values() for finding in findings(case, begun)]
    assert wrong == []


def findings(case: Case, begun: datetime) -> Iterator[str]:
    """What is not as it has to be, a sentence each."""
    yield from (f"{case.kind}: {each}" for each in _of_its_end(case))
    yield from (f"{case.kind}: {each}" for each in _of_its_times(case, begun))
    yield from (f"{case.kind}: {each}" for each in _of_what_is_kept(case))


def _of_its_end(case: Case) -> Iterator[str]:
    delivery = case.delivery()
    if delivery["status"] != ("succeeded" if case.kind in HEARD else "exhausted"):
        yield str(delivery["status"])
    if len(delivery["attempts"]) != (1 if case.kind in (*HEARD, "410") else 10):
        yield f"{len(delivery['attempts'])} attempts"
    status = case.supplier.endpoint()["status"]
    if status != ("disabled" if case.kind == "410" else "active"):
        yield f"the endpoint is {status}"


def _of_its_times(case: Case, begun: datetime) -> Iterator[str]:
    times = [clock.from_text(each["at"]) for each in case.delivery()["attempts"]]
    if not times or times[0] - begun > timedelta(seconds=2):
        yield "the first attempt came late"
    for n, (before, at) in enumerate(pairwise(times), start=1):
        step = PATIENCE[case.kind][1](n) if case.kind in PATIENCE else STEPS[n]
        if not 0.8 * step <= at - before <= 1.2 * step + ROUNDED:
            yield f"attempt {n + 1} came {at - before} after the one before it"


def _of_what_is_kept(case: Case) -> Iterator[str]:
    for attempt in case.delivery()["attempts"]:
        if bool(attempt["error"]) is (case.kind in HEARD):
            yield f"the reason that is kept is {attempt['error']}"
        if len(attempt["answer"]) > 256 or not attempt["answer"].isprintable():
            yield f"{attempt['answer']!r} is kept of the answer"
