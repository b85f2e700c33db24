"""Nothing is sent again to where a payout came back from, until the account is another one or an
operator says so."""

from dataclasses import replace

from chalicelib.kernel import clock
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.errors import NotFound
from chalicelib.payouts import account_store, hold_store
from chalicelib.payouts.accounts import check_party, is_same_account
from chalicelib.payouts.rules import Hold, Party, Payout
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.transaction import Recorder, Transaction, Write


def after_return(payout: Payout) -> list[Write]:
    """Hold the payee of a payout that came back, unless it has said meanwhile where else it is
    paid."""
    account = account_store.get_account(payout.payee)
    now = account.sealed if account else None
    if payout.told_at is None or not is_same_account(now, payout.sealed, payout.payee):
        return []
    held = Hold(payout.party, payout.id, payout.told_at)
    return [account_store.unchanged(payout.payee, account), hold_store.hold(held)]


def hold_of(party: Party, caller: Caller) -> Hold:
    """Raises NotFound."""
    check_party(party, caller)
    return _known(party)


@retry_stale
def lift(party: Party, caller: Caller, recorder: Recorder | None) -> Hold:
    """Send it something again, to the same account. Said again it changes nothing. Raises
    NotFound."""
    check_party(party, caller)
    held = _known(party)
    if held.lifted_at:
        return held
    lifted = replace(held, lifted_at=clock.now(), lifted_by=caller.id)
    transaction = Transaction(recorder)
    transaction.add(hold_store.lift(lifted))
    transaction.commit(lifted)
    return lifted


def _known(party: Party) -> Hold:
    held = hold_store.get_hold(party)
    if held is None:
        raise NotFound("No payout has come back from where it is paid now.")
    return held
