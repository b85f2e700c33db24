"""Callers at once: each in a thread of its own, and none writes before all have read."""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any, TypeVar
from unittest import mock

from chalice.app import Chalice

from chalicelib.platform import log
from chalicelib.platform.log import SafeLogger
from tests.support.aws_calls import Send, around_each_call
from tests.support.gateway import Answer

A = TypeVar("A")
T = TypeVar("T")
THREADS = 16
WRITES = {"BatchWriteItem", "DeleteItem", "PutItem", "TransactWriteItems", "UpdateItem"}
PATIENCE_SECONDS = 30


class Gates:
    """Before each of the first writes of every thread, so many of them.

    One opens once every thread has come to that write, or has ended without it.
    """

    def __init__(self, threads: int, gates: int) -> None:
        self._gates = gates
        self._writes = [0] * threads
        self._changed = threading.Condition()
        self._mine = threading.local()

    def expect(self, number: int) -> None:
        """This thread does the work of that number; a pool may give one thread the work of two."""
        self._mine.number = number

    def arrive(self) -> None:
        with self._changed:
            nth = self._writes[self._mine.number] + 1
            if nth > self._gates:
                return
            self._come_to(nth)
            if not self._changed.wait_for(lambda: min(self._writes) >= nth, PATIENCE_SECONDS):
                raise TimeoutError(f"some threads never came to their write {nth}")

    def leave(self) -> None:
        with self._changed:
            self._come_to(self._gates)

    def _come_to(self, nth: int) -> None:
        self._writes[self._mine.number] = nth
        self._changed.notify_all()


def at_once(calls: Sequence[Callable[[], T]], *, gates: int = 1) -> list[T]:
    """What each call returns, in their order; 16 threads divide them.

    Each thread's first write waits for all the others', so that every one of them acts on what it
    read before anybody wrote: the worst case, each time. Where it is not the first write that they
    meet at, more `gates` do the same for the next ones.
    """
    threads = min(THREADS, len(calls))
    gate, results = Gates(threads, gates), dict[int, T]()

    def work(first: int) -> None:
        gate.expect(first)
        try:
            for n in range(first, len(calls), threads):
                results[n] = calls[n]()
        finally:
            gate.leave()

    def gated(operation: str, send: Send) -> Any:
        if operation in WRITES:
            gate.arrive()
        return send()

    with a_process_each(), around_each_call(gated), ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(work, n) for n in range(threads)]:
            done.result()
    return [results[n] for n in range(len(calls))]


def each(items: Iterable[A], call: Callable[[A], T]) -> list[Callable[[], T]]:
    """A call for each item."""
    return [partial(call, item) for item in items]


def outcomes(answers: Iterable[Answer]) -> Counter[str]:
    """How often each status, with the code of a problem, was answered."""
    return Counter(f"{each.status} {each.code or ''}".strip() for each in answers)


@contextmanager
def a_process_each() -> Iterator[None]:
    """Lambda runs each request in a process: what a process remembers is each thread's own here."""
    own = threading.local()

    def current(_: Chalice) -> Any:
        return getattr(own, "request", None)

    def set_current(_: Chalice, request: Any) -> None:
        own.request = request

    def quiet(*_: Any, **__: Any) -> None:
        """Logs and metrics are gathered a process; threads would mix and break them."""

    with ExitStack() as stack:
        prop = property(current, set_current)
        stack.enter_context(mock.patch.object(Chalice, "current_request", prop, create=True))
        stack.enter_context(mock.patch.object(log._metrics, "add_metric", quiet))
        for method in ("bind", "clear", "info"):
            stack.enter_context(mock.patch.object(SafeLogger, method, quiet))
        yield
