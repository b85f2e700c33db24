"""What a line's basis is of, where its amounts alone do not say so. Pure."""

from dataclasses import dataclass

from chalicelib.plans.rules import PROMOTER
from chalicelib.settlement.campaign_totals import CampaignTotal
from chalicelib.settlement.rules import EarnedLine, Sold, StatementWhole


@dataclass(frozen=True)
class CapOrigin:
    """A daily cap: what the day has come to, and what is withheld of it beyond the cap. The line is
    what that has changed by."""

    came_to: int
    day_cap: int
    withheld_before: int
    withheld: int


@dataclass(frozen=True)
class CampaignOrigin:
    """A bonus for what a leader's orders of a campaign come to, and what they do now."""

    campaign_id: str
    threshold: int
    total_now: int


@dataclass(frozen=True)
class SoldOrigin:
    """What a profit is left of; the `spread` beside it is its seller's, and None to others."""

    units: int
    net: int
    spread: int | None
    cost: int


# The kinds of lines that a payout has brought, whose entries its id is behind.
OF_PAYOUTS = ("payout", "payout_returned", "netting")


def payout_of(line: EarnedLine) -> str | None:
    """The id of the payout that has brought the line."""
    return line.entry_id.partition(":")[2] if line.kind in OF_PAYOUTS else None


def sold_of(line: EarnedLine) -> SoldOrigin | None:
    """None where the basis is not what is left of several amounts, or it was not kept yet."""
    if not line.sold:
        return None
    sold = Sold(*line.sold)
    return SoldOrigin(
        sold.units, sold.net, sold.spread if line.role == PROMOTER else None, sold.cost
    )


def cap_of(line: EarnedLine, made: StatementWhole) -> CapOrigin | None:
    """None for what is no `cap` line, and of a statement that was made before it kept how."""
    if line not in made.caps or not made.withheld:
        return None
    withheld = made.withheld[made.caps.index(line)]
    return CapOrigin(line.basis_amount, line.day_cap or 0, withheld.before, withheld.now)


def campaign_of(line: EarnedLine) -> str | None:
    """The campaign whose total has brought the bonus, or its loss has taken it back."""
    kind, _, campaign_id = line.rule.partition(":")
    return campaign_id if kind == line.basis == "campaign_total" else None


def of_campaign(line: EarnedLine, total: CampaignTotal) -> CampaignOrigin:
    return CampaignOrigin(total.campaign_id, abs(line.basis_amount), total.total)
