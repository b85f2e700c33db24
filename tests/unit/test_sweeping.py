"""A sweep looks at everything, whatever fails on the way."""

import pytest

from chalicelib.kernel.errors import Stale
from chalicelib.platform.sweeping import sweep_each


class Looker:
    """Remembers what it was given; for some subjects it fails."""

    def __init__(self, **failures: Exception) -> None:
        self.failures, self.seen = failures, list[str]()

    def __call__(self, subject: str) -> None:
        self.seen.append(subject)
        if subject in self.failures:
            raise self.failures[subject]


def test_every_subject_has_its_turn() -> None:
    look = Looker()
    assert sweep_each(["a", "b", "c"], look) == 3
    assert look.seen == ["a", "b", "c"]


def test_one_that_fails_holds_back_none_of_the_others_and_is_told() -> None:
    look = Looker(a=ValueError("first"), b=KeyError("second"))
    with pytest.raises(ValueError, match="first"):
        sweep_each(["a", "b", "c"], look)
    assert look.seen == ["a", "b", "c"]


def test_one_that_another_writer_has_changed_is_no_failure() -> None:
    look = Looker(a=Stale())
    assert sweep_each(["a", "b"], look) == 2
    assert look.seen == ["a", "b"]


def test_nothing_to_look_at_is_no_work() -> None:
    assert sweep_each([], Looker()) == 0
