"""Nothing is done side by side in a town, so that a seed gives the same again."""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import ExitStack, contextmanager
from typing import ParamSpec, TypeVar
from unittest import mock

from chalicelib.ordering import charging
from chalicelib.platform import sweeping

P = ParamSpec("P")
T = TypeVar("T")


class InOrder(Executor):
    """Does at once what it is given, and nothing else meanwhile."""

    def __init__(self, _side_by_side: int) -> None:
        pass

    def submit(self, call: Callable[P, T], /, *args: P.args, **more: P.kwargs) -> Future[T]:
        done: Future[T] = Future()
        try:
            done.set_result(call(*args, **more))
        except Exception as error:
            done.set_exception(error)
        return done


@contextmanager
def in_order() -> Iterator[None]:
    with ExitStack() as stack:
        for module in (charging, sweeping):
            stack.enter_context(mock.patch.object(module, "ThreadPoolExecutor", InOrder))
        yield
