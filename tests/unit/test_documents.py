"""What the documents say is so: links lead somewhere, targets exist, the receiver receives."""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from standardwebhooks import Webhook

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
SECRET = "whsec_c2VjcmV0LW9mLXRoZS1yZWFkbWUtdGVzdA=="


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_to_a_file(document: Path) -> None:
    targets = re.findall(r"\]\((?!http)([^)#]+)[^)]*\)", document.read_text())
    missing = [target for target in targets if not (document.parent / target).exists()]
    assert missing == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_make_target_exists(document: Path) -> None:
    named = set(re.findall(r"`?make ([a-z]+)\b", "\n".join(_code(document.read_text()))))
    made = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert named <= made


def test_the_receiver_of_the_readme_takes_what_is_signed_and_refuses_the_rest() -> None:
    body = '{"type":"ping","data":{"note":"grüße"}}'
    now = datetime.now(UTC)
    signature = Webhook(SECRET).sign(msg_id="whd_1", timestamp=now, data=body)
    headers = {
        "webhook-id": "whd_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signature,
    }
    with _receiver() as url:
        assert _post(url, body, headers) == 204
        assert _post(url, body + " ", headers) == 400


def _code(text: str) -> list[str]:
    """Code blocks and spans, where a command is meant as one."""
    return re.findall(r"```[^`]*```|`[^`]+`", text)


@contextmanager
def _receiver() -> Iterator[str]:
    found = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert found, "the README has a receiver in Python"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    code = found[1].replace("8000", str(port))
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, "TUAN_SECRET": SECRET},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port)
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.terminate()
        process.wait(timeout=10)


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError("the receiver did not start")


def _post(url: str, body: str, headers: dict[str, str]) -> int:
    request = urllib.request.Request(url, data=body.encode(), headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        refused.close()
        return refused.code
