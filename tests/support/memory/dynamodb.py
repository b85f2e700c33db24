"""DynamoDB's operations, as its API Reference describes them, each whole before the next begins."""

import marshal
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from tests.support.memory import parsing
from tests.support.memory.errors import Refused, Unfit
from tests.support.memory.expressions import (
    BeginsWith,
    Between,
    Both,
    Compared,
    Condition,
    Given,
    Literal,
    Path,
    reversed_bounds,
)
from tests.support.memory.tables import (
    Index,
    Keys,
    Place,
    Table,
    in_scan,
    segment_of,
    window,
)
from tests.support.memory.updating import updated
from tests.support.memory.values import Item, known_item, known_value

Json = dict[str, Any]
Key = tuple[str, str]

TOGETHER = 100
WRITTEN_TOGETHER = 25
TRANSACTION_BYTES = 4 * 1024 * 1024
PAGE_BYTES = 1024 * 1024
BATCH_BYTES = 16 * 1024 * 1024
TOKEN_SECONDS = 600

# What is asked for beside an answer, and need not be given.
ASIDE = {"ReturnConsumedCapacity", "ReturnItemCollectionMetrics"}
EXPRESSIONS = {"ExpressionAttributeNames", "ExpressionAttributeValues"}
WRITE = {"TableName", "ConditionExpression", "ReturnValuesOnConditionCheckFailure", *EXPRESSIONS}
READ = {"TableName", "ConsistentRead", "ProjectionExpression", *EXPRESSIONS}
PAGED = {*READ, "IndexName", "FilterExpression", "Limit", "ExclusiveStartKey", "Select"}
KNOWN = {
    operation: {*parameters, *ASIDE}
    for operation, parameters in {
        "GetItem": {*READ, "Key"},
        "PutItem": {*WRITE, "Item", "ReturnValues"},
        "UpdateItem": {*WRITE, "Key", "UpdateExpression", "ReturnValues"},
        "DeleteItem": {*WRITE, "Key", "ReturnValues"},
        "Query": {*PAGED, "KeyConditionExpression", "ScanIndexForward"},
        "Scan": {*PAGED, "Segment", "TotalSegments"},
        "BatchGetItem": {"RequestItems"},
        "BatchWriteItem": {"RequestItems"},
        "TransactGetItems": {"TransactItems"},
        "TransactWriteItems": {"TransactItems", "ClientRequestToken"},
        "DescribeTable": {"TableName"},
        "ListTables": set(),
    }.items()
}
IN_TRANSACTION = {
    "ConditionCheck": {*WRITE, "Key"},
    "Put": {*WRITE, "Item"},
    "Update": {*WRITE, "Key", "UpdateExpression"},
    "Delete": {*WRITE, "Key"},
    "Get": {"TableName", "Key", "ProjectionExpression", "ExpressionAttributeNames"},
}


NOTHING_GIVEN = Given({}, {})


@dataclass(frozen=True)
class Write:
    """What a request to write one item comes to; `after` is None where it is to be gone."""

    table: Table
    key: Key
    before: Item | None
    after: Item | None
    size: int
    writes: bool = True

    def commit(self) -> None:
        if self.after is not None:
            self.table.put(self.key, self.before, self.after, self.size)
        elif self.before is not None:
            self.table.delete(self.key, self.before)


@dataclass(frozen=True)
class Page:
    """A part of what a query or scan goes through, and the key to go on from."""

    items: list[Item]
    looked_at: int
    last: Json | None


