"""How a request comes in: judged in the contract's order, answered in one shape.

`Routes.endpoint` declares everything about a route once: who may call it, what it takes, what it
answers, which errors it knows. The same declaration runs the request and documents it.
"""

import functools
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from chalice.app import Blueprint, Response
from pydantic import BaseModel, ValidationError

from chalicelib.kernel.callers import ROLES, Caller, Role
from chalicelib.kernel.errors import (
    Busy,
    FieldError,
    Forbidden,
    Invalid,
    Malformed,
    NotFound,
    TooLarge,
    TuanError,
    Unauthenticated,
)
from chalicelib.platform import pages, problems
from chalicelib.platform.idempotency import (
    AlreadyAnswered,
    Answer,
    AnsweredMeanwhile,
    IdempotentRequest,
    fingerprint,
)
from chalicelib.platform.log import flush_metrics, logger, metric
from chalicelib.platform.pages import Page, PageRequest
from chalicelib.platform.retries import unreachable
from chalicelib.platform.schema import ListView, PageQuery, field_path
from chalicelib.platform.transaction import write

MAX_BODY_BYTES = 256 * 1024
# Longer than any id there is, and shorter than what DynamoDB refuses as a key.
MAX_ID = 200
KEY_PATTERN = re.compile(r"[\x21-\x7e]{1,255}")
REQUEST_ID_PATTERN = re.compile(r"[\x21-\x7e]{1,128}")

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
    text: str | None = None


@dataclass(frozen=True)
class Also:
    """What a route's document says beyond the rule.

    `statuses` are other successes, `media_types` other forms of the answer, `takes` and `gives`
    headers of the request and of the answer, and `body` what the use case reads by itself.
    """

    statuses: Mapping[int, str] = field(default_factory=dict)
    media_types: tuple[str, ...] = ()
    takes: Mapping[str, str] = field(default_factory=dict)
    gives: Mapping[str, str] = field(default_factory=dict)
    body: type[BaseModel] | None = None


@dataclass(frozen=True)
class Endpoint:
    """A route as declared; `run` is the use case."""

    method: str
    path: str
    run: Callable[..., Any]
    tag: str
    summary: str
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
    unrecorded: Mapping[str, Callable[[Mapping[str, Any]], Any]]
    also: Also

    @property
    def name(self) -> str:
        return self.run.__name__


ENDPOINTS: list[Endpoint] = []
ANYBODY = Caller("customer", "")


