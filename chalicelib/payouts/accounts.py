"""Where parties are paid: sealed as it comes in, shown by its last four, and frozen on payouts."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime

from chalicelib.kernel import clock
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.errors import Invalid, NotFound
from chalicelib.parties import service as parties
from chalicelib.payouts import account_store, hold_store, payer, sepa
from chalicelib.payouts.rules import AccountKind, Party, SealedAccount, WhyNotSepa
from chalicelib.platform.pages import Page, PageRequest
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.sealing import seal, unseal
from chalicelib.platform.transaction import write

SECRET = "PAYOUT_ACCOUNT_SECRET"


@dataclass(frozen=True)
class Details:
    """What is sealed: an account at a bank, or one at Stripe."""

    holder: str
    iban: str | None = None
    bic: str | None = None
    stripe_account: str | None = None

    @property
    def kind(self) -> AccountKind:
        return "iban" if self.iban else "stripe"

    @property
    def not_by_sepa(self) -> WhyNotSepa | None:
        return sepa.why_not(self.iban, self.bic) if self.iban else None

    @property
    def last_four(self) -> str:
        return self.number[-4:]

    @property
    def number(self) -> str:
        """Of the account itself, whoever is said to hold it and by whichever bank's name."""
        return self.iban or self.stripe_account or ""


@dataclass(frozen=True)
class AccountShown:
    """As much as anybody sees of it."""

    kind: AccountKind
    holder: str
    last_four: str
    not_by_sepa: WhyNotSepa | None
    changed_at: datetime
    changed_by: str


@dataclass(frozen=True)
class AccountChange:
    """That a party has said where it is paid: `version` counts from 1."""

    version: int
    kind: AccountKind
    holder: str
    last_four: str
    changed_at: datetime
    changed_by: str


def check_party(party: Party, caller: Caller) -> None:
    """Raises NotFound for a party that is not there, or not the caller; operators see all."""
    caller.must_be(party.role, party.id, party.role)
    if party.role == "leader":
        parties.leader(party.id)
    else:
        parties.supplier(party.id)


@retry_stale
def set_account(party: Party, details: Details, caller: Caller) -> AccountShown:
    """Pay the party there from now on; what is prepared already goes where it was to go. Where a
    payout came back from an account of another number, the party is sent something again.

    Raises NotFound for a party that is not there, or not the caller, and Invalid for the account
    that the platform pays from.
    """
    check_party(party, caller)
    if details.iban and details.iban == payer.own_iban():
        raise Invalid.field("iban", "is the account that the platform pays from")
    before = account_store.get_account(party)
    known = _opened(before.sealed, party) if before else None
    if before and known == details:
        return _shown(before, details)
    account = SealedAccount(
        party=party.key,
        kind=details.kind,
        sealed=seal(SECRET, json.dumps(asdict(details)), party.key),
        last_four=details.last_four,
        version=before.version + 1 if before else 1,
        changed_at=clock.now(),
        changed_by=f"{caller.role}:{caller.id}",
    )
    is_another = known is None or known.number != details.number
    write(*account_store.set_account(account), *([hold_store.forget(party)] if is_another else ()))
    return _shown(account, details)


def account_of(party: Party, caller: Caller) -> AccountShown:
    """Raises NotFound."""
    check_party(party, caller)
    account = account_store.get_account(party)
    if account is None:
        raise NotFound("No payout account is set.")
    return _shown(account, _opened(account.sealed, party))


def changes_of(party: Party, caller: Caller, page: PageRequest) -> Page[AccountChange]:
    """Every account that was set, the last one first. Raises NotFound."""
    check_party(party, caller)
    found = account_store.account_changes(party, page)
    return found.map(lambda account: _changed(account, _opened(account.sealed, party)))


def _changed(account: SealedAccount, details: Details) -> AccountChange:
    return AccountChange(
        account.version,
        account.kind,
        details.holder,
        account.last_four,
        account.changed_at,
        account.changed_by,
    )


def details_of(sealed: str, party: Party) -> Details:
    """What a payout has frozen of its party's account."""
    return _opened(sealed, party)


def is_same_account(sealed: str | None, other: str | None, party: Party) -> bool:
    """Whether both name one account of the party, or neither any."""
    if sealed is None or other is None:
        return sealed == other
    return _opened(sealed, party).number == _opened(other, party).number


def _opened(sealed: str, party: Party) -> Details:
    return Details(**json.loads(unseal(SECRET, sealed, party.key)))


def _shown(account: SealedAccount, details: Details) -> AccountShown:
    return AccountShown(
        account.kind,
        details.holder,
        account.last_four,
        details.not_by_sepa,
        account.changed_at,
        account.changed_by,
    )
