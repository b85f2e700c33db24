"""The cases table."""

from collections.abc import Iterable
from typing import Any

from pynamodb.attributes import UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from chalicelib.cases.rules import Case, CaseKind, CaseStatus
from chalicelib.kernel import clock, ids
from chalicelib.platform import store
from chalicelib.platform.pages import Page, PageRequest
from chalicelib.platform.table import EntityRow, InstantAttribute, table
from chalicelib.platform.transaction import Put, Update

CASE = "case"


CasesMeta = table("CASES_TABLE")


class Listing(GlobalSecondaryIndex[Any]):
    """The cases of one status, by the instant they were opened and, within it, by id."""

    class Meta:
        index_name = "listing"
        projection = AllProjection()

    listing = UnicodeAttribute(hash_key=True)
    age_key = UnicodeAttribute(range_key=True)


class CaseRow(EntityRow[Case]):
    Meta = CasesMeta
    entity = Case

    listing = UnicodeAttribute()
    age_key = UnicodeAttribute()
    listed = Listing()
    id = UnicodeAttribute()
    kind = UnicodeAttribute()
    subject = UnicodeAttribute()
    detail = UnicodeAttribute()
    status = UnicodeAttribute()
    opened_at = InstantAttribute()
    note = UnicodeAttribute(null=True)
    resolved_at = InstantAttribute(null=True)
    resolved_by = UnicodeAttribute(null=True)

    @classmethod
    def keys(cls, entity: Case) -> dict[str, Any]:
        return {
            "pk": entity.id,
            "sk": CASE,
            "listing": _listing(entity.status),
            "age_key": _age_key(entity),
        }


def case_id(kind: CaseKind, subject: str, occurrence: str) -> str:
    return ids.derived("cas", kind, subject, occurrence)


def open_case(kind: CaseKind, subject: str, detail: str, occurrence: str) -> Update:
    """Open the one case of that kind, subject and occurrence; harmless where it exists already."""
    new = Case(case_id(kind, subject, occurrence), kind, subject, detail, "open", clock.now())
    row = CaseRow
    return Update(
        row.at(new.id, CASE),
        [
            row.listing.set(row.listing | _listing(new.status)),
            row.age_key.set(row.age_key | _age_key(new)),
            row.id.set(row.id | new.id),
            row.kind.set(row.kind | new.kind),
            row.subject.set(row.subject | new.subject),
            row.detail.set(row.detail | new.detail),
            row.status.set(row.status | new.status),
            row.opened_at.set(row.opened_at | new.opened_at),
        ],
    )


def resolve(resolved: Case) -> Put:
    return Put(CaseRow.of(resolved), CaseRow.status == "open")


def get_case(case_id: str) -> Case | None:
    row = store.get(CaseRow, case_id, CASE)
    return row.to_entity() if row else None


def get_cases(case_ids: Iterable[str]) -> dict[str, Case]:
    """Those that there are."""
    rows = store.get_many(CaseRow, [(each, CASE) for each in case_ids])
    return {row.pk: row.to_entity() for row in rows}


def cases(statuses: Iterable[CaseStatus], page: PageRequest) -> Page[Case]:
    lists = [_listing(status) for status in statuses]
    return store.newest(CaseRow.listed, lists, CaseRow.age_key, page).map(CaseRow.to_entity)


def _listing(status: CaseStatus) -> str:
    return f"cases#{status}"


def _age_key(case: Case) -> str:
    return f"{clock.to_text(case.opened_at)}#{case.id}"
