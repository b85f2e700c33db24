"""How a page is asked for and answered: session, form token, errors for people, strict headers."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
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
    TuanError,
    Unauthenticated,
)
from chalicelib.parties import service as parties
from chalicelib.platform import problems
from chalicelib.platform.http_in import request_id_of
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

    def read(self, model: type[BaseModel], *names: str) -> Any:
        """What the form's fields of these names say, and its units as `lines`.

        Raises Invalid as the API does.
        """
        sent: dict[str, Any] = {
            name: self.form[name].strip() for name in names if name in self.form
        }
        if any(name.startswith(UNITS) for name in self.form):
            sent["lines"] = self._lines()
        try:
            return model.model_validate(sent)
        except ValidationError as error:
            from chalicelib.platform.complaints import complaints

            found = tuple(complaints(error))
            told = "; ".join(f"{each.field} {each.message}" for each in found)
            raise Invalid(told, errors=found) from None

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


Answer = Shown | GoTo | Asset


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
    root = _root(http)
    try:
        visit = _visit(http, root)
        _check(visit, http, path)
        return _response(visit, run(visit, **path))
    except Unauthenticated as error:
        return _sign_in(http, root, error)
    except TuanError as error:
        status, detail = problems.problem(error).status, error.detail
    except Exception as error:
        logger.exception("page failed")
        if unreachable(error):
            status, detail = problems.STATUS[Busy], "It is busy here. Try again in a moment."
        else:
            metric("RequestsFailed")
            status, detail = 500, "Something went wrong here. It has been recorded."
    title = problems.TITLES[status]
    shown = Shown("error", {"title": title, "detail": detail}, status)
    return _response(_nobody(root), shown)


def _root(http: Any) -> str:
    """From the page looked at to where `supplier` is, whatever the API's own address begins with.

    A part is put into a page that is already there, whose address htmx says.
    """
    shown = urlsplit(http.headers.get("hx-current-url", "")).path
    place: str = shown[shown.rindex("/supplier") :] if "/supplier" in shown else http.path
    return "../" * (place.count("/") - 1)


def _visit(http: Any, root: str) -> Visit:
    raw = http.raw_body
    if len(raw) > MAX_FORM_BYTES:
        raise Invalid("The form is larger than any of this page.")
    form = dict(parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True))
    return Visit(
        session=sessions.session_of(http.headers.get("cookie", "")),
        root=root,
        form=form,
        query=dict(http.query_params or {}),
        wants_part="hx-request" in http.headers,
    )


def _check(visit: Visit, http: Any, path: Mapping[str, str]) -> None:
    """Refuse what another site made a browser send, and ids that no store would take."""
    if any(len(each) > MAX_ID for each in path.values()):
        raise NotFound("There is no such thing here.")
    if http.method == "GET":
        return
    if http.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise Forbidden("The form was sent by another site.")
    if visit.session and not visit.session.sent_form(visit.form.get("token", "")):
        raise Forbidden("The form is of an earlier session. Load the page again.")


def _sign_in(http: Any, root: str, error: Unauthenticated) -> Response:
    """The way in. A session that ended while a form was filled in is told so."""
    if "hx-request" in http.headers:
        # The part that was asked for would hold a page: the browser is to load it whole.
        return Response("", status_code=401, headers={**HEADERS, "HX-Redirect": f"{root}supplier"})
    comes_first = http.method == "GET"
    problem = None if comes_first else error.detail
    shown = Shown("sign_in", {"problem": problem}, 200 if comes_first else 401)
    return _response(_nobody(root), shown)


def _number(said: str) -> int | str:
    return int(said) if said.isascii() and said.isdecimal() else said


def _zone(session: Session | None) -> ZoneInfo:
    """Where a supplier's working hours are, or the platform where its terms name no other."""
    terms = parties.terms_of(session.caller.id) if session else None
    return ZoneInfo(terms.timezone) if terms and terms.version else settings().zone


def _nobody(root: str) -> Visit:
    return Visit(None, root, {}, {}, wants_part=False)


def _response(visit: Visit, answer: Answer) -> Response:
    from chalicelib.portal.rendering import render

    if isinstance(answer, GoTo):
        headers = {**HEADERS, **answer.headers, "Location": visit.root + answer.place}
        return Response("", status_code=303, headers=headers)
    if isinstance(answer, Asset):
        kind = f"{answer.media_type}; charset=utf-8"
        kept = {"Content-Type": kind, "Cache-Control": "public, max-age=3600"}
        return Response(answer.text, status_code=200, headers={**HEADERS, **kept})
    values = {
        "root": visit.root,
        "session": visit.session,
        "zone": _zone(visit.session),
        **answer.values,
    }
    return Response(render(answer.template, values), status_code=answer.status, headers=HEADERS)
