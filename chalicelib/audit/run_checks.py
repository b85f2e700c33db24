"""What must hold of settlement runs that are over. Pure."""

from collections.abc import Collection, Iterator, Mapping
from datetime import date

from chalicelib.audit.leader_checks import Standing
from chalicelib.kernel import clock
from chalicelib.ledger.checks import Finding
from chalicelib.settlement.rules import Run


def left_behind(standing: Standing, last: Run, began_on: date) -> dict[str, int]:
    """What has matured by days that the last completed run should have taken. Where it has set the
    leader aside there is none: a case says so. A day that was not over when it began, on a business
    date, may bring more behind it."""
    through = min(last.business_date, clock.day_before(began_on).isoformat())
    if standing.earnings.behind:
        return {}
    return {
        day: of.matured
        for day, of in standing.days.items()
        if day <= through and of.matured and not standing.earnings.has_taken(day)
    }


def matured_untaken(
    leader_id: str, last: Run, waits: Mapping[str, int], before: Collection[str]
) -> Iterator[Finding]:
    """What had matured `before` a run began is none that it left behind; what was told of such a
    day since is the next run's."""
    for day in sorted(waits.keys() & before):
        detail = (
            f"{waits[day]} of {leader_id} that matured on {day} is pending after {last.id}, which "
            "has not set it aside."
        )
        yield Finding("matured_untaken", leader_id, detail, waits[day])
