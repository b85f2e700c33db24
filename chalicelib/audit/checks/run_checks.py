"""What must hold of settlement runs that are over. Pure."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date

from chalicelib.audit.checks.due_postings import posted
from chalicelib.audit.checks.leader_checks import Standing
from chalicelib.kernel import clock
from chalicelib.ledger.checks import Finding
from chalicelib.ledger.rules import Entry, leader_account
from chalicelib.settlement.rules import LeaderOfRun, Run, Statement


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


def counted(listed: Iterable[str], settled: Iterable[LeaderOfRun]) -> Counter[str]:
    """What leaders who were listed, and those the run is done with, add to it; amounts by their
    currencies."""
    sums = Counter({"leaders_total": len(list(listed))})
    for each in settled:
        sums["leaders_set_aside" if each.status == "set_aside" else "leaders_settled"] += 1
        if each.currency:
            sums[each.currency] += each.amount
    return sums


def runs(run: Run, due: Mapping[str, int]) -> Iterator[Finding]:
    """A run says what its leaders, added up in `due`, come to, and is done with each of them."""
    names = ("leaders_total", "leaders_settled", "leaders_set_aside")
    said = {name: getattr(run, name) for name in names}
    said |= {total.currency: total.amount for total in run.totals}
    for name in sorted({*said, *due}):
        if out := said.get(name, 0) - due.get(name, 0):
            detail = f"{run.id} says {said.get(name, 0)} as {name}, its leaders {due.get(name, 0)}."
            yield Finding("runs", run.id, detail, out)
    if out := due["leaders_total"] - due["leaders_settled"] - due["leaders_set_aside"]:
        yield Finding("runs", run.id, f"{run.id} is not done with {out} of its leaders.", out)


def run_leaders(
    run_id: str, leader: LeaderOfRun, made: Statement | None, entry: Entry | None
) -> Iterator[Finding]:
    """What a run came to for a leader is its statement, and what that has made available."""
    if leader.status == "set_aside":
        return
    account = leader_account(leader.leader_id, "available")
    said = {"amount": leader.amount, "total": leader.total}
    due = {"amount": -posted(entry, account), "total": made.total if made else 0}
    if made:
        said["opening_balance"] = leader.opening_balance
        due["opening_balance"] = made.opening_balance
    for name, amount in said.items():
        if out := amount - due[name]:
            detail = f"{run_id} says {amount} as {name} of {leader.leader_id}, not {due[name]}."
            yield Finding("run_leaders", f"{run_id}/{leader.leader_id}", detail, out)
