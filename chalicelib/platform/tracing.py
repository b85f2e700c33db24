"""X-Ray tracing, loaded only where it is switched on."""

import functools
import os
from collections.abc import Callable
from typing import Any, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])


def traced(name: str) -> Callable[[F], F]:
    """Trace each call as a subsegment called `name` where `TRACING=1`, else do nothing.

    What the function is given and what it returns may be personal, so neither goes into the trace.
    """
    if not _is_on():
        return lambda function: function
    provider = _provider()

    def trace(function: F) -> F:
        @functools.wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            with provider.in_subsegment(name=name):
                return function(*args, **kwargs)

        return cast(F, run)

    return trace


def for_other_threads(function: F) -> F:
    """The function, to be called in threads that continue the trace of this one."""
    if not _is_on():
        return function
    provider = _provider()
    current = provider.get_trace_entity()

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        provider.set_trace_entity(current)
        return function(*args, **kwargs)

    return cast(F, run)


def _is_on() -> bool:
    return os.environ.get("TRACING") == "1"


def _provider() -> Any:
    from aws_lambda_powertools.tracing import Tracer

    return Tracer(service="tuan").provider
