"""Settlement runs, some pages of leaders at a time: what each came to, and for whom."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime

from chalicelib.audit import run_checks
from chalicelib.audit.at_rest import tell_unchecked
from chalicelib.audit.rules import Looked
from chalicelib.audit.store import Page
from chalicelib.ledger import store as ledger
from chalicelib.ledger.checks import Finding
from chalicelib.platform.pages import PageRequest
from chalicelib.settlement import run_store
from chalicelib.settlement import store as settlement
from chalicelib.settlement.rules import Run, maturing_entry_id
from chalicelib.settlement.run_store import MarkerRow

PAGES_A_STEP, RUNS_A_READ = 20, 100
# What is counted beside a run's leaders: its version when its first page was looked at.
VERSION = "version"


def look(page: Page) -> Looked:
    """The runs that were not completed when an audit last found them right, the last first. Where
    it is: the run that was looked at before, the page of the next one, and what its pages before
    that have come to."""
    behind, number, before = page.audit.after or (None, 0, {})
    run = _next_run(behind, page.audit.since)
    if run is None:
        return Looked({}, [])
    found, counted = list[Finding](), Counter[str](before or {VERSION: run.version})
    for n in range(number, number + PAGES_A_STEP):
        listed = run_store.get_page(run.id, n)
        if listed:
            markers = run_store.markers(run.id, n)
            found += _leaders(run, markers)
            of_page = run_checks.counted(listed.leader_ids, [each.of_leader for each in markers])
            counted.update(of_page)
        if listed is None or listed.is_last:
            found += _whole(run.id, counted)
            return Looked({"runs": 1}, found, (run.id, 0, {}))
    return Looked({}, found, (behind, number + PAGES_A_STEP, dict(counted)))


def _next_run(behind: str | None, since: datetime | None) -> Run | None:
    page: PageRequest | None = PageRequest("audit", RUNS_A_READ, behind)
    while page:
        some = run_store.runs(page)
        for run in some.items:
            if run.completed_at and (since is None or run.completed_at >= since):
                return run
        page = PageRequest("audit", RUNS_A_READ, some.next_after) if some.next_after else None
    return None


def _leaders(run: Run, markers: list[MarkerRow]) -> Iterator[Finding]:
    made = settlement.get_statements(run.id, [each.sk for each in markers])
    named = {leader_id: maturing_entry_id(each) for leader_id, each in made.items()}
    entries = ledger.get_entries(named.values())
    for each in markers:
        entry = entries.get(named.get(each.sk, ""))
        yield from run_checks.run_leaders(run.id, each.of_leader, made.get(each.sk), entry)


def _whole(run_id: str, counted: Mapping[str, int]) -> list[Finding]:
    """Where no leader who had been set aside was settled meanwhile."""
    run = run_store.get_run(run_id)
    if run is None or run.version != counted[VERSION]:
        tell_unchecked(1)
        return []
    due = Counter({name: n for name, n in counted.items() if name != VERSION})
    return list(run_checks.runs(run, due))
