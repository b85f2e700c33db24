"""What lines name of the books, and what of it no line has taken yet. Pure.

Many entries may have one reference, such as the day on which all leaders remit. What fits a line is
looked up by its amount and day, so that no line looks through all of them.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from itertools import chain, islice

from chalicelib.reconciliation.lines import WINDOW, Booked, Line, own_ids

# The day of what was missing: it fits a line of any.
ANY_DAY = 0


class Free:
    """Of some entries those that no line has taken, by their number."""

    def __init__(self, account: str, entries: Mapping[int, Booked]) -> None:
        self.here = {n: each for n, each in entries.items() if each.account == account}
        self.elsewhere = {n: each for n, each in entries.items() if each.account != account}
        self._by_amount: dict[tuple[str, int, int], dict[int, Booked]] = defaultdict(dict)
        for n, each in self.here.items():
            self._by_amount[_place(each)][n] = each

    def __len__(self) -> int:
        return len(self.here) + len(self.elsewhere)

    def first(self, most: int) -> list[Booked]:
        """Those of the account, or where it has none of them those of others."""
        return list(islice((self.here or self.elsewhere).values(), most))

    def fitting(self, line: Line, most: int) -> list[Booked]:
        """The first of those of the account, of the line's amount and near it."""
        on = date.fromisoformat(line.day).toordinal()
        days = (ANY_DAY, *range(on - WINDOW.days, on + WINDOW.days + 1))
        places = (self._by_amount.get((line.currency, line.amount, day), {}) for day in days)
        found = dict(chain.from_iterable(islice(of.items(), most) for of in places))
        return [found[n] for n in sorted(found)[:most]]

    def take(self, n: int) -> None:
        self.elsewhere.pop(n, None)
        entry = self.here.pop(n, None)
        if entry:
            del self._by_amount[_place(entry)][n]


class Named:
    """All entries that a line names, in the order of the books."""

    def __init__(self, account: str, every: Sequence[Booked], taken: Collection[object]) -> None:
        self.every = every
        self.paid = [each for each in every if each.paid]
        self.has_return = any(each.is_return for each in every)
        self.receipts = [each for each in every if each.is_receipt]
        free = {n: each for n, each in enumerate(every) if each.name not in taken}
        fees = {n: each for n, each in free.items() if each.is_fee}
        self._free, self._fees = Free(account, free), Free(account, fees)

    def __bool__(self) -> bool:
        return bool(self.every)

    def free_for(self, line: Line) -> Free:
        """The books have no fee before a statement tells of it, but those of chargebacks."""
        return self._fees if line.kind == "fee" else self._free

    def take(self, n: int) -> None:
        self._free.take(n)
        self._fees.take(n)


class Names:
    """All that is booked, by what lines name it."""

    def __init__(self, account: str, booked: Collection[Booked]) -> None:
        self._account = account
        self._taken = {each.name for each in booked if each.is_claimed}
        self._by_key: dict[str, list[Booked]] = defaultdict(list)
        for each in booked:
            for key in each.keys:
                self._by_key[key].append(each)
        self._of_key: dict[str, Named] = {}
        self._of_line: dict[int, Named] = {}
        self._having: dict[tuple[str, str], list[tuple[Named, int]]] = defaultdict(list)

    def is_free(self, entry: Booked) -> bool:
        return entry.name not in self._taken

    def take(self, entry: Booked) -> None:
        self._taken.add(entry.name)
        for named, n in self._having.pop(entry.name, ()):
            named.take(n)

    def of(self, line: Line) -> Named:
        """What is known to be meant, or else what the surest of its keys names."""
        if line.n not in self._of_line:
            self._of_line[line.n] = self._meant(line) or next(self._named(line), self._all([]))
        return self._of_line[line.n]

    def of_key(self, key: str) -> Named:
        if key not in self._of_key:
            self._of_key[key] = self._all(self._by_key.get(key, []))
        return self._of_key[key]

    def known(self, keys: Collection[str]) -> list[str]:
        return [key for key in keys if key in self._by_key]

    def _meant(self, line: Line) -> Named:
        of_keys = (self._by_key.get(key, []) for key in own_ids(line.means))
        meant = {each.name: each for each in chain.from_iterable(of_keys)}
        return self._all(list(meant.values()))

    def _named(self, line: Line) -> Iterator[Named]:
        for key in self.known(line.keys):
            named = self.of_key(key)
            apart = {e.name for e in named.receipts if e.is_paid_apart(line.reference)}
            if not apart:
                yield named
            elif left := [each for each in named.every if each.name not in apart]:
                yield self._all(left)

    def _all(self, entries: Sequence[Booked]) -> Named:
        named = Named(self._account, entries, self._taken)
        for n, each in enumerate(entries):
            self._having[each.name].append((named, n))
        return named


def _place(entry: Booked) -> tuple[str, int, int]:
    """Where lines look for it: near its day; of what was missing a case has said it is late."""
    is_late = entry.standing == "missing"
    day = ANY_DAY if is_late else date.fromisoformat(entry.day).toordinal()
    return entry.currency, entry.amount, day
