"""How a day that earnings wait under changes, with all that is kept of its lines."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from chalicelib.platform.transaction import Update
from chalicelib.settlement import store as settlement
from chalicelib.settlement.cap_sums import sums
from chalicelib.settlement.kind_sums import Kinds, by_kind, voided
from chalicelib.settlement.rules import EarnedLine


@dataclass
class DayChange:
    """`matured` is of what becomes available with the day, `adjusted` of what is so already."""

    matured: int = 0
    adjusted: int = 0
    kinds: Kinds = field(default_factory=Kinds)
    lines: list[EarnedLine] = field(default_factory=list)

    @classmethod
    def by(
        cls, matured: Sequence[EarnedLine] = (), adjusted: Sequence[EarnedLine] = ()
    ) -> "DayChange":
        change = cls()
        change.add(matured, adjusted)
        return change

    def add(self, matured: Sequence[EarnedLine], adjusted: Sequence[EarnedLine] = ()) -> None:
        self.matured += sum(line.amount for line in matured)
        self.adjusted += sum(line.amount for line in adjusted)
        self.kinds.update(by_kind([*matured, *adjusted]))
        self.lines += [*matured, *adjusted]

    def void(self, reversed_lines: Sequence[EarnedLine]) -> None:
        """Lines that no run has taken are less by these."""
        self.matured += sum(line.amount for line in reversed_lines)
        self.kinds.update(voided(reversed_lines))
        self.lines += reversed_lines

    def write(self, leader_id: str, day: str, currency: str) -> Update:
        return settlement.change_maturing(
            leader_id,
            day,
            currency,
            matured=self.matured,
            adjusted=self.adjusted,
            caps=sums(self.lines),
            kinds=self.kinds,
        )
