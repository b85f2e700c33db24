"""Prints what the local functions wrote: `python -m infra.local.logs [FUNCTION ...]`.

One record a line: when, how grave, which function, what, and the ids. Metrics are left out.
"""

import heapq
import json
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from infra.failures import Fixable, exit_code_of
from infra.local import stack

PREFIX = f"/{stack.NAME}/"
OF_LAMBDA = ("START ", "END ", "REPORT ")
# Each stands at the head of its line, or says nothing to a person.
ELSEWHERE = {"level", "message", "timestamp", "location", "service"}


def main() -> None:
    logs = stack.running().client("logs")
    names = chosen(sys.argv[1:], functions(logs))
    for at, name, message in heapq.merge(*(records(logs, name) for name in names)):
        if line := readable(at, name, message):
            print(line)


def functions(logs: Any) -> list[str]:
    """The functions that have a log, by their names in the template."""
    pages = logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=PREFIX)
    groups = [group["logGroupName"] for page in pages for group in page["logGroups"]]
    return sorted(group.removeprefix(PREFIX) for group in groups)


def chosen(asked: Sequence[str], known: Sequence[str]) -> list[str]:
    """The functions asked for, or all; `dispatch_create` is DispatchCreate too."""
    by_bare_name = {bare(name): name for name in known}
    if unknown := [name for name in asked if bare(name) not in by_bare_name]:
        raise Fixable(f"There is no function {unknown[0]}. There are: {', '.join(known)}.")
    return [by_bare_name[bare(name)] for name in asked] or list(known)


def bare(name: str) -> str:
    return name.replace("_", "").lower()


def records(logs: Any, name: str) -> Iterator[tuple[int, str, str]]:
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=f"{PREFIX}{name}")
    for page in pages:
        for event in page["events"]:
            yield event["timestamp"], name, event["message"]


def readable(at: int, name: str, message: str) -> str | None:
    """A record in a line; None for what Lambda itself wrote, and for metrics."""
    if message.startswith(OF_LAMBDA):
        return None
    record = fields_of(message)
    if "_aws" in record:
        return None
    when = datetime.fromtimestamp(at / 1000, UTC).isoformat(" ", "milliseconds")[:23]
    said = " ".join(str(record.get("message", message)).split())
    ids = [f"{key}={short(value)}" for key, value in record.items() if key not in ELSEWHERE]
    return " ".join([when, f"{record.get('level', ''):7}", f"{name:16}", said, *ids])


def fields_of(message: str) -> dict[str, Any]:
    try:
        record = json.loads(message)
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}


def short(value: Any) -> str:
    """A trace's frames one after another, each with the last two parts of its path."""
    if isinstance(value, list):
        return " > ".join("/".join(str(frame).split("/")[-2:]) for frame in value)
    return str(value)


if __name__ == "__main__":
    sys.exit(exit_code_of(main))
