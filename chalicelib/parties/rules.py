"""Parties and what is true of them."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

API_KEY_PREFIX = "tsk_"
LIVE_KEYS = 2


@dataclass(frozen=True)
class ApiKey:
    """A live key as it is remembered: never the key itself, only its SHA-256."""

    id: str
    key_hash: str
    created_at: str


@dataclass(frozen=True)
class Supplier:
    id: str
    name: str
    email: str
    currency: str
    api_keys: tuple[ApiKey, ...]
    version: int
    created_at: datetime


@dataclass(frozen=True)
class PickupPoint:
    line1: str
    city: str
    postal_code: str
    country: str
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True)
class Leader:
    id: str
    name: str
    community: str
    pickup_point: PickupPoint
    currency: str
    created_at: datetime
    # How much collected cash it may hold, in its currency's minor unit; None: any amount.
    credit_limit: int | None = None
    # By which plan it earns, if not by the platform's default; and what a plan may look at.
    plan_id: str | None = None
    level: str | None = None
    # Leaders that have a part in what it brings: its pick-up point, and the hub that serves it.
    pickup_leader_id: str | None = None
    hub_id: str | None = None
    # Who invited it, and who invited that one. It cannot change once it has invited others, so
    # what is kept of the second is true for good.
    upline: tuple[str, ...] = ()
    has_invited: bool = False
    # Since when it takes no more orders, why, and when all between it and the platform was done.
    leaving_at: datetime | None = None
    leaving_reason: str | None = None
    left_at: datetime | None = None

    @property
    def takes_orders(self) -> bool:
        return self.leaving_at is None

    @property
    def invited_by(self) -> str | None:
        return next(iter(self.upline), None)


def key_hash(api_key: str) -> str:
    """What is stored of a key. A plain hash is enough: 256 random bits cannot be guessed."""
    return hashlib.sha256(api_key.encode()).hexdigest()
