"""Time that stands still until a test moves it on."""

from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.kernel import clock

# A Tuesday. What is delivered on it matures seven days later, on the 17th.
NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


class StillClock:
    """The instant that all code reads as now."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def move_on(self, **time: float) -> None:
        self.at += timedelta(**time)

    def move_to(self, text: str) -> None:
        self.at = clock.from_text(text)


@pytest.fixture(autouse=True)
def time(monkeypatch: pytest.MonkeyPatch) -> StillClock:
    still = StillClock(NOON)
    monkeypatch.setattr(clock, "now", still.now)
    return still
