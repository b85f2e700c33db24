"""A measurement in a process of its own, so that nothing else shares its CPU time and imports.

It tells its progress on standard error and its figures, as JSON, on standard output; what the
measured functions print goes nowhere.
"""

import json
import os
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict

from infra.failures import Fixable
from infra.paths import ROOT
from tests.bench.figures import Figure

Say = Callable[[str], None]
# What begins so on standard error is progress, and nothing is wrong.
PROGRESS = "..."
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL")


def clean(environment: Mapping[str, str]) -> dict[str, str]:
    """A function's environment, and of ours only what a process cannot do without."""
    ours = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return {**ours, **environment}


def measured_in_process(module: str, environment: Mapping[str, str], say: Say) -> list[Figure]:
    """Run a module that ends in `tell`, and return the figures that it tells."""
    command = [sys.executable, "-m", module]
    own = {name: value for name, value in environment.items() if name != "PYTHONPATH"}
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=clean(own),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        last_lines: deque[str] = deque(maxlen=30)
        for line in child.stderr:
            if line.startswith(PROGRESS):
                say(line.removeprefix(PROGRESS).strip())
            else:
                last_lines.append(line)
        told = child.stdout.read()
    if child.returncode:
        raise Fixable(f"{module} failed:\n{''.join(last_lines)}")
    return [Figure(**each) for each in json.loads(told)]


def tell(measure: Callable[[Say], list[Figure]]) -> None:
    """The end of a measurement's process."""
    with os.fdopen(os.dup(1), "w") as told:
        # The descriptor itself, for a logger has kept the stream that it found: nobody reads what
        # it would write there until all is measured, and a full pipe would stop it.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.close(nowhere)
        figures = measure(lambda words: print(PROGRESS, words, file=sys.stderr, flush=True))
        json.dump([asdict(figure) for figure in figures], told)
