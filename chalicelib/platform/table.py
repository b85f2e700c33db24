"""Rows of DynamoDB tables: keys, attribute kinds, and the way between a row and an entity.

An entity is a plain dataclass that the rules know. A row is its shape in a table; attributes and
fields of one name are the same thing, so a `store.py` only declares what each attribute is.
"""

import zlib
from collections.abc import Iterable
from dataclasses import MISSING, fields
from datetime import datetime
from functools import cache
from typing import Any, ClassVar, Generic, NamedTuple, Self, TypeVar, cast

import orjson
from pynamodb.attributes import Attribute, UnicodeAttribute
from pynamodb.connection import Connection, TableConnection
from pynamodb.constants import BINARY, NULL, NUMBER, STRING
from pynamodb.exceptions import AttributeNullError
from pynamodb.expressions.condition import Condition
from pynamodb.models import Model

from chalicelib.kernel import clock
from chalicelib.platform.settings import required

R = TypeVar("R")

# What is not JSON is refused, not turned into some text that would not come back as it was.
_NOTHING_BY_ITSELF = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS


class TableMeta(type):
    """Lets PynamoDB's `Meta` name its table by an environment variable, read on first use."""

    variable: str

    @property
    def table_name(cls) -> str:
        return required(cls.variable)


def table(variable: str) -> Any:
    """PynamoDB's `Meta` for rows of the table that an environment variable names."""
    return TableMeta("Meta", (), {"variable": variable})


@cache
def connection() -> Connection:
    """The one connection of this process, for every table and for transactions."""
    return Connection(
        max_retry_attempts=3,
        connect_timeout_seconds=2,
        read_timeout_seconds=5,
        max_pool_connections=64,
    )


class Row(Model):
    """One item of a table. `pk` and `sk` together are its identity."""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)

    @classmethod
    def _get_connection(cls) -> TableConnection:
        # PynamoDB would make a client for each kind of row, which costs more than many requests,
        # and would look the table's name up several times a call.
        if cls._connection is None:
            super()._get_connection().connection._client = connection().client
        return cast(TableConnection, cls._connection)

    @classmethod
    def at(cls, pk: str, sk: str) -> Self:
        """A row known by its key alone, to be updated or deleted."""
        return cls(pk, sk)

    # The next three do what PynamoDB's do for the kinds of attribute there are here, in one pass
    # in place of several: with them an order costs a tenth less.

    def _set_defaults(self, _user_instantiated: bool = True) -> None:
        self.attribute_values.update(_defaults(type(self)))

    @classmethod
    def from_raw_data(cls, data: dict[str, Any]) -> Self:
        row = cls.__new__(cls)
        row.attribute_values = values = dict(_defaults(cls))
        stored = _by_stored_name(cls)
        for stored_name, value in data.items():
            if stored_name in stored and NULL not in value:
                of = stored[stored_name]
                content = value[of.kind] if of.kind in value else of.attribute.get_value(value)
                values[of.name] = of.attribute.deserialize(content) if of.differs else content
        return row

    def serialize(self, null_check: bool = True) -> dict[str, dict[str, Any]]:
        item, values = {}, self.attribute_values
        for stored_name, of in _by_stored_name(type(self)).items():
            value = values.get(of.name)
            if value is not None:
                content = of.attribute.serialize(value) if of.differs else value
                item[stored_name] = {of.kind: content}
            elif null_check and not of.attribute.null:
                raise AttributeNullError(of.name)
        return item


class EntityRow(Row, Generic[R]):
    """A row that holds one entity, whole."""

    entity: ClassVar[type[Any]]

    @classmethod
    def keys(cls, entity: R) -> dict[str, Any]:
        """The row's `pk` and `sk`, and the index attributes that follow from the entity."""
        raise NotImplementedError

    @classmethod
    def of(cls, entity: R) -> Self:
        row = cls()
        row.attribute_values |= {name: getattr(entity, name) for name in _shared(cls)}
        row.attribute_values |= cls.keys(entity)
        return row

    def to_entity(self) -> R:
        values = self.attribute_values
        entity: R = self.entity(**{name: values.get(name) for name in _shared(type(self))})
        return entity


@cache
def _defaults(row: type[Row]) -> dict[str, Any]:
    attributes = row.get_attributes().items()
    return {name: each.default for name, each in attributes if each.default is not None}


class Stored(NamedTuple):
    """An attribute with its name here; `differs` where what is stored of it is not itself."""

    name: str
    kind: str
    attribute: Attribute[Any]
    differs: bool


@cache
def _by_stored_name(row: type[Row]) -> dict[str, Stored]:
    """Attributes by their names in the table."""
    return {
        each.attr_name: Stored(
            name, each.attr_type, each, differs=type(each) is not UnicodeAttribute
        )
        for name, each in row.get_attributes().items()
    }


