"""What `make` shows while it installs."""

import re
import subprocess
from pathlib import Path

from infra.paths import ROOT
from tests.support.made_by_make import make


def made(place: Path, command: str) -> subprocess.CompletedProcess[str]:
    """What came of a command that the Makefile's own words run."""
    (stoppable,) = re.findall(
        r"^define stoppable\n.*?^endef\n", (ROOT / "Makefile").read_text(), re.MULTILINE | re.DOTALL
    )
    shell = "SHELL := /bin/bash\n.SHELLFLAGS := -euo pipefail -c\n"
    (place / "Makefile").write_text(f"{shell}{stoppable}it:\n\t@$(call stoppable,{command})\n")
    return make("it", place=place)


def test_what_takes_over_two_seconds_shows_a_dot(tmp_path: Path) -> None:
    done = made(tmp_path, "sleep 3")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", ".\n")


def test_what_fails_fails_at_once_and_leaves_no_dots_behind(tmp_path: Path) -> None:
    done = made(tmp_path, "false")
    assert done.returncode == 2
    assert "." not in done.stderr.partition("make")[0]
