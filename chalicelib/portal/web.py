"""How a page is asked for and answered: session, form token, errors for people, strict headers."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from email.parser import BytesParser
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

from chalice.app import Blueprint, Response
from pydantic import BaseModel, ValidationError

from chalicelib.kernel.callers import Caller
from chalicelib.kernel.errors import (
    Busy,
    Forbidden,
    Invalid,
    NotFound,
    TooLarge,
    TuanError,
    Unauthenticated,
)
from chalicelib.parties import service as parties
from chalicelib.platform import problems
from chalicelib.platform.endpoints import MAX_BODY_BYTES
from chalicelib.platform.http_in import Binary, request_id_of
from chalicelib.platform.log import about, flush_metrics, logger, metric
from chalicelib.platform.retries import unreachable
from chalicelib.platform.settings import settings
from chalicelib.portal import sessions
from chalicelib.portal.sessions import Session

HTML = "text/html; charset=utf-8"
HEADERS: dict[str, str | list[str]] = {
    "Content-Type": HTML,
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
MAX_FORM_BYTES = 64 * 1024
# As much as the API takes, and what goes around it in a form.
MAX_FILE_BYTES = MAX_BODY_BYTES + 4 * 1024
MAX_ID = 200
# A form's field of this name and a SKU's id says how many of its units are meant.
UNITS = "units."


@dataclass(frozen=True)
class Visit:
    """A request for a page. `root` leads from its address to the one that `supplier` is below."""

    session: Session | None
    root: str
    form: Mapping[str, str]
    query: Mapping[str, str]
    wants_part: bool
    file: bytes = b""

    @property
    def signed_in(self) -> Session:
        """Raises Unauthenticated where nobody is."""
        if self.session is None:
            raise Unauthenticated("Sign in with your API key.")
        return self.session

    @property
    def caller(self) -> Caller:
        return self.signed_in.caller

    def number(self, name: str) -> int | None:
        """What the form's field of that name says, where it is a whole number."""
        said = _number(self.form.get(name, ""))
        return said if isinstance(said, int) else None

    def read(self, model: type[BaseModel], *names: str, **said: str) -> Any:
        """What the form's fields of these names say, what it is `said` to say, and its units as
        `lines`.

        Raises Invalid as the API does.
        """
        sent: dict[str, Any] = {
            **said,
            **{name: self.form[name].strip() for name in names if name in self.form},
        }
        if any(name.startswith(UNITS) for name in self.form):
            sent["lines"] = self._lines()
        return _validated(model, sent)

    def asked(self, model: type[BaseModel], *names: str) -> Any:
        """What the address's query of these names says; a field that was left empty says nothing.

        Raises Invalid as the API does.
        """
        return _validated(model, {name: self.query[name] for name in names if self.query.get(name)})

    def _lines(self) -> list[dict[str, Any]]:
        """The SKUs with units beside them; a field that is 0 or empty names none."""
        return [
            {"sku_id": name.removeprefix(UNITS), "quantity": _number(said.strip())}
            for name, said in self.form.items()
            if name.startswith(UNITS) and said.strip() not in ("", "0")
        ]


@dataclass(frozen=True)
class Shown:
    """A page, or the part of one that has changed, by its template."""

    template: str
    values: Mapping[str, Any] = field(default_factory=dict)
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class GoTo:
    """Another page to look at, such as `supplier/deliveries`."""

    place: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Asset:
    """A file that holds nothing of anybody, and may be kept for an hour."""

    text: str
    media_type: str


@dataclass(frozen=True)
class Download:
    """A file of the supplier's own, by the name that it is kept under."""

    content: bytes
    media_type: str
    name: str


Answer = Shown | GoTo | Asset | Download


class Pages(Blueprint):
    """A blueprint whose routes are pages."""

    def page(self, method: str, path: str) -> Callable[[Callable[..., Answer]], Any]:
        def declare(run: Callable[..., Answer]) -> Any:
            @functools.wraps(run)
            def view(**ids: str) -> Response:
                return _serve(run, f"{method} {path}", self.current_request, ids)

            self.route(path, methods=[method], content_types=[], name=run.__name__)(view)
            return run

        return declare


def _serve(run: Callable[..., Answer], route: str, http: Any, path: Mapping[str, str]) -> Response:
    request_id = request_id_of(http)
    logger.clear()
    logger.bind(request_id=request_id, route=route, **about(path.get("id")))
    response = _answer(run, http, path)
    response.headers["X-Request-Id"] = request_id
    logger.info("page", status=response.status_code)
    flush_metrics()
    return response


def _answer(run: Callable[..., Answer], http: Any, path: Mapping[str, str]) -> Response:
    visit = Visit(None, _root(http), {}, {}, "hx-request" in http.headers)
    try:
        visit = _visit(http, visit.root)
        _check(visit, http, path)
        return _response(visit, run(visit, **path))
    except Unauthenticated as error:
        return _sign_in(http, visit, error)
    except TuanError as error:
        status, detail = problems.problem(error).status, error.detail
    except Exception as error:
        logger.exception("page failed")
        if unreachable(error):
            status, detail = problems.STATUS[Busy], "It is busy here. Try again in a moment."
        else:
            metric("RequestsFailed")
            status, detail = 500, "Something went wrong here. It has been recorded."
    return _response(visit, _failed(visit, status, detail))


