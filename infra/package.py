"""Packages the application: `chalice package` with the composed merge template.

The local cloud unpacks the whole zip for each worker that it starts, so there the zip holds the
code alone and the functions find their dependencies in an installed copy of the same
requirements. The template is the same to the byte.
"""

import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from infra.installs import SHIPPED_REQUIREMENTS, lock, run_quietly
from infra.paths import LOCAL, ROOT
from infra.template import compose

CODE = ("app.py", "chalicelib", ".chalice/config.json")
RECIPE = ("infra/template", "infra/package.py")


@dataclass(frozen=True)
class Package:
    """A packaged application: `sam.json` and the zip that it names."""

    directory: Path

    @property
    def template(self) -> Path:
        return self.directory / "sam.json"

    @property
    def code(self) -> Path:
        return self.directory / "deployment.zip"


def package(stage: str, *, dependencies: bool) -> Package:
    """Package the code as it is now, with or without its dependencies, unless that was done."""
    built = LOCAL / "packages" / f"{stage}-{digest(dependencies)}"
    with lock("packages"):
        if not built.exists():
            build(stage, built, dependencies)
    return Package(built)


def digest(dependencies: bool) -> str:
    """Changes with anything that the package is made from."""
    seen = hashlib.sha256(sys.version.encode())
    for path in sources(dependencies):
        seen.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    return seen.hexdigest()[:16]


def sources(dependencies: bool) -> Iterator[Path]:
    for name in (*CODE, *RECIPE):
        path = ROOT / name
        yield from sorted(filter(is_source, path.rglob("*"))) if path.is_dir() else [path]
    if dependencies:
        yield SHIPPED_REQUIREMENTS


def is_source(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts


def build(stage: str, built: Path, dependencies: bool) -> None:
    """Package a copy of the code, so that nothing else in the checkout can get into the zip."""
    built.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=built.parent) as scratch:
        project, out = Path(scratch) / "project", Path(scratch) / "out"
        lay_out(project, dependencies)
        write_index(project)
        merge = Path(scratch) / "merge.json"
        compose.write(merge)
        chalice_package(stage, project, merge, out)
        out.rename(built)


def lay_out(project: Path, dependencies: bool) -> None:
    for name in CODE:
        source, target = ROOT / name, project / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    requirements = SHIPPED_REQUIREMENTS.read_text() if dependencies else ""
    (project / "requirements.txt").write_text(requirements)


def write_index(project: Path) -> None:
    """What the API's function loads for each path, from the code itself."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); from chalicelib.entry import write_index; "
        "from app import app; write_index(app)"
    )
    run_quietly(sys.executable, "-B", "-c", code, str(project))


def chalice_package(stage: str, project: Path, merge: Path, out: Path) -> None:
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    # The copy must not gain compiled files: they would change the zip from run to run.
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    command = "import sys; from chalice.cli import main; sys.exit(main())"
    arguments = ("--project-dir", str(project), "package", "--stage", stage)
    run_quietly(sys.executable, "-c", command, *arguments, "--merge-template", str(merge), str(out))
