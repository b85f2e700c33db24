"""What lines name, looked up, against a plain reading that looks through all that is booked; and
many of one reference, each in no more steps than of few."""

import random
import sys
from collections.abc import Callable, Collection, Sequence
from types import FrameType

import pytest

from chalicelib.reconciliation import matching
from chalicelib.reconciliation.line_names import line_names, with_known_ids
from chalicelib.reconciliation.lines import Booked, Line, Standing, days_between, own_ids
from chalicelib.reconciliation.matching import Matcher
from chalicelib.reconciliation.rules import TOGETHER, WRITES_A_PAGE, Found, weight

BANK, STRIPE = "cash:bank", "cash:stripe"
PERIOD, TRANSIT = ("2026-03-01", "2026-03-31"), "2026-03-27"
DAYS = ("2026-02-27", "2026-03-03", "2026-03-08", "2026-03-10", "2026-03-13", "2026-03-29")
REFERENCES = ("2026-03-10", "BK-R1", "Kasse Mai")


class PlainFree:
    def __init__(self, entries: Sequence[Booked]) -> None:
        self._entries = entries

    def __len__(self) -> int:
        return len(self._entries)

    def first(self, most: int) -> list[Booked]:
        here = [each for each in self._entries if each.account == BANK]
        return (here or list(self._entries))[:most]

    def fitting(self, line: Line, most: int) -> list[Booked]:
        return [each for each in self._entries if agrees(line, each)][:most]


class PlainNamed:
    def __init__(self, every: Sequence[Booked], taken: Collection[object]) -> None:
        self.every, self._taken = every, taken
        self.paid = [each for each in every if each.entry_id.startswith("payout-paid:")]
        self.has_return = any(each.entry_id.startswith("payout-returned:") for each in every)

    def __bool__(self) -> bool:
        return bool(self.every)

    def free_for(self, line: Line) -> PlainFree:
        free = [each for each in self.every if each.name not in self._taken]
        fees = [each for each in free if each.entry_id.startswith("chargeback-fee:")]
        return PlainFree(fees if line.kind == "fee" else free)


class PlainNames:
    """Looks through all that is booked each time."""

    def __init__(self, account: str, booked: Collection[Booked]) -> None:
        assert account == BANK
        self._booked, self._taken = booked, {each.name for each in booked if each.is_claimed}

    def is_free(self, entry: Booked) -> bool:
        return entry.name not in self._taken

    def take(self, entry: Booked) -> None:
        self._taken.add(entry.name)

    def of(self, line: Line) -> PlainNamed:
        meant = [each for key in own_ids(line.means) for each in self.of_key(key).every]
        if meant:
            return PlainNamed(list(dict.fromkeys(meant)), self._taken)
        for key in line.keys:
            every = self.of_key(key).every
            if named := [each for each in every if not each.is_paid_apart(line.reference)]:
                return PlainNamed(named, self._taken)
        return PlainNamed([], self._taken)

    def of_key(self, key: str) -> PlainNamed:
        return PlainNamed([each for each in self._booked if key in each.keys], self._taken)

    def known(self, keys: Collection[str]) -> list[str]:
        return [key for key in keys if self.of_key(key)]


def agrees(line: Line, entry: Booked) -> bool:
    same = (entry.account, entry.currency, entry.amount) == (BANK, line.currency, line.amount)
    return same and (entry.standing == "missing" or days_between(line.day, entry.day) <= 5)


def hexes(n: int) -> str:
    return f"{n:028x}"


def booked_of(chance: random.Random, n: int) -> Booked:
    some, order = hexes(chance.randrange(4)), f"ord_{hexes(chance.randrange(2))}"
    entry_id, subject = chance.choice(
        [
            (f"payout-paid:pyt_{some}", f"pyt_{some}"),
            (f"payout-returned:pyt_{some}", f"pyt_{some}"),
            (f"remittance:ldr_{n}:{chance.choice(REFERENCES)}", f"rem_{hexes(n)}"),
            (f"remittance:ldr_{n}:{chance.choice(REFERENCES)}", f"rem_{hexes(n)}"),
            (f"receipt:local:ch_{n}", order),
            (f"receipt:stripe:pi_{n}", order),
            (f"chargeback:cbk_{some}", order),
            (f"chargeback-fee:cbk_{some}", order),
        ]
    )
    standing: Standing = chance.choice(["new", "new", "new", "in_transit", "missing"])
    return Booked(
        entry_id,
        chance.choice([BANK, BANK, BANK, STRIPE]),
        chance.choice([100, 100, 200, -100]),
        chance.choice(["EUR", "EUR", "EUR", "USD"]),
        chance.choice(DAYS),
        subject,
        is_claimed=chance.random() < 0.1,
        standing=standing,
    )


