"""Signing in with an API key: a cookie for some hours that a revoked key ends at once."""

import base64
import hmac
from dataclasses import dataclass
from datetime import timedelta
from http.cookies import CookieError, SimpleCookie

from chalicelib.kernel import clock, ids
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.errors import Unauthenticated
from chalicelib.parties import rules
from chalicelib.parties import store as parties
from chalicelib.platform.secrets import derived_key, secret

COOKIE = "tuan_supplier"
LASTS = timedelta(hours=2)
ALGORITHM = "HS256"


@dataclass(frozen=True)
class Session:
    """Who is signed in. `id` is the session's own, so that its forms are known again."""

    id: str
    supplier_id: str

    @property
    def caller(self) -> Caller:
        return Caller("supplier", self.supplier_id)

    @property
    def form_token(self) -> str:
        """What each of its forms carries: another site can send a form, but not this."""
        return _text(derived_key(secret("SIGNING_SECRET"), "supplier form", self.id))

    def sent_form(self, token: str) -> bool:
        return hmac.compare_digest(self.form_token.encode(), token.encode())


def sign_in(api_key: str) -> str:
    """The value of a `Set-Cookie` header that begins a session. Raises Unauthenticated.

    It names no path: a browser then sends it to the page and what is below, wherever the API is.
    """
    import jwt

    key_hash = rules.key_hash(api_key)
    supplier_id = parties.supplier_of_key(key_hash)
    if supplier_id is None:
        raise Unauthenticated("This API key is not known, or it has been revoked.")
    said = {
        "jti": ids.new("ses"),
        "sub": supplier_id,
        "key": key_hash,
        "exp": int((clock.now() + LASTS).timestamp()),
    }
    return _cookie(jwt.encode(said, _key(), ALGORITHM), LASTS)


def signed_out() -> str:
    """The value of a `Set-Cookie` header that ends a session."""
    return _cookie("", timedelta())


def session_of(cookies: str) -> Session | None:
    """The session that a `Cookie` header carries, unless it is over or its key was revoked."""
    import jwt

    try:
        token = SimpleCookie(cookies)[COOKIE].value
        said = jwt.decode(
            token,
            _key(),
            [ALGORITHM],
            # Its time is compared with the clock that everything here goes by.
            options={"require": ["jti", "sub", "exp", "key"], "verify_exp": False},
        )
    except (KeyError, CookieError, jwt.PyJWTError):
        return None
    if said["exp"] <= clock.now().timestamp():
        return None
    if parties.supplier_of_key(said["key"]) != said["sub"]:
        return None
    return Session(said["jti"], said["sub"])


def was_signed_in(cookies: str) -> bool:
    """Whether a `Cookie` header carries a session at all, be it over or not."""
    try:
        return bool(SimpleCookie(cookies)[COOKIE].value)
    except (KeyError, CookieError):
        return False


def _cookie(value: str, lasts: timedelta) -> str:
    seconds = int(lasts.total_seconds())
    return f"{COOKIE}={value}; Max-Age={seconds}; HttpOnly; Secure; SameSite=Strict"


def _key() -> bytes:
    return derived_key(secret("SIGNING_SECRET"), "supplier session")


def _text(bits: bytes) -> str:
    return base64.urlsafe_b64encode(bits).decode().rstrip("=")
