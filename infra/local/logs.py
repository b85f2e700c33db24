"""Prints what the local functions wrote: `python -m infra.local.logs [FUNCTION ...]`."""

import heapq
import sys
from collections.abc import Iterator
from typing import Any

from infra.failures import exit_code_of
from infra.local import stack


def main() -> None:
    functions = sys.argv[1:]
    logs = stack.current().client("logs")
    groups = [f"/{stack.NAME}/{name}" for name in functions] or all_groups(logs)
    streams = (lines(logs, group) for group in groups)
    for _, group, message in heapq.merge(*streams):
        if not message.startswith(("START ", "END ", "REPORT ")):
            print(f"{group.rpartition('/')[2]:18} {message.rstrip()}")


def all_groups(logs: Any) -> list[str]:
    found = logs.describe_log_groups(logGroupNamePrefix=f"/{stack.NAME}/")["logGroups"]
    return [group["logGroupName"] for group in found]


def lines(logs: Any, group: str) -> Iterator[tuple[int, str, str]]:
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group)
    for page in pages:
        for event in page["events"]:
            yield event["timestamp"], group, event["message"]


if __name__ == "__main__":
    sys.exit(exit_code_of(main))
