"""The local issuer of people's tokens: a key on disk, its public half in the local cloud's S3."""

import json
from pathlib import Path
from typing import Any

from infra.local.cloud import Cloud

ISSUER = "https://issuer.tuan.local"
AUDIENCE = "tuan-local"
KEY_ID = "local-1"
BUCKET = "tuan-issuer"
OBJECT = "jwks.json"
ANYONE_MAY_READ = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:GetObject",
            "Resource": f"arn:aws:s3:::{BUCKET}/{OBJECT}",
        }
    ],
}


def key_file(cloud: Cloud) -> Path:
    return cloud.directory / "jwt-key.pem"


def publish(cloud: Cloud) -> str:
    """Make the signing key if there is none, and put its public half where functions can read it.

    Returns the address of the key set.
    """
    if not key_file(cloud).exists():
        key_file(cloud).touch(mode=0o600)
        key_file(cloud).write_bytes(new_key())
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.delete_public_access_block(Bucket=BUCKET)
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(ANYONE_MAY_READ))
    s3.put_object(
        Bucket=BUCKET,
        Key=OBJECT,
        Body=json.dumps({"keys": [public_jwk(key_file(cloud).read_bytes())]}).encode(),
        ContentType="application/json",
    )
    return f"{cloud.endpoint}/{BUCKET}/{OBJECT}"


def new_key() -> bytes:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def public_jwk(pem: bytes) -> dict[str, Any]:
    from cryptography.hazmat.primitives import serialization
    from jwt.algorithms import ECAlgorithm

    public = serialization.load_pem_private_key(pem, password=None).public_key()
    jwk: dict[str, Any] = json.loads(ECAlgorithm.to_jwk(public))  # type: ignore[arg-type]
    return {**jwk, "kid": KEY_ID, "alg": "ES256", "use": "sig"}
