"""What an operator does with cases, and how other domains open one."""

from dataclasses import replace
from typing import get_args

from chalicelib.cases import store as cases
from chalicelib.cases.rules import Case, CaseKind, CaseStatus
from chalicelib.kernel import clock, events
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.errors import Conflict, NotFound
from chalicelib.kernel.events import Event
from chalicelib.platform.pages import Page, PageRequest
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.transaction import Recorder, Transaction


def open_in(
    transaction: Transaction, kind: CaseKind, subject: str, detail: str, *, occurrence: str = ""
) -> None:
    """Open a case with whatever else the transaction changes, and tell the platform's endpoints.

    `occurrence` tells one time from another where the same thing can happen to a subject again.
    """
    transaction.add(cases.open_case(kind, subject, detail, occurrence))
    transaction.publish(Event(events.CASE_OPENED, cases.case_id(kind, subject, occurrence)))


def close_in(
    transaction: Transaction, kind: CaseKind, subject: str, note: str, *, occurrence: str = ""
) -> None:
    """Resolve a case with what settles it; one that a person has resolved stays as it is."""
    case = cases.get_case(cases.case_id(kind, subject, occurrence))
    if case and case.status == "open":
        transaction.add(cases.resolve(_resolved(case, note)))


def cases_of(status: CaseStatus | None, page: PageRequest) -> Page[Case]:
    """Cases, newest first; of one status, or of both."""
    return cases.cases((status,) if status else get_args(CaseStatus), page)


@retry_stale
def resolve(case_id: str, note: str, caller: Caller, recorder: Recorder | None) -> Case:
    """Raises Conflict where it was resolved before, in other words, or ends with what it is
    about."""
    case = cases.get_case(case_id)
    if case is None:
        raise NotFound("There is no such case.")
    if case.status == "resolved":
        return _as_said(case, note)
    if case.ends_with:
        raise Conflict(
            f"Resolve what the case is about, by {case.ends_with}: that closes it too. Its detail "
            "says which it is.",
            code="case_ends_with_its_subject",
        )
    resolved = _resolved(case, note, caller.id)
    transaction = Transaction(recorder)
    transaction.add(cases.resolve(resolved))
    transaction.commit(resolved)
    return resolved


def _resolved(case: Case, note: str, by: str | None = None) -> Case:
    return replace(case, status="resolved", note=note, resolved_at=clock.now(), resolved_by=by)


def _as_said(case: Case, note: str) -> Case:
    if case.note != note:
        raise Conflict("The case was resolved before, in other words.", code="already_resolved")
    return case
