"""Starts and stops MiniStack on one port of 127.0.0.1, by its own process id."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.failures import Fixable
from infra.installs import cloud_python
from infra.paths import port_directory

HOST = "127.0.0.1"
REGION = "us-east-1"
START_SECONDS = 60
STOP_SECONDS = 10
# From the caller's environment the cloud gets these alone: an AWS profile or endpoint of the
# caller's must not reach the functions.
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL")
# Roles are enforced on functions; these credentials may do everything.
ADMINISTRATOR = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}


@dataclass(frozen=True)
class Cloud:
    """The local cloud on one port, whether it runs or not."""

    port: int

    @property
    def directory(self) -> Path:
        return port_directory(self.port)

    @property
    def endpoint(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def log(self) -> Path:
        return self.directory / "cloud.log"

    @property
    def pid_file(self) -> Path:
        return self.directory / "cloud.pid"

    @property
    def deployed(self) -> Path:
        """Where the addresses of the deployed stack stand, once there is one."""
        return self.directory / "stack.json"

    def client(self, service: str) -> Any:
        """A boto3 client of this cloud, whatever the environment says about another one."""
        import boto3

        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            **ADMINISTRATOR,
        )


def chosen_port() -> int | None:
    """The `PORT` of the environment, if there is one. Raises Fixable for what is no port."""
    text = os.environ.get("PORT", "")
    if not text:
        return None
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise Fixable(f"PORT is a number from 1 to 65535, not {text!r}")
    return int(text)


def start(cloud: Cloud) -> None:
    """Start the cloud, unless it runs, and wait until it answers."""
    if running_pid(cloud):
        return
    if is_port_taken(cloud.port):
        raise Fixable(
            f"port {cloud.port} is taken by another program: stop that one, "
            f"or choose another port, as in PORT={cloud.port + 1}"
        )
    with undisturbed():
        process = launch(cloud)
        cloud.pid_file.write_text(str(process.pid))
    wait_until_healthy(cloud, process)


def stop(cloud: Cloud) -> None:
    """Stop the cloud and remove what belongs to it, its data too."""
    with undisturbed():
        if pid := running_pid(cloud):
            end_group(pid)
        shutil.rmtree(cloud.directory, ignore_errors=True)


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Ctrl-C waits until this is done: a cloud without its process id could not be ended."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    asked: list[int] = []
    usual = signal.signal(signal.SIGINT, lambda number, _: asked.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)
        if asked:
            signal.raise_signal(signal.SIGINT)


def launch(cloud: Cloud) -> subprocess.Popen[bytes]:
    # What an earlier run left is of no use: the cloud holds its data in memory.
    shutil.rmtree(cloud.directory, ignore_errors=True)
    scratch = cloud.directory / "tmp"
    scratch.mkdir(parents=True)
    with cloud.log.open("wb") as log:
        return subprocess.Popen(
            [str(cloud_python()), "-m", "ministack"],
            env=environment(cloud, scratch),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def environment(cloud: Cloud, scratch: Path) -> dict[str, str]:
    return {
        **{name: os.environ[name] for name in INHERITED if name in os.environ},
        "BIND_HOST": HOST,
        "GATEWAY_PORT": str(cloud.port),
        "IOT_MTLS_ENABLED": "0",
        # Each function's role is enforced, so a missing permission shows here and not on AWS.
        "AUTH": "true",
        "MINISTACK_REGION": REGION,
        "TMPDIR": str(scratch),
        # A worker that is let go costs a cold start when it is wanted again.
        "LAMBDA_WARM_TTL_SECONDS": "3600",
    }


def wait_until_healthy(cloud: Cloud, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise Fixable(f"the local cloud did not start; its log:\n{tail(cloud.log)}")
        if is_healthy(cloud):
            return
        time.sleep(0.05)
    end_group(process.pid)
    raise Fixable(
        f"the local cloud did not answer in {START_SECONDS} s; its log:\n{tail(cloud.log)}"
    )


def is_healthy(cloud: Cloud) -> bool:
    try:
        with urllib.request.urlopen(f"{cloud.endpoint}/_ministack/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def is_port_taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    return port


def running_pid(cloud: Cloud) -> int | None:
    """The process that serves this port, if it is ours and alive."""
    try:
        pid = int(cloud.pid_file.read_text())
    except (FileNotFoundError, ValueError):
        return None
    # The number may have gone to another program since.
    return pid if "ministack" in command_of(pid) else None


def is_up(cloud: Cloud) -> bool:
    """Whether the cloud runs and the application was deployed to it."""
    return cloud.deployed.exists() and running_pid(cloud) is not None


def command_of(pid: int) -> str:
    done = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True)
    return done.stdout


def end_group(pid: int) -> None:
    """End the cloud and the workers it started; it leads a process group of its own."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while time.monotonic() < deadline:
        reap(pid)
        if not is_group_alive(pid):
            return
        time.sleep(0.05)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    reap(pid)


def reap(pid: int) -> None:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def is_group_alive(pid: int) -> bool:
    """Whether one of the group still runs. What has ended and whose parent has not asked for it,
    as the first process of many containers never does, still takes signals."""
    done = subprocess.run(["ps", "-A", "-o", "pgid=,stat="], capture_output=True, text=True)
    rows = (line.split() for line in done.stdout.splitlines())
    return any(group == str(pid) and not state.startswith("Z") for group, state in rows)


def tail(log: Path, lines: int = 20) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
