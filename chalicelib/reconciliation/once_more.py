"""What two statements may both tell of: a line, or a batch that one has whole and the other in
parts. Pure."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from chalicelib.reconciliation.line_names import LineName, moved_by
from chalicelib.reconciliation.lines import Line

# What the lines of the statement before may be of ours.
Are = Literal["same", "parts", "whole"]


class Told(NamedTuple):
    """What came or went at once, in a line or in those of a batch: the bank's own id of it, if
    there is one, how much it was, and what is said of it."""

    numbers: tuple[int, ...]
    ref: str
    amount: int
    says: str


class Side(NamedTuple):
    """What one statement tells."""

    lines: Sequence[Line]
    names: Mapping[int, LineName]

    def each(self, *, with_words: bool) -> list[Told]:
        names = ((line, self.names[line.n]) for line in self.lines)
        return [_told([line], of.ref, of.says if with_words else of.moved) for line, of in names]

    def wholes(self) -> list[Told]:
        lines = (line for line in self.lines if not line.batch)
        return [_told([line], line.bank_ref, moved_by([line])) for line in lines]

    def batches(self) -> list[Told]:
        parts: dict[int, list[Line]] = defaultdict(list)
        for line in self.lines:
            if line.batch:
                parts[line.batch].append(line)
        return [_told(each, each[0].batch_ref, moved_by(each)) for each in parts.values()]


class Pair(NamedTuple):
    """By number, our lines and theirs."""

    ours: tuple[int, ...]
    are: Are
    theirs: tuple[int, ...]


def pairs(ours: Side, theirs: Side, *, with_words: bool) -> Iterator[Pair]:
    """What may be one and the same. Of lines that both have an id of the bank's own, that says
    whether they are; of a batch it says only which line is the whole."""
    wholes, batches = (ours.wholes(), theirs.batches()), (ours.batches(), theirs.wholes())
    for some, others in (*_by_id(*wholes), *_without_id(*wholes)):
        yield Pair(some.numbers, "parts", others.numbers)
    for some, others in (*_by_id(*batches), *_without_id(*batches)):
        yield Pair(some.numbers, "whole", others.numbers)
    each = (side.each(with_words=with_words) for side in (ours, theirs))
    for some, others in _without_id(*each):
        yield Pair(some.numbers, "same", others.numbers)


def _told(lines: Sequence[Line], ref: str, says: str) -> Told:
    return Told(tuple(each.n for each in lines), ref, sum(each.amount for each in lines), says)


def _by_id(ours: Iterable[Told], theirs: Iterable[Told]) -> Iterator[tuple[Told, Told]]:
    """A bank that counts its lines anew gives an id to another amount as well."""
    ours, theirs = ([each for each in some if each.ref] for some in (ours, theirs))
    yield from _in_turn(ours, theirs, lambda each: f"{each.ref} {each.amount}")


def _without_id(ours: Sequence[Told], theirs: Sequence[Told]) -> Iterator[tuple[Told, Told]]:
    """Of which one at least has none."""
    nameless = [each for each in theirs if not each.ref]
    yield from _in_turn([each for each in ours if each.ref], nameless, lambda each: each.says)
    yield from _in_turn([each for each in ours if not each.ref], theirs, lambda each: each.says)


def _in_turn(
    ours: Iterable[Told], theirs: Iterable[Told], key: Callable[[Told], str]
) -> Iterator[tuple[Told, Told]]:
    """The first of some that are alike with the first of the others, and so on."""
    mine, others = _numbered(ours, key), _numbered(theirs, key)
    for each in mine.keys() & others.keys():
        yield mine[each], others[each]


def _numbered(some: Iterable[Told], key: Callable[[Told], str]) -> dict[tuple[str, int], Told]:
    same, found = Counter[str](), {}
    for each in some:
        same[key(each)] += 1
        found[key(each), same[key(each)]] = each
    return found
