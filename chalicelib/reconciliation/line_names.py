"""By what lines of statements are known again. A bank's own id of a line may come to be that of
another one, which is no repetition then. Pure."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from chalicelib.kernel import ids
from chalicelib.reconciliation.lines import Format, Line
from chalicelib.reconciliation.rules import DifferenceKind


class LineName(NamedTuple):
    """The bank's own id of a line, if it has one; what it moved and its words, which are others in
    each `form` of file; by what keys it names anything; and which it is of those of its statement
    that say the same, from 1 on. `is_first` of all with that id there."""

    ref: str
    form: Format
    moved: str
    words: str
    keys: tuple[str, ...]
    nth: int
    is_first: bool

    @property
    def says(self) -> str:
        return f"{self.moved} {self.words}".rstrip()

    def may_be(self, moved: str | None, keys: Collection[str]) -> bool:
        """Whether what a file of another format told by its id is the same line: the words are
        others there, so only the first with the id can be known again, where both do not name
        different things."""
        names_other = keys and self.keys and not {*keys} & {*self.keys}
        return self.is_first and self.moved == moved and not names_other


def line_names(
    lines: Iterable[Line], form: Format, of: Collection[Line] | None = None
) -> dict[int, LineName]:
    """By number; of some lines of a file alone, with those that move the same by the same id."""
    wanted = None if of is None else {(each.bank_ref, moved_by([each])) for each in of}
    refs, same = Counter[str](), Counter[tuple[str, str, str]]()
    found = {}
    for line in lines:
        refs[line.bank_ref] += 1
        moved = moved_by([line])
        if wanted is not None and (line.bank_ref, moved) not in wanted:
            continue
        words = _words(line, form)
        same[line.bank_ref, moved, words] += 1
        nth, is_first = same[line.bank_ref, moved, words], refs[line.bank_ref] == 1
        found[line.n] = LineName(line.bank_ref, form, moved, words, line.keys, nth, is_first)
    return found


def moved_by(lines: Sequence[Line]) -> str:
    """What some that are of one day and currency come to."""
    return f"{lines[0].day} {sum(each.amount for each in lines)} {lines[0].currency}"


def _words(line: Line, form: Format) -> str:
    """Of Stripe's lines none: its ids are never another's, and its words hang on what was asked of
    it and may change."""
    if form == "stripe":
        return ""
    return ids.derived("words", line.kind, line.reference, line.text, line.counterparty)


def with_known_ids(
    names: Mapping[int, LineName], claimed: Collection[int]
) -> dict[int, DifferenceKind]:
    """What lines differ by that have the bank's own id of another: in their statement, or, of those
    that are `claimed`, in one before."""
    of = {n: name for n, name in names.items() if name.ref}
    return {
        n: "duplicate" if name.nth > 1 else "reused_reference"
        for n, name in of.items()
        if not name.is_first or n in claimed
    }


def not_among(names: Mapping[int, LineName], others: Collection[LineName]) -> set[int]:
    """The numbers of those that are none of the others, which another statement has, by the bank's
    own ids."""
    of = [each for each in others if each.ref]
    said = {(each.form, each.ref, each.says, each.nth) for each in of}
    firsts = {each.ref: each for each in of if each.is_first}

    def is_among(name: LineName) -> bool:
        first = firsts.get(name.ref)
        if first and first.form != name.form:
            return name.may_be(first.moved, first.keys)
        return (name.form, name.ref, name.says, name.nth) in said

    return {n for n, name in names.items() if not is_among(name)}
