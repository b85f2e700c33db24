"""How far the statements of an account reach, and what of the books they have left."""

from dataclasses import dataclass
from datetime import date, timedelta

from chalicelib.kernel.currencies import written
from chalicelib.reconciliation.lines import WINDOW
from chalicelib.reconciliation.rules import Change, Difference, Reconciliation


@dataclass(frozen=True)
class Account:
    """How far the statements of an account reach, and what they closed with. Whatever the books
    have of it until `looked_through` is claimed, or left to be."""

    name: str
    told_through: str
    looked_through: str
    closing: tuple[Change, ...]
    version: int

    @property
    def next_day(self) -> str:
        """The first of which no statement tells."""
        return _day_after(self.told_through)

    @property
    def look_from(self) -> str:
        return _day_after(self.looked_through)


@dataclass(frozen=True)
class Left:
    """An entry that statements should have and have not had; `missing` says which difference of
    which reconciliation tells so, where one does."""

    entry_id: str
    missing: tuple[str, int] | None = None


def look_from(account: Account | None, first: str) -> str:
    """From which day on a statement that begins on `first` has to have what nobody has looked for:
    an account is reconciled from its first statement on."""
    return min(first, account.look_from) if account else first


def since(account: Account | None, first: str) -> str:
    """From which day on the books are looked at: its lines may be of days before it."""
    window = (date.fromisoformat(first) - WINDOW).isoformat()
    return min(window, look_from(account, first))


def reached(account: Account | None, made: Reconciliation, settled: str) -> Account:
    """The account once a statement is through. Until the day `settled` all was posted when the
    books were looked at; a statement may be taken on its last day, and more be posted then."""
    looked = min(made.last, settled)
    if account is None:
        return Account(made.account, made.last, looked, made.closing, version=1)
    closing = made.closing if made.last >= account.told_through else account.closing
    return Account(
        made.account,
        max(account.told_through, made.last),
        max(account.looked_through, looked),
        closing,
        account.version + 1,
    )


def gap(account: Account | None, made: Reconciliation) -> Difference | None:
    """That a statement between the account's last one and this one was never taken.

    Balances that go on say that there is none, whatever the days between; where either has none,
    days between are a gap.
    """
    if account is None or made.first <= account.told_through:
        return None
    before = {each.currency: each.amount for each in account.closing}
    meet = [(before[each.currency], each) for each in made.opening if each.currency in before]
    for closed, each in meet:
        if closed != each.amount:
            said = f"closed with {written(closed, each.currency)}"
            opens = written(each.amount, each.currency)
            return Difference("gap", f"The statement before {said}, this one opens with {opens}.")
    if meet or made.first == account.next_day:
        return None
    until = (date.fromisoformat(made.first) - timedelta(days=1)).isoformat()
    return Difference("gap", f"No statement tells of {account.next_day} to {until}.")


def _day_after(day: str) -> str:
    return (date.fromisoformat(day) + timedelta(days=1)).isoformat()
