"""Cold imports: CPU that a fresh interpreter spends on each function's module, over boto3's; for
the API, on what each path loads.

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

from chalicelib.entry import OF_ALL
from infra.failures import Fixable
from infra.package import Package, package
from tests.bench.figures import Figure, ratio
from tests.bench.process import Say, clean

GROUP = "Cold import, over boto3 with a DynamoDB client"
TRACER_GROUP = "The tracer"
API, MOST_OF_API, MOST_OF_WORKER = "chalicelib.entry", 2.2, 1.7
INDEX = "chalicelib/routes.json"
BASE = "import boto3; boto3.client('dynamodb')"
ROUNDS = 7
# Of the paths of the API those that load longest are measured well.
SURVEYS, SLOWEST = 2, 5
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
        index = json.loads((Path(code) / INDEX).read_text())
        return [*_imports(workers(packaged), paths(index), seen, say), _tracer(seen)]


def workers(packaged: Package) -> dict[str, str]:
    """The modules that the packaged functions but the API's are in, with how each is loaded."""
    resources = json.loads(packaged.template.read_text())["Resources"].values()
    handlers = {
        each["Properties"]["Handler"].rpartition(".")[0]
        for each in resources
        if each["Type"] == "AWS::Serverless::Function"
    }
    return {module: f"import {module}" for module in sorted(handlers - {API})}


def paths(index: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The first path of those that load the same modules, with how they are loaded."""
    first: dict[tuple[str, ...], str] = {}
    for path, modules in sorted(index.items()):
        if path not in OF_ALL:
            first.setdefault((API, *modules), path)
    return {path: f"import {', '.join(modules)}" for modules, path in first.items()}


def _imports(
    workers: Mapping[str, str], paths: Mapping[str, str], environment: Mapping[str, str], say: Say
) -> list[Figure]:
    say("cold imports: compiling")
    loads = {"": BASE, **workers, **paths}
    for load in loads.values():
        probe(load, environment)
    say(f"cold imports: the slowest of {len(paths)} paths")
    seconds = {
        path: min(probe(load, environment)[0] for _ in range(SURVEYS))
        for path, load in paths.items()
    }
    slowest = sorted(paths, key=lambda path: -seconds[path])[:SLOWEST]
    measured = ["", *slowest, *workers]
    spent: dict[str, list[float]] = {name: [] for name in measured}
    traced = 0
    for n in range(1, ROUNDS + 1):
        say(f"cold imports: round {n} of {ROUNDS}")
        for name in measured:
            took, tracer = probe(loads[name], environment)
            spent[name].append(took)
            traced += tracer
    most = dict.fromkeys(slowest, MOST_OF_API) | dict.fromkeys(workers, MOST_OF_WORKER)
    return [
        *(Figure(GROUP, name, ratio(spent[name], spent[""]), most[name], "x") for name in most),
        Figure(TRACER_GROUP, "imports that load it where tracing is off", traced, 0),
    ]


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
