"""What only the platform may read: text under AES-256-GCM, with a key from the secret store.

The secret is JSON, `{"current": "2", "1": "...", "2": "..."}`: what is sealed names its key, so a
new one can be made current while the old ones still open what they have sealed.
"""

import base64
import json
import os

from chalicelib.platform.secrets import derived_key, secret

NONCE_BYTES = 12  # what GCM asks for (NIST SP 800-38D)


def seal(variable: str, text: str, owner: str) -> str:
    """`text` for nobody to read without the key, nor to pass off as another owner's."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    keys = _keys(variable)
    nonce = os.urandom(NONCE_BYTES)
    cipher = AESGCM(_key(keys, keys["current"]))
    sealed = cipher.encrypt(nonce, text.encode(), owner.encode())
    return f"{keys['current']}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"


def unseal(variable: str, sealed: str, owner: str) -> str:
    """What `seal` was given. Raises LookupError for a key that is gone, InvalidTag for text that
    was changed or is another owner's."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    key_id, _, text = sealed.partition(".")
    raw = base64.urlsafe_b64decode(text)
    cipher = AESGCM(_key(_keys(variable), key_id))
    return cipher.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], owner.encode()).decode()


def _keys(variable: str) -> dict[str, str]:
    keys: dict[str, str] = json.loads(secret(variable))
    return keys


def _key(keys: dict[str, str], key_id: str) -> bytes:
    if key_id == "current" or key_id not in keys:
        raise LookupError("the key that has sealed this is not in the secret")
    return derived_key(keys[key_id], "sealing")
