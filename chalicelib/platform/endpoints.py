"""What a route is declared to be: the same declaration runs a request and documents it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel

from chalicelib.kernel.callers import Caller, Role
from chalicelib.kernel.errors import NotFound
from chalicelib.platform import pages
from chalicelib.platform.idempotency import Answering, IdempotentRequest
from chalicelib.platform.pages import PageRequest
from chalicelib.platform.schema import NoFields

JSON = "application/json"
MAX_BODY_BYTES = 256 * 1024
LONGEST_NUMBER = 6
# Whether a route honours an Idempotency-Key: not at all, where one is sent, or always.
KeyRule = Literal["none", "optional", "required"]


@dataclass(frozen=True)
class Request:
    """What a use case needs to know of a request. `body` and `query` have been validated."""

    caller: Caller
    body: Any
    query: Any
    headers: Mapping[str, str]
    raw_body: bytes
    idempotency: IdempotentRequest | None
    scope: str

    @property
    def required_idempotency(self) -> IdempotentRequest:
        """For routes that ask for a key: without one they have not come this far."""
        if self.idempotency is None:
            raise LookupError("the route does not require an idempotency key")
        return self.idempotency

    def recorder(self, reply: Callable[[Any], Any]) -> Answering | None:
        """For answers that are not the use case's own result: records what `reply` makes of it."""
        return Answering(self.idempotency, reply) if self.idempotency else None

    @property
    def page(self) -> PageRequest:
        after = pages.read_cursor(self.scope, self.query.cursor) if self.query.cursor else None
        return PageRequest(self.scope, self.query.limit, after)


@dataclass(frozen=True)
class Reply:
    """An answer with another status, headers or form than the route's usual one."""

    result: Any
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    text: str | bytes | None = None


@dataclass(frozen=True)
class Also:
    """What a route's document says beyond the rule.

    `statuses` are other successes, `media_types` other forms of the answer and `uploads` of the
    request's body, `takes` and `gives` headers of the request and of the answer, and `body` what
    the use case reads by itself.
    """

    statuses: Mapping[int, str] = field(default_factory=dict)
    media_types: tuple[str, ...] = ()
    uploads: tuple[str, ...] = ()
    takes: Mapping[str, str] = field(default_factory=dict)
    gives: Mapping[str, str] = field(default_factory=dict)
    body: type[BaseModel] | None = None


@dataclass(frozen=True)
class Unrecorded:
    """Fields of an answer that are never stored with an idempotency key.

    They are secret, or the resource keeps them anyway; `again` makes them for a repeat from the
    fields that were stored.
    """

    fields: tuple[str, ...]
    again: Callable[[Mapping[str, Any]], Mapping[str, Any]]


@dataclass(frozen=True)
class Endpoint:
    """A route as declared; `run` is the use case."""

    method: str
    path: str
    run: Callable[..., Any]
    tag: str
    summary: str
    notes: str
    roles: tuple[Role, ...] | None
    body: type[BaseModel] | None
    query: type[BaseModel] | None
    answer: type[BaseModel] | None
    is_list: bool
    status: int
    key: KeyRule
    reads_key_itself: bool
    errors: Mapping[str, int]
    media_type: str
    unrecorded: Unrecorded | None
    also: Also
    takes: str = JSON
    max_bytes: int = MAX_BODY_BYTES

    @property
    def body_model(self) -> type[BaseModel] | None:
        """What the body must fit. A POST that takes no fields refuses any, as it refuses unknown
        ones elsewhere; one whose use case reads the raw body judges it there."""
        if self.takes != JSON:
            return None
        if self.method == "POST" and not self.also.body:
            return self.body or NoFields
        return self.body

    @property
    def name(self) -> str:
        return self.run.__name__


ENDPOINTS: list[Endpoint] = []


def number_in_path(text: str, what: str) -> int:
    """Raises NotFound for what is no number, as for one that nothing has."""
    if not (text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER):
        raise NotFound(f"There is no such {what}.")
    return int(text)
