"""Reading what is stored: the same text is the same records, and is taken apart once."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any
from unittest import mock

from chalicelib.platform.table import RecordAttribute, RecordsAttribute

TEXTS = 20_000


@contextmanager
def texts_read_once() -> Iterator[None]:
    """Records cannot change, so that whoever reads a text again may have those of before."""
    with _once(RecordAttribute), _once(RecordsAttribute):
        yield


@contextmanager
def _once(kind: type[Any]) -> Iterator[None]:
    read = kind.deserialize
    readers: dict[type[Any], Any] = {}

    def remembered(attribute: Any, text: str) -> Any:
        if attribute.record not in readers:
            readers[attribute.record] = lru_cache(TEXTS)(lambda each: read(attribute, each))
        return readers[attribute.record](text)

    with mock.patch.object(kind, "deserialize", remembered):
        yield
