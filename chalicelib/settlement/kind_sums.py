"""What a day's lines come to by their kinds, kept beside the day as they arise, so that a run reads
no lines to say what its statement is made of. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping

from chalicelib.settlement.rules import EarnedLine, LineKind, OfKind

Kinds = Counter[LineKind]


def by_kind(lines: Iterable[EarnedLine]) -> Kinds:
    found = Kinds()
    for line in lines:
        found[line.kind] += line.amount
    return found


def voided(reversed_lines: Iterable[EarnedLine]) -> Kinds:
    """What lines that no run has taken lose is no clawback: it falls from what they had brought."""
    found = Kinds()
    for line in reversed_lines:
        found["spread" if line.basis == "spread" else "commission"] += line.amount
    return found


def summed(kinds: Mapping[LineKind, int]) -> tuple[OfKind, ...]:
    """As statements keep them: by name, those that are not zero."""
    return tuple(OfKind(kind, amount) for kind, amount in sorted(kinds.items()) if amount)
