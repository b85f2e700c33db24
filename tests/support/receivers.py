"""The receivers that documents show, started as a supplier would start them."""

import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NODE = shutil.which("node")
# Where Node is missing its receiver is not run; `.ci/run` installs it.
LANGUAGES = ("python", "js") if NODE else ("python",)
FILES = {"python": "receiver.py", "js": "receiver.mjs"}
# Each has a port of its own, so that a reader may run them side by side.
PORTS = {"python": "8000", "js": "8001"}


@contextmanager
def receiver(document: str, language: str, folder: Path, secret: str) -> Iterator[int]:
    """Run the first receiver of a language that a document shows; the port it listens on."""
    found = re.search(rf"```{language}\n(.*?)```", (ROOT / document).read_text(), re.DOTALL)
    assert found, f"{document} has a receiver in {language}"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    program = folder / FILES[language]
    assert PORTS[language] in found[1]
    program.write_text(found[1].replace(PORTS[language], str(port)))
    process = subprocess.Popen(
        [sys.executable if language == "python" else str(NODE), str(program)],
        cwd=folder,
        env={**os.environ, "TUAN_SECRET": secret, "TUAN_STORE": "store"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=10)


def post(port: int, body: bytes, headers: Mapping[str, str]) -> int:
    """The status that is answered. Headers go out as they are, whatever they hold."""
    lines = [
        "POST / HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        f"Content-Length: {len(body)}",
        "Connection: close",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    with socket.create_connection(("127.0.0.1", port), timeout=20) as sock:
        sock.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
        answer = b""
        while piece := sock.recv(65536):
            answer += piece
    return int(answer.split(b" ", 2)[1])


def hang_up(port: int) -> None:
    """A request that breaks off in the middle of its body, by a reset."""
    at_once = struct.pack("ii", 1, 0)
    with socket.create_connection(("127.0.0.1", port), timeout=20) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
        sock.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf of")
        time.sleep(0.2)  # it must be reading by then


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError("the receiver did not start")
