"""What can be done with plans: made, given a version, made the default."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chalicelib.kernel import clock, ids
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.errors import NotFound
from chalicelib.parties.rules import Leader
from chalicelib.plans import changes, checking
from chalicelib.plans import store as plans
from chalicelib.plans.changes import Change, ChangeKind, Difference
from chalicelib.plans.checking import UplineLimit
from chalicelib.plans.rules import Plan, PlanBonus, Rule, Version
from chalicelib.plans.store import PlanRow
from chalicelib.platform.pages import Page, PageRequest
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.settings import settings
from chalicelib.platform.transaction import Put, Recorder, Transaction, create

# A version is withdrawn this long before it begins or not at all: until then no order is placed
# under it, however late the withdrawal is written, whatever functions still know of the plan, and
# whichever of their clocks is ahead.
BEFORE_IT_BEGINS = timedelta(minutes=1)


@dataclass(frozen=True)
class NewVersion:
    effective_from: str
    rules: Sequence[Rule]
    upline: Sequence[int]
    bonuses: Sequence[PlanBonus] = ()
    drops_levels: Sequence[str] = ()


def create_plan(
    name: str, currency: str | None, country: str | None, caller: Caller, recorder: Recorder | None
) -> Plan:
    plan = Plan(ids.new("cpl"), name, currency, country, False, (), 0, 1, clock.now())
    named = {"name": name, "currency": currency, "country": country}
    transaction = Transaction(recorder)
    transaction.add(
        create(PlanRow.of(plan)),
        *_noted("created", plan, changes.differences({}, named), caller),
    )
    transaction.commit(plan)
    return plan


def plan_of(plan_id: str) -> Plan:
    """The plan as it is today: with the version in force and those to come. Raises NotFound."""
    found = plans.get_plan(plan_id)
    if found is None:
        raise NotFound("There is no such commission plan.")
    return shown(found)


def shown(plan: Plan) -> Plan:
    """Without versions that another has taken the place of since the plan was last changed."""
    return replace(plan, versions=plan.live_on(today()))


def today() -> str:
    return _business_date(clock.now())


def _business_date(at: datetime) -> str:
    return clock.business_date(at, settings().zone).isoformat()


@retry_stale
def add_version(
    plan_id: str, new: NewVersion, caller: Caller, recorder: Recorder | None
) -> Version:
    """Let orders have it from its date on; those placed before keep their version.

    Raises NotFound, Conflict for a date that overlaps, Invalid for what the plan may not say.
    """
    before = plan_of(plan_id)
    version = Version(
        plan_id,
        before.last_version + 1,
        new.effective_from,
        tuple(new.rules),
        tuple(new.upline),
        caller.id,
        clock.now(),
        tuple(new.bonuses),
    )
    check_draft(before, version.rules, version.upline, version.bonuses)
    after = before.with_version(version, today())
    checking.check_levels(before, version, new.drops_levels)
    replaced = before.in_force_on(version.effective_from)
    differences = changes.differences(changes.said(replaced), changes.said(version))
    transaction = Transaction(recorder)
    transaction.add(
        plans.replace_plan(after),
        plans.add_version(version),
        *_noted("version_added", after, differences, caller),
    )
    transaction.commit(version)
    return version


@retry_stale
def withdraw_version(
    plan_id: str,
    number: int,
    drops_levels: Sequence[str],
    caller: Caller,
    recorder: Recorder | None,
) -> Version:
    """Take back a version that has not begun: the one before it stays in force. Once, however often
    it is asked.

    Raises NotFound, Conflict where it has begun or is about to, Invalid where leaders may have a
    level that it alone has, or that the version after it drops then.
    """
    plan, version = plan_of(plan_id), plans.get_version(plan_id, number)
    if version is None:
        raise NotFound("The plan has no such version.")
    if version.withdrawn_at:
        return version
    after = plan.without_version(version, _business_date(clock.now() + BEFORE_IT_BEGINS))
    checking.check_levels_left(after, version, after.levels_on(today()), drops_levels)
    withdrawn = replace(version, withdrawn_by=caller.id, withdrawn_at=clock.now())
    stays = after.in_force_on(version.effective_from)
    differences = changes.differences(changes.said(version), changes.said(stays))
    transaction = Transaction(recorder)
    transaction.add(
        plans.replace_plan(after),
        plans.withdraw_version(withdrawn),
        *_noted("version_withdrawn", after, differences, caller),
    )
    transaction.commit(withdrawn)
    return withdrawn


def check_draft(
    plan: Plan, new_rules: Sequence[Rule], upline: Sequence[int], bonuses: Sequence[PlanBonus]
) -> None:
    """Raises Invalid where a version could not say that."""
    limit = _limit(plan)
    checking.check(plan, new_rules, upline, limit)
    checking.check_bonuses(plan, bonuses, upline, limit)


def _limit(plan: Plan) -> UplineLimit:
    allowed = settings().upline_limits.get(plan.country or "")
    return UplineLimit(*allowed) if allowed else UplineLimit()


@retry_stale
def set_default(plan_id: str, caller: Caller, *, is_default: bool) -> Plan:
    """Let leaders of the plan's currency for whom none is set have it, or have it no longer."""
    plan = plan_of(plan_id)
    if plan.is_default == is_default:
        return plan
    defaults = plans.get_defaults()
    by_currency = {each.currency: each.plan_id for each in defaults.plans}
    before = by_currency.pop(plan.currency or "", None)
    transaction = Transaction()
    if is_default:
        by_currency[plan.currency or ""] = plan_id
        if before:
            moved = _default_of(plan, before, plan_id)
            _mark(transaction, plan_of(before), caller, moved, is_default=False)
    moved = _default_of(plan, before, plan_id if is_default else None)
    _mark(transaction, plan, caller, moved, is_default=is_default)
    transaction.add(plans.set_defaults(defaults, by_currency))
    transaction.commit()
    return plan.changed(is_default=is_default)


def _default_of(plan: Plan, before: str | None, after: str | None) -> tuple[Difference, ...]:
    """Which plan leaders have for whom none is set, those of the plan's currency or of any."""
    field = f"default.{plan.currency}" if plan.currency else "default"
    return changes.differences({field: before}, {field: after})


def _mark(
    transaction: Transaction,
    plan: Plan,
    caller: Caller,
    moved: tuple[Difference, ...],
    *,
    is_default: bool,
) -> None:
    what: ChangeKind = "made_default" if is_default else "no_longer_default"
    transaction.add(
        plans.replace_plan(plan.changed(is_default=is_default)), *_noted(what, plan, moved, caller)
    )


def _noted(
    what: ChangeKind, plan: Plan, differences: tuple[Difference, ...], caller: Caller
) -> Sequence[Put]:
    change = Change(ids.new("chg"), plan.id, None, what, caller.id, clock.now(), differences)
    return plans.add_changes(change, [plan.id])


def plan_of_leader(leader: Leader) -> Plan | None:
    """By which plan the leader earns: its own, or the platform's default for it."""
    plan_id = leader.plan_id or plans.get_defaults().plan_of(leader.currency)
    return plans.get_plan(plan_id) if plan_id else None


def versions_of(plan_id: str, page: PageRequest) -> Page[Version]:
    return plans.versions(plan_of(plan_id).id, page)


def changes_of(plan_id: str, page: PageRequest) -> Page[Change]:
    return plans.changes(plan_of(plan_id).id, page)
