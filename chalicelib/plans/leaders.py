"""By which plan a leader earns, and what plans look at: its level, its pick-up point and hub, and
who invited it. Each change is noted with who made it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from chalicelib.kernel import clock, ids
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.errors import Conflict, Invalid
from chalicelib.parties import service as party_service
from chalicelib.parties import store as parties
from chalicelib.parties.rules import Leader
from chalicelib.plans import service
from chalicelib.plans import store as plans
from chalicelib.plans.changes import Change, differences
from chalicelib.platform.pages import Page, PageRequest
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.transaction import Write, write

PLAN_AND_LEVEL = ("plan_id", "level")


@retry_stale
def set_plan(leader_id: str, changes: Mapping[str, Any], caller: Caller) -> Leader:
    """Let the leader's orders earn by `plan_id` from now on, None: by the platform's default, and
    at `level`, if that is among the changes.

    Raises NotFound, and Invalid where there is no such plan, it is for others, or it has levels
    and not the leader's.
    """
    leader = party_service.leader(leader_id)
    if changes["plan_id"]:
        _check_is_for(leader, changes["plan_id"])
    _check_level(leader, changes)
    return _change(leader, changes, caller)


@retry_stale
def set_terms(leader_id: str, changes: Mapping[str, Any], caller: Caller) -> Leader:
    """Set some of `level`, `pickup_leader_id`, `hub_id` and `invited_by`; None takes one away.

    Raises NotFound, Invalid where one named is no leader of the same currency or the level is none
    of its plan's, and Conflict where it has invited others: what they keep of it stays true.
    """
    leader = party_service.leader(leader_id)
    _check_level(leader, changes)
    named = {
        field: _named(leader, field, changes[field])
        for field in ("pickup_leader_id", "hub_id", "invited_by")
        if changes.get(field)
    }
    asked = {name: value for name, value in changes.items() if name != "invited_by"}
    if "invited_by" not in changes or changes["invited_by"] == leader.invited_by:
        return _change(leader, asked, caller)
    if leader.has_invited:
        raise Conflict("The leader has invited others itself.", code="has_invited_others")
    inviter = named.get("invited_by")
    # On condition that it has invited nobody meanwhile, and with it that nobody is above itself.
    asked |= {"upline": _above(inviter), "has_invited": False}
    return _change(leader, asked, caller, *_inviting(inviter))


def changes_of(leader_id: str, page: PageRequest) -> Page[Change]:
    return plans.changes(party_service.leader(leader_id).id, page)


def _above(inviter: Leader | None) -> tuple[str, ...]:
    return (inviter.id, *inviter.upline[:1]) if inviter else ()


def _inviting(inviter: Leader | None) -> list[Write]:
    """From here on who invited the inviter cannot change any more."""
    if inviter is None:
        return []
    return [parties.change_leader(inviter, upline=inviter.upline, has_invited=True)]


def _check_is_for(leader: Leader, plan_id: str) -> None:
    plan = plans.get_plan(plan_id)
    if plan is None:
        raise Invalid.field("plan_id", "is not a commission plan")
    if plan.currency not in (None, leader.currency):
        raise Invalid.field(
            "plan_id",
            f"has the currency {plan.currency}, not {leader.currency}",
            code="currency_mismatch",
        )
    country = leader.pickup_point.country
    if plan.country not in (None, country):
        raise Invalid.field("plan_id", f"is for {plan.country}, and the leader is in {country}")


def _check_level(leader: Leader, changes: Mapping[str, Any]) -> None:
    """Of a plan or level that changes: a plan that names levels has to name the leader's; one that
    names none may be given them later."""
    chosen = {name: changes.get(name, getattr(leader, name)) for name in PLAN_AND_LEVEL}
    after = replace(leader, **chosen)
    if after == leader or after.level is None:
        return
    plan = service.plan_of_leader(after)
    levels = plan.levels_on(service.today()) if plan else []
    if not levels or after.level in levels:
        return
    has = ", ".join(levels)
    if "level" in changes:
        raise Invalid.field("level", f"is none of the leader's plan, which has {has}")
    raise Invalid.field(
        "plan_id", f"has {has}, and not the leader's level, {after.level}; name another beside it"
    )


def _named(leader: Leader, field: str, leader_id: str) -> Leader:
    found = parties.get_leader(leader_id)
    if found is None:
        raise Invalid.field(field, "is not a leader")
    if found.id == leader.id:
        raise Invalid.field(field, "must be another leader")
    if found.currency != leader.currency:
        raise Invalid.field(
            field,
            f"has the currency {found.currency}, not {leader.currency}",
            code="currency_mismatch",
        )
    return found


def _change(leader: Leader, asked: Mapping[str, Any], caller: Caller, *more: Write) -> Leader:
    """Change what differs, and note it with the leader and with the plans that it concerns."""
    changed = {name: value for name, value in asked.items() if value != getattr(leader, name)}
    if not changed:
        return leader
    after = replace(leader, **changed)
    kept = {name: asked[name] for name in asked if name in changed or name == "has_invited"}
    if any(name in changed for name in PLAN_AND_LEVEL):
        # Each is right beside the other alone, so that neither may have changed meanwhile.
        kept |= {name: getattr(after, name) for name in PLAN_AND_LEVEL}
    change = Change(
        ids.new("chg"),
        after.plan_id,
        leader.id,
        "leader_changed",
        caller.id,
        clock.now(),
        differences(_said(leader), _said(after)),
    )
    concerned = {leader.id, *filter(None, (leader.plan_id, after.plan_id))}
    write(
        parties.change_leader(leader, **kept),
        *more,
        *plans.add_changes(change, sorted(concerned)),
    )
    return after


def _said(leader: Leader) -> dict[str, str | None]:
    names = ("plan_id", "level", "pickup_leader_id", "hub_id", "invited_by")
    return {name: getattr(leader, name) for name in names}
