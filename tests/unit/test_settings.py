"""Settings are read from the environment when they are first asked for."""

from collections.abc import Iterator
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from chalicelib.platform.settings import required, settings

NAMES = (
    "TIMEZONE",
    "RESERVATION_MINUTES",
    "LEADER_COLLECT_HOURS",
    "COMMISSION_HOLD_DAYS",
    "RETURN_WINDOW_DAYS",
    "AFTER_SALES_HOURS",
    "SETTLE_OPEN_DAY",
    "ALLOW_LOOPBACK_WEBHOOKS",
    "UPLINE_LIMITS",
    "JWT_ROLE_CLAIM",
)


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    settings.cache_clear()
    yield
    settings.cache_clear()


def test_what_is_not_set_is_as_the_contract_says() -> None:
    usual = settings()
    assert (usual.zone, usual.commission_hold_days) == (ZoneInfo("UTC"), 7)
    assert (usual.reservation, usual.leader_collect) == (timedelta(minutes=15), timedelta(hours=24))
    assert usual.return_window == timedelta(days=7)
    assert usual.after_sales == timedelta(hours=48)
    assert usual.upline_limits == {}
    assert not usual.settle_open_day
    assert not usual.allow_loopback_webhooks
    assert usual.jwt_role_claim == "role"


def test_what_is_set_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIMEZONE", "Asia/Shanghai")
    monkeypatch.setenv("COMMISSION_HOLD_DAYS", "0")
    monkeypatch.setenv("SETTLE_OPEN_DAY", "1")
    monkeypatch.setenv("UPLINE_LIMITS", "MY:2:5000,VN:1:3000")
    chosen = settings()
    assert chosen.upline_limits == {"MY": (2, 5000), "VN": (1, 3000)}
    assert (chosen.zone, chosen.commission_hold_days) == (ZoneInfo("Asia/Shanghai"), 0)
    assert chosen.settle_open_day


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("TIMEZONE", "Europe/Nowhere"),
        ("TIMEZONE", "../etc/passwd"),
        ("RESERVATION_MINUTES", "soon"),
        ("SETTLE_OPEN_DAY", "yes"),
        ("COMMISSION_HOLD_DAYS", ""),
        ("UPLINE_LIMITS", "MY"),
        ("UPLINE_LIMITS", "MY:3:5000"),
        ("UPLINE_LIMITS", "MY:2:5001"),
    ],
)
def test_what_cannot_be_read_is_told_by_its_name(
    name: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, text)
    with pytest.raises(RuntimeError, match=name):
        settings()


def test_what_the_template_must_set_is_told_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ORDERING_TABLE", raising=False)
    with pytest.raises(RuntimeError, match="ORDERING_TABLE"):
        required("ORDERING_TABLE")
