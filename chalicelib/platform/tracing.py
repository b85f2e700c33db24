"""X-Ray tracing, loaded only where it is switched on."""

import os
from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def traced(name: str) -> Callable[[F], F]:
    """Trace each call as a subsegment called `name` where `TRACING=1`, else do nothing."""
    if os.environ.get("TRACING") != "1":
        return lambda function: function
    from aws_lambda_powertools.tracing import Tracer

    return Tracer(service="tuan").capture_method
