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


class Gate:
    """Opens once every thread has come to its first write, or has ended without one."""

    def __init__(self, threads: int) -> None:
        self._missing = threads
        self._changed = threading.Condition()
        self._thread = threading.local()

    def expect(self) -> None:
        """This thread is one of those; a pool may give one thread the work of two."""
        self._thread.counted = False

    def arrive(self) -> None:
        with self._changed:
            if not self._counts_this_thread():
                return
            if not self._changed.wait_for(lambda: not self._missing, PATIENCE_SECONDS):
                raise TimeoutError(f"{self._missing} threads never came to write")

    def leave(self) -> None:
        with self._changed:
            self._counts_this_thread()

    def _counts_this_thread(self) -> bool:
        if self._thread.counted:
            return False
        self._thread.counted = True
        self._missing -= 1
        self._changed.notify_all()
        return True


def at_once(calls: Sequence[Callable[[], T]]) -> list[T]:
    """What each call returns, in their order; 16 threads divide them.

    Each thread's first write waits for all the others', so that every one of them acts on what it
    read before anybody wrote: the worst case, each time.
    """
    threads = min(THREADS, len(calls))
    gate, results = Gate(threads), dict[int, T]()

    def work(first: int) -> None:
        gate.expect()
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
