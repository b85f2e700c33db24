"""Tables and their indexes: every item once, and sorted lists of keys that lead to it.

Every table and index has a hash and a range key, all of them texts. An item is kept as bytes,
which are smaller than its dictionaries and come back as new ones each time.
"""

import marshal
import zlib
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from tests.support.memory.errors import Unfit
from tests.support.memory.values import Item

HASH_BYTES, RANGE_BYTES, ITEM_BYTES = 2048, 1024, 400 * 1024

# Where an item lies among those of its partition: its range key, then the table's own keys.
Place = tuple[str, str, str]


@dataclass(frozen=True)
class Keys:
    """The names of a hash and a range key."""

    hash: str
    range: str

    def __iter__(self) -> Iterator[str]:
        return iter((self.hash, self.range))


@dataclass
class Index:
    """Leads from a hash and a range key to items; only to those that have both."""

    name: str
    keys: Keys
    keys_only: bool
    partitions: dict[str, list[Place]] = field(default_factory=dict)

    def place(self, item: Item | None) -> tuple[str, str] | None:
        if item is None or self.keys.hash not in item or self.keys.range not in item:
            return None
        return item[self.keys.hash]["S"], item[self.keys.range]["S"]

    def move(self, key: tuple[str, str], before: Item | None, after: Item | None) -> None:
        old, new = self.place(before), self.place(after)
        if old == new:
            return
        if old:
            places = self.partitions[old[0]]
            del places[bisect_left(places, (old[1], *key))]
            if not places:
                del self.partitions[old[0]]
        if new:
            insort(self.partitions.setdefault(new[0], []), (new[1], *key))


class Table:
    """The items of a table by key, with its indexes, each always as new as the table."""

    def __init__(self, name: str, keys: Keys, indexes: Sequence[Index]) -> None:
        self.name, self.keys, self._key_names = name, keys, {*keys}
        self.indexes = {index.name: index for index in indexes}
        self.partitions: dict[str, list[Place]] = {}
        self._kept: dict[tuple[str, str], bytes] = {}
        self._sizes: dict[tuple[str, str], int] = {}
        self._scanned: list[str] | None = None

    def __len__(self) -> int:
        return len(self._kept)

    def key(self, item: Mapping[str, Any], *, alone: bool = True) -> tuple[str, str]:
        """The key that an item has, or that is given `alone`. Raises Unfit."""
        if alone and item.keys() != self._key_names:
            raise Unfit("The provided key element does not match the schema")
        return (
            _key_text(item, self.keys.hash, HASH_BYTES),
            _key_text(item, self.keys.range, RANGE_BYTES),
        )

    def check(self, item: Item, size: int) -> None:
        """Raises Unfit where an item is too large, or no index could take it."""
        if size > ITEM_BYTES:
            raise Unfit("Item size has exceeded the maximum allowed size")
        for index in self.indexes.values():
            for name in index.keys:
                if name in item and "S" not in item[name]:
                    raise Unfit(
                        "One or more parameter values were invalid: Type mismatch for Index Key "
                        f"{name} Expected: S Actual: {[*item[name]]} IndexName: {index.name}"
                    )
                if name in item and not item[name]["S"]:
                    raise Unfit(
                        "One or more parameter values are not valid. A value specified for a "
                        "secondary index key is not supported. The AttributeValue for a key "
                        "attribute cannot contain an empty string value. "
                        f"IndexName: {index.name}, IndexKey: {name}"
                    )

    def get(self, key: tuple[str, str]) -> Item | None:
        kept = self._kept.get(key)
        return None if kept is None else marshal.loads(kept)

    def size(self, key: tuple[str, str]) -> int:
        return self._sizes[key]

    def put(self, key: tuple[str, str], before: Item | None, item: Item, size: int) -> None:
        """Keep the item in place of the one that was there before."""
        if before is None:
            self._scanned = self._scanned if key[0] in self.partitions else None
            insort(self.partitions.setdefault(key[0], []), (key[1], *key))
        self._kept[key], self._sizes[key] = marshal.dumps(item), size
        for index in self.indexes.values():
            index.move(key, before, item)

    def delete(self, key: tuple[str, str], before: Item) -> None:
        del self._kept[key], self._sizes[key]
        places = self.partitions[key[0]]
        del places[bisect_left(places, (key[1], *key))]
        if not places:
            del self.partitions[key[0]]
            self._scanned = None
        for index in self.indexes.values():
            index.move(key, before, None)

    def items(self) -> Iterator[Item]:
        """All of them, in no order."""
        return map(marshal.loads, self._kept.values())

    def scanned(self) -> list[str]:
        """The partitions in the order in which a scan meets them."""
        if self._scanned is None:
            self._scanned = sorted(self.partitions, key=in_scan)
        return self._scanned


def segment_of(hash_key: str, segments: int) -> int:
    return zlib.crc32(hash_key.encode()) * segments >> 32


def in_scan(hash_key: str) -> tuple[int, str]:
    """Sorts partitions as a scan meets them, which is by no key."""
    return zlib.crc32(hash_key.encode()), hash_key


def window(places: Sequence[Place], sign: str, operands: Sequence[str]) -> tuple[int, int]:
    """From where to where the range key stands in that relation to the operands."""
    first = operands[0] if operands else ""
    if sign == "begins_with":
        start = itemgetter(slice(0, len(first)))
        low = bisect_left(places, first, key=itemgetter(0))
        return low, bisect_right(places, first, low, key=lambda place: start(place[0]))
    last = operands[-1] if operands else ""
    low, high = 0, len(places)
    if sign in ("=", ">=", "BETWEEN"):
        low = bisect_left(places, first, key=itemgetter(0))
    if sign == ">":
        low = bisect_right(places, first, key=itemgetter(0))
    if sign in ("=", "<=", "BETWEEN"):
        high = bisect_right(places, last, key=itemgetter(0))
    if sign == "<":
        high = bisect_left(places, last, key=itemgetter(0))
    return low, high


def _key_text(item: Mapping[str, Any], name: str, at_most: int) -> str:
    value = item.get(name)
    if value is None:
        raise Unfit(
            f"One or more parameter values were invalid: Missing the key {name} in the item"
        )
    if "S" not in value:
        raise Unfit(f"One or more parameter values were invalid: Type mismatch for key {name}")
    text: str = value["S"]
    if not text:
        raise Unfit(
            "One or more parameter values are not valid. The AttributeValue for a key attribute "
            f"cannot contain an empty string value. Key: {name}"
        )
    if len(text) * 4 > at_most and len(text.encode()) > at_most:
        raise Unfit(
            "One or more parameter values were invalid: Size of "
            f"{'hashkey' if at_most == HASH_BYTES else 'rangekey'} has exceeded the maximum size "
            f"limit of {at_most} bytes"
        )
    return text