def _failed(visit: Visit, status: int, detail: str) -> Shown:
    """A page that says so; or a line of one, put before what the form is of."""
    title = problems.TITLES[status]
    values = {"title": title, "detail": detail, "zone": settings().zone}
    if not visit.wants_part:
        return Shown("error", values, status)
    return Shown("failed", values, status, {"HX-Reswap": "afterbegin"})


def _root(http: Any) -> str:
    """From the page looked at to where `supplier` is, whatever the API's own address begins with.

    A part is put into a page that is already there, whose address htmx says.
    """
    shown = urlsplit(http.headers.get("hx-current-url", "")).path
    place: str = shown[shown.rindex("/supplier") :] if "/supplier" in shown else http.path
    return "../" * (place.count("/") - 1)


def _visit(http: Any, root: str) -> Visit:
    form, file = _sent(http.headers.get("content-type", ""), http.raw_body)
    return Visit(
        session=sessions.session_of(http.headers.get("cookie", "")),
        root=root,
        form=form,
        query=dict(http.query_params or {}),
        wants_part="hx-request" in http.headers,
        file=file,
    )


def _sent(kind: str, raw: bytes) -> tuple[dict[str, str], bytes]:
    """The fields of a form, and what is in its file where it has one."""
    has_file = kind.startswith("multipart/form-data")
    if len(raw) > (MAX_FILE_BYTES if has_file else MAX_FORM_BYTES):
        raise TooLarge("The file or the form is larger than may be sent.")
    if not has_file:
        return dict(parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True)), b""
    message = BytesParser().parsebytes(f"Content-Type: {kind}\r\n\r\n".encode() + raw)
    fields: dict[str, str] = {}
    file = b""
    for part in message.walk():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if not isinstance(content, bytes) or not isinstance(name, str):
            continue
        if part.get_filename() is None:
            fields[name] = content.decode("utf-8", "replace")
        else:
            file = content
    return fields, file


def _check(visit: Visit, http: Any, path: Mapping[str, str]) -> None:
    """Refuse what another site made a browser send, and ids that no store would take."""
    if any(len(each) > MAX_ID for each in path.values()):
        raise NotFound("There is no such thing here.")
    if http.method == "GET":
        return
    if not _from_here(http.headers):
        raise Forbidden("The form was sent by another site.")
    # Whoever signs in again, in a tab of before, begins a session and uses none.
    begins = http.path.endswith("/supplier/sign-in")
    if visit.session and not begins and not visit.session.sent_form(visit.form.get("token", "")):
        raise Forbidden("The form is of an earlier session. Load the page again.")


def _from_here(headers: Mapping[str, str]) -> bool:
    """Whether a page of this site sent it, as the browser says: an older one by `Origin` alone.
    What says neither is no browser, and sends no cookie that it was not given."""
    if site := headers.get("sec-fetch-site"):
        return site == "same-origin"
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host")


def _sign_in(http: Any, visit: Visit, error: Unauthenticated) -> Response:
    """The way in. Whoever's session has ended meanwhile is told so."""
    if visit.wants_part:
        # The part that was asked for would hold a page: the browser is to load it whole.
        headers = {**HEADERS, "HX-Redirect": f"{visit.root}supplier"}
        return Response("", status_code=401, headers=headers)
    ended = visit.session is None and sessions.was_signed_in(http.headers.get("cookie", ""))
    comes_first = http.method == "GET"
    problem = None if comes_first else error.detail
    values = {"problem": problem, "ended": ended and not visit.form.get("api_key")}
    shown = Shown("sign_in", values, 200 if comes_first else 401)
    return _response(replace(visit, session=None), shown)


def _number(said: str) -> int | str:
    return int(said) if said.isascii() and said.isdecimal() else said


def _zone(session: Session | None) -> ZoneInfo:
    """Where a supplier's working hours are, or the platform where its terms name no other."""
    terms = parties.terms_of(session.caller.id) if session else None
    return ZoneInfo(terms.timezone) if terms and terms.version else settings().zone


def _validated(model: type[BaseModel], sent: Mapping[str, Any]) -> Any:
    try:
        return model.model_validate(sent)
    except ValidationError as error:
        from chalicelib.platform.complaints import complaints

        found = tuple(complaints(error))
        told = "; ".join(f"{each.field} {each.message}" for each in found)
        raise Invalid(told, errors=found) from None


def _file(content: bytes, headers: dict[str, str | list[str]]) -> Response:
    """Text as text, as the API sends it: only what is none depends on an `Accept`."""
    try:
        return Response(content.decode(), status_code=200, headers=headers)
    except UnicodeDecodeError:
        return Binary(content, 200, headers)


def _response(visit: Visit, answer: Answer) -> Response:
    from chalicelib.portal.rendering import render

    if isinstance(answer, Download):
        kept = f'attachment; filename="{answer.name}"'
        named = {"Content-Type": answer.media_type, "Content-Disposition": kept}
        return _file(answer.content, {**HEADERS, **named})
    if isinstance(answer, GoTo):
        there = {**answer.headers, "Location": visit.root + answer.place}
        return Response("", status_code=303, headers={**HEADERS, **there})
    if isinstance(answer, Asset):
        kind = f"{answer.media_type}; charset=utf-8"
        cached = {"Content-Type": kind, "Cache-Control": "public, max-age=3600"}
        return Response(answer.text, status_code=200, headers={**HEADERS, **cached})
    values = {"root": visit.root, "session": visit.session, **answer.values}
    if "zone" not in values:
        values["zone"] = _zone(visit.session)
    text = render(answer.template, values)
    return Response(text, status_code=answer.status, headers={**HEADERS, **answer.headers})
