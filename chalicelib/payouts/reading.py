"""The payouts of a batch, read without an index: none is missing."""

from chalicelib.payouts import rules
from chalicelib.payouts import store as payouts
from chalicelib.payouts.batch_store import PageRow
from chalicelib.payouts.rules import Batch, Party, Payout


def payouts_on(batch: Batch, page: PageRow) -> list[Payout]:
    """The payouts of a page, in the order of their parties."""
    parties = (Party(batch.role, each) for each in page.party_ids)
    return payouts.get_payouts(rules.payout_id(batch.id, party) for party in parties)
