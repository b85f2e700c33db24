"""How a use case's result becomes an answer, the first time and again."""

import json
from typing import Any, NamedTuple

from chalicelib.platform import pages
from chalicelib.platform.endpoints import Endpoint, Reply
from chalicelib.platform.idempotency import Answer
from chalicelib.platform.pages import Page
from chalicelib.platform.schema import ListView


class Rendered(NamedTuple):
    """An answer as it goes out."""

    status: int
    headers: dict[str, str]
    text: str | bytes


def rendered(endpoint: Endpoint, scope: str, result: Any) -> Rendered:
    """What a use case's result is answered; `scope` is what its list's cursors are signed for."""
    reply = result if isinstance(result, Reply) else Reply(result)
    headers = {"Content-Type": endpoint.media_type, **reply.headers}
    text = _text(endpoint, scope, reply.result) if reply.text is None else reply.text
    return Rendered(reply.status or endpoint.status, headers, text)


def recordable(endpoint: Endpoint, result: Any) -> Answer:
    """What of the answer is stored with an idempotency key."""
    reply = result if isinstance(result, Reply) else Reply(result)
    if endpoint.answer is not None and endpoint.unrecorded:
        shown = endpoint.answer.model_validate(reply.result)
        text = shown.model_dump_json(exclude=set(endpoint.unrecorded.fields))
    else:
        text = _text(endpoint, "", reply.result)
    return Answer(reply.status or endpoint.status, text)


def given_again(endpoint: Endpoint, answer: Answer) -> Rendered:
    """The first answer to a key, for a repeat of its request."""
    text = answer.body
    if endpoint.answer is not None and endpoint.unrecorded:
        shown = json.loads(text)
        whole = {**shown, **endpoint.unrecorded.again(shown)}
        text = endpoint.answer.model_validate(whole).model_dump_json()
    headers = {"Content-Type": "application/json", "Idempotent-Replayed": "true"}
    return Rendered(answer.status, headers, text)


def _text(endpoint: Endpoint, scope: str, result: Any) -> str:
    if endpoint.answer is None:
        return ""
    if isinstance(result, Page):
        listed = {"items": result.items, "next_cursor": pages.cursor(scope, result.next_after)}
        return ListView[endpoint.answer].model_validate(listed).model_dump_json()  # type: ignore[name-defined]
    return endpoint.answer.model_validate(result).model_dump_json()
