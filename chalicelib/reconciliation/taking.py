"""Taking statement files, and showing what has become of them."""

import hashlib

from chalicelib.kernel import clock, events, ids
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.errors import Conflict, NotFound
from chalicelib.kernel.events import Event
from chalicelib.platform.pages import Page, PageRequest
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.settings import settings
from chalicelib.platform.transaction import Recorder, Transaction
from chalicelib.reconciliation import files
from chalicelib.reconciliation import store as reconciliations
from chalicelib.reconciliation.lines import Format, Statement
from chalicelib.reconciliation.rules import Change, NumberedDifference, Reconciliation


def take(
    account: str, form: Format, raw: bytes, caller: Caller, recorder: Recorder | None
) -> Reconciliation:
    """Take a statement of a cash account, to be matched by a worker.

    Raises Invalid for a file that cannot be read whole, Conflict for one that was taken before.
    """
    statement = files.read(raw, form, settings().zone)
    return _add(account, statement, hashlib.sha256(raw).hexdigest(), caller, recorder)


def reconciliation_of(reconciliation_id: str) -> Reconciliation:
    found = reconciliations.get_reconciliation(reconciliation_id)
    if found is None:
        raise NotFound("There is no such reconciliation.")
    return found


def all_reconciliations(page: PageRequest) -> Page[Reconciliation]:
    return reconciliations.reconciliations(page)


def differences(reconciliation_id: str, page: PageRequest) -> Page[NumberedDifference]:
    reconciliation_of(reconciliation_id)
    return reconciliations.differences(reconciliation_id, page)


@retry_stale
def _add(
    account: str, statement: Statement, digest: str, caller: Caller, recorder: Recorder | None
) -> Reconciliation:
    before = reconciliations.taken_as(account, digest, statement)
    if before:
        raise Conflict(
            f"This statement was taken before, by {before}.", code="statement_taken_before"
        )
    made = Reconciliation(
        id=ids.new("rec"),
        account=account,
        format=statement.format,
        digest=digest,
        own_id=statement.own_id,
        first=statement.first,
        last=statement.last,
        lines=len(statement.lines),
        status="gathering",
        step=0,
        pages=0,
        matched=0,
        differences=0,
        in_transit=0,
        repeated=0,
        unresolved=0,
        made_by=caller.id,
        made_at=clock.now(),
        version=1,
        totals=tuple(Change(*each) for each in sorted(statement.totals.items())),
    )
    # Before the reconciliation is there: nobody finds it without its lines.
    reconciliations.keep_lines(made.id, statement.lines)
    transaction = Transaction(recorder)
    transaction.add(*reconciliations.add_reconciliation(made))
    transaction.publish(Event(events.RECONCILIATION_ASKED, made.id))
    transaction.commit(made)
    return made
