"""`/supplier`: signing in, and the files that every page is made with."""

from pathlib import Path

from chalicelib.kernel.errors import NotFound, Unauthenticated
from chalicelib.portal import sessions
from chalicelib.portal.web import Answer, Asset, GoTo, Pages, Visit

routes = Pages(__name__)

ASSETS = {"htmx.min.js": "text/javascript", "icon.svg": "image/svg+xml", "page.css": "text/css"}


@routes.page("POST", "/supplier/sign-in")
def supplier_sign_in(visit: Visit) -> Answer:
    key = visit.form.get("api_key", "").strip()
    if not key:
        raise Unauthenticated("Enter your API key; it begins with tsk_.")
    return GoTo("supplier", {"Set-Cookie": sessions.sign_in(key)})


@routes.page("POST", "/supplier/sign-out")
def supplier_sign_out(visit: Visit) -> Answer:
    return GoTo("supplier", {"Set-Cookie": sessions.signed_out()})


@routes.page("GET", "/supplier/assets/{name}")
def supplier_asset(visit: Visit, name: str) -> Answer:
    if name not in ASSETS:
        raise NotFound("There is no such file.")
    text = (Path(__file__).with_name("assets") / name).read_text(encoding="utf-8")
    return Asset(text, ASSETS[name])
