"""What a leader's orders of one campaign come to, and which thresholds that has reached. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class CampaignTotal:
    """The nets of a leader's orders of a campaign that are delivered and not refunded, in the minor
    unit; of those orders that were placed under a version with bonuses for it.

    `reached` are the thresholds whose bonus stands. Nothing is kept of it before the first order.
    """

    leader_id: str
    campaign_id: str
    total: int = 0
    reached: tuple[int, ...] = ()
    is_kept: bool = False


@dataclass(frozen=True)
class Move:
    """A total before and after some net has come or gone, and which thresholds that gains or loses.

    It comes to the same for every total from `at_least` on and `below`, so that others who move it
    meanwhile do not stand in its way; None is no bound.
    """

    before: CampaignTotal
    after: CampaignTotal
    gained: tuple[int, ...]
    lost: tuple[int, ...]
    at_least: int | None
    below: int | None

    @property
    def net(self) -> int:
        return self.after.total - self.before.total


def moved(before: CampaignTotal, net: int, thresholds: Iterable[int]) -> Move:
    """Add what came, or went where it is negative. Only what comes gains one of `thresholds`; one
    that stands is lost once the total is below it, whoever had it."""
    total = before.total + net
    wanted = set(thresholds) - set(before.reached) if net > 0 else set()
    gained = tuple(sorted(each for each in wanted if each <= total))
    lost = tuple(each for each in before.reached if each > total)
    reached = tuple(sorted({*before.reached, *gained} - {*lost}))
    steps = wanted.union(before.reached)
    return Move(
        before,
        replace(before, total=total, reached=reached, is_kept=True),
        gained,
        lost,
        max((each - net for each in steps if each <= total), default=None),
        min((each - net for each in steps if each > total), default=None),
    )
