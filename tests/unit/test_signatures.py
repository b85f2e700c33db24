"""What Tuan signs others can verify: by the standard's library, and in another language."""

import json
import random
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from chalicelib.kernel import clock, ids
from chalicelib.platform import secrets
from chalicelib.webhooks import bodies
from chalicelib.webhooks.rules import Endpoint
from chalicelib.webhooks.secrets import endpoint_secret, signed_headers
from tests.support.receivers import NODE

SEED = 4
BODIES = 1_000
ROTATED = datetime.now(UTC) + timedelta(hours=1)
# One of each width that UTF-8 has, and what JSON has to escape.
LETTERS = 'abc "\\/\b\n\t\u007f\u00e9\u00df\u4e2d\u6587\u2028\ufeff\U0001f95a{}[]:,.'


@dataclass(frozen=True)
class Message:
    """One attempt, and a secret that lives."""

    secret: str
    id: str
    timestamp: str
    signature: str
    body: str


@pytest.fixture(autouse=True)
def _known_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalicelib.webhooks.secrets.secret", lambda _: "for-tests-only")
    secrets.derived_key.cache_clear()


def by_the_library(messages: Sequence[Message]) -> list[bool]:
    return [_is_signed(each) for each in messages]


def _is_signed(message: Message) -> bool:
    headers = {
        "webhook-id": message.id,
        "webhook-timestamp": message.timestamp,
        "webhook-signature": message.signature,
    }
    try:
        said = Webhook(message.secret).verify(message.body.encode(), headers)
    except Exception:
        return False
    return bool(said == json.loads(message.body))


def by_node(messages: Sequence[Message]) -> list[bool]:
    script = Path(__file__).resolve().parents[1] / "support" / "verify.mjs"
    told = json.dumps([asdict(each) for each in messages])
    done = subprocess.run([str(NODE), script], input=told.encode(), capture_output=True, check=True)
    verified: list[bool] = json.loads(done.stdout)
    return verified


Verify = Callable[[Sequence[Message]], list[bool]]
# Where Node is missing the library verifies alone; `.ci/run` installs it.
VERIFIERS: list[Verify] = [by_the_library, *([by_node] if NODE else [])]


def random_text(chance: random.Random) -> str:
    return "".join(chance.choices(LETTERS, k=chance.randrange(60)))


def random_body(chance: random.Random) -> str:
    data = {random_text(chance): random_text(chance) for _ in range(chance.randrange(30))}
    data["version"] = str(chance.getrandbits(chance.randrange(1, 80)))
    return bodies.body("dispatch.created", clock.now(), data)


def endpoint(chance: random.Random) -> Endpoint:
    """Of three in four the secret has been rotated within the last day."""
    rotations = chance.randrange(4)
    return Endpoint(
        id=ids.derived("whe", str(chance.random())),
        owner="sup_1",
        url="https://hooks.supplier.example/",
        event_types=(),
        status="active",
        generation=1 + rotations,
        old_secret_until=ROTATED if rotations else None,
        failing_since=None,
        last_failed_at=None,
        disabled_reason=None,
        version=1,
        created_at=clock.now(),
    )


@pytest.fixture(scope="module")
def signed(request: pytest.FixtureRequest) -> list[Message]:
    """A thousand attempts; of those with two secrets each is verified by one of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("chalicelib.webhooks.secrets.secret", lambda _: "for-tests-only")
        chance = random.Random(SEED)
        return [_signed(chance) for _ in range(BODIES)]


def _signed(chance: random.Random) -> Message:
    body, to, now = random_body(chance), endpoint(chance), clock.now()
    delivery_id = ids.derived("whd", str(chance.random()))
    headers = signed_headers(to, delivery_id, body, now)
    return Message(
        secret=endpoint_secret(to.id, chance.choice(to.live_generations(now))),
        id=headers["webhook-id"],
        timestamp=headers["webhook-timestamp"],
        signature=headers["webhook-signature"],
        body=body,
    )


def test_the_bodies_are_of_many_kinds(signed: list[Message]) -> None:
    assert len({each.body for each in signed}) == len(signed) == BODIES
    assert {each.signature.count(" ") for each in signed} == {0, 1}
    assert all(any(letter in each.body for each in signed) for letter in "\u00e9\u4e2d\U0001f95a")


@pytest.mark.parametrize("verify", VERIFIERS)
def test_a_thousand_random_bodies_are_verified(verify: Verify, signed: list[Message]) -> None:
    assert verify(signed) == [True] * BODIES


@pytest.mark.parametrize("verify", VERIFIERS)
def test_whatever_is_changed_is_noticed(verify: Verify, signed: list[Message]) -> None:
    """The control: the same verifiers refuse each of a thousand that were touched."""
    chance = random.Random(SEED)
    touched = [_touched(chance, each) for each in signed]
    assert verify(touched) == [False] * BODIES


def _touched(chance: random.Random, message: Message) -> Message:
    later = str(int(message.timestamp) + 1)
    other_secret = endpoint_secret("whe_other", 1)
    return chance.choice(
        [
            replace(message, body=message.body + " "),
            replace(message, body=message.body.replace("dispatch", "Dispatch")),
            replace(message, id=message.id + "0"),
            replace(message, timestamp=later),
            replace(message, secret=other_secret),
            replace(message, signature=message.signature.replace("v1,", "v2,")),
        ]
    )
