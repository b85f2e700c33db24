"""Matching a statement's lines with what is booked: by id, then by amount and date. Pure.

Nothing is guessed: where more than one pairing is possible, all that might belong to each other is
one difference. What a line has taken no other line can take.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeVar

from chalicelib.kernel.currencies import written
from chalicelib.reconciliation.lines import (
    WINDOW,
    Booked,
    Line,
    Sent,
    days_between,
    sums,
    words_of,
)
from chalicelib.reconciliation.naming import Named, Names
from chalicelib.reconciliation.payout_lines import less_kept, of_payouts
from chalicelib.reconciliation.rules import (
    TOGETHER,
    Change,
    Difference,
    DifferenceKind,
    Found,
    Match,
    Outcome,
    change,
)

# How many earlier lines a difference names.
FEW = 5
D = TypeVar("D", Line, Booked)


class Likeness(NamedTuple):
    """What is the same of lines, or of entries, of one amount that nothing tells apart."""

    day: str
    is_named: bool
    is_return: bool


class Matcher:
    """One statement against the books of its account.

    `booked` is all that may be meant, of any account; of this one, what lies in `period` or was in
    transit must be in the statement, except what is so late that it may be in the next. `sent` are
    payouts that lines name, by key; `known` are lines that differ by the bank's own id of them, and
    `told_before` says of others which line they may be once more: none of these is matched unseen.
    """

    def __init__(
        self,
        account: str,
        lines: Sequence[Line],
        booked: Collection[Booked],
        period: tuple[str, str],
        transit_from: str,
        sent: Mapping[str, Sent] | None = None,
        known: Mapping[int, DifferenceKind] | None = None,
        told_before: Mapping[int, str] | None = None,
    ) -> None:
        self._account, self._lines, self._booked = account, lines, booked
        self._period, self._transit_from = period, transit_from
        self._sent, self._known = sent or {}, known or {}
        self._told_before = told_before or {}
        self._open = {line.n: line for line in lines}
        self._names = Names(account, booked)
        self._outcomes: list[Outcome] = []

    def run(self) -> Found:
        self._set_known_aside()
        self._match_by_id()
        self._match_by_text()
        self._explain_split()
        self._set_fees_aside()
        self._explain_payouts()
        self._explain_by_id()
        self._match_by_amount()
        self._tell_the_rest()
        in_transit = tuple(self._missing())
        return Found(tuple(self._outcomes), in_transit)

    def _set_known_aside(self) -> None:
        for line in self._lines:
            kind = self._known.get(line.n)
            if kind == "duplicate":
                said = f"the statement has the bank's reference {line.bank_ref} twice"
                self._differ(kind, (line,), (), said)
            elif kind:
                said = f"the bank's reference {line.bank_ref} is that of another line"
                self._differ(kind, (line,), (), said)

    def _match_by_id(self) -> None:
        """Until no more is found: what one line takes leaves another one entry that it names."""
        while sum(map(self._match_one, list(self._open.values()))):
            pass

    def _match_one(self, line: Line) -> bool:
        fitting = self._names.of(line).free_for(line).fitting(line, 2)
        if len(fitting) == 1:
            self._match(line, fitting[0])
        return len(fitting) == 1

    def _match_by_text(self) -> None:
        """Where the text of a line has the reference of one entry as words of its own, and all else
        agrees. References are short, so a text alone says nothing of an entry that differs."""
        references = {each.reference for each in self._booked if each.account == self._account}
        longest = max((len(words_of(each)) for each in references), default=0)
        for line in self._nameless():
            known = self._names.known(line.phrases(longest))
            of_keys = (self._names.of_key(key).free_for(line) for key in known)
            fitting = [each for free in of_keys for each in free.fitting(line, 2)]
            if len(fitting) == 1 and not line.own_ids:
                self._match(line, fitting[0])

    def _explain_payouts(self) -> None:
        """Those of which the books have nothing here."""
        for each in of_payouts(self._nameless(), self._sent):
            self._differ(each.kind, each.lines, (), each.said, payout=each.payout_id)

    def _explain_by_id(self) -> None:
        for line in list(self._open.values()):
            named = self._names.of(line)
            if named:
                self._explain(line, named)
            elif line.own_ids:
                said = "no entry has the id that it names"
                self._differ("unknown_reference", (line,), (), said)

    def _explain_split(self) -> None:
        of_entry: dict[str, list[Line]] = defaultdict(list)
        entries = {}
        for line in self._open.values():
            free = self._names.of(line).free_for(line)
            (entry,) = free.first(1) if len(free) == 1 else [None]
            if entry and entry.currency == line.currency:
                of_entry[entry.entry_id].append(line)
                entries[entry.entry_id] = entry
        for entry_id, lines in of_entry.items():
            entry = entries[entry_id]
            if 1 < len(lines) <= TOGETHER and sum(line.amount for line in lines) == entry.amount:
                self._differ("split", lines, (entry,), "it came in parts")

    def _set_fees_aside(self) -> None:
        """But those that a chargeback's fee in the books explains; what comes in is given back."""
        for line in [each for each in self._open.values() if each.kind == "fee"]:
            if line.amount > 0:
                self._differ("fee", (line,), (), "the bank or provider has given back a fee")
            elif not self._names.of(line).free_for(line):
                self._differ("fee", (line,), (), "the bank or provider has taken it as a fee")

    def _explain(self, line: Line, named: Named) -> None:
        free = named.free_for(line)
        here = free.first(TOGETHER)
        if not here:
            self._explain_taken(line, named)
        elif len(here) > 1:
            meant = free.fitting(line, TOGETHER) or here
            self._differ("ambiguous", (line,), meant, "several entries may be meant")
        else:
            self._explain_one(line, here[0])

    def _explain_taken(self, line: Line, named: Named) -> None:
        entry = named.every[0]
        paid = next((each for each in named.paid if self._is_back(line, each)), None)
        if paid and not named.has_return:
            self._returned(line, paid)
        elif entry.is_claimed:
            said = "its entry has its line in another statement"
            self._differ("matched_before", (line,), (), said, entry)
        else:
            self._differ("duplicate", (line,), (), "its entry has its line already", entry)

    def _explain_one(self, line: Line, entry: Booked) -> None:
        if self._is_back(line, entry):
            # It went before it came back: its entry's own line is still looked for.
            self._returned(line, entry)
            return
        if entry.account != self._account:
            self._explain_elsewhere(line, entry)
            return
        kind, said = self._kind_of(line, entry)
        self._differ(kind, (line,), (entry,), said)

    def _explain_elsewhere(self, line: Line, entry: Booked) -> None:
        """Only where all else agrees it is the entry that may be moved to where its line is."""
        said = f"the books have {written(entry.amount, entry.currency)} in {entry.account}"
        if (line.amount, line.currency) == (entry.amount, entry.currency):
            self._differ("wrong_account", (line,), (entry,), said, account=entry.account)
        else:
            self._differ("wrong_account", (line,), (), said, entry)

    def _kind_of(self, line: Line, entry: Booked) -> tuple[DifferenceKind, str]:
        booked = written(entry.amount, entry.currency)
        if line.currency != entry.currency:
            return "currency", f"the books have {booked}"
        if line.amount == -entry.amount:
            return "wrong_direction", f"the books have {booked}"
        if line.amount != entry.amount:
            return "amount", f"the books have {booked}"
        return "late", f"the books have it on {entry.day}"

    def _is_back(self, line: Line, entry: Booked) -> bool:
        """Whether a payout comes back to where it was paid, whole or less the bank's charge."""
        here = (entry.account, entry.currency) == (self._account, line.currency)
        return here and bool(entry.paid) and 0 < line.amount <= -entry.amount

    def _returned(self, line: Line, entry: Booked) -> None:
        said = f"the payout came back{less_kept(line, -entry.amount)}"
        self._differ("returned", (line,), (), said, entry, payout=entry.paid or "")

    def _match_by_amount(self) -> None:
        """Where one line and one entry of an amount are near each other, no other is, and one of
        them names nothing."""
        entries: dict[tuple[str, int], list[Booked]] = defaultdict(list)
        for each in self._booked:
            if self._names.is_free(each) and each.account == self._account:
                entries[each.currency, each.amount].append(each)
        lines: dict[tuple[str, int], list[Line]] = defaultdict(list)
        for line in self._open.values():
            lines[line.currency, line.amount].append(line)
        for key, of_amount in lines.items():
            for some, near in _groups(of_amount, entries.get(key, [])):
                self._match_group(some, near)

    def _match_group(self, lines: Sequence[Line], near: Sequence[Booked]) -> None:
        if len(lines) == len(near) == 1:
            self._match(lines[0], near[0])
        elif near:
            said = f"{len(lines)} lines and {len(near)} entries of this amount are near each other"
            for n in range(0, max(len(lines), len(near)), TOGETHER):
                some = lines[n : n + TOGETHER], near[n : n + TOGETHER]
                self._differ("ambiguous", *some, said)

    def _tell_the_rest(self) -> None:
        for line in list(self._open.values()):
            if line.kind == "transfer":
                said = "the provider has moved it to or from a bank"
                self._differ("transfer", (line,), (), said, account="cash:bank")
            elif line.is_return:
                self._differ("returned", (line,), (), "it came back, and names no payout")
            else:
                self._differ("extra", (line,), (), "nothing in the books explains it")

    def _nameless(self) -> list[Line]:
        return [line for line in self._open.values() if not self._names.of(line)]

    def _match(self, line: Line, entry: Booked) -> None:
        if line.n in self._told_before:
            self._differ("duplicate", (line,), (), f"{entry.entry_id} would fit it", entry)
            return
        self._take((line,), (entry,))
        self._outcomes.append(Match(line.n, entry.entry_id))

    def _differ(
        self,
        kind: DifferenceKind,
        lines: Sequence[Line],
        entries: Sequence[Booked],
        said: str,
        of: Booked | None = None,
        *,
        account: str = "",
        payout: str = "",
    ) -> None:
        self._take(lines, entries)
        self._outcomes.append(
            Difference(
                kind,
                self._detail(lines, said),
                tuple(line.n for line in lines),
                tuple(each.entry_id for each in entries),
                of.entry_id if of else "",
                self._changes(lines, entries),
                account,
                payout,
            )
        )

    def _detail(self, lines: Sequence[Line], said: str) -> str:
        before = [self._told_before[each.n] for each in lines if each.n in self._told_before]
        return " ".join([f"{_said_of(lines)}: {said}." if lines else f"{said}.", *before[:FEW]])

    def _changes(self, lines: Iterable[Line], entries: Iterable[Booked]) -> tuple[Change, ...]:
        here = [each for each in entries if each.account == self._account]
        return change(
            *((line.currency, line.amount) for line in lines),
            *((each.currency, -each.amount) for each in here),
        )

    def _take(self, lines: Iterable[Line], entries: Iterable[Booked]) -> None:
        for line in lines:
            del self._open[line.n]
        for each in entries:
            self._names.take(each)

    def _missing(self) -> list[str]:
        """Tell what the statement should have and has not; what the next one may have is left."""
        in_transit = []
        for each in sorted(self._booked, key=lambda each: (each.day, each.entry_id)):
            if not self._is_due(each):
                continue
            if each.day >= self._transit_from:
                in_transit.append(each.entry_id)
            else:
                amount = written(each.amount, each.currency)
                said = f"{each.entry_id} over {amount} of {each.day} is not in the statement"
                self._differ("missing", (), (each,), said)
        return in_transit

    def _is_due(self, entry: Booked) -> bool:
        """Whether the statement should have it; what was told to be missing is told once."""
        first, last = self._period
        new = entry.standing == "new" and entry.day >= first
        here = entry.account == self._account and entry.day <= last and self._names.is_free(entry)
        return here and (new or entry.standing == "in_transit")


