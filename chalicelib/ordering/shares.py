"""What goods come to for each side (contract, section 6), whole and in parts. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, NamedTuple

from chalicelib.kernel.money import part


@dataclass(frozen=True)
class Shares:
    """What a line, or some units of it, come to for each side; minor units.

    `commission` is that of the order's leader; `others` are the parts of those beside it, each a
    share of its own.
    """

    net: int = 0
    shipping: int = 0
    cost: int = 0
    commission: int = 0
    spread: int = 0
    tax: int = 0
    others: Sequence[int] = ()

    @property
    def paid(self) -> int:
        """What the customer paid for it."""
        return self.net + self.shipping

    @property
    def earned(self) -> int:
        """What the leader earns by it: commission, and what it asked above the offer's price."""
        return self.commission + self.spread

    @property
    def earned_by_all(self) -> int:
        return self.earned + sum(self.others)

    @property
    def revenue(self) -> int:
        """What it leaves the platform; negative where it loses."""
        return self.paid - self.cost - self.earned_by_all

    def portion(self, k: int, n: int) -> "Shares":
        """Of each share what `k` of `n` equal parts are worth."""
        return Shares(
            part(self.net, k, n),
            part(self.shipping, k, n),
            part(self.cost, k, n),
            part(self.commission, k, n),
            part(self.spread, k, n),
            part(self.tax, k, n),
            or_none(part(each, k, n) for each in self.others),
        )

    def __bool__(self) -> bool:
        return self != Shares()

    def __add__(self, other: "Shares") -> "Shares":
        """Others' parts are added place by place: of several lines they are a sum, of one they
        are still each one's own."""
        return Shares(
            self.net + other.net,
            self.shipping + other.shipping,
            self.cost + other.cost,
            self.commission + other.commission,
            self.spread + other.spread,
            self.tax + other.tax,
            _added(self.others, other.others),
        )

    def __sub__(self, other: "Shares") -> "Shares":
        return Shares(
            self.net - other.net,
            self.shipping - other.shipping,
            self.cost - other.cost,
            self.commission - other.commission,
            self.spread - other.spread,
            self.tax - other.tax,
            _added(self.others, [-each for each in other.others]),
        )


def _added(some: Sequence[int], more: Sequence[int]) -> tuple[int, ...]:
    if not (some or more):
        return ()
    return or_none(a + b for a, b in zip_longest(some, more, fillvalue=0))


def or_none(others: Iterable[int]) -> tuple[int, ...]:
    """Parts that come to nothing are none, so that equal shares are equal."""
    parts = tuple(others)
    return parts if any(parts) else ()


class Mark(NamedTuple):
    """So many units of a line refunded, and what all of them come to."""

    units: int
    shares: Shares


def stored_mark(mark: Mark) -> tuple[Any, ...]:
    *shares, others = vars(mark.shares).values()
    return (mark.units, *shares, others) if others else (mark.units, *shares)


def read_mark(stored: Sequence[Any]) -> Mark:
    return Mark(stored[0], Shares(*stored[1:]))
