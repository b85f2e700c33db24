"""Ctrl-C: one sentence, 130, no traceback, and no process left behind."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local.cloud import undisturbed
from infra.local.stoppable import farewell
from infra.paths import ROOT

# Each prints when it is ready for the signal.
WAITING = "import time; print('ready', flush=True); time.sleep(60)"
# A library that makes another error of it, as compiled modules do while they are imported.
REPLACING = f"""
try:
    {WAITING}
except KeyboardInterrupt:
    raise ImportError("half a module") from None
"""
# A destructor, whose exceptions Python prints and forgets.
FORGETTING = """
import time

class Thing:
    def __del__(self):
        print('ready', flush=True)
        time.sleep(60)

Thing()
time.sleep(60)
"""


@pytest.mark.parametrize("code", [WAITING, REPLACING, FORGETTING])
def test_an_interrupt_ends_a_command_with_a_sentence(code: str, tmp_path: Path) -> None:
    (tmp_path / "command.py").write_text(code)
    process = subprocess.Popen(
        [sys.executable, "-m", "infra.local.stoppable", "command"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path), "PORT": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=20)
    assert (process.returncode, told) == (130, "Stopped.\n")


def test_a_command_ends_as_it_will_when_nobody_stops_it(tmp_path: Path) -> None:
    (tmp_path / "command.py").write_text("import sys; sys.exit(' '.join(sys.argv[1:]))")
    done = subprocess.run(
        [sys.executable, "-m", "infra.local.stoppable", "command", "a", "b"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert (done.returncode, done.stderr) == (1, "a b\n")


@pytest.mark.parametrize(
    ("up", "told"),
    [
        (True, "Stopped. The stack on 4999 is still up; `make down PORT=4999` takes it away."),
        (False, "Stopped. No stack is up on 4999."),
    ],
)
def test_the_sentence_says_what_is_up(up: bool, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.local.cloud.is_up", lambda cloud: up)
    assert farewell("4999") == told


def test_an_interrupt_waits_for_what_must_not_be_halved() -> None:
    done = []

    def work() -> None:
        with undisturbed():
            signal.raise_signal(signal.SIGINT)
            done.append(True)

    # Whoever starts tests in the background has them not hear an interrupt.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            work()
    finally:
        signal.signal(signal.SIGINT, before)
    assert done == [True]


def test_the_suppliers_end_without_a_word_when_nobody_listens() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "infra.demo.supplier", "--base-url", "http://127.0.0.1:1"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin
    assert process.stdout
    assert process.stderr
    assert process.stdout.readline().startswith(b'{"port"')
    process.stdout.close()
    process.stdin.close()
    with process.stderr:
        assert process.stderr.read() == b""
    assert process.wait(timeout=20) == 1


@pytest.mark.parametrize("begun", [True, False], ids=["at work", "not yet speaking"])
def test_leaving_ends_the_suppliers(begun: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    from infra.demo.supplier_process import SupplierProcess

    suppliers = SupplierProcess("http://127.0.0.1:1")
    if not begun:
        monkeypatch.setattr(SupplierProcess, "_hear", interrupt)
    with pytest.raises(KeyboardInterrupt), suppliers:
        raise KeyboardInterrupt
    assert suppliers._process.returncode == -signal.SIGKILL


def interrupt(_: object) -> object:
    raise KeyboardInterrupt
