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
    if os.environ.get("TRACING") != "1":
        return lambda function: function
    from aws_lambda_powertools.tracing import Tracer

    provider = Tracer(service="tuan").provider

    def trace(function: F) -> F:
        @functools.wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            with provider.in_subsegment(name=name):
                return function(*args, **kwargs)

        return cast(F, run)

    return trace
