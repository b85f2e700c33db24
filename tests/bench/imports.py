"""Cold imports: CPU that a fresh interpreter spends on each function's module, over boto3's.

A function sees what it sees on Lambda: its own code, the packaged runtime of Chalice, and what
`requirements.txt` ships; not what development needs. Everything is compiled before.
"""

import json
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from infra.failures import Fixable
from infra.package import Package, package
from tests.bench.figures import Figure, ratio
from tests.bench.process import Say, clean

GROUP = "Cold import, over boto3 with a DynamoDB client"
TRACER_GROUP = "The tracer"
API, MOST_OF_API, MOST_OF_WORKER = "app", 2.2, 1.7
BASE = "import boto3; boto3.client('dynamodb')"
ROUNDS = 7
PROBE = """
import sys, time
begun = time.process_time()
{imports}
spent = time.process_time() - begun
print(spent, "aws_xray_sdk" in sys.modules)
"""


def measure(stage: str, environment: Mapping[str, str], say: Say) -> list[Figure]:
    packaged = package(stage, dependencies=False)
    with tempfile.TemporaryDirectory() as code:
        with zipfile.ZipFile(packaged.code) as archive:
            archive.extractall(code)
        seen = {**environment, "PYTHONPATH": f"{code}:{environment['PYTHONPATH']}"}
        return [*_imports(modules(packaged), seen, say), _tracer(seen)]


def modules(packaged: Package) -> list[str]:
    """The modules that the packaged functions are in, the API's first."""
    resources = json.loads(packaged.template.read_text())["Resources"].values()
    handlers = {
        each["Properties"]["Handler"].rpartition(".")[0]
        for each in resources
        if each["Type"] == "AWS::Serverless::Function"
    }
    return sorted(handlers, key=lambda module: (module != API, module))


def _imports(names: Sequence[str], environment: Mapping[str, str], say: Say) -> list[Figure]:
    statements = {"": BASE, **{name: f"import {name}" for name in names}}
    spent: dict[str, list[float]] = {name: [] for name in statements}
    traced = 0
    for n in range(ROUNDS + 1):
        say(f"cold imports: round {n} of {ROUNDS}" if n else "cold imports: compiling")
        for name, statement in statements.items():
            seconds, tracer = probe(statement, environment)
            traced += tracer
            if n:
                spent[name].append(seconds)
    return [
        *(Figure(GROUP, name, ratio(spent[name], spent[""]), _most(name), "x") for name in names),
        Figure(TRACER_GROUP, "imports that load it where tracing is off", traced, 0),
    ]


def _most(module: str) -> float:
    return MOST_OF_API if module == API else MOST_OF_WORKER


def _tracer(environment: Mapping[str, str]) -> Figure:
    """The same import where tracing is on must load it, else the probe would see nothing."""
    _, loaded = probe(f"import {API}", {**environment, "TRACING": "1"})
    if not loaded:
        raise Fixable("the tracer is not loaded where tracing is on: the bench cannot see it")
    return Figure(TRACER_GROUP, "imports that load it where tracing is on", 1)


def probe(imports: str, environment: Mapping[str, str]) -> tuple[float, bool]:
    """Seconds of CPU of an import in a new interpreter, and whether it has loaded the tracer."""
    # -S: nothing but the standard library and PYTHONPATH, as on Lambda.
    command = [sys.executable, "-S", "-c", PROBE.format(imports=imports)]
    done = subprocess.run(
        command, cwd=Path("/"), env=clean(environment), capture_output=True, text=True
    )
    if done.returncode:
        raise Fixable(f"{imports} failed:\n{done.stderr}")
    seconds, tracer = done.stdout.split()
    return float(seconds), tracer == "True"