@cache
def _shared(row: type[EntityRow[Any]]) -> tuple[str, ...]:
    attributes = row.get_attributes()
    return tuple(field.name for field in fields(row.entity) if field.name in attributes)


class IntegerAttribute(Attribute[int]):
    """A whole number of any size; never a float on the way."""

    attr_type = NUMBER

    def serialize(self, value: int) -> str:
        return str(int(value))

    def deserialize(self, value: str) -> int:
        return int(value)


class InstantAttribute(Attribute[datetime]):
    """An instant as RFC 3339 text, so that it sorts and reads well in a console."""

    attr_type = STRING

    def serialize(self, value: datetime) -> str:
        return clock.to_text(value)

    def deserialize(self, value: str) -> datetime:
        return clock.from_text(value)


class RecordAttribute(Attribute[R], Generic[R]):
    """One flat dataclass, as JSON text. Integers stay integers."""

    attr_type = STRING

    def __init__(self, record: type[R], **options: Any) -> None:
        super().__init__(**options)
        self.record = record

    def serialize(self, value: R) -> str:
        return _dump(_stored(value))

    def deserialize(self, value: str) -> R:
        return _made(self.record, orjson.loads(value))


class RecordsAttribute(Attribute[tuple[R, ...]], Generic[R]):
    """Many dataclasses, as one JSON text. Integers stay integers, and sequences are tuples."""

    attr_type = STRING

    def __init__(self, record: type[R], **options: Any) -> None:
        super().__init__(**options)
        self.record = record

    def serialize(self, value: Iterable[R]) -> str:
        return _dump([_stored(each) for each in value])

    def deserialize(self, value: str) -> tuple[R, ...]:
        return tuple(
            _made(self.record, {name: _frozen(part) for name, part in each.items()})
            for each in orjson.loads(value)
        )


def _made(record: type[R], stored: dict[str, Any]) -> R:
    """A record of the fields that are stored and the usual ones.

    A frozen dataclass sets each field by a call; an order's lines, read some ten times on their
    way, would spend a tenth of all time in it.
    """
    blank, needed = _blank(cast(Any, record))
    made = object.__new__(record)
    values = vars(made)
    values.update(blank)
    values.update(stored)
    # Where a field is missing, or there is one too many, the constructor tells which.
    known = len(values) == len(blank) and needed <= stored.keys()
    return made if known else record(**stored)


def _stored(record: Any) -> dict[str, Any]:
    """A record's fields without those that have their default, which comes back by itself.

    So a default, once it is stored nowhere, can never be changed.
    """
    usual = _usual(cast(Any, type(record)))
    return {
        name: value
        for name, value in vars(record).items()
        if name not in usual or value != usual[name]
    }


@cache
def _usual(record: Any) -> dict[str, Any]:
    found = {}
    for each in fields(record):
        if each.default is not MISSING:
            found[each.name] = each.default
        elif each.default_factory is not MISSING:
            found[each.name] = each.default_factory()
    return found


@cache
def _blank(record: Any) -> tuple[dict[str, Any], frozenset[str]]:
    """All fields in their order, as they usually are, and those that are never left out."""
    usual = _usual(record)
    names = [each.name for each in fields(record)]
    return {name: usual.get(name) for name in names}, frozenset(names) - usual.keys()


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if type(value) is list else value


class IntegersAttribute(Attribute[tuple[int, ...]]):
    """Many whole numbers, in order."""

    attr_type = STRING

    def serialize(self, value: Iterable[int]) -> str:
        return _dump(list(value))

    def deserialize(self, value: str) -> tuple[int, ...]:
        return tuple(orjson.loads(value))


class TextsAttribute(Attribute[tuple[str, ...]]):
    """Many short texts, in order."""

    attr_type = STRING

    def serialize(self, value: Iterable[str]) -> str:
        return _dump(list(value))

    def deserialize(self, value: str) -> tuple[str, ...]:
        return tuple(orjson.loads(value))


class CompressedTextAttribute(Attribute[str]):
    """A long text, stored as fewer bytes: what a write costs goes by them."""

    attr_type = BINARY

    def serialize(self, value: str) -> bytes:
        return zlib.compress(value.encode(), level=9)

    def deserialize(self, value: bytes) -> str:
        return zlib.decompress(value).decode()


def _dump(value: Any) -> str:
    return orjson.dumps(value, default=_plain, option=_NOTHING_BY_ITSELF).decode()


def _plain(value: Any) -> tuple[Any, ...]:
    """A named tuple as the tuple it is. Raises TypeError for what is nothing that is stored."""
    if isinstance(value, tuple):
        return tuple(value)
    raise TypeError(f"{type(value).__name__} cannot be stored")


def absent() -> Condition:
    """Holds where no item has the key yet."""
    return Row.pk.does_not_exist()
