"""What installs something slowly says that it goes on."""

import sys
from unittest import mock

import pytest

from infra import installs
from infra.failures import Fixable


def test_what_is_slow_shows_dots_and_its_output_only_if_it_fails(
    capfd: pytest.CaptureFixture[str],
) -> None:
    slow = "import time; print('Collecting things'); time.sleep(0.5)"
    with mock.patch.object(installs, "TICK_SECONDS", 0.05):
        installs.run_quietly(sys.executable, "-c", slow)
    shown = capfd.readouterr()
    assert (shown.out, shown.err.strip(".")) == ("", "\n")
    assert len(shown.err) > 3


def test_what_is_quick_shows_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    installs.run_quietly(sys.executable, "-c", "print('done')")
    assert capfd.readouterr() == ("", "")


def test_what_fails_says_what_it_said() -> None:
    failing = "import sys; print('no such thing'); print('really', file=sys.stderr); sys.exit(3)"
    with pytest.raises(Fixable) as failed:
        installs.run_quietly(sys.executable, "-c", failing)
    assert "no such thing" in str(failed.value)
    assert "really" in str(failed.value)
