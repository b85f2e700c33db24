"""Taking statement files, and showing what has become of them."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

from chalicelib.kernel import clock, events, ids
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.errors import Conflict, Invalid, NotFound
from chalicelib.kernel.events import Event
from chalicelib.ledger import service as books
from chalicelib.ledger.rules import cash
from chalicelib.payments.providers import card_provider
from chalicelib.payouts.rules import CASH
from chalicelib.platform.pages import Page, PageRequest
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.settings import settings
from chalicelib.platform.transaction import Recorder, Transaction
from chalicelib.reconciliation import files, piece_store
from chalicelib.reconciliation import store as reconciliations
from chalicelib.reconciliation.accounts import since
from chalicelib.reconciliation.lines import Format, Statement
from chalicelib.reconciliation.rules import Change, Reconciliation

BANK = cash(CASH["bank_file"])


@dataclass(frozen=True)
class Asked:
    """What a file is said to be: of which account, in which format, from which day to which."""

    account: str
    format: Format
    first: str | None = None
    last: str | None = None


def take(asked: Asked, raw: bytes, caller: Caller, recorder: Recorder | None) -> Reconciliation:
    """Take a statement of a cash account, to be matched by a worker.

    Raises Invalid for a file that cannot be read whole, or is of another account, and Conflict for
    one that was taken before.
    """
    _check_known(asked.account)
    statement = files.read(raw, asked.format, settings().zone, asked.first, asked.last)
    _check_iban(asked.account, statement.iban)
    digest = hashlib.sha256(raw).hexdigest()
    _check_new(asked.account, digest, statement)
    begun = _begun(asked.account, digest, statement, caller)
    # Before the reconciliation is there: nobody finds it without its lines.
    piece_store.keep_lines(begun.id, statement.lines)
    return _add(begun, statement, recorder)


def reconciliation_of(reconciliation_id: str) -> Reconciliation:
    found = reconciliations.get_reconciliation(reconciliation_id)
    if found is None:
        raise NotFound("There is no such reconciliation.")
    return found


def all_reconciliations(page: PageRequest) -> Page[Reconciliation]:
    return reconciliations.reconciliations(page)


def _check_known(account: str) -> None:
    """The platform pays out of two accounts and is paid into its provider's; any other has to be in
    the books."""
    if account.removeprefix("cash:") not in CASH.values():
        check_used(account)


def check_used(account: str) -> None:
    """That the platform uses it: its bank's, its provider's, or one that is in the books."""
    known = {BANK, cash(card_provider() or "")}
    if account not in known and not books.has_account(account):
        raise Invalid.field("account", "is none that the books have ever had anything in")


def _check_iban(account: str, iban: str) -> None:
    """The platform's own IBAN is the account `cash:bank` and no other."""
    own = settings().payer_iban.replace(" ", "")
    if iban and own and (iban == own) != (account == BANK):
        raise Invalid.field(
            "account", f"is not the one of the file, whose IBAN ends in {iban[-4:]}"
        )


def _check_new(account: str, digest: str, statement: Statement) -> None:
    before = reconciliations.taken_as(account, digest, statement)
    if before:
        raise Conflict(
            f"This statement was taken before, by {before}.", code="statement_taken_before"
        )


def _begun(account: str, digest: str, statement: Statement, caller: Caller) -> Reconciliation:
    return Reconciliation(
        id=ids.new("rec"),
        account=account,
        format=statement.format,
        digest=digest,
        own_id=statement.own_id,
        first=statement.first,
        last=statement.last,
        lines=len(statement.lines),
        made_by=caller.id,
        made_at=clock.now(),
        since=since(None, statement.first),
        totals=_changes(statement.totals),
        opening=_changes(statement.opening),
        closing=_changes(statement.closing),
    )


@retry_stale
def _add(begun: Reconciliation, statement: Statement, recorder: Recorder | None) -> Reconciliation:
    """Take it behind whichever is the account's last by now."""
    _check_new(begun.account, begun.digest, statement)
    account = reconciliations.get_account(begun.account)
    made = replace(
        begun,
        since=since(account, begun.first),
        behind=reconciliations.last_taken(begun.account),
    )
    transaction = Transaction(recorder)
    transaction.add(*reconciliations.add_reconciliation(made))
    transaction.publish(Event(events.RECONCILIATION_ASKED, made.id))
    transaction.commit(made)
    return made


def _changes(amounts: Mapping[str, int]) -> tuple[Change, ...]:
    return tuple(Change(*each) for each in sorted(amounts.items()))
