"""What this process asks of DynamoDB, and what that consumes.

Without effect on the code under measurement: the calls are seen where every library hands them
to botocore. A watched call costs more, so nothing is timed while it lasts.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

from botocore.client import BaseClient

Item = Mapping[str, Mapping[str, Any]]
WRITES = frozenset({"BatchWriteItem", "DeleteItem", "PutItem", "TransactWriteItems", "UpdateItem"})


@dataclass(frozen=True)
class Call:
    """One request to DynamoDB as botocore was given it; `consumed` is DynamoDB's own account."""

    operation: str
    parameters: Mapping[str, Any]
    consumed: list[dict[str, Any]] = field(default_factory=list)


@contextmanager
def watched() -> Iterator[list[Call]]:
    """The calls made inside the `with`, in their order."""
    calls: list[Call] = []
    send = BaseClient._make_api_call

    def watching(client: Any, operation: str, parameters: Mapping[str, Any]) -> Any:
        if client.meta.service_model.service_name != "dynamodb":
            return send(client, operation, parameters)
        answer = send(client, operation, {**parameters, "ReturnConsumedCapacity": "INDEXES"})
        consumed = answer.get("ConsumedCapacity") or []
        each = consumed if isinstance(consumed, list) else [consumed]
        calls.append(Call(operation, parameters, each))
        return answer

    with mock.patch.object(BaseClient, "_make_api_call", watching):
        yield calls


def write_units(calls: Iterable[Call]) -> dict[str, float]:
    """Write units by table and by index (`Ordering/by_leader`), of calls that write."""
    units: dict[str, float] = {}
    for call in calls:
        for consumed in call.consumed if call.operation in WRITES else ():
            table = consumed["TableName"]
            indexes = {
                f"{table}/{index}": each["CapacityUnits"]
                for index, each in consumed.get("GlobalSecondaryIndexes", {}).items()
            }
            own = consumed["CapacityUnits"] - sum(indexes.values())
            for name, n in {table: own, **indexes}.items():
                units[name] = units.get(name, 0) + n
    return units


def size_of(item: Item) -> int:
    """Bytes of an item of texts, integers and bytes, as DynamoDB counts them for its units."""
    return sum(len(name.encode()) + _size_of_value(value) for name, value in item.items())


def _size_of_value(value: Mapping[str, Any]) -> int:
    ((kind, content),) = value.items()
    if kind == "N":
        # Two digits a byte and one more; the sign of a negative number takes another.
        number = str(content)
        digits = number.lstrip("-")
        return (len(digits) + 1) // 2 + 1 + (number != digits)
    if kind in ("BOOL", "NULL"):
        return 1
    return len(str(content).encode()) if kind == "S" else len(bytes(content))


def renamed(value: Any, names: Mapping[str, str]) -> Any:
    """A copy of a request in which every occurrence of some texts is another text."""
    if isinstance(value, Mapping):
        return {key: renamed(each, names) for key, each in value.items()}
    if isinstance(value, list):
        return [renamed(each, names) for each in value]
    if isinstance(value, str):
        for old, new in names.items():
            value = value.replace(old, new)
    return value
