"""The short way to moto: what is asked most often is answered without HTTP in between.

On the long way a request is signed, sent, matched against every URL of AWS, parsed by its model,
and its answer written by its model and parsed again, which takes several times as long as the work
itself. The short way gives moto's own handlers what botocore would have sent, and takes what they
return. What moto refuses has changed nothing, so it is asked again on the long way, which makes of
it the error that a caller knows.
"""

import copy
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from types import SimpleNamespace
from typing import Any
from unittest import mock

from botocore import xform_name
from botocore.model import OperationModel
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.responses import ActionResult, BaseResponse
from moto.dynamodb.comparisons import ConditionExpressionParser
from moto.dynamodb.exceptions import ItemSizeTooLarge
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import DynamoHandler
from moto.sqs.responses import SQSResponse

Json = dict[str, Any]
Answer = tuple[Any, Json]
Keys = tuple[Any, Any]

CONDITIONS_KEPT = 1000
# As moto has it; DynamoDB says 400 KB.
HEAVIEST_ITEM = 405_000
HANDLERS: dict[str, type[BaseResponse]] = {"dynamodb": DynamoHandler, "sqs": SQSResponse}
# Those whose results have already the names and the shape that a caller sees.
DIRECT = {
    "dynamodb": {
        "BatchGetItem",
        "BatchWriteItem",
        "DeleteItem",
        "GetItem",
        "PutItem",
        "Query",
        "Scan",
        "TransactGetItems",
        "TransactWriteItems",
        "UpdateItem",
    },
    "sqs": {
        "DeleteMessageBatch",
        "GetQueueAttributes",
        "ReceiveMessage",
        "SendMessage",
        "SendMessageBatch",
    },
}


def answered(request: Json, operation: OperationModel, region: str) -> Answer | None:
    """What moto answers, as botocore's endpoint does; None where only the long way will do."""
    service = operation.service_model.service_name
    if operation.name not in DIRECT.get(service, ()):
        return None
    handler: Any = HANDLERS[service]()
    handler.body = handler.params = _parameters(request, operation)
    handler.region, handler.current_account = region, DEFAULT_ACCOUNT_ID
    handler.uri_match = {}
    try:
        result: ActionResult = getattr(handler, xform_name(operation.name))()
    except Exception:
        return None
    metadata = {"HTTPStatusCode": 200, "HTTPHeaders": {}, "RetryAttempts": 0}
    said: Any = result.result or {}
    modelled: Any = operation.output_shape
    parsed = {name: said[name] for name in modelled.members if said.get(name) is not None}
    return SimpleNamespace(status_code=200), {**parsed, "ResponseMetadata": metadata}


def _parameters(request: Json, operation: OperationModel) -> Any:
    """The parameters as moto parses them: of all types only bytes differ from the JSON sent."""
    if b'"B' not in request["body"]:
        return json.loads(request["body"])
    parser: Any = PROTOCOL_PARSERS["json"](operation)
    return parser.parse({"body": request["body"]})


@contextmanager
def without_detours() -> Iterator[None]:
    """moto does what it does, but each thing once."""
    with (
        _copying_what_is_touched(),
        _parsing_once(),
        _weighing_once(),
        _looking_into_one_partition(),
    ):
        yield


@contextmanager
def _copying_what_is_touched() -> Iterator[None]:
    """A transaction that is cancelled puts back copies of the items that it names.

    moto copies every item of their tables.
    """
    write = DynamoDBBackend.transact_write_items
    copies: dict[str, Table] = {}

    def writing(backend: DynamoDBBackend, items: list[Json]) -> None:
        touched: dict[str, set[Keys]] = defaultdict(set)
        for name, keys in _named(backend, items):
            touched[name].add(keys)
        copies.update({name: _copy(backend.tables[name], keys) for name, keys in touched.items()})
        write(backend, items)

    def copied(table: Table, _: Json) -> Table:
        return copies[table.name]

    with (
        mock.patch.object(DynamoDBBackend, "transact_write_items", writing),
        mock.patch.object(Table, "__deepcopy__", copied, create=True),
    ):
        yield


