"""Structured logs and metrics. Ids only: never a name, phone, address, key, token or secret."""

import json
import os
import re
import sys
from typing import Any

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.metrics import Metrics, MetricUnit
from aws_lambda_powertools.metrics.base import SingleMetric


class SafeLogger:
    """Powertools' logger behind keyword arguments, each of which becomes a JSON field."""

    def __init__(self) -> None:
        self._logger = Logger(service="tuan", level=os.environ.get("LOG_LEVEL", "INFO"), utc=True)

    def bind(self, **ids: Any) -> None:
        """Put these ids on every line of this thread until the next invocation clears them."""
        self._logger.thread_safe_append_keys(**ids)

    def clear(self) -> None:
        self._logger.thread_safe_clear_keys()

    def info(self, message: str, **fields: Any) -> None:
        self._logger.info(message, extra=fields)

    def warning(self, message: str, **fields: Any) -> None:
        self._logger.warning(message, extra=fields)

    def exception(self, message: str, **fields: Any) -> None:
        """Log the failure being handled: where it happened, not what values it carried."""
        self._logger.error(message, extra={**fields, **failure()})


def failure() -> dict[str, Any]:
    """What is being handled as it may be kept: kinds and places, never the values it carried."""
    import traceback

    kind, error, trace = sys.exc_info()
    frames = traceback.extract_tb(trace) if trace else []
    return {
        "failure": kind.__name__ if kind else None,
        "cause": type(error.__cause__).__name__ if error and error.__cause__ else None,
        "trace": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-12:]],
    }


def about(identifier: str | None) -> dict[str, str]:
    """An id under the name of its kind, so that an order's lines are found by `order_id`.

    Nothing for what is no id of ours: callers may send anything, a phone number or a key, as one.
    """
    if not identifier or not _ID.fullmatch(identifier):
        return {}
    return {_NAMES.get(identifier.partition("_")[0], "subject"): identifier}


_ID = re.compile(r"(?!tsk)[a-z]{3}_[0-9a-f-]{10,64}")
_NAMES = {
    "ord": "order_id",
    "dsp": "dispatch_id",
    "dpt": "dispute_id",
    "rfd": "refund_id",
    "aft": "after_sales_id",
    "run": "run_id",
    "pob": "payout_batch_id",
    "pyt": "payout_id",
    "rec": "reconciliation_id",
    "whd": "delivery_id",
    "rpl": "replay_id",
    "sim": "simulation_id",
}

logger = SafeLogger()
_metrics = Metrics(namespace=os.environ.get("POWERTOOLS_METRICS_NAMESPACE", "Tuan"), service="tuan")


def metric(name: str, value: float = 1, *, unit: str = "Count", **dimensions: str) -> None:
    """Count something; it is written when the invocation ends, or at once with its dimensions."""
    if not dimensions:
        _metrics.add_metric(name=name, unit=MetricUnit(unit), value=value)
        return
    single = SingleMetric(namespace=_metrics.namespace)
    single.add_metric(name=name, unit=MetricUnit(unit), value=value)
    for dimension, said in {"service": "tuan", **dimensions}.items():
        single.add_dimension(dimension, said)
    # In one piece: the library's own context manager prints a line and its end apart, and what
    # another thread writes may come in between.
    sys.stdout.write(json.dumps(single.serialize_metric_set(), separators=(",", ":")) + "\n")


def flush_metrics() -> None:
    """Write what was counted, in CloudWatch's embedded metric format."""
    if _metrics.metric_set:
        _metrics.flush_metrics()


__all__ = ["about", "failure", "flush_metrics", "logger", "metric"]
