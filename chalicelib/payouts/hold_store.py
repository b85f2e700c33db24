"""Which parties nothing is sent to, since a payout came back from where they are paid. They lie in
the payouts table."""

from typing import Any

from pynamodb.attributes import UnicodeAttribute

from chalicelib.payouts.rules import Hold, Party
from chalicelib.payouts.store import PayoutsMeta
from chalicelib.platform import store
from chalicelib.platform.table import EntityRow, InstantAttribute, absent
from chalicelib.platform.transaction import Check, Delete, Put

HOLD = "hold"


class HoldRow(EntityRow[Hold]):
    Meta = PayoutsMeta
    entity = Hold

    party = UnicodeAttribute()
    payout_id = UnicodeAttribute()
    held_at = InstantAttribute()
    lifted_at = InstantAttribute(null=True)
    lifted_by = UnicodeAttribute(null=True)

    @classmethod
    def keys(cls, entity: Hold) -> dict[str, Any]:
        return {"pk": entity.party, "sk": HOLD}


def get_hold(party: Party) -> Hold | None:
    """The last one; none once the party has another account."""
    row = store.get(HoldRow, party.key, HOLD)
    return row.to_entity() if row else None


def is_held(party: Party) -> bool:
    held = get_hold(party)
    return held is not None and held.stands


def hold(of: Hold) -> Put:
    """In place of the one before, if there is one: the last payout that came back counts."""
    return Put(HoldRow.of(of), when=None)


def lift(lifted: Hold) -> Put:
    """Stale where another payout has come back meanwhile, or another account was set."""
    return Put(HoldRow.of(lifted), HoldRow.payout_id == lifted.payout_id)


def forget(party: Party) -> Delete:
    """There is another account."""
    return Delete(HoldRow.at(party.key, HOLD))


def not_held(party: Party) -> Check:
    """Holds while the party may be sent something."""
    return Check(HoldRow.at(party.key, HOLD), absent() | HoldRow.lifted_at.exists())
