"""Settings come from the environment and are read on first use, never at import."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import TypeVar
from zoneinfo import ZoneInfo

T = TypeVar("T")


@dataclass(frozen=True)
class Settings:
    """What an operator chooses. `docs/operations.md` says what each one is for."""

    stage: str
    zone: ZoneInfo
    reservation: timedelta
    leader_collect: timedelta
    commission_hold_days: int
    return_window: timedelta
    after_sales: timedelta
    settle_open_day: bool
    allow_loopback_webhooks: bool
    stripe_api_base: str
    payout_four_eyes_above: int
    payer_name: str
    payer_iban: str
    payer_bic: str
    # How many levels above a seller may earn, and how much all together, by country.
    upline_limits: Mapping[str, tuple[int, int]]
    jwt_issuer: str
    jwt_audience: str
    jwt_jwks_url: str
    jwt_role_claim: str


@cache
def settings() -> Settings:
    return Settings(
        stage=_setting("STAGE", str, "local"),
        zone=_setting("TIMEZONE", ZoneInfo, "UTC"),
        reservation=timedelta(minutes=_setting("RESERVATION_MINUTES", int, "15")),
        leader_collect=timedelta(hours=_setting("LEADER_COLLECT_HOURS", int, "24")),
        commission_hold_days=_setting("COMMISSION_HOLD_DAYS", int, "7"),
        return_window=timedelta(days=_setting("RETURN_WINDOW_DAYS", int, "7")),
        after_sales=timedelta(hours=_setting("AFTER_SALES_HOURS", int, "48")),
        settle_open_day=_setting("SETTLE_OPEN_DAY", _switch, "0"),
        allow_loopback_webhooks=_setting("ALLOW_LOOPBACK_WEBHOOKS", _switch, "0"),
        stripe_api_base=_setting("STRIPE_API_BASE", str, "https://api.stripe.com"),
        payout_four_eyes_above=_setting("PAYOUT_FOUR_EYES_ABOVE", int, "0"),
        payer_name=_setting("PAYER_NAME", str, ""),
        payer_iban=_setting("PAYER_IBAN", str, ""),
        payer_bic=_setting("PAYER_BIC", str, ""),
        upline_limits=_setting("UPLINE_LIMITS", _upline_limits, ""),
        jwt_issuer=_setting("JWT_ISSUER", str, ""),
        jwt_audience=_setting("JWT_AUDIENCE", str, ""),
        jwt_jwks_url=_setting("JWT_JWKS_URL", str, ""),
        jwt_role_claim=_setting("JWT_ROLE_CLAIM", str, "role"),
    )


def required(name: str) -> str:
    """The value of a variable that the template sets, such as a table's name or a queue's URL."""
    try:
        return os.environ[name]
    except KeyError:
        raise RuntimeError(f"the environment variable {name} is not set") from None


def _setting(name: str, read: Callable[[str], T], default: str) -> T:
    text = os.environ.get(name, default)
    try:
        return read(text)
    except (ValueError, KeyError, OSError) as error:
        raise RuntimeError(f"the setting {name}={text!r} cannot be read: {error}") from error


def _switch(text: str) -> bool:
    return {"0": False, "1": True}[text]


def _upline_limits(text: str) -> Mapping[str, tuple[int, int]]:
    """Countries as `MY:2:5000,VN:1:3000`: at most two levels, and 5000 basis points in all."""
    found = {}
    for each in filter(None, text.split(",")):
        country, levels, total_bps = each.split(":")
        if int(levels) not in range(3) or int(total_bps) not in range(5_001):
            raise ValueError(f"{each} is more than two levels or 5000 basis points")
        found[country] = (int(levels), int(total_bps))
    return found
