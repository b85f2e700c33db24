"""The gateway's authorizer: a person's JWT or a supplier's API key becomes a role and an id.

Source: contract, section 2. Answers are not cached (`ttl_seconds=0`), so a revoked key is
refused at once; the policy it returns is for the whole API, since each route checks the role.
"""

from functools import cache
from typing import Any

from chalice.app import AuthResponse, Blueprint

from chalicelib.kernel.callers import Caller
from chalicelib.parties import rules
from chalicelib.parties import store as parties
from chalicelib.platform.log import logger
from chalicelib.platform.settings import settings

authorizers = Blueprint(__name__)

# The only algorithms believed: public-key ones, so that no shared secret and no `none` passes.
ALGORITHMS = ["RS256", "ES256", "EdDSA"]
PERSONS = ("operator", "leader", "customer")
SUBJECT_LENGTH = 128


class Refused(Exception):
    """The credentials are not good; the reason is for the log and holds nothing of them."""


@authorizers.authorizer(ttl_seconds=0, name="authorizer")
def authorizer(request: Any) -> AuthResponse:
    try:
        caller = identify(request.token or "")
    except Refused as reason:
        logger.info("credentials refused", reason=str(reason))
        # The gateway answers 401 to exactly this message, and 403 or 500 to any other way out.
        raise Exception("Unauthorized") from None
    return AuthResponse(
        routes=["*"], principal_id=caller.id, context={"role": caller.role, "sub": caller.id}
    )


def identify(header: str) -> Caller:
    """Who sent this `Authorization` header. Raises Refused."""
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Refused("not a bearer token")
    return _supplier(token) if token.startswith(rules.API_KEY_PREFIX) else _person(token)


def _supplier(api_key: str) -> Caller:
    supplier_id = parties.supplier_of_key(rules.key_hash(api_key))
    if supplier_id is None:
        raise Refused("unknown or revoked API key")
    return Caller("supplier", supplier_id)


def _person(token: str) -> Caller:
    import jwt

    chosen = settings()
    try:
        key = _keys().get_signing_key_from_jwt(token)
        claims = jwt.decode(
            token,
            key,
            algorithms=ALGORITHMS,
            audience=chosen.jwt_audience,
            issuer=chosen.jwt_issuer,
            options={"require": ["exp", "sub", "iss", "aud"]},
            leeway=30,
        )
    except jwt.PyJWKClientConnectionError:
        raise  # the issuer does not answer: nobody can say that the token is bad
    except jwt.PyJWTError as error:
        raise Refused(type(error).__name__) from error
    role, subject = claims.get(chosen.jwt_role_claim), claims["sub"]
    if role not in PERSONS:
        raise Refused("the role claim names no role of a person")
    if not subject or len(subject) > SUBJECT_LENGTH:
        raise Refused("the subject is empty or too long")
    return Caller(role, subject)


@cache
def _keys() -> Any:
    import jwt

    return jwt.PyJWKClient(settings().jwt_jwks_url, cache_keys=True, lifespan=300, timeout=5)