def line_of(chance: random.Random, n: int) -> Line:
    some, order = hexes(chance.randrange(4)), f"ord_{hexes(chance.randrange(2))}"
    names = ("", "", *REFERENCES, f"PYT{some}", f"pi_{n}", f"PI{n}", f"ch_{n}", "rent")
    texts = ("", "", *REFERENCES, f"thanks, Kasse Mai {n}", order, f"of {order} pyt_{some}")
    return Line(
        n,
        chance.choice([100, 100, 200, -100, 50]),
        chance.choice(["EUR", "EUR", "EUR", "USD"]),
        chance.choice(DAYS),
        chance.choice(["payment", "payment", "payment", "fee", "return"]),
        reference=chance.choice(names),
        text=chance.choice(texts),
        means=chance.choice(["", "", "", f"cbk_{some}", f"cbk_{some} {order}"]),
    )


def found(lines: list[Line], booked: list[Booked]) -> Found:
    known = with_known_ids(line_names(lines, "csv"), ())
    return Matcher(BANK, lines, booked, PERIOD, TRANSIT, {}, known).run()


def test_what_is_looked_up_is_what_a_plain_reading_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(1)
    kinds = set[str]()
    for _ in range(300):
        booked = [booked_of(chance, n) for n in range(chance.randrange(14))]
        booked = list({each.name: each for each in booked}.values())
        lines = [line_of(chance, n) for n in range(1, chance.randrange(2, 14))]
        looked_up = found(lines, booked)
        with monkeypatch.context() as patched:
            patched.setattr(matching, "Names", PlainNames)
            assert looked_up == found(lines, booked), (lines, booked)
        kinds |= {"match"} if looked_up.matches else set()
        kinds |= {each.kind for each in looked_up.differences}
    # All that a name has a part in.
    assert kinds >= {"match", "ambiguous", "amount", "late", "split", "duplicate", "returned"}


def remittances(count: int, step: int, reference: str) -> list[Booked]:
    """Of as many leaders, of one day, that all call it the same."""
    return [
        Booked(f"remittance:ldr_{n}:{reference}", BANK, 1000 + step * n, "EUR", "2026-03-10")
        for n in range(1, count + 1)
    ]


@pytest.mark.parametrize("step", [0, 1], ids=["one amount", "amounts of their own"])
@pytest.mark.parametrize("named", ["reference", "text"])
def test_many_of_one_reference_take_no_more_each_than_few(step: int, named: str) -> None:
    """Each line looking through each entry, four times as many took sixteen times as long."""

    def calls(count: int) -> int:
        booked = remittances(count, step, "2026-03-10")
        lines = [
            Line(n, 1000 + step * n, "EUR", "2026-03-10", **{named: "2026-03-10"})  # type: ignore[arg-type]
            for n in range(1, count + 1)
        ]
        made, result = calls_made(lambda: found(lines, booked))
        if step:
            assert {each.line: each.entry_id for each in result.matches} == {
                n: each.entry_id for n, each in enumerate(booked, 1)
            }
        else:
            assert result.matches == []
            assert result.differences[0].kind == "ambiguous"
        return made

    assert calls(800) < 5 * calls(200)


def calls_made(work: Callable[[], Found]) -> tuple[int, Found]:
    """How many functions of Python's were called, which no other process changes."""
    made = 0

    def count(frame: FrameType, event: str, arg: object) -> None:
        nonlocal made
        made += event == "call"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        result = work()
    finally:
        sys.setprofile(before)
    return made, result


def test_what_may_be_of_many_entries_fits_a_transaction() -> None:
    booked = remittances(WRITES_A_PAGE + 6, 0, "R")
    lines = [Line(n, 1000, "EUR", "2026-03-10", reference="R") for n in (1, 2)]
    result = found(lines, booked)
    unsure = [each for each in result.differences if each.kind == "ambiguous"]
    assert [len(each.entries) for each in unsure] == [TOGETHER, TOGETHER]
    assert max(map(weight, result.outcomes)) <= WRITES_A_PAGE


@pytest.mark.parametrize("reference", ["pi_BBB", "piBBB", "PI_BBB", "PIBBB "])
def test_another_payments_id_is_known_however_a_bank_prints_it(reference: str) -> None:
    order_id = f"ord_{hexes(1)}"
    receipt = Booked("receipt:stripe:pi_AAA", BANK, 1000, "EUR", "2026-03-10", order_id)
    of_other = Line(1, 1000, "EUR", "2026-03-10", reference=reference, text=order_id)
    (told, _) = found([of_other], [receipt]).differences
    assert (told.kind, told.entries) == ("unknown_reference", ())
    for same in ("PI_AAA", "piaaa", "Picked up by Lena"):
        own = Line(1, 1000, "EUR", "2026-03-10", reference=same, text=order_id)
        assert len(found([own], [receipt]).matches) == 1