def _named(backend: DynamoDBBackend, items: list[Json]) -> Iterator[tuple[str, Keys]]:
    for item in items:
        for said in item.values():
            table = backend.get_table(said["TableName"])
            yield table.name, backend.get_keys_value(table, said.get("Key") or said["Item"])


def _copy(table: Table, keys: set[Keys]) -> Table:
    made = copy.copy(table)
    made.items = defaultdict(dict, table.items)
    for hash_key in {hash_key for hash_key, _ in keys}:
        if hash_key in table.items:
            made.items[hash_key] = dict(table.items[hash_key])
    for hash_key, range_key in keys:
        if range_key in table.items.get(hash_key, {}):
            made.items[hash_key][range_key] = copy.deepcopy(table.items[hash_key][range_key])
    return made


@contextmanager
def _parsing_once() -> Iterator[None]:
    """A condition, which moto parses to judge it, to check it, and again to write under it."""
    parse = ConditionExpressionParser.parse
    known: dict[str, tuple[Any, list[str], list[str]]] = {}

    def parsed(parser: ConditionExpressionParser) -> Any:
        said = repr(
            (
                parser.condition_expression,
                parser.expression_attribute_names,
                parser.expression_attribute_values,
            )
        )
        if said not in known:
            if len(known) >= CONDITIONS_KEPT:
                known.clear()
            found = parse(parser)
            known[said] = found, parser.expr_attr_names_found, parser.expr_attr_values_found
        found, names, values = known[said]
        parser.expr_attr_names_found, parser.expr_attr_values_found = [*names], [*values]
        return found

    with mock.patch.object(ConditionExpressionParser, "parse", parsed):
        yield


@contextmanager
def _weighing_once() -> Iterator[None]:
    """A new item, which moto weighs anew with each attribute that it gets."""

    def made(item: Item, hash_key: DynamoType, range_key: DynamoType, attrs: Json) -> None:
        item.hash_key, item.range_key = hash_key, range_key
        item.attrs = LimitedSizeDict({key: DynamoType(value) for key, value in attrs.items()})
        if item.size() > HEAVIEST_ITEM:
            raise ItemSizeTooLarge

    with mock.patch.object(Item, "__init__", made):
        yield


@contextmanager
def _looking_into_one_partition() -> Iterator[None]:
    """A query, for which moto sorts its whole table first.

    It compares keys as if any were numbers; of tables and indexes here they are all strings.
    """
    query, cast = Table.query, vars(DynamoType)["cast_value"].fget

    def narrowed(table: Table, hash_key: DynamoType, *args: Any, **kwargs: Any) -> Any:
        conditions = kwargs["hash_key_conditions"]
        if all(name == table.hash_key_attr for name, _ in conditions):
            items = [*table.items.get(hash_key, {}).values()]
        else:
            items = [each for each in _unsorted(table) if _has(each, conditions)]
        with mock.patch.object(table, "all_items", partial(list, items)):
            return query(table, hash_key, *args, **kwargs)

    def in_order(table: Table) -> list[Item]:
        return sorted(_unsorted(table), key=_key)

    def value(told: DynamoType) -> Any:
        return told.value if told.type == "S" else cast(told)

    with (
        mock.patch.object(Table, "query", narrowed),
        mock.patch.object(Table, "all_items", in_order),
        mock.patch.object(DynamoType, "cast_value", property(value)),
    ):
        yield


def _unsorted(table: Table) -> Iterator[Item]:
    for partition in table.items.values():
        yield from partition.values()


def _key(item: Any) -> tuple[str, str]:
    return item.hash_key.value, item.range_key.value


def _has(item: Item, values: Sequence[tuple[str, DynamoType]]) -> bool:
    return all(name in item.attrs and item.attrs[name] == value for name, value in values)
