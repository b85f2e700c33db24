"""Credentials of the local stack: people's tokens, and the payment provider's signature."""

import json
import uuid
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from infra.failures import Fixable
from infra.local import issuer
from infra.local.stack import LocalStack, current

ROLES = ("operator", "leader", "customer")
TOKEN_LIFE = timedelta(hours=12)


def token(role: str, sub: str, *, port: int | None = None) -> str:
    """A JWT that the local stack believes, for 12 hours."""
    import jwt

    if role not in ROLES:
        raise Fixable(f"ROLE is one of {', '.join(ROLES)}, not {role!r}")
    now = datetime.now(UTC)
    claims = {
        "iss": issuer.ISSUER,
        "aud": issuer.AUDIENCE,
        "sub": sub,
        "role": role,
        "iat": now,
        "exp": now + TOKEN_LIFE,
    }
    key = issuer.key_file(current(port).cloud).read_bytes()
    return jwt.encode(claims, key, algorithm="ES256", headers={"kid": issuer.KEY_ID})


def payment_event(
    payment_id: str,
    amount: int,
    currency: str,
    *,
    event_id: str | None = None,
    port: int | None = None,
) -> tuple[dict[str, str], bytes]:
    """The local provider's signed `payment.succeeded`: its headers and its body.

    `amount` is in minor units. The reference of the receipt follows from the event's id, so an
    event made twice with one id tells of one receipt.
    """
    from standardwebhooks import Webhook

    event_id = event_id or f"evt_{uuid.uuid4().hex}"
    now = datetime.now(UTC)
    body = json.dumps(
        {
            "id": event_id,
            "type": "payment.succeeded",
            "created_at": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "data": {
                "payment_id": payment_id,
                "amount": amount,
                "currency": currency,
                "reference": f"rcp_{uuid.uuid5(uuid.NAMESPACE_URL, event_id).hex}",
            },
        },
        separators=(",", ":"),
    )
    headers = {
        "content-type": "application/json",
        "webhook-id": event_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(provider_key(current(port))).sign(event_id, now, body),
    }
    return headers, body.encode()


@lru_cache
def provider_key(stack: LocalStack) -> bytes:
    secret: str = stack.client("secretsmanager").get_secret_value(SecretId=stack.provider_secret)[
        "SecretString"
    ]
    return secret.encode()
