"""The payouts of a batch, read without an index: none is missing."""

from chalicelib.kernel.errors import Invalid
from chalicelib.payouts import batch_store, rules
from chalicelib.payouts import store as payouts
from chalicelib.payouts.batch_store import PageRow
from chalicelib.payouts.rules import Batch, Party, Payout

# With 100 parties a page, at most 4,000 payouts: less than an answer may hold, and checked by the
# schema within five seconds.
PAGES_A_PART = 40


def part_of(batch: Batch, part: int) -> list[Payout]:
    """The payouts of one of the parts that a batch's files come in, the first being 1. Raises
    Invalid for a part there is not."""
    pages = batch_store.pages(batch.id)
    of_part = pages[(part - 1) * PAGES_A_PART : part * PAGES_A_PART]
    if not of_part:
        last = -(-len(pages) // PAGES_A_PART)
        raise Invalid.field("part", f"is {part}, and the last one of the batch is {last}")
    return [payout for page in of_part for payout in payouts_on(batch, page)]


def payouts_on(batch: Batch, page: PageRow) -> list[Payout]:
    """The payouts of a page, in the order of their parties."""
    parties = (Party(batch.role, each) for each in page.party_ids)
    return payouts.get_payouts(rules.payout_id(batch.id, party) for party in parties)
