"""The accounts that parties are paid into, and all that they have had. They lie in the payouts
table."""

from typing import Any

from pynamodb.attributes import UnicodeAttribute

from chalicelib.payouts.rules import Party, SealedAccount
from chalicelib.payouts.store import PayoutsMeta
from chalicelib.platform import store
from chalicelib.platform.pages import Page, PageRequest
from chalicelib.platform.table import EntityRow, InstantAttribute, IntegerAttribute, absent
from chalicelib.platform.transaction import Check, Put, create

ACCOUNT = "account"


class AccountRow(EntityRow[SealedAccount]):
    """A party's account as it is now, and beside it each version that there was."""

    Meta = PayoutsMeta
    entity = SealedAccount

    party = UnicodeAttribute()
    kind = UnicodeAttribute()
    sealed = UnicodeAttribute()
    last_four = UnicodeAttribute()
    version = IntegerAttribute()
    changed_at = InstantAttribute()
    changed_by = UnicodeAttribute()

    @classmethod
    def keys(cls, entity: SealedAccount) -> dict[str, Any]:
        return {"pk": entity.party, "sk": ACCOUNT}

    @classmethod
    def kept(cls, account: SealedAccount) -> "AccountRow":
        """The row of just this version."""
        row = cls.of(account)
        row.sk = f"{ACCOUNT}#{account.version:08d}"
        return row


def get_account(party: Party) -> SealedAccount | None:
    row = store.get(AccountRow, party.key, ACCOUNT)
    return row.to_entity() if row else None


def set_account(account: SealedAccount) -> tuple[Put, Put]:
    """Set the next version; Stale where another came first."""
    first = account.version == 1
    before = absent() if first else AccountRow.version == account.version - 1
    return Put(AccountRow.of(account), before), create(AccountRow.kept(account))


def unchanged(party: Party, account: SealedAccount | None) -> Check:
    """Holds while the party has that account, or none."""
    same = AccountRow.version == account.version if account else absent()
    return Check(AccountRow.at(party.key, ACCOUNT), same)


def account_changes(party: Party, page: PageRequest) -> Page[SealedAccount]:
    """Every account that the party has had, the last one first."""
    row, kept = AccountRow, f"{ACCOUNT}#"
    older = row.sk.between(kept, page.after) if page.after else row.sk.startswith(kept)
    rows = store.query(row, party.key, where=older, newest_first=True, limit=page.limit + 2)
    rows = [each for each in rows if each.sk != page.after]
    shown = rows[: page.limit]
    more = len(rows) > page.limit
    return Page(tuple(each.to_entity() for each in shown), shown[-1].sk if more else None)
