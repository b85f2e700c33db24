"""What each stage's stack is given; see the parameters in `infra/template/base.yml`."""

import json
from collections.abc import Iterable
from pathlib import Path

from infra.failures import Fixable

DIRECTORY = Path(__file__).parent
STAGES = tuple(sorted(path.stem for path in DIRECTORY.glob("*.json")))


def parameters(stage: str) -> dict[str, str]:
    """The stage's own values. An empty one is left out, so that the template's default holds."""
    chosen: dict[str, str] = json.loads((DIRECTORY / f"{stage}.json").read_text())
    return {"Stage": stage, **{key: value for key, value in chosen.items() if value}}


def given(arguments: Iterable[str]) -> dict[str, str]:
    """Parameters from a command line, each as Name=value."""
    return dict(map(_name_and_value, arguments))


def _name_and_value(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise Fixable(f"a parameter is given as Name=value, not {text!r}")
    return name, value
