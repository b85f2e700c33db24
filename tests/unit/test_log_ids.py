"""Ids that are logged under the name of their kind, and what is no id of ours."""

import pytest

from chalicelib.kernel import ids
from chalicelib.platform.log import about


@pytest.mark.parametrize(
    ("prefix", "name"),
    [("ord", "order_id"), ("dsp", "dispatch_id"), ("rfd", "refund_id"), ("sup", "subject")],
)
def test_an_id_is_logged_under_the_name_of_its_kind(prefix: str, name: str) -> None:
    for identifier in (ids.new(prefix), ids.derived(prefix, "a", "b")):
        assert about(identifier) == {name: identifier}


def test_a_run_is_logged_by_its_date() -> None:
    assert about("run_2026-03-11") == {"run_id": "run_2026-03-11"}


@pytest.mark.parametrize(
    "said", [None, "", "+49301234567", "tsk_SECRETKEY123", "tsk_0123456789ab", "Alice", "ord_", "."]
)
def test_what_is_no_id_of_ours_is_not_logged(said: str | None) -> None:
    assert about(said) == {}
