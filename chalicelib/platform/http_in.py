"""How a request comes in: declared once by `Routes.endpoint`, judged in the contract's order,
answered in one shape."""

import base64
import functools
import json
import re
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from chalice.app import Blueprint, Response
from pydantic import BaseModel, ValidationError

from chalicelib.kernel.callers import ROLES, Caller, Role
from chalicelib.kernel.errors import (
    Busy,
    Forbidden,
    Invalid,
    Malformed,
    NotFound,
    TooLarge,
    TuanError,
    Unauthenticated,
)
from chalicelib.platform import problems
from chalicelib.platform.answers import Rendered, given_again, recordable, rendered
from chalicelib.platform.endpoints import (
    ENDPOINTS,
    JSON,
    MAX_BODY_BYTES,
    Also,
    Endpoint,
    KeyRule,
    Request,
    Unrecorded,
)
from chalicelib.platform.idempotency import (
    AlreadyAnswered,
    AnsweredMeanwhile,
    IdempotentRequest,
    fingerprint,
)
from chalicelib.platform.log import about, flush_metrics, logger, metric
from chalicelib.platform.retries import unreachable
from chalicelib.platform.schema import PageQuery
from chalicelib.platform.transaction import write

# Longer than any id there is, and shorter than what DynamoDB refuses as a key.
MAX_ID = 200
KEY_PATTERN = re.compile(r"[\x21-\x7e]{1,255}")
REQUEST_ID_PATTERN = re.compile(r"[\x21-\x7e]{1,128}")

ANYBODY = Caller("customer", "")


