"""A sweep looks at everything, whatever fails on the way."""

from collections import Counter
from collections.abc import Callable
from threading import Barrier

import pytest

from chalicelib.kernel.errors import Stale
from chalicelib.platform.sweeping import sweep_each, sweep_until_done


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


def rising(found: list[str]) -> Callable[[int], list[str]]:
    """What is due and not done, the oldest first."""
    return lambda limit: found[:limit]


def test_a_sweep_goes_on_until_nothing_is_due() -> None:
    due = [str(n) for n in range(25)]
    done: list[str] = []

    def look_at(subject: str) -> None:
        due.remove(subject)
        done.append(subject)

    assert sweep_until_done(rising(due), look_at, batch=10, side_by_side=1, seconds=60) == 25
    assert sorted(done, key=int) == [str(n) for n in range(25)]


def test_what_fails_is_looked_at_once_a_sweep_and_holds_back_nothing() -> None:
    due, looked = [str(n) for n in range(25)], Counter[str]()

    def fail(subject: str) -> None:
        looked[subject] += 1
        raise RuntimeError("no luck")

    with pytest.raises(RuntimeError, match="no luck"):
        sweep_until_done(rising(due), fail, batch=10, side_by_side=4, seconds=60)
    assert looked == dict.fromkeys(due, 1)


def test_a_sweep_looks_side_by_side() -> None:
    together = Barrier(4, timeout=10)

    def look_at(_: str) -> None:
        together.wait()

    found = rising(["1", "2", "3", "4"])
    assert sweep_until_done(found, look_at, batch=4, side_by_side=4, seconds=60) == 4


def test_a_sweep_ends_with_its_time() -> None:
    found = rising([str(n) for n in range(25)])
    assert sweep_until_done(found, lambda _: None, batch=10, side_by_side=1, seconds=0) == 0
