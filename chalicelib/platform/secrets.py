"""Secrets live in Secrets Manager and are held in memory for a few minutes."""

import threading
from functools import lru_cache

from chalicelib.platform.settings import required

MAX_AGE_SECONDS = 300
# Of many threads one makes the client and asks; the others find the answer in memory.
_asking = threading.Lock()


def secret(variable: str) -> str:
    """The secret whose ARN the environment variable names."""
    from aws_lambda_powertools.utilities import parameters  # most functions need no secret

    with _asking:
        return parameters.get_secret(required(variable), max_age=MAX_AGE_SECONDS)


@lru_cache(maxsize=256)
def derived_key(master: str, *purpose: str) -> bytes:
    """32 bytes that follow from a master secret and a purpose (RFC 5869, expand step, one block).

    A key that can be derived again is stored nowhere.
    """
    import hashlib
    import hmac

    return hmac.digest(master.encode(), "\x1f".join(purpose).encode() + b"\x01", hashlib.sha256)