class Binary(Response):
    """Bytes that are no text. Chalice's own would refuse a caller that does not name their kind."""

    def __init__(self, content: bytes, status: int, headers: dict[str, str | list[str]]) -> None:
        super().__init__(base64.b64encode(content).decode(), headers, status_code=status)

    def to_dict(self, binary_types: list[str] | None = None) -> dict[str, Any]:
        return {**super().to_dict(), "isBase64Encoded": True}


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
        notes: str = "",
        roles: tuple[Role, ...] | None,
        body: type[BaseModel] | None = None,
        query: type[BaseModel] | None = None,
        answer: type[BaseModel] | None = None,
        is_list: bool = False,
        status: int = 200,
        key: KeyRule = "none",
        reads_key_itself: bool = False,
        errors: Mapping[str, int] | None = None,
        takes: str = JSON,
        max_bytes: int = MAX_BODY_BYTES,
        media_type: str = JSON,
        unrecorded: Unrecorded | None = None,
        also: Also | None = None,
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Declare a route. `roles=None` asks for no credentials at all; `notes` say to its callers
        what its fields cannot.

        A body that `takes` says is no JSON is the use case's own to read.
        `reads_key_itself`: the use case looks its idempotency key up together with its own first
        read. `errors` maps the codes that are this route's own to their statuses.
        """

        def declare(run: Callable[..., Any]) -> Callable[..., Any]:
            endpoint = Endpoint(
                method=method,
                path=path,
                run=run,
                tag=self._tag,
                summary=summary,
                notes=notes,
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
                unrecorded=unrecorded,
                also=also or Also(),
                takes=takes,
                max_bytes=max_bytes,
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
    request_id = request_id_of(http)
    logger.clear()
    logger.bind(
        request_id=request_id, route=f"{endpoint.method} {endpoint.path}", **about(path.get("id"))
    )
    status, headers, text = _answer(endpoint, http, path)
    elapsed = round((time.perf_counter() - started) * 1000)
    logger.info("request", status=status, duration_ms=elapsed)
    flush_metrics()
    sent: dict[str, str | list[str]] = {**headers, "X-Request-Id": request_id}
    if isinstance(text, bytes):
        return Binary(text, status, sent)
    return Response(text, status_code=status, headers=sent)


def _answer(endpoint: Endpoint, http: Any, path: Mapping[str, str]) -> Rendered:
    try:
        return _judge_and_run(endpoint, http, path)
    except TuanError as error:
        problem = problems.problem(error)
    except Exception as error:
        problem = problems.problem(_busy()) if unreachable(error) else problems.internal()
        logger.exception("request failed")
    if problem.status >= 500:
        metric("RequestsFailed")
    return Rendered(problem.status, problem.headers, problem.body)


def _judge_and_run(endpoint: Endpoint, http: Any, path: Mapping[str, str]) -> Rendered:
    caller = _caller(endpoint, http)
    try:
        return _sendable(_run(endpoint, caller, http, path), http)
    except AlreadyAnswered as repeat:
        return given_again(endpoint, repeat.answer)


def _sendable(answer: Rendered, http: Any) -> Rendered:
    """Text as text. The gateway sends a binary body as bytes only to a request with an `Accept`,
    and as base64 to any other, which nobody could read as what its type says."""
    if isinstance(answer.text, str):
        return answer
    try:
        return answer._replace(text=answer.text.decode())
    except UnicodeDecodeError:
        if http.headers.get("accept", "").strip():
            return answer
    raise Malformed("Send an Accept header, such as */*: the answer is no text.", code="no_accept")


def _run(endpoint: Endpoint, caller: Caller, http: Any, path: Mapping[str, str]) -> Rendered:
    key = _idempotency_key(endpoint, http)
    raw = http.raw_body
    _check_size(raw, endpoint.max_bytes)
    concrete_path = endpoint.path.format(**path)
    scope = f"{endpoint.method} {concrete_path} {caller.role} {caller.id}"
    asked = _with_query(concrete_path, http) if endpoint.query else concrete_path
    idempotency = _idempotent(endpoint, caller, key, asked, raw)
    if idempotency and not endpoint.reads_key_itself:
        idempotency.look_up()
    try:
        body = _validated(endpoint.body_model, raw) if endpoint.body_model else None
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
        return rendered(endpoint, scope, result)
    except (TuanError, AnsweredMeanwhile) as refused:
        # The same request may have come first and made the very state that refuses this one.
        if idempotency:
            idempotency.look_up()
        if isinstance(refused, AnsweredMeanwhile):
            raise _busy() from None
        raise


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
                "Send an Idempotency-Key header: new for each thing to be done, the same when it "
                "is asked for again.",
                code="idempotency_key_missing",
            )
        return None
    if not KEY_PATTERN.fullmatch(key):
        raise Malformed(
            "An Idempotency-Key is 1 to 255 visible ASCII characters.",
            code="idempotency_key_malformed",
        )
    return key


def _check_size(raw: bytes, most: int) -> None:
    if len(raw) > most:
        raise TooLarge(f"The body has {len(raw)} bytes; at most {most} are taken.")


def _check_ids(path: Mapping[str, str]) -> None:
    if any(len(each) > MAX_ID for each in path.values()):
        raise NotFound("There is no such thing here: no id is that long.")


def _idempotent(
    endpoint: Endpoint, caller: Caller, key: str | None, path: str, raw: bytes
) -> IdempotentRequest | None:
    if key is None:
        return None
    mark = fingerprint(endpoint.method, path, _canonical(endpoint, raw) if raw else None)
    return IdempotentRequest(caller, key, mark, functools.partial(recordable, endpoint))


def _with_query(path: str, http: Any) -> str:
    """What is asked in the query tells one request from another, in whatever order it stands."""
    return f"{path}?{urlencode(sorted((http.query_params or {}).items()))}"


def _canonical(endpoint: Endpoint, raw: bytes) -> Any:
    """What of the body tells one request from another; of a body that is no JSON, each byte."""
    return _json(raw) if endpoint.takes == JSON else raw.decode("latin-1")


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise _not_json(error, raw) from None


def _not_json(error: Exception, raw: bytes) -> Malformed:
    from chalicelib.platform.complaints import position

    where = position(error, raw)
    return Malformed(f"The body is not JSON in UTF-8{where}.", code="malformed_json")


def _validated(model: type[BaseModel], raw: bytes) -> BaseModel:
    try:
        return model.model_validate_json(raw or b"{}")
    except ValidationError as error:
        if any(each["type"] == "json_invalid" for each in error.errors(include_url=False)):
            raise _not_json(error, raw) from None
        raise _invalid(error) from None


def _query(model: type[BaseModel], http: Any) -> BaseModel:
    try:
        return model.model_validate_strings(dict(http.query_params or {}))
    except ValidationError as error:
        raise _invalid(error) from None


def _invalid(error: ValidationError) -> Invalid:
    from chalicelib.platform.complaints import complaints

    found = tuple(complaints(error))
    first = found[0]
    return Invalid(f"{first.field}: {first.message}", errors=found)


def request_id_of(http: Any) -> str:
    """The id that the caller sent, or else the gateway's own."""
    sent: str = http.headers.get("x-request-id", "")
    if REQUEST_ID_PATTERN.fullmatch(sent):
        return sent
    given: str = http.context.get("requestId", "unknown")
    return given


def _busy() -> Busy:
    return Busy("The service is busy at this moment. Send the same request again shortly.")
