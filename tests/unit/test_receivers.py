"""The receivers in `docs/suppliers.md` do what the text beside them says."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from tests.support.malformed import malformed
from tests.support.receivers import LANGUAGES, hang_up, post, receiver

SECRET = "whsec_c2VjcmV0LW9mLXRoZS1kb2N1bWVudC10ZXN0"
Json = dict[str, Any]


def in_python(store: Path) -> dict[str, Json]:
    rows = sqlite3.connect(store).execute("SELECT id, event FROM dispatches").fetchall()
    return {dispatch_id: json.loads(event) for dispatch_id, event in rows}


def in_js(store: Path) -> dict[str, Json]:
    lines = [json.loads(line)["event"] for line in store.read_text().splitlines()]
    return {each["data"]["dispatch_id"]: each for each in lines if "dispatch_id" in each["data"]}


class Receiver:
    """A supplier's receiver that runs, and what it has stored."""

    def __init__(self, port: int, read: Callable[[], dict[str, Json]]) -> None:
        self.port, self.stored = port, read

    def hear(self, webhook_id: str, event: Json | str, **changes: str) -> int:
        body = event if isinstance(event, str) else json.dumps(event, ensure_ascii=False)
        return post(self.port, body.encode(), {**signed(webhook_id, body), **changes})


def signed(webhook_id: str, body: str) -> dict[str, str]:
    now = datetime.now(UTC)
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(SECRET).sign(msg_id=webhook_id, timestamp=now, data=body),
    }


def dispatch(version: int, dispatch_id: str = "dsp_1") -> Json:
    data = {"dispatch_id": dispatch_id, "version": version, "ship_to": {"name": "Ada Nguyễn"}}
    return {"type": "dispatch.created", "timestamp": "2026-03-02T09:31:08.894Z", "data": data}


@pytest.fixture(params=LANGUAGES)
def running(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Receiver]:
    read = {"python": in_python, "js": in_js}[request.param]
    with receiver("docs/suppliers.md", request.param, tmp_path, SECRET) as port:
        yield Receiver(port, lambda: read(tmp_path / "store"))


def test_it_stores_what_is_signed(running: Receiver) -> None:
    assert running.hear("whd_1", dispatch(1)) == 204
    assert running.stored() == {"dsp_1": dispatch(1)}


def test_it_refuses_what_is_forged(running: Receiver) -> None:
    forged = signed("whd_1", json.dumps(dispatch(1)))
    assert post(running.port, json.dumps(dispatch(2)).encode(), forged) == 400
    assert running.hear("whd_2", dispatch(1), **{"webhook-id": "whd_3"}) == 400
    assert running.hear("whd_4", dispatch(1, "dsp_2")) == 204
    assert running.stored() == {"dsp_2": dispatch(1, "dsp_2")}


def test_it_drops_what_came_before_and_what_comes_too_late(running: Receiver) -> None:
    heard = [("whd_1", 1), ("whd_1", 1), ("whd_3", 3), ("whd_2", 2), ("whd_3", 3)]
    assert [running.hear(name, dispatch(version)) for name, version in heard] == [204] * 5
    assert running.stored() == {"dsp_1": dispatch(3)}
    assert running.hear("whd_4", dispatch(4)) == 204
    assert running.stored() == {"dsp_1": dispatch(4)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_remembers_after_a_restart(language: str, tmp_path: Path) -> None:
    read = {"python": in_python, "js": in_js}[language]
    for heard, left in [(3, 3), (2, 3), (4, 4)]:
        with receiver("docs/suppliers.md", language, tmp_path, SECRET) as port:
            running = Receiver(port, lambda: read(tmp_path / "store"))
            assert running.hear(f"whd_{heard}", dispatch(heard)) == 204
        assert running.stored() == {"dsp_1": dispatch(left)}


def test_it_takes_what_is_about_no_dispatch(running: Receiver) -> None:
    told = {"endpoint_id": "whe_1", "url": "https://x.example", "reason": None, "version": 4}
    for n, (kind, data) in enumerate([("ping", {"endpoint_id": "w"}), ("endpoint.disabled", told)]):
        event = {"type": kind, "timestamp": "2026-03-02T09:31:08.894Z", "data": data}
        assert running.hear(f"whd_{n}", event) == 204
    assert running.stored() == {}


def test_it_goes_on_when_a_request_breaks_off(running: Receiver) -> None:
    for _ in range(3):
        hang_up(running.port)
    assert running.hear("whd_1", dispatch(1)) == 204
    assert running.stored() == {"dsp_1": dispatch(1)}


def test_the_one_in_python_keeps_every_event(tmp_path: Path) -> None:
    ping = {"type": "ping", "timestamp": "2026-03-02T09:31:08.894Z", "data": {"endpoint_id": "w"}}
    heard = {"whd_1": dispatch(2), "whd_2": dispatch(1), "whd_3": ping}
    with receiver("docs/suppliers.md", "python", tmp_path, SECRET) as port:
        running = Receiver(port, lambda: in_python(tmp_path / "store"))
        for name in [*heard, "whd_1"]:
            assert running.hear(name, heard[name]) == 204
    rows = sqlite3.connect(tmp_path / "store").execute("SELECT webhook_id, event FROM events")
    assert {name: json.loads(event) for name, event in rows} == heard


def test_it_never_fails_of_a_malformed_signature(running: Receiver) -> None:
    body = json.dumps(dispatch(1))
    bad = malformed(signed("whd_1", body))
    assert len(bad) >= 40
    answers = {what: post(running.port, body.encode(), headers) for what, headers in bad.items()}
    assert answers == dict.fromkeys(bad, 400)
    assert running.hear("whd_2", dispatch(2)) == 204
    assert running.stored() == {"dsp_1": dispatch(2)}


def test_the_receiver_of_the_readme_never_fails_of_one(tmp_path: Path) -> None:
    body = json.dumps(dispatch(1))
    bad = malformed(signed("whd_1", body))
    with receiver("README.md", "python", tmp_path, SECRET) as port:
        answers = {what: post(port, body.encode(), headers) for what, headers in bad.items()}
        assert answers == dict.fromkeys(bad, 400)
        assert post(port, body.encode(), signed("whd_1", body)) == 204
