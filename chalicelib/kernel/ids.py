"""Opaque ids with a prefix (contract, section 1)."""

import hashlib
import secrets
import time
from datetime import datetime


def new(prefix: str) -> str:
    """A fresh id that sorts by its time of making: 48 bits of milliseconds, 64 random bits."""
    return f"{prefix}_{time.time_ns() // 1_000_000:012x}{secrets.token_hex(8)}"


def first_at(prefix: str, instant: datetime) -> str:
    """What sorts before every fresh id that was made at the instant or later."""
    return f"{prefix}_{int(instant.timestamp() * 1000):012x}"


def derived(prefix: str, *parts: str) -> str:
    """The one id that `parts` always give, so that making a thing twice makes it once."""
    digest = hashlib.sha256("\x00".join(parts).encode()).hexdigest()
    return f"{prefix}_{digest[:28]}"


def sibling(prefix: str, identifier: str) -> str:
    """The id of the one thing that belongs to another, told apart by its prefix alone."""
    return f"{prefix}_{identifier.partition('_')[2]}"


def shard(identifier: str, shards: int) -> int:
    """Which of `shards` index partitions an id lies in: spread evenly, the same each time."""
    return int.from_bytes(hashlib.sha256(identifier.encode()).digest()[:4]) % shards
