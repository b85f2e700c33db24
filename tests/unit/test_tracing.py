"""Traces: a subsegment by the name that was given, and nothing of what it was given."""

import json
import os
import subprocess
import sys

from chalicelib.platform.tracing import traced
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


def test_a_call_is_a_subsegment_of_its_name() -> None:
    done = subprocess.run(
        [sys.executable, "-c", TRACED],
        cwd=ROOT,
        env={**os.environ, "TRACING": "1"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    sent = [json.loads(line)["name"] for line in done.stdout.splitlines()]
    assert sent == ["dispatch_create", "function"]
    assert "Alice" not in done.stdout


def test_nothing_is_traced_where_tracing_is_off() -> None:
    def one() -> None: ...

    assert traced("dispatch_create")(one) is one
