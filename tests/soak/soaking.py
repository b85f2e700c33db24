"""Random operations on one town after another, the books checked after each."""

import gc
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from chalicelib.kernel.errors import TuanError
from tests.soak.everything import OPERATIONS
from tests.soak.happening import Operation
from tests.soak.operations import come_to_rest
from tests.soak.rows import NothingToDo
from tests.soak.town import CURRENCIES, Town, town

# A town grows old in as many operations as a season has; then another one begins.
SEASON, FULL_CHECK = 5_000, 1_000
LONGEST_STEP_SECONDS = 600
MOST_FINDINGS = 20


@dataclass
class Report:
    """What a soak has done and found. `turnover` and `out_by` are in minor units."""

    seed: int
    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    idle: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)
    entries: int = 0
    turnover: Counter[str] = field(default_factory=Counter)
    out_by: int = 0
    seconds: float = 0.0

    @property
    def operations(self) -> int:
        return self.done.total() + self.refused.total()

    def add(self, other: "Report") -> None:
        """What another has done beside it."""
        for name in ("done", "refused", "idle", "turnover"):
            getattr(self, name).update(getattr(other, name))
        self.findings += other.findings
        self.entries += other.entries
        self.out_by += other.out_by


def seasons(operations: int) -> Iterator[tuple[int, int]]:
    """The numbers of the seasons that so many operations take, and how many each has."""
    for number, begins in enumerate(range(0, operations, SEASON)):
        yield number, min(SEASON, operations - begins)


@contextmanager
def _seldom_collected() -> Iterator[None]:
    """Most of what a town makes lives as long as it does: looking for the rest is dear."""
    before = gc.get_threshold()
    gc.set_threshold(50_000, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.collect()


class Soak:
    """`tick` is told of each operation that was done or refused."""

    def __init__(self, seed: int, tick: Callable[[], None] = lambda: None) -> None:
        self.report, self._tick = Report(seed), tick
        self._number = 0

    def run(self, operations: int, of: Sequence[Operation] = OPERATIONS) -> Report:
        """So many operations, or fewer where something is found to be wrong."""
        started = time.perf_counter()
        for number, size in seasons(operations):
            if not self.report.findings:
                self.season(number, size, of)
        self.report.seconds = time.perf_counter() - started
        return self.report

    def season(self, number: int, size: int, of: Sequence[Operation] = OPERATIONS) -> Report:
        """A town of its own, whatever the seasons before it were like."""
        seed = self.report.seed
        currency = CURRENCIES[(seed + number) % len(CURRENCIES)]
        self._number = number
        with _seldom_collected(), town(f"{seed} {number}", currency) as current:
            self._season(current, size, of)
        return self.report

    def _season(self, current: Town, operations: int, of: Sequence[Operation]) -> None:
        weights = [each.weight for each in of]
        end = self.report.operations + operations
        current.books.check_step()
        while self.report.operations < end and not self.report.findings:
            (operation,) = current.chance.choices(of, weights)
            before = self.report.operations
            self._step(current, operation)
            last = self.report.operations == end
            if before < self.report.operations and (
                last or not self.report.operations % FULL_CHECK
            ):
                self._look_at_all(current)
        self.report.entries += current.books.entries
        self.report.turnover.update(current.books.turnover)
        self.report.out_by += current.books.out_by()

    def _step(self, current: Town, operation: Operation) -> bool:
        """Whether there was anything to do, or to be refused."""
        current.pass_time(LONGEST_STEP_SECONDS)
        try:
            operation.run(current)
        except NothingToDo:
            self.report.idle[operation.name] += 1
            return False
        except TuanError:
            self.report.refused[operation.name] += 1
        else:
            self.report.done[operation.name] += 1
        self._note(current, operation.name, current.books.check_step())
        self._tick()
        return True

    def _look_at_all(self, current: Town) -> None:
        come_to_rest(current)
        self._note(current, "the whole", current.books.check_all(current.supplied))

    def _note(self, current: Town, after: str, findings: Sequence[str]) -> None:
        number = f"season {self._number}, operation {self.report.operations}"
        at = f"{number}, {after}, {current.now():%Y-%m-%d %H:%M}"
        room = MOST_FINDINGS - len(self.report.findings)
        self.report.findings += [f"{at}: {finding}" for finding in findings[:room]]
