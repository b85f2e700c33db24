"""Lists: newest first, a limit, and a cursor that only its own list accepts.

Source: contract, section 1. A cursor is the last key shown, signed for the list and the caller
it was made for, so a forged or a foreign one is refused.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from chalicelib.kernel.errors import Malformed
from chalicelib.platform.secrets import derived_key, secret

T = TypeVar("T")
U = TypeVar("U")
SIGNATURE_BYTES = 16
# How far a page looks for what is wanted.
READ_AT_ONCE, READS_A_PAGE = 100, 10


@dataclass(frozen=True)
class PageRequest:
    """`scope` names the list and its caller; `after` is where the page before ended."""

    scope: str
    limit: int = 20
    after: Any = None


@dataclass(frozen=True)
class Page(Generic[T]):
    """`next_after` is None on the last page."""

    items: tuple[T, ...]
    next_after: Any = None

    def map(self, change: Callable[[T], U]) -> "Page[U]":
        return Page(tuple(change(item) for item in self.items), self.next_after)


def matching(
    read: Callable[[PageRequest], Page[T]],
    wanted: Callable[[T], bool],
    after: Callable[[T], Any],
    page: PageRequest,
) -> Page[T]:
    """A page of those of a list that are wanted, which are looked for among all; `after` is where
    the list goes on behind an item.

    Where they are so rare that the looking takes long, the page goes on though it is not full.
    """
    found: list[T] = []
    looking = replace(page, limit=READ_AT_ONCE)
    for _ in range(READS_A_PAGE):
        some = read(looking)
        found += [item for item in some.items if wanted(item)]
        if len(found) > page.limit:
            shown = tuple(found[: page.limit])
            return Page(shown, after(shown[-1]))
        if some.next_after is None:
            return Page(tuple(found))
        looking = replace(looking, after=some.next_after)
    return Page(tuple(found), looking.after)


def paged(items: Sequence[T], page: PageRequest) -> Page[T]:
    """One page of a list that is short enough to be read whole."""
    start: int = page.after or 0
    end = start + page.limit
    return Page(tuple(items[start:end]), end if end < len(items) else None)


def cursor(scope: str, after: Any) -> str | None:
    """The text a caller sends to get the next page; None where there is none."""
    if after is None:
        return None
    payload = json.dumps(after, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_sign(scope, payload) + payload).decode().rstrip("=")


def read_cursor(scope: str, text: str) -> Any:
    """What `cursor` was made of. Raises Malformed for one that is forged or of another list."""
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        raw = b""
    signature, payload = raw[:SIGNATURE_BYTES], raw[SIGNATURE_BYTES:]
    if not payload or not hmac.compare_digest(signature, _sign(scope, payload)):
        raise Malformed(
            "The cursor is not one of this list. Start again without it.", code="invalid_cursor"
        )
    return json.loads(payload)


def _sign(scope: str, payload: bytes) -> bytes:
    key = derived_key(secret("SIGNING_SECRET"), "cursor")
    return hmac.digest(key, scope.encode() + b"\x1f" + payload, hashlib.sha256)[:SIGNATURE_BYTES]