class Routes(Blueprint):
    """A blueprint whose routes are declared as endpoints."""

    def __init__(self, import_name: str, *, tag: str, authorizer: Any = None) -> None:
        super().__init__(import_name)
        self._tag = tag
        self._authorizer = authorizer

    def endpoint(
        self,
        method: str,
        path: str,
        *,
        summary: str,
        roles: tuple[Role, ...] | None,
        body: type[BaseModel] | None = None,
        query: type[BaseModel] | None = None,
        answer: type[BaseModel] | None = None,
        is_list: bool = False,
        status: int = 200,
        key: KeyRule = "none",
        reads_key_itself: bool = False,
        errors: Mapping[str, int] | None = None,
        media_type: str = "application/json",
        unrecorded: Mapping[str, Callable[[Mapping[str, Any]], Any]] | None = None,
        also: Also | None = None,
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Declare a route. `roles=None` asks for no credentials at all.

        `reads_key_itself`: the use case looks its idempotency key up together with its own first
        read. `errors` maps the codes that are this route's own to their statuses. `unrecorded`
        names the fields of the answer that are never stored with an idempotency key, because they
        are secret or the resource keeps them anyway, and how each is had again for a repeat.
        """

        def declare(run: Callable[..., Any]) -> Callable[..., Any]:
            endpoint = Endpoint(
                method=method,
                path=path,
                run=run,
                tag=self._tag,
                summary=summary,
                roles=roles,
                body=body,
                query=PageQuery if is_list and query is None else query,
                answer=answer,
                is_list=is_list,
                status=status,
                key=key,
                reads_key_itself=reads_key_itself,
                errors=errors or {},
                media_type=media_type,
                unrecorded=unrecorded or {},
                also=also or Also(),
            )
            ENDPOINTS.append(endpoint)
            options: dict[str, Any] = {"methods": [method], "content_types": []}
            if roles is not None:
                options["authorizer"] = self._authorizer
            self.route(path, **options)(self._view(endpoint))
            return run

        return declare

    def _view(self, endpoint: Endpoint) -> Callable[..., Response]:
        @functools.wraps(endpoint.run)
        def view(**path: str) -> Response:
            return _serve(endpoint, self.current_request, path)

        return view


def _serve(endpoint: Endpoint, http: Any, path: Mapping[str, str]) -> Response:
    started = time.perf_counter()
    request_id = _request_id(http)
    logger.clear()
    logger.bind(
        request_id=request_id, route=f"{endpoint.method} {endpoint.path}", **_subjects(path)
    )
    status, headers, text = _answer(endpoint, http, path)
    elapsed = round((time.perf_counter() - started) * 1000)
    logger.info("request", status=status, duration_ms=elapsed)
    flush_metrics()
    return Response(text, status_code=status, headers={**headers, "X-Request-Id": request_id})


def _answer(
    endpoint: Endpoint, http: Any, path: Mapping[str, str]
) -> tuple[int, dict[str, str], str]:
    try:
        return _judge_and_run(endpoint, http, path)
    except TuanError as error:
        problem = problems.problem(error)
    except Exception as error:
        problem = problems.problem(_busy()) if unreachable(error) else problems.internal()
        logger.exception("request failed")
    if problem.status >= 500:
        metric("RequestsFailed")
    return problem.status, problem.headers, problem.body


def _judge_and_run(
    endpoint: Endpoint, http: Any, path: Mapping[str, str]
) -> tuple[int, dict[str, str], str]:
    caller = _caller(endpoint, http)
    try:
        return _run(endpoint, caller, http, path)
    except AlreadyAnswered as repeat:
        return _given(endpoint, repeat.answer)


def _run(
    endpoint: Endpoint, caller: Caller, http: Any, path: Mapping[str, str]
) -> tuple[int, dict[str, str], str]:
    key = _idempotency_key(endpoint, http)
    raw = http.raw_body
    _check_size(raw)
    concrete_path = endpoint.path.format(**path)
    scope = f"{endpoint.method} {concrete_path} {caller.role} {caller.id}"
    idempotency = _idempotent(endpoint, caller, key, concrete_path, raw)
    if idempotency and not endpoint.reads_key_itself:
        idempotency.look_up()
    try:
        body = _validated(endpoint.body, raw) if endpoint.body else None
        query = _query(endpoint.query, http) if endpoint.query else None
    except Invalid:
        if idempotency and endpoint.reads_key_itself:
            idempotency.look_up()
        raise
    _check_ids(path)
    request = Request(caller, body, query, http.headers, raw, idempotency, scope)
    try:
        result = endpoint.run(request, **path)
        if idempotency and not idempotency.recorded:
            write(idempotency.record(result))  # nothing was changed, yet the key is answered
        return _rendered(endpoint, request, result)
    except AnsweredMeanwhile:
        if idempotency:
            idempotency.look_up()
        raise _busy() from None


def _caller(endpoint: Endpoint, http: Any) -> Caller:
    """Credentials, then role. A request that no authorizer has seen has no credentials."""
    if endpoint.roles is None:
        return ANYBODY
    claims = http.context.get("authorizer") or {}
    role, subject = claims.get("role"), claims.get("sub")
    if role not in ROLES or not subject:
        raise Unauthenticated("Send an access token or an API key as 'Authorization: Bearer ...'.")
    if role not in endpoint.roles:
        allowed = " or ".join(endpoint.roles)
        raise Forbidden(
            f"This call is for the role {allowed}; the credentials sent are for the role {role}."
        )
    logger.bind(role=role)
    return Caller(role, subject)


def _idempotency_key(endpoint: Endpoint, http: Any) -> str | None:
    if endpoint.key == "none":
        return None
    key: str | None = http.headers.get("idempotency-key")
    if key is None:
        if endpoint.key == "required":
            raise Malformed(
                "Send an Idempotency-Key header, new for each request, to make a repeat harmless.",
                code="idempotency_key_missing",
            )
        return None
    if not KEY_PATTERN.fullmatch(key):
        raise Malformed(
            "An Idempotency-Key is 1 to 255 visible ASCII characters.",
            code="idempotency_key_malformed",
        )
    return key


def _check_size(raw: bytes) -> None:
    if len(raw) > MAX_BODY_BYTES:
        raise TooLarge(f"The body has {len(raw)} bytes; at most {MAX_BODY_BYTES} are taken.")


def _check_ids(path: Mapping[str, str]) -> None:
    if any(len(each) > MAX_ID for each in path.values()):
        raise NotFound("There is no such thing here: no id is that long.")


def _idempotent(
    endpoint: Endpoint, caller: Caller, key: str | None, path: str, raw: bytes
) -> IdempotentRequest | None:
    if key is None:
        return None
    mark = fingerprint(endpoint.method, path, _json(raw) if raw else None)
    return IdempotentRequest(caller, key, mark, functools.partial(_recordable, endpoint))


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        raise _not_json() from None


def _not_json() -> Malformed:
    return Malformed("The body is not JSON in UTF-8.", code="malformed_json")


def _validated(model: type[BaseModel], raw: bytes) -> BaseModel:
    try:
        return model.model_validate_json(raw or b"{}")
    except ValidationError as error:
        if any(each["type"] == "json_invalid" for each in error.errors(include_url=False)):
            raise _not_json() from None
        raise _invalid(error) from None


def _query(model: type[BaseModel], http: Any) -> BaseModel:
    try:
        return model.model_validate_strings(dict(http.query_params or {}))
    except ValidationError as error:
        raise _invalid(error) from None


def _invalid(error: ValidationError) -> Invalid:
    found = tuple(
        FieldError(field_path(each["loc"]), each["msg"].removeprefix("Value error, "))
        for each in error.errors(include_url=False, include_input=False, include_context=False)
    )
    first = found[0]
    return Invalid(f"{first.field}: {first.message}", errors=found)


def _rendered(endpoint: Endpoint, request: Request, result: Any) -> tuple[int, dict[str, str], str]:
    reply = result if isinstance(result, Reply) else Reply(result)
    headers = {"Content-Type": endpoint.media_type, **reply.headers}
    if reply.text is not None:
        return reply.status or endpoint.status, headers, reply.text
    return reply.status or endpoint.status, headers, _text(endpoint, request.scope, reply.result)


def _text(endpoint: Endpoint, scope: str, result: Any) -> str:
    if endpoint.answer is None:
        return ""
    if isinstance(result, Page):
        listed = {"items": result.items, "next_cursor": pages.cursor(scope, result.next_after)}
        return ListView[endpoint.answer].model_validate(listed).model_dump_json()  # type: ignore[name-defined]
    return endpoint.answer.model_validate(result).model_dump_json()


def _recordable(endpoint: Endpoint, result: Any) -> Answer:
    reply = result if isinstance(result, Reply) else Reply(result)
    if endpoint.answer is not None and endpoint.unrecorded:
        shown = endpoint.answer.model_validate(reply.result)
        text = shown.model_dump_json(exclude=set(endpoint.unrecorded))
    else:
        text = _text(endpoint, "", reply.result)
    return Answer(reply.status or endpoint.status, text)


def _given(endpoint: Endpoint, answer: Answer) -> tuple[int, dict[str, str], str]:
    text = answer.body
    if endpoint.answer is not None and endpoint.unrecorded:
        shown = json.loads(text)
        again = {name: derive(shown) for name, derive in endpoint.unrecorded.items()}
        text = endpoint.answer.model_validate({**shown, **again}).model_dump_json()
    headers = {"Content-Type": "application/json", "Idempotent-Replayed": "true"}
    return answer.status, headers, text


def _request_id(http: Any) -> str:
    sent: str = http.headers.get("x-request-id", "")
    if REQUEST_ID_PATTERN.fullmatch(sent):
        return sent
    given: str = http.context.get("requestId", "unknown")
    return given


def _subjects(path: Mapping[str, str]) -> dict[str, str]:
    """The ids in the path, so that every line of a request names its order or dispatch."""
    identifier = path.get("id", "")
    kinds = {"ord": "order_id", "dsp": "dispatch_id", "rfd": "refund_id"}
    name = kinds.get(identifier.partition("_")[0], "subject")
    return {name: identifier} if identifier else {}


def _busy() -> Busy:
    return Busy("The service is busy at this moment. Send the same request again shortly.")