class DynamoDB:
    """Tables with items; `now` tells the seconds by which a request's token is forgotten."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._tables: dict[str, Table] = {}
        self._tokens: dict[str, tuple[float, bytes]] = {}
        self._now = now
        # Told of each item that was written or deleted, by table and key.
        self.on_write: Callable[[str, Key], None] = lambda table, key: None

    def add_table(self, name: str, keys: Keys, indexes: Sequence[Index]) -> None:
        self._tables[name] = Table(name, keys, indexes)

    def answer(self, operation: str, asked: Json) -> Json:
        """What the operation answers. Raises Refused, or NotImplementedError."""
        if operation not in KNOWN:
            raise NotImplementedError(operation)
        _check_known(operation, asked, KNOWN[operation])
        return _OPERATIONS[operation](self, asked)

    def table(self, name: str) -> Table:
        try:
            return self._tables[name]
        except KeyError:
            raise Refused("ResourceNotFoundException", "Requested resource not found") from None

    def describe_table(self, asked: Json) -> Json:
        table = self.table(asked["TableName"])
        described = {
            "TableName": table.name,
            "TableStatus": "ACTIVE",
            "ItemCount": len(table),
            "KeySchema": _schema(table.keys),
            "GlobalSecondaryIndexes": [
                {
                    "IndexName": index.name,
                    "KeySchema": _schema(index.keys),
                    "Projection": {"ProjectionType": "KEYS_ONLY" if index.keys_only else "ALL"},
                }
                for index in table.indexes.values()
            ],
        }
        return {"Table": described}

    def list_tables(self, asked: Json) -> Json:
        return {"TableNames": sorted(self._tables)}

    def get_item(self, asked: Json) -> Json:
        table, given = self.table(asked["TableName"]), _given(asked, "ProjectionExpression")
        found = table.get(table.key(asked["Key"]))
        return {} if found is None else {"Item": _projected(asked, found, given)}

    def put_item(self, asked: Json) -> Json:
        return self._write_alone("Put", asked)

    def update_item(self, asked: Json) -> Json:
        return self._write_alone("Update", asked)

    def delete_item(self, asked: Json) -> Json:
        return self._write_alone("Delete", asked)

    def transact_write_items(self, asked: Json) -> Json:
        requests = _one_of_each(asked["TransactItems"])
        token = asked.get("ClientRequestToken")
        if token and self._was_done(token, requests):
            return {}
        self._check_once([(self.table(each["TableName"]), each) for _, each in requests])
        writes = self._all_or_none(requests)
        self._commit(*writes)
        if token:
            self._tokens[token] = (self._now(), _fingerprint(requests))
        return {}

    def transact_get_items(self, asked: Json) -> Json:
        requests = _one_of_each(asked["TransactItems"])
        self._check_once([(self.table(each["TableName"]), each) for _, each in requests])
        return {"Responses": [self.get_item(each) for _, each in requests]}

    def batch_get_item(self, asked: Json) -> Json:
        wanted = asked["RequestItems"]
        if sum(len(each["Keys"]) for each in wanted.values()) > TOGETHER:
            raise Unfit("Too many items requested for the BatchGetItem call")
        answer: Json = {"Responses": {}, "UnprocessedKeys": {}}
        bytes_left = BATCH_BYTES
        for name, each in wanted.items():
            _check_known("BatchGetItem", each, READ | {"Keys"})
            table, given = self.table(name), _given(each, "ProjectionExpression")
            found, unread = [], []
            # DynamoDB answers in whatever order it finds them.
            for key in reversed(_distinct(table, each["Keys"])):
                item = table.get(key)
                bytes_left -= table.size(key) if item is not None else 0
                if item is not None and bytes_left < 0:
                    unread.append({n: {"S": text} for n, text in zip(table.keys, key, strict=True)})
                elif item is not None:
                    found.append(_projected(each, item, given))
            answer["Responses"][name] = found
            if unread:
                answer["UnprocessedKeys"][name] = {**each, "Keys": unread}
        return answer

    def batch_write_item(self, asked: Json) -> Json:
        wanted = [
            (name, request) for name, each in asked["RequestItems"].items() for request in each
        ]
        if len(wanted) > WRITTEN_TOGETHER:
            raise Unfit("Too many items requested for the BatchWriteItem call")
        writes = [self._judged(*_batched(name, request))[0] for name, request in wanted]
        if len({(each.table.name, each.key) for each in writes}) < len(writes):
            raise Unfit("Provided list of item keys contains duplicates")
        self._commit(*writes)
        return {"UnprocessedItems": {}}

    def query(self, asked: Json) -> Json:
        table = self.table(asked["TableName"])
        index = _index(table, asked)
        keys = index.keys if index else table.keys
        given = _given(asked, "KeyConditionExpression", "FilterExpression", "ProjectionExpression")
        hash_key, sign, operands = _key_condition(asked, keys, given)
        _check_filter(asked, keys, given)
        partitions = index.partitions if index else table.partitions
        places = partitions.get(hash_key, [])
        low, high = window(places, sign, operands)
        start = _start(asked, table, index)
        forward = asked.get("ScanIndexForward", True)
        if start and forward:
            low = max(low, bisect_right(places, start[1]))
        elif start:
            high = min(high, bisect_left(places, start[1]))
        if forward:
            chosen: Iterable[int] = range(low, high)
        else:
            chosen = range(high - 1, low - 1, -1)
        found = ((hash_key, places[n]) for n in chosen)
        return self._paged(table, index, asked, given, found)

    def scan(self, asked: Json) -> Json:
        table = self.table(asked["TableName"])
        index = _index(table, asked)
        given = _given(asked, "FilterExpression", "ProjectionExpression")
        partitions = index.partitions if index else table.partitions
        order = sorted(partitions, key=in_scan) if index else table.scanned()
        segment, segments = asked.get("Segment", 0), asked.get("TotalSegments", 1)
        if not 0 <= segment < segments:
            raise Unfit("The Segment parameter must be less than TotalSegments")
        start = _start(asked, table, index)
        found = (
            (hash_key, place)
            for hash_key in order
            if segments == 1 or segment_of(hash_key, segments) == segment
            if not start or in_scan(hash_key) >= in_scan(start[0])
            for place in partitions[hash_key]
            if not start or hash_key != start[0] or place > start[1]
        )
        return self._paged(table, index, asked, given, found)

    def _paged(
        self,
        table: Table,
        index: Index | None,
        asked: Json,
        given: Given,
        found: Iterable[tuple[str, Place]],
    ) -> Json:
        page = _page(table, index, asked, given, found)
        answer: Json = {"Count": len(page.items), "ScannedCount": page.looked_at}
        if asked.get("Select") != "COUNT":
            answer["Items"] = page.items
        if page.last:
            answer["LastEvaluatedKey"] = page.last
        return answer

    def _write_alone(self, kind: str, asked: Json) -> Json:
        write, holds = self._judged(kind, asked)
        if not holds:
            more = {"Item": write.before} if _wants_item(asked) and write.before else {}
            raise Refused(
                "ConditionalCheckFailedException", "The conditional request failed", **more
            )
        self._commit(write)
        return _returned(asked.get("ReturnValues", "NONE"), write)

    def _commit(self, *writes: Write) -> None:
        for write in writes:
            if write.writes:
                write.commit()
                self.on_write(write.table.name, write.key)

    def _judged(self, kind: str, asked: Json) -> tuple[Write, bool]:
        """What a write comes to, and whether its condition holds."""
        table = self.table(asked["TableName"])
        given = _given(asked, "ConditionExpression", "UpdateExpression")
        if kind == "Put":
            item, size = known_item(asked["Item"])
            key = table.key(item, alone=False)
        else:
            key = table.key(asked["Key"])
        before = table.get(key)
        if "ConditionExpression" in asked:
            condition = parsing.condition(asked["ConditionExpression"]).content
            if not condition.holds(before or {}, given):
                return Write(table, key, before, None, 0, writes=False), False
        if kind == "Put":
            table.check(item, size)
            return Write(table, key, before, item, size), True
        if kind == "Update":
            return self._update(table, key, before, asked, given), True
        return Write(table, key, before, None, 0, writes=kind == "Delete"), True

    def _update(
        self, table: Table, key: Key, before: Item | None, asked: Json, given: Given
    ) -> Write:
        of_key = {name: {"S": text} for name, text in zip(table.keys, key, strict=True)}
        item, size = (before, table.size(key)) if before else known_item(of_key)
        if "UpdateExpression" in asked:
            actions = parsing.update(asked["UpdateExpression"]).content
            changed = updated(item, actions, given, tuple(table.keys))
            item, size = _known_again(item, size, changed)
        table.check(item, size)
        return Write(table, key, before, item, size)

    def _all_or_none(self, requests: Sequence[tuple[str, Json]]) -> list[Write]:
        writes, reasons = [], []
        for kind, asked in requests:
            try:
                write, holds = self._judged(kind, asked)
            except Unfit as error:
                reasons.append({"Code": "ValidationError", "Message": error.message})
                continue
            writes.append(write)
            reasons.append({"Code": "None"} if holds else _refusal(asked, write))
        if any(reason["Code"] != "None" for reason in reasons):
            codes = ", ".join(reason["Code"] for reason in reasons)
            raise Refused(
                "TransactionCanceledException",
                "Transaction cancelled, please refer cancellation reasons for specific reasons "
                f"[{codes}]",
                CancellationReasons=reasons,
            )
        if sum(write.size for write in writes) > TRANSACTION_BYTES:
            raise Unfit("Collection size cannot exceed 4 MB in a transaction")
        return writes

    def _check_once(self, requests: Sequence[tuple[Table, Json]]) -> None:
        if not 1 <= len(requests) <= TOGETHER:
            raise Unfit(
                "1 validation error detected: Value at 'transactItems' failed to satisfy "
                f"constraint: Member must have length between 1 and {TOGETHER}"
            )
        keys = set()
        for table, asked in requests:
            item = asked.get("Item")
            key = table.key(asked["Key"]) if item is None else table.key(item, alone=False)
            keys.add((table.name, key))
        if len(keys) < len(requests):
            raise Unfit("Transaction request cannot include multiple operations on one item")

    def _was_done(self, token: str, requests: Any) -> bool:
        done_at, before = self._tokens.get(token, (0.0, b""))
        if not before or self._now() - done_at > TOKEN_SECONDS:
            return False
        if before != _fingerprint(requests):
            raise Refused(
                "IdempotentParameterMismatchException",
                "The same client token was used for another request",
            )
        return True


_OPERATIONS: dict[str, Callable[[DynamoDB, Json], Json]] = {
    "GetItem": DynamoDB.get_item,
    "PutItem": DynamoDB.put_item,
    "UpdateItem": DynamoDB.update_item,
    "DeleteItem": DynamoDB.delete_item,
    "Query": DynamoDB.query,
    "Scan": DynamoDB.scan,
    "BatchGetItem": DynamoDB.batch_get_item,
    "BatchWriteItem": DynamoDB.batch_write_item,
    "TransactGetItems": DynamoDB.transact_get_items,
    "TransactWriteItems": DynamoDB.transact_write_items,
    "DescribeTable": DynamoDB.describe_table,
    "ListTables": DynamoDB.list_tables,
}


def _known_again(before: Item, size: int, after: Item) -> tuple[Item, int]:
    """An item as it is kept, and its size, where most of it is what it was before."""
    gone = {name: value for name, value in before.items() if after.get(name) is not value}
    new = {name: value for name, value in after.items() if before.get(name) is not value}
    known, added = known_item(new)
    return {**after, **known}, size - known_item(gone)[1] + added


def _check_known(operation: str, asked: Mapping[str, Any], known: set[str]) -> None:
    if not asked.keys() <= known:
        raise NotImplementedError(f"{operation} with {sorted(asked.keys() - known)}")


def _schema(keys: Keys) -> list[Json]:
    return [
        {"AttributeName": keys.hash, "KeyType": "HASH"},
        {"AttributeName": keys.range, "KeyType": "RANGE"},
    ]


def _one_of_each(items: Sequence[Json]) -> list[tuple[str, Json]]:
    """The kind of each request of a transaction, and what it says."""
    found = []
    for each in items:
        ((kind, asked),) = each.items()
        _check_known(kind, asked, IN_TRANSACTION[kind])
        found.append((kind, asked))
    return found


def _batched(table: str, request: Json) -> tuple[str, Json]:
    ((kind, asked),) = request.items()
    return kind.removesuffix("Request"), {"TableName": table, **asked}


def _fingerprint(requests: Any) -> bytes:
    return marshal.dumps(requests)


def _distinct(table: Table, keys: Sequence[Json]) -> list[Key]:
    found = [table.key(each) for each in keys]
    if len(set(found)) < len(found):
        raise Unfit("Provided list of item keys contains duplicates")
    return found


def _given(asked: Json, *expressions: str) -> Given:
    """What the placeholders stand for; each of them must be used."""
    names = asked.get("ExpressionAttributeNames") or {}
    values = asked.get("ExpressionAttributeValues") or {}
    if not names and not values:
        return NOTHING_GIVEN
    used = _used(asked, expressions)
    for kind, given in (("Names", names), ("Values", values)):
        if not given.keys() <= used:
            unused = ", ".join(sorted(given.keys() - used))
            raise Unfit(
                f"Value provided in ExpressionAttribute{kind} unused in expressions: {unused}"
            )
    return Given(names, {token: known_value(value)[0] for token, value in values.items()})


def _used(asked: Json, expressions: Sequence[str]) -> frozenset[str]:
    found = [
        _READ_AS[name](asked[name]).used for name in expressions if asked.get(name) is not None
    ]
    return found[0] if len(found) == 1 else frozenset().union(*found)


_READ_AS: dict[str, Callable[[str], parsing.Parsed[Any]]] = {
    "ConditionExpression": parsing.condition,
    "FilterExpression": parsing.condition,
    "KeyConditionExpression": parsing.condition,
    "ProjectionExpression": parsing.projection,
    "UpdateExpression": parsing.update,
}


def _projected(asked: Json, item: Item, given: Given) -> Item:
    if "ProjectionExpression" not in asked:
        return item
    paths = [
        each.named(given) for each in parsing.projection(asked["ProjectionExpression"]).content
    ]
    if any(len(path) > 1 for path in paths):
        raise NotImplementedError("a part of an attribute in a ProjectionExpression")
    return {str(name): item[str(name)] for (name,) in paths if name in item}


def _wants_item(asked: Json) -> bool:
    return asked.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"


def _refusal(asked: Json, write: Write) -> Json:
    reason: Json = {
        "Code": "ConditionalCheckFailed",
        "Message": "The conditional request failed",
    }
    if _wants_item(asked) and write.before:
        reason["Item"] = write.before
    return reason


def _returned(wanted: str, write: Write) -> Json:
    if wanted in ("NONE", "ALL_OLD", "ALL_NEW"):
        items = {"ALL_OLD": write.before, "ALL_NEW": write.after}
        found = items.get(wanted)
        return {"Attributes": found} if found else {}
    raise NotImplementedError(f"ReturnValues {wanted}")


def _index(table: Table, asked: Json) -> Index | None:
    name = asked.get("IndexName")
    if name is None:
        return None
    if name not in table.indexes:
        raise Unfit(f"The table does not have the specified index: {name}")
    if asked.get("ConsistentRead"):
        raise Unfit("Consistent reads are not supported on global secondary indexes")
    return table.indexes[name]


def _key_condition(asked: Json, keys: Keys, given: Given) -> tuple[str, str, list[str]]:
    """The hash key, and how the range key stands to which texts."""
    condition = parsing.condition(asked["KeyConditionExpression"]).content
    relations = dict(_relation(each, given) for each in _joined(condition))
    if keys.hash not in relations or relations[keys.hash][0] != "=":
        raise Unfit(f"Query condition missed key schema element: {keys.hash}")
    if not relations.keys() <= {*keys}:
        raise Unfit(f"Query condition missed key schema element: {keys.range}")
    _, (hash_key,) = relations[keys.hash]
    if not hash_key:
        raise Unfit(
            "One or more parameter values are not valid. The AttributeValue for a key attribute "
            f"cannot contain an empty string value. Key: {keys.hash}"
        )
    if len(hash_key.encode()) > 2048:
        raise Unfit("One or more parameter values were invalid: Size of hashkey is too large")
    return hash_key, *relations.get(keys.range, ("", []))


def _joined(condition: Condition) -> Iterator[Condition]:
    if isinstance(condition, Both):
        yield from _joined(condition.left)
        yield from _joined(condition.right)
    else:
        yield condition


def _relation(condition: Condition, given: Given) -> tuple[str, tuple[str, list[str]]]:
    if isinstance(condition, Compared) and condition.sign != "<>":
        path, sign, operands = condition.left, condition.sign, [condition.right]
    elif isinstance(condition, Between):
        path, sign, operands = condition.operand, "BETWEEN", [condition.lower, condition.upper]
    elif isinstance(condition, BeginsWith):
        path, sign, operands = condition.operand, "begins_with", [condition.prefix]
    else:
        raise Unfit("Invalid operator used in KeyConditionExpression")
    if not isinstance(path, Path) or not all(isinstance(each, Literal) for each in operands):
        raise Unfit("Invalid KeyConditionExpression: an attribute and values are expected")
    texts = [cast(Literal, each).of({}, given).get("S") for each in operands]
    if any(text is None for text in texts):
        raise Unfit("One or more parameter values were invalid: Condition parameter type mismatch")
    known = cast(list[str], texts)
    if sign == "BETWEEN" and known[0] > known[1]:
        raise reversed_bounds({"S": known[0]}, {"S": known[1]})
    return str(path.named(given)[0]), (sign, known)


def _check_filter(asked: Json, keys: Keys, given: Given) -> None:
    if "FilterExpression" not in asked:
        return
    words = parsing.condition(asked["FilterExpression"]).words
    for name in keys:
        if name in {given.names.get(word, word) for word in words}:
            raise Unfit(
                "Filter Expression can only contain non-primary key attributes: "
                f"Primary key attribute: {name}"
            )


def _start(asked: Json, table: Table, index: Index | None) -> tuple[str, Place] | None:
    """The partition and the place in it behind which to go on."""
    start = asked.get("ExclusiveStartKey")
    if not start:
        return None
    names = {*table.keys, *(index.keys if index else ())}
    if start.keys() != names:
        raise Unfit("The provided starting key is invalid")
    keys = index.keys if index else table.keys
    texts = {name: start[name]["S"] for name in names}
    place = (texts[keys.range], texts[table.keys.hash], texts[table.keys.range])
    return texts[keys.hash], place


def _page(
    table: Table,
    index: Index | None,
    asked: Json,
    given: Given,
    found: Iterable[tuple[str, Place]],
) -> Page:
    limit, items, looked_at, size = asked.get("Limit"), [], 0, 0
    if limit is not None and limit < 1:
        raise Unfit("Value at 'limit' failed to satisfy constraint: Member must be at least 1")
    wanted = asked.get("FilterExpression")
    condition = parsing.condition(wanted).content if wanted else None
    for hash_key, place in found:
        item = _seen(table, index, hash_key, place)
        looked_at += 1
        size += table.size((place[1], place[2]))
        if condition is None or condition.holds(item, given):
            items.append(_projected(asked, item, given))
        if looked_at == limit or size > PAGE_BYTES:
            return Page(items, looked_at, _keys_of(table, index, hash_key, place))
    return Page(items, looked_at, None)


def _seen(table: Table, index: Index | None, hash_key: str, place: Place) -> Item:
    """An item as the table or index shows it."""
    if index is not None and index.keys_only:
        return _keys_of(table, index, hash_key, place)
    return cast(Item, table.get((place[1], place[2])))


def _keys_of(table: Table, index: Index | None, hash_key: str, place: Place) -> Item:
    keys = {table.keys.hash: {"S": place[1]}, table.keys.range: {"S": place[2]}}
    if index is not None:
        keys |= {index.keys.hash: {"S": hash_key}, index.keys.range: {"S": place[0]}}
    return keys
