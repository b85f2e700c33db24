"""What each stage's stack is given; see the parameters in `infra/template/base.yml`."""

import json
from pathlib import Path

DIRECTORY = Path(__file__).parent
STAGES = tuple(sorted(path.stem for path in DIRECTORY.glob("*.json")))


def parameters(stage: str) -> dict[str, str]:
    """The stage's own values. An empty one is left out, so that the template's default holds."""
    chosen: dict[str, str] = json.loads((DIRECTORY / f"{stage}.json").read_text())
    return {"Stage": stage, **{key: value for key, value in chosen.items() if value}}
