"""`make` as a person calls it, even where the tests themselves are run by one."""

import os
import subprocess
from pathlib import Path


def make(*arguments: str, place: Path) -> subprocess.CompletedProcess[str]:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=place,
        env=inherited,
        capture_output=True,
        text=True,
        timeout=60,
    )
