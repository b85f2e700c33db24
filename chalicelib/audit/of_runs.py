"""Settlement runs, some pages of leaders at a time: what each came to, and for whom."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

from chalicelib.audit.at_rest import tell_unchecked
from chalicelib.audit.checks import run_checks
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


class Place(NamedTuple):
    """Where an audit is: the run that it looked at before, the one that it is in the midst of with
    its version then, its next page, and what the pages before have come to."""

    behind: str | None = None
    run_id: str | None = None
    version: int = 0
    number: int = 0
    counted: Mapping[str, int] = {}


def look(page: Page) -> Looked:
    """The runs that were not completed when an audit last found them right, the last first."""
    place = Place(*(page.audit.after or ()))
    if place.run_id is None:
        run = _next_run(place.behind, page.audit.since)
        if run is None:
            return Looked({}, [])
        place = place._replace(run_id=run.id, version=run.version)
    return _pages(str(place.run_id), place)


def _pages(run_id: str, place: Place) -> Looked:
    found, counted = list[Finding](), Counter[str](place.counted)
    behind = place.number + PAGES_A_STEP
    for number in range(place.number, behind):
        listed = run_store.get_page(run_id, number)
        if listed:
            markers = run_store.markers(run_id, number)
            found += _leaders(run_id, markers)
            of_page = run_checks.counted(listed.leader_ids, [each.of_leader for each in markers])
            counted.update(of_page)
        if listed is None or listed.is_last:
            found += _whole(run_id, place.version, counted)
            return Looked({"runs": 1}, found, Place(behind=run_id))
    return Looked({}, found, place._replace(number=behind, counted=dict(counted)))


def _next_run(behind: str | None, since: datetime | None) -> Run | None:
    page: PageRequest | None = PageRequest("audit", RUNS_A_READ, behind)
    while page:
        some = run_store.runs(page)
        for run in some.items:
            if run.completed_at and (since is None or run.completed_at >= since):
                return run
        page = PageRequest("audit", RUNS_A_READ, some.next_after) if some.next_after else None
    return None


def _leaders(run_id: str, markers: list[MarkerRow]) -> Iterator[Finding]:
    made = settlement.get_statements(run_id, [each.sk for each in markers])
    named = {leader_id: maturing_entry_id(each) for leader_id, each in made.items()}
    entries = ledger.get_entries(named.values())
    for each in markers:
        entry = entries.get(named.get(each.sk, ""))
        yield from run_checks.run_leaders(run_id, each.of_leader, made.get(each.sk), entry)


def _whole(run_id: str, version: int, counted: Counter[str]) -> list[Finding]:
    """Where no leader who had been set aside was settled meanwhile."""
    run = run_store.get_run(run_id)
    if run is None or run.version != version:
        tell_unchecked(1)
        return []
    return list(run_checks.runs(run, counted))
