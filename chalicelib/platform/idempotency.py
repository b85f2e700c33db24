"""Idempotency keys: the first answer is recorded with the effect, and given again.

Source: contract, section 1. A key belongs to one caller. Its fingerprint is the method, the
concrete path, with the query of a call that takes one, and the canonical JSON body.
"""

import hashlib
import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pynamodb.attributes import BinaryAttribute, UnicodeAttribute

from chalicelib.kernel import clock
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.errors import Invalid, Overtaken
from chalicelib.platform import store
from chalicelib.platform.store import Key
from chalicelib.platform.table import IntegerAttribute, Row, absent, table
from chalicelib.platform.transaction import Put, Write

KEPT = timedelta(hours=48)


class IdempotencyRow(Row):
    """The answer that a key was given first; its body is compressed to save write units."""

    Meta = table("IDEMPOTENCY_TABLE")

    fingerprint = UnicodeAttribute()
    status = IntegerAttribute()
    body = BinaryAttribute(legacy_encoding=False)
    ttl = IntegerAttribute()


@dataclass(frozen=True)
class Answer:
    """What a request is answered: `body` is JSON text."""

    status: int
    body: str


class AlreadyAnswered(Exception):
    """The key was used before, by this caller, for this very request."""

    def __init__(self, answer: Answer) -> None:
        super().__init__("already answered")
        self.answer = answer


class AnsweredMeanwhile(Overtaken):
    """Another request with this key committed first."""


class IdempotentRequest:
    """One request with its key. A use case hands it to its transaction as the recorder."""

    def __init__(
        self, caller: Caller, key: str, fingerprint: str, render: Callable[[Any], Answer]
    ) -> None:
        self._pk = hashlib.sha256(f"{caller.role}\x1f{caller.id}\x1f{key}".encode()).hexdigest()
        self._fingerprint = fingerprint
        self._render = render
        self.recorded = False

    @property
    def key(self) -> Key:
        """Where the recorded answer lies, for use cases that read it together with their data."""
        return Key(IdempotencyRow, self._pk, "answer")

    def look_up(self) -> None:
        """Raise AlreadyAnswered, or Invalid where the key stands for another request."""
        self.judge(store.get(IdempotencyRow, self._pk, "answer"))

    def judge(self, row: IdempotencyRow | None) -> None:
        """The same for a record that has been read, or None where there is none."""
        if row is None or row.ttl < clock.now().timestamp():
            return
        if row.fingerprint != self._fingerprint:
            raise Invalid(
                "This Idempotency-Key was used for another request. Send a new key.",
                code="idempotency_key_reused",
            )
        raise AlreadyAnswered(Answer(int(row.status), zlib.decompress(row.body).decode()))

    def record(self, result: Any) -> Write:
        """The write that remembers the answer to `result`; AnsweredMeanwhile for one of two."""
        answer = self._render(result)
        now = clock.now()
        row = IdempotencyRow(
            self._pk,
            "answer",
            fingerprint=self._fingerprint,
            status=answer.status,
            body=zlib.compress(answer.body.encode(), 1),
            ttl=int((now + KEPT).timestamp()),
        )
        # DynamoDB removes expired items days late: one that has expired counts as absent.
        free = absent() | (IdempotencyRow.ttl < int(now.timestamp()))
        return Put(row, free, AnsweredMeanwhile)


class Answering:
    """Records with a request's key what `reply` makes of a use case's result."""

    def __init__(self, request: IdempotentRequest, reply: Callable[[Any], Any]) -> None:
        self._request, self._reply = request, reply

    @property
    def recorded(self) -> bool:
        return self._request.recorded

    @recorded.setter
    def recorded(self, committed: bool) -> None:
        self._request.recorded = committed

    def record(self, result: Any) -> Write:
        return self._request.record(self._reply(result))


def fingerprint(method: str, path: str, body: Any) -> str:
    """SHA-256 over method, concrete path and canonical JSON (sorted keys, no white space)."""
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(
        "\n".join((method, path, canonical)).encode("utf-8", "surrogatepass")
    ).hexdigest()
