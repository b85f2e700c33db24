"""What markets came to, kept so that a year that was stopped goes on with those that are left."""

import hashlib
import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.year.replaying import Report

ROOT = Path(__file__).parents[2]
# Whatever a figure can come from: with any of it changed, nothing that is kept counts.
SOURCES = ("chalicelib", "infra/demo", "tests/soak", "tests/support", "tests/year")
PINNED = "requirements*.txt"


@dataclass(frozen=True)
class Kept:
    """The reports in a folder that one and the same code has made."""

    folder: Path
    code: str

    def once(self, asked: str, play: Callable[[], Report]) -> Report:
        """The report on what is asked, played now if it is not there yet."""
        name = hashlib.sha256(f"{self.code} {asked}".encode()).hexdigest()
        path = self.folder / f"{name}.pickle"
        if path.exists():
            kept: Report = pickle.loads(path.read_bytes())
            return kept
        report = play()
        self.folder.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        part.write_bytes(pickle.dumps(report))
        part.rename(path)
        return report


def kept_in(folder: Path) -> Kept:
    return Kept(folder, _digest_of_sources())


def _digest_of_sources() -> str:
    digest = hashlib.sha256()
    for path in sorted(_sources()):
        digest.update(str(path.relative_to(ROOT)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _sources() -> Iterator[Path]:
    for each in SOURCES:
        yield from (ROOT / each).rglob("*.py")
    yield from ROOT.glob(PINNED)
