"""Lines of payouts of which the books have nothing on the account: nobody has told what became of
them, or they were told not to be paid. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from chalicelib.kernel.currencies import written
from chalicelib.reconciliation.lines import Line, Sent
from chalicelib.reconciliation.rules import DifferenceKind


@dataclass(frozen=True)
class OfPayout:
    """What lines of one payout differ by."""

    kind: DifferenceKind
    lines: tuple[Line, ...]
    said: str
    payout_id: str


def of_payouts(lines: Iterable[Line], sent: Mapping[str, Sent]) -> Iterator[OfPayout]:
    """Each line once at most; one that moves what the payout cannot is of none."""
    named: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        key = next((each for each in line.own_ids if each in sent), None)
        if key:
            named[key].append(line)
    for key, some in named.items():
        payout = sent[key]
        gone = [each for each in some if is_gone(each, payout)]
        back = [each for each in some if is_back(each, payout)]
        yield from (_told if payout.told else _not_told)(payout, gone, back)


def is_gone(line: Line, payout: Sent) -> bool:
    return (line.amount, line.currency) == (-payout.amount, payout.currency)


def is_back(line: Line, payout: Sent) -> bool:
    """Whole, or less the bank's charge."""
    return line.currency == payout.currency and 0 < line.amount <= payout.amount


def less_kept(line: Line, amount: int) -> str:
    kept = amount - line.amount
    return f", less {written(kept, line.currency)}" if kept else ""


def _not_told(payout: Sent, gone: Sequence[Line], back: Sequence[Line]) -> Iterator[OfPayout]:
    for line in gone[:1]:
        said = "the payout was sent and has no result yet"
        yield OfPayout("not_told", (line,), said, payout.payout_id)
    for line in gone[1:]:
        yield OfPayout("duplicate", (line,), "the payout has its line already", payout.payout_id)
    for line in back:
        less = less_kept(line, payout.amount)
        said = f"the payout came back{less}, and nobody has told that it was paid"
        yield OfPayout("returned", (line,), said, payout.payout_id)


def _told(payout: Sent, gone: Sequence[Line], back: Sequence[Line]) -> Iterator[OfPayout]:
    both = min(len(gone), len(back))
    for went, came in zip(gone, back, strict=False):
        less = less_kept(came, payout.amount)
        said = f"the payout went out and came back{less}, and was told as {payout.told}"
        yield OfPayout("sent_back", (went, came), said, payout.payout_id)
    for line in gone[both:]:
        said = f"the payout is paid, and was told as {payout.told}: sent again it is paid twice"
        yield OfPayout("told_otherwise", (line,), said, payout.payout_id)
    for line in back[both:]:
        said = f"the payout came back, and was told as {payout.told} without having been paid"
        yield OfPayout("told_otherwise", (line,), said, payout.payout_id)