def balance_differences(lines: Iterable[Line], totals: Mapping[str, int]) -> list[Difference]:
    """Where a statement's balances say that its lines come to something else."""
    come_to = sums((line.currency, line.amount) for line in lines)
    return [
        Difference(
            "balance",
            f"By its balances the statement moves {written(total, currency)}, its lines come to "
            f"{written(come_to.get(currency, 0), currency)}: lines are missing in it.",
        )
        for currency, total in sorted(totals.items())
        if total != come_to.get(currency, 0)
    ]


def _said_of(lines: Sequence[Line]) -> str:
    numbers = ", ".join(str(line.n) for line in lines[:10])
    name = "Line" if len(lines) == 1 else "Lines"
    if len(lines) > 10:
        numbers += f" and {len(lines) - 10} more"
    amounts = sums((line.currency, line.amount) for line in lines)
    over = " and ".join(written(amount, currency) for currency, amount in amounts.items())
    return f"{name} {numbers} over {over} of {lines[0].day}"


def _groups(
    lines: Sequence[Line], entries: Sequence[Booked]
) -> Iterator[tuple[list[Line], list[Booked]]]:
    """Lines of one amount with all entries of it that each of them may be of, or that another line
    may be of which such an entry fits."""
    of_lines, of_entries = _alike(lines), _alike(entries)
    left = dict.fromkeys(of_lines)
    while left:
        reached, entered = [left.popitem()[0]], set[Likeness]()
        for one in reached:
            near = {each for each in of_entries if _may_fit(one, each)} - entered
            entered |= near
            joined = [each for each in left if any(_may_fit(each, other) for other in near)]
            reached += joined
            for each in joined:
                del left[each]
        yield (
            [line for each in sorted(reached) for line in of_lines[each]],
            [entry for each in sorted(entered) for entry in of_entries[each]],
        )


def _alike(some: Sequence[D]) -> dict[Likeness, list[D]]:
    found: dict[Likeness, list[D]] = defaultdict(list)
    for each in some:
        found[Likeness(each.day, bool(each.keys), each.is_return)].append(each)
    return found


def _may_fit(line: Likeness, entry: Likeness) -> bool:
    """Not where both are named: what has the same name has been matched by it. What came back is of
    an entry that says so."""
    is_near = days_between(line.day, entry.day) <= WINDOW.days
    both_named = line.is_named and entry.is_named
    return is_near and not both_named and (entry.is_return or not line.is_return)
