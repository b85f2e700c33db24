"""Traces: a subsegment by the name that was given, and nothing of what it was given."""

import json
import os
import subprocess
import sys

from chalicelib.platform.tracing import for_other_threads, traced
from infra.paths import ROOT

# In a process of its own: to trace, the library changes botocore for good.
# The recorder must not take it for Lambda, where segments come from outside; the tracer must.
TRACED = """
import os
from aws_xray_sdk.core import xray_recorder
os.environ["LAMBDA_TASK_ROOT"] = "/var/task"
from chalicelib.platform.tracing import traced

class Emitter:
    def send_entity(self, entity):
        print(entity.serialize())

xray_recorder.configure(emitter=Emitter(), sampling=False)

@traced("dispatch_create")
def one(record):
    return f"done with {record}"

with xray_recorder.in_segment("function"):
    assert one("Alice Doe") == "done with Alice Doe"
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "TRACING": "1"},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_call_is_a_subsegment_of_its_name() -> None:
    done = run(TRACED)
    assert done.returncode == 0, done.stderr
    sent = [json.loads(line)["name"] for line in done.stdout.splitlines()]
    assert sent == ["dispatch_create", "function"]
    assert "Alice" not in done.stdout


IN_THREADS = (
    TRACED.partition("with xray_recorder")[0]
    + """
from concurrent.futures import ThreadPoolExecutor
from chalicelib.platform.tracing import for_other_threads

@traced("webhook_attempt")
def batch():
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(for_other_threads(one), ["Alice", "Bob"]))

with xray_recorder.in_segment("function"):
    batch()
"""
)


def test_what_other_threads_do_is_part_of_the_same_trace() -> None:
    done = run(IN_THREADS)
    assert done.returncode == 0, done.stderr
    sent = [json.loads(line) for line in done.stdout.splitlines()]
    (batch,) = (each["id"] for each in sent if each["name"] == "webhook_attempt")
    parents = [each["parent_id"] for each in sent if each["name"] == "dispatch_create"]
    assert parents == [batch, batch]


def test_what_other_threads_do_is_as_it_was_where_tracing_is_off() -> None:
    def one() -> None: ...

    assert for_other_threads(one) is one


def test_nothing_is_traced_where_tracing_is_off() -> None:
    def one() -> None: ...

    assert traced("dispatch_create")(one) is one
