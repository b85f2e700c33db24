"""Where a supplier hears of events, how that goes, and what was sent there."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.kernel.errors import Conflict
from chalicelib.platform import pages
from chalicelib.platform.pages import PageRequest
from chalicelib.portal import words
from chalicelib.portal.web import Answer, GoTo, Pages, Shown, Visit
from chalicelib.webhooks import delivering, endpoint_store, endpoints, replaying, stats, testing
from chalicelib.webhooks import store as webhooks
from chalicelib.webhooks.endpoints import Changes, WithWaiting
from chalicelib.webhooks.replaying import Asked
from chalicelib.webhooks.rules import Delivery, Endpoint

routes = Pages(__name__)

DELIVERIES_A_PAGE = 20
ENABLE = Changes(url=None, event_types=None, status="active")


@dataclass(frozen=True)
class Said:
    """What is told beside one row of the page, an endpoint's or a delivery's."""

    of: str
    notice: str | None = None
    problem: str | None = None
    status: int = 200


@routes.page("GET", "/supplier/deliveries")
def supplier_deliveries(visit: Visit) -> Answer:
    return _page(visit, Said(""))


@routes.page("POST", "/supplier/deliveries/{id}/replay")
def supplier_replay(visit: Visit, id: str) -> Answer:
    try:
        delivering.replay(id, visit.caller, None)
    except Conflict as refused:
        return _of_delivery(visit, Said(id, problem=words.told(refused), status=409))
    return _of_delivery(visit, Said(id, notice="It is being sent again."))


@routes.page("POST", "/supplier/endpoints/{id}/test")
def supplier_test_endpoint(visit: Visit, id: str) -> Answer:
    answer = testing.test(id, visit.caller, None).answer
    if answer is None:
        said = Said(id, notice="A ping is on its way; see below what comes of it.")
    elif answer.error:
        said = Said(id, problem=f"The ping failed: {answer.error}.")
    else:
        said = Said(id, notice=f"It answered {answer.status_code} to a ping.")
    return _of_endpoint(visit, said)


@routes.page("POST", "/supplier/endpoints/{id}/enable")
def supplier_enable_endpoint(visit: Visit, id: str) -> Answer:
    waiting = endpoints.change(id, ENABLE, visit.caller).waiting
    if waiting:
        notice = f"It is enabled. Of what it missed {waiting} can be sent again: all that failed."
    else:
        notice = "It is enabled."
    return _of_endpoint(visit, Said(id, notice=notice))


@routes.page("POST", "/supplier/endpoints/{id}/replays")
def supplier_replay_failed(visit: Visit, id: str) -> Answer:
    """All that failed is sent again, as a job whose progress has a page."""
    try:
        replay = replaying.start(Asked(id, None, None, "exhausted", None), visit.caller, None)
    except Conflict as refused:
        return _of_endpoint(visit, Said(id, problem=words.told(refused), status=409))
    if visit.wants_part:
        return Shown("replay", {"replay": replay})
    return GoTo(f"supplier/replays/{replay.id}")


@routes.page("GET", "/supplier/replays/{id}")
def supplier_read_replay(visit: Visit, id: str) -> Answer:
    replay = replaying.replay_for(id, visit.caller)
    return Shown("replay" if visit.wants_part else "replay_page", {"replay": replay})


def _of_delivery(visit: Visit, said: Said) -> Answer:
    """The page, or of it the delivery's row alone, with what is said of it."""
    if not visit.wants_part:
        return _page(visit, said)
    found = webhooks.get_deliveries([said.of])[said.of]
    urls = {each.id: each.url for each in endpoint_store.endpoints_of(visit.caller.id)}
    return Shown("delivery", {"each": found, "urls": urls, "said": said}, said.status)


def _of_endpoint(visit: Visit, said: Said) -> Answer:
    if not visit.wants_part:
        return _page(visit, said)
    found = endpoints.endpoint_for(said.of, visit.caller)
    (shown,) = _shown(visit, [found])
    return Shown("endpoint", {**shown, "said": said}, said.status)


def _page(visit: Visit, said: Said) -> Answer:
    owner, scope = visit.caller.id, f"supplier page {visit.caller.id}"
    cursor = visit.query.get("cursor")
    after = pages.read_cursor(scope, cursor) if cursor else None
    found = webhooks.deliveries(owner, PageRequest(scope, DELIVERIES_A_PAGE, after))
    own = endpoint_store.endpoints_of(owner)
    values = {
        "endpoints": _shown(visit, own),
        "urls": {each.id: each.url for each in own},
        "deliveries": _with(found.items, said),
        "older": pages.cursor(scope, found.next_after),
        "said": said,
    }
    return Shown("deliveries", values, said.status)


def _with(shown: tuple[Delivery, ...], said: Said) -> list[Delivery]:
    """The deliveries, and before them the one that something is said of, should it be older."""
    if not said.of.startswith("whd_") or any(each.id == said.of for each in shown):
        return list(shown)
    return [*webhooks.get_deliveries([said.of]).values(), *shown]


def _shown(visit: Visit, found: list[Endpoint] | tuple[Endpoint, ...]) -> list[Mapping[str, Any]]:
    """Each with how it has answered, and how many deliveries wait for it or were missed."""
    answering = stats.of_endpoints(visit.caller.id, found)
    return [
        {"endpoint": each, "stats": answering[each.id], "waiting": WithWaiting.of(each).waiting}
        for each in found
    ]
