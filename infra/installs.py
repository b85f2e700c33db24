"""Installs requirements once: what was installed is known by the requirements' digest."""

import fcntl
import hashlib
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.failures import Fixable
from infra.paths import LOCAL, ROOT

CLOUD_REQUIREMENTS = ROOT / "infra" / "local" / "requirements.txt"
SHIPPED_REQUIREMENTS = ROOT / "requirements.txt"
TICK_SECONDS = 2.0


def cloud_python() -> Path:
    """The Python of the environment that the local cloud runs in."""

    def install(place: Path) -> None:
        run_quietly(sys.executable, "-m", "venv", str(place))
        pip(place / "bin" / "python", "install", "--requirement", str(CLOUD_REQUIREMENTS))

    return installed("ministack", CLOUD_REQUIREMENTS, install) / "bin" / "python"


def shipped_dependencies() -> Path:
    """A directory that holds what ships to Lambda beside the code, and nothing else."""

    def install(place: Path) -> None:
        requirements = str(SHIPPED_REQUIREMENTS)
        pip(Path(sys.executable), "install", "--target", str(place), "--requirement", requirements)

    return installed("dependencies", SHIPPED_REQUIREMENTS, install)


def installed(name: str, requirements: Path, install: Callable[[Path], None]) -> Path:
    place = LOCAL / f"{name}-{digest(requirements)}"
    done = place / ".installed"
    if done.exists():
        return place
    with lock(name):
        if not done.exists():
            print(f"installing {requirements.relative_to(ROOT)} ...", file=sys.stderr, flush=True)
            shutil.rmtree(place, ignore_errors=True)
            install(place)
            done.touch()
    return place


def digest(requirements: Path) -> str:
    """Changes with the requirements and with the Python that installs them."""
    version = ".".join(map(str, sys.version_info[:3]))
    return hashlib.sha256(requirements.read_bytes() + version.encode()).hexdigest()[:12]


@contextmanager
def lock(name: str) -> Iterator[None]:
    """Lets one process at a time install or build a thing of this name."""
    LOCAL.mkdir(exist_ok=True)
    with (LOCAL / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def pip(python: Path, *arguments: str) -> None:
    run_quietly(str(python), "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments)


def run_quietly(*command: str) -> None:
    """Run a command and show its output only if it fails."""
    with ticking(), tempfile.TemporaryFile("w+") as output:
        done = subprocess.run(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
        if done.returncode:
            output.seek(0)
            raise Fixable(f"{' '.join(command)} failed:\n{output.read()}")


@contextmanager
def ticking() -> Iterator[None]:
    """A dot every two seconds, so that nobody takes what is slow for what hangs."""
    over = threading.Event()

    def tick() -> None:
        end = ""
        while not over.wait(TICK_SECONDS):
            print(".", end="", file=sys.stderr, flush=True)
            end = "\n"
        print(end=end, file=sys.stderr, flush=True)

    ticks = threading.Thread(target=tick, daemon=True)
    ticks.start()
    try:
        yield
    finally:
        over.set()
        ticks.join()
