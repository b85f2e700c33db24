"""The cases store: one case for each thing that happened, resolved once."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.cases import store as cases
from chalicelib.cases.rules import Case, CaseStatus
from chalicelib.kernel import clock
from chalicelib.kernel.errors import Stale
from chalicelib.platform.pages import PageRequest
from chalicelib.platform.transaction import write
from tests.support.made import NOW

BOTH: tuple[CaseStatus, ...] = ("open", "resolved")


def open_at(monkeypatch: pytest.MonkeyPatch, minute: int, subject: str, occurrence: str) -> Case:
    monkeypatch.setattr(clock, "now", lambda: NOW + timedelta(minutes=minute))
    write(cases.open_case("refund_failed", subject, f"at {minute}", occurrence))
    found = cases.get_case(cases.case_id("refund_failed", subject, occurrence))
    assert found is not None
    return found


def test_opened_again_a_case_stays_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = open_at(monkeypatch, 0, "rfd_1", "1")
    assert (opened.kind, opened.subject, opened.detail) == ("refund_failed", "rfd_1", "at 0")
    assert (opened.status, opened.opened_at) == ("open", NOW)
    assert open_at(monkeypatch, 5, "rfd_1", "1") == opened


def test_a_resolved_case_is_not_opened_again_by_what_opened_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened = open_at(monkeypatch, 0, "rfd_1", "1")
    resolved = replace(opened, status="resolved", note="paid by hand", resolved_at=NOW)
    write(cases.resolve(resolved))
    assert open_at(monkeypatch, 5, "rfd_1", "1") == resolved
    assert open_at(monkeypatch, 6, "rfd_1", "2").status == "open"


def test_a_case_is_resolved_once(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = open_at(monkeypatch, 0, "rfd_1", "1")
    write(cases.resolve(replace(opened, status="resolved", note="first", resolved_at=NOW)))
    with pytest.raises(Stale):
        write(cases.resolve(replace(opened, status="resolved", note="second", resolved_at=NOW)))
    found = cases.get_case(opened.id)
    assert found is not None
    assert found.note == "first"


def test_a_case_that_was_never_opened_cannot_be_resolved() -> None:
    never = Case("cas_1", "refund_failed", "rfd_1", "", "resolved", NOW, "note", NOW)
    with pytest.raises(Stale):
        write(cases.resolve(never))
    assert cases.get_case("cas_1") is None


def test_cases_are_listed_by_when_they_were_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    for minute in (3, 1, 4, 2):
        open_at(monkeypatch, minute, f"rfd_{minute}", "1")
    first = cases.cases(BOTH, PageRequest("cases", 3))
    second = cases.cases(BOTH, PageRequest("cases", 3, first.next_after))
    assert [each.subject for each in first.items] == ["rfd_4", "rfd_3", "rfd_2"]
    assert [each.subject for each in second.items] == ["rfd_1"]


def test_cases_are_listed_by_their_status(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, third = (open_at(monkeypatch, n, f"rfd_{n}", "1") for n in range(3))
    write(cases.resolve(replace(second, status="resolved", note="done", resolved_at=NOW)))
    page = PageRequest("cases", 5)
    assert [each.id for each in cases.cases(["open"], page).items] == [third.id, first.id]
    assert [each.id for each in cases.cases(["resolved"], page).items] == [second.id]
    assert len(cases.cases(BOTH, page).items) == 3
