"""The plans table: plans, each version that there was, the platform's defaults, and the changes."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pynamodb.attributes import Attribute, BooleanAttribute, UnicodeAttribute
from pynamodb.constants import STRING

from chalicelib.kernel import clock
from chalicelib.plans.changes import Change, Difference
from chalicelib.plans.rules import Plan, PlanBonus, Rule, Version
from chalicelib.platform import store
from chalicelib.platform.indexes import KeysListing
from chalicelib.platform.pages import Page, PageRequest
from chalicelib.platform.store import Key
from chalicelib.platform.table import (
    EntityRow,
    InstantAttribute,
    IntegerAttribute,
    IntegersAttribute,
    RecordsAttribute,
    Row,
    absent,
    table,
)
from chalicelib.platform.transaction import Put, create

PLAN, PLANS, VERSION, CHANGE, DEFAULTS = "plan", "plans", "version#", "change#", "defaults"


PlansMeta = table("PLANS_TABLE")


# By themselves no attributes of a row: they write rules and bonuses inside of versions.
_RULES: Any = RecordsAttribute(Rule)
_BONUSES: Any = RecordsAttribute(PlanBonus)


class VersionsAttribute(Attribute[tuple[Version, ...]]):
    """Whole versions, as JSON text: they are read with an order, in one item."""

    attr_type = STRING

    def serialize(self, value: Iterable[Version]) -> str:
        return json.dumps([self._stored(each) for each in value], separators=(",", ":"))

    def deserialize(self, value: str) -> tuple[Version, ...]:
        return tuple(self._read(each) for each in json.loads(value))

    def _stored(self, version: Version) -> dict[str, Any]:
        return {
            **vars(version),
            "rules": _RULES.serialize(version.rules),
            "made_at": clock.to_text(version.made_at),
            "bonuses": _BONUSES.serialize(version.bonuses),
        }

    def _read(self, stored: dict[str, Any]) -> Version:
        return Version(
            **{
                **stored,
                "rules": _RULES.deserialize(stored["rules"]),
                "upline": tuple(stored["upline"]),
                "made_at": clock.from_text(stored["made_at"]),
                "bonuses": _BONUSES.deserialize(stored.get("bonuses", "[]")),
            }
        )


@dataclass(frozen=True)
class Default:
    """The plan of leaders of that currency for whom none is set; of any, where it is empty."""

    currency: str
    plan_id: str


class PlanRow(EntityRow[Plan]):
    Meta = PlansMeta
    entity = Plan

    listing = UnicodeAttribute()
    listed = KeysListing()
    id = UnicodeAttribute()
    name = UnicodeAttribute()
    currency = UnicodeAttribute(null=True)
    country = UnicodeAttribute(null=True)
    is_default = BooleanAttribute()
    versions = VersionsAttribute()
    last_version = IntegerAttribute()
    revision = IntegerAttribute()
    created_at = InstantAttribute()

    @classmethod
    def keys(cls, entity: Plan) -> dict[str, Any]:
        return {"pk": entity.id, "sk": PLAN, "listing": PLANS}


class VersionRow(EntityRow[Version]):
    Meta = PlansMeta
    entity = Version

    plan_id = UnicodeAttribute()
    number = IntegerAttribute()
    effective_from = UnicodeAttribute()
    rules = RecordsAttribute(Rule)
    upline = IntegersAttribute()
    made_by = UnicodeAttribute()
    made_at = InstantAttribute()
    bonuses = RecordsAttribute(PlanBonus, default=())
    withdrawn_by = UnicodeAttribute(null=True)
    withdrawn_at = InstantAttribute(null=True)

    @classmethod
    def keys(cls, entity: Version) -> dict[str, Any]:
        return {"pk": entity.plan_id, "sk": _version(entity.number)}


class DefaultsRow(Row):
    """The default plans, all in an item that is read with an order."""

    Meta = PlansMeta

    plans = RecordsAttribute(Default)
    version = IntegerAttribute()

    def plan_of(self, currency: str) -> str | None:
        found = {each.currency: each.plan_id for each in self.plans}
        return found.get(currency) or found.get("")


class ChangeRow(EntityRow[Change]):
    """A change as it concerns a plan, or a leader: its partition is theirs."""

    Meta = PlansMeta
    entity = Change

    id = UnicodeAttribute()
    plan_id = UnicodeAttribute(null=True)
    leader_id = UnicodeAttribute(null=True)
    what = UnicodeAttribute()
    by = UnicodeAttribute()
    changed_at = InstantAttribute()
    differences = RecordsAttribute(Difference)


def plan_key(plan_id: str) -> Key:
    return Key(PlanRow, plan_id, PLAN)


def defaults_key() -> Key:
    return Key(DefaultsRow, DEFAULTS, DEFAULTS)


def get_plan(plan_id: str) -> Plan | None:
    row = store.get(PlanRow, plan_id, PLAN)
    return row.to_entity() if row else None


def get_plans(plan_ids: Iterable[str]) -> dict[str, Plan]:
    rows = store.get_many(PlanRow, [(each, PLAN) for each in plan_ids])
    return {row.pk: row.to_entity() for row in rows}


def plans(page: PageRequest) -> Page[Plan]:
    found = store.newest(PlanRow.listed, [PLANS], PlanRow.pk, page)
    return store.whole(PlanRow, PLAN, found)


def replace_plan(changed: Plan) -> Put:
    """Write a plan on condition of the one before it; Stale where another came first."""
    return Put(PlanRow.of(changed), PlanRow.revision == changed.revision - 1)


def add_version(version: Version) -> Put:
    return create(VersionRow.of(version))


def get_version(plan_id: str, number: int) -> Version | None:
    return get_versions([(plan_id, number)]).get((plan_id, number))


def withdraw_version(withdrawn: Version) -> Put:
    """Keep that it was withdrawn, and by whom; Stale where it was before."""
    not_yet = VersionRow.pk.exists() & VersionRow.withdrawn_at.does_not_exist()
    return Put(VersionRow.of(withdrawn), not_yet)


def get_versions(named: Iterable[tuple[str, int]]) -> dict[tuple[str, int], Version]:
    """Those that there are, by plan and number."""
    rows = store.get_many(VersionRow, [(plan_id, _version(number)) for plan_id, number in named])
    return {(row.plan_id, row.number): row.to_entity() for row in rows}


def versions(plan_id: str, page: PageRequest) -> Page[Version]:
    return store.newest_within(VersionRow, plan_id, VERSION, page).map(VersionRow.to_entity)


def get_defaults() -> DefaultsRow:
    found = store.get(DefaultsRow, DEFAULTS, DEFAULTS)
    return found or DefaultsRow(DEFAULTS, DEFAULTS, plans=(), version=0)


def set_defaults(before: DefaultsRow, by_currency: Mapping[str, str]) -> Put:
    """Stale where the defaults have changed since `before` was read."""
    row = DefaultsRow(
        DEFAULTS,
        DEFAULTS,
        plans=tuple(Default(*each) for each in by_currency.items()),
        version=before.version + 1,
    )
    return Put(row, DefaultsRow.version == before.version if before.version else absent())


def add_changes(change: Change, subjects: Sequence[str]) -> list[Put]:
    """The change among those of each plan or leader that it concerns."""
    made = []
    for subject in subjects:
        row = ChangeRow()
        row.attribute_values |= vars(change)
        row.pk, row.sk = subject, f"{CHANGE}{change.id}"
        made.append(create(row))
    return made


def changes(subject: str, page: PageRequest) -> Page[Change]:
    return store.newest_within(ChangeRow, subject, CHANGE, page).map(ChangeRow.to_entity)


def _version(number: int) -> str:
    return f"{VERSION}{number:06d}"
