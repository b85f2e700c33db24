"""Endpoint secrets and signatures: Standard Webhooks 1.0.0, by its own library."""

import base64
from collections.abc import Iterable
from datetime import datetime

from standardwebhooks import Webhook

from chalicelib.platform.secrets import derived_key, secret
from chalicelib.webhooks.rules import Endpoint


def endpoint_secret(endpoint_id: str, generation: int) -> str:
    """`whsec_...`: 256 bits that follow from the platform's secret and are stored nowhere."""
    bits = derived_key(secret("SIGNING_SECRET"), "webhook endpoint", endpoint_id, str(generation))
    return "whsec_" + base64.b64encode(bits).decode()


def signed_headers(
    endpoint: Endpoint, delivery_id: str, body: str, now: datetime
) -> dict[str, str]:
    """The headers of one attempt, with a signature for each secret that lives."""
    secrets = [endpoint_secret(endpoint.id, each) for each in endpoint.live_generations(now)]
    return {
        "content-type": "application/json",
        "user-agent": "Tuan-Webhooks/1.0",
        "webhook-id": delivery_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(_signatures(secrets, delivery_id, body, now)),
    }


def _signatures(secrets: Iterable[str], delivery_id: str, body: str, now: datetime) -> list[str]:
    return [Webhook(each).sign(msg_id=delivery_id, timestamp=now, data=body) for each in secrets]
