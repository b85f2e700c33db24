"""Lines are known again by the same names, whether all of a file are named or some."""

import random

from chalicelib.reconciliation.line_names import line_names
from chalicelib.reconciliation.lines import Line


def a_line(chance: random.Random, n: int) -> Line:
    amount, text = chance.choice([100, 200]), chance.choice(["", "rent", "thanks"])
    return Line(n, amount, "EUR", "2026-03-10", bank_ref=chance.choice(["", "", "A"]), text=text)


def test_some_lines_of_a_file_have_the_names_that_they_have_among_all() -> None:
    chance = random.Random(1)
    for _ in range(100):
        lines = [a_line(chance, n) for n in range(1, 13)]
        some = chance.sample(lines, 3)
        every, of_some = line_names(lines, "csv"), line_names(lines, "csv", some)
        assert [of_some[each.n] for each in some] == [every[each.n] for each in some]


def test_others_are_not_named() -> None:
    lines = [Line(n, n, "EUR", "2026-03-10", bank_ref=f"B{n}") for n in range(1, 1001)]
    assert list(line_names(lines, "csv", lines[500:503])) == [501, 502, 503]
