"""What an operation is, and how a module lists its own."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.soak.town import Town

Run = Callable[[Town], None]


@dataclass(frozen=True)
class Operation:
    name: str
    weight: int
    run: Run


class Operations(list[Operation]):
    """Those of one module: each a small function, done as often as its weight says."""

    def happens(self, weight: int) -> Callable[[Run], Run]:
        """Makes a function one of them, done `weight` times in some hundred and fifty."""

        def add(run: Run) -> Run:
            self.append(Operation(run.__name__, weight, run))
            return run

        return add
