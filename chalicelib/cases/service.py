"""What an operator does with cases, and how other domains open one."""

from dataclasses import replace

from chalicelib.cases import store as cases
from chalicelib.cases.rules import Case, CaseKind
from chalicelib.kernel import clock, events
from chalicelib.kernel.errors import NotFound
from chalicelib.kernel.events import Event
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


@retry_stale
def resolve(case_id: str, note: str, recorder: Recorder | None) -> Case:
    case = cases.get_case(case_id)
    if case is None:
        raise NotFound("There is no such case.")
    if case.status == "resolved":
        return case
    resolved = replace(case, status="resolved", note=note, resolved_at=clock.now())
    transaction = Transaction(recorder)
    transaction.add(cases.resolve(resolved))
    transaction.commit(resolved)
    return resolved
