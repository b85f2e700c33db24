"""The sample files of docs/reconciliation.md are taken as they stand there."""

import re
from pathlib import Path

import pytest

from tests.functional.test_reconciled_lines import listed
from tests.support.statements import reconcile
from tests.support.world import World

DOCS = Path(__file__).parents[2] / "docs" / "reconciliation.md"


def sample(language: str) -> bytes:
    found, *_ = re.findall(rf"```{language}\n(.*?)```", DOCS.read_text(), re.DOTALL)
    return str(found).encode()


@pytest.mark.parametrize(
    ("language", "form", "text"),
    [("csv", "csv", "Deposit"), ("xml", "camt.053", "DEP-7 Deposit")],
)
def test_a_sample_is_read_as_it_says(world: World, language: str, form: str, text: str) -> None:
    made = reconcile(world, sample(language), format=form)
    assert (made["first"], made["last"]) == ("2026-03-12", "2026-03-13")
    names = ("date", "amount", "reference", "text", "counterparty", "bank_ref", "kind")
    found = [tuple(line[name] for name in names) for line in listed(world, made, "lines")]
    assert found == [
        ("2026-03-12", 10000, "DEP-7", text, "Green Farm", "B-1", "payment"),
        ("2026-03-13", -450, "", "Account fee", "", "B-2", "fee"),
    ]
