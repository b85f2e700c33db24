"""What the page has words for: whatever the code has names for that it shows."""

from collections.abc import Mapping
from typing import Any, get_args

import pytest

from chalicelib.dispatch.answers import Reason
from chalicelib.portal import words
from chalicelib.suppliers.rules import Account, LineKind


@pytest.mark.parametrize(
    ("named", "said"),
    [(Reason, words.REASONS), (LineKind, words.KINDS), (Account, words.ACCOUNTS)],
    ids=["reasons", "kinds of lines", "accounts"],
)
def test_every_name_has_its_words(named: Any, said: Mapping[str, str]) -> None:
    assert sorted(said) == sorted(get_args(named))
    assert all(said.values())
