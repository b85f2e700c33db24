"""What is on sale in a community, as it stood at most a second ago.

Every order is judged by its campaign, so at ten thousand a second of one campaign that would be an
item that all of them read. A warm function reads it once a second instead. Nothing that it may
have missed hurts anybody: what a campaign was is what its buyer saw a second ago, caps and limits
only widen once it is open, and the orders of a cancelled one are asked to go back minutes later.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from chalicelib.catalogue import store as catalogue
from chalicelib.catalogue.rules import Campaign, LeaderPrice, Offer
from chalicelib.kernel import clock
from chalicelib.parties import store as parties
from chalicelib.parties.rules import Leader
from chalicelib.parties.settlement_terms import SettlementTerms
from chalicelib.plans import store as plans
from chalicelib.plans.rules import Plan
from chalicelib.platform import store
from chalicelib.platform.idempotency import IdempotentRequest

KEPT_FOR = timedelta(seconds=1)
# Of each kind; a function that sells more campaigns at once than that begins anew.
MOST_KEPT = 1_000


@dataclass(frozen=True)
class OnSale:
    """What an order is judged by; None where there is nothing."""

    leader: Leader | None
    campaign: Campaign | None
    names_leader: bool
    offers: Sequence[Offer | None]
    leader_prices: Mapping[str, LeaderPrice]
    settlement_terms: Mapping[str, SettlementTerms]
    # By which the leader earns where an offer names no commission.
    plan: Plan | None = None


@dataclass(frozen=True)
class Sale:
    """A campaign and those of its offers that were asked for, all of one version of it."""

    read_at: datetime
    campaign: Campaign | None
    offers: Mapping[str, Offer | None]

    @property
    def exists(self) -> bool:
        return self.campaign is not None and all(self.offers.values())

    def together_with(self, before: "Sale | None") -> "Sale":
        """With the offers that were read before, where the campaign has not changed since."""
        if before is None or _version(before) != _version(self):
            return self
        return Sale(before.read_at, self.campaign, {**before.offers, **self.offers})


@dataclass(frozen=True)
class Community:
    """A leader in a campaign: whether that names it, and the prices that it asks."""

    read_at: datetime
    leader: Leader | None
    names_leader: bool
    prices: Mapping[str, LeaderPrice]
    plan_id: str | None

    @property
    def exists(self) -> bool:
        return self.leader is not None


@dataclass(frozen=True)
class Agreed:
    """What a supplier is paid by, be it that none was set."""

    read_at: datetime
    terms: SettlementTerms

    @property
    def exists(self) -> bool:
        return True


@dataclass(frozen=True)
class KeptPlan:
    """A commission plan with its versions in force and to come."""

    read_at: datetime
    plan: Plan | None

    @property
    def exists(self) -> bool:
        return self.plan is not None


class Read(Protocol):
    @property
    def read_at(self) -> datetime: ...

    @property
    def exists(self) -> bool: ...


R = TypeVar("R", bound=Read)

_sales: dict[str, Sale] = {}
_communities: dict[tuple[str, str], Community] = {}
_agreed: dict[str, Agreed] = {}
# Whose a SKU is, which never changes.
_supplier_of: dict[str, str] = {}
_plans: dict[str, KeptPlan] = {}
# By which plan a leader earned last: its plan is read together with it, and alone where it has
# another by now.
_plan_ids: dict[str, str] = {}


def read(
    campaign_id: str, leader_id: str, sku_ids: Sequence[str], request: IdempotentRequest
) -> OnSale:
    """What is on sale, and in the same read whether the request has been answered before.

    Raises AlreadyAnswered, or Invalid where its key stands for another request.
    """
    now, of = clock.now(), (campaign_id, leader_id)
    kept, community = _fresh(_sales.get(campaign_id), now), _fresh(_communities.get(of), now)
    sale = kept if kept and kept.offers.keys() >= set(sku_ids) else None
    of_community = [] if community else _keys_of_community(*of)
    of_sale = [] if sale else _keys_of_sale(campaign_id, sku_ids)
    of_plan = _keys_of_plan(leader_id, now)
    keys = [*of_plan, *of_community, *of_sale]
    suppliers = _to_agree_with(sku_ids, now)[: store.GET_LIMIT - len(keys) - 1]
    rows = _read(request, [*keys, *map(parties.settlement_terms_key, suppliers)])
    _agree(now, suppliers, rows[len(keys) :])
    _keep_plans(now, of_plan, rows)
    rows = rows[len(of_plan) : len(keys)]
    if community is None:
        community = _keep(_communities, of, _community(now, *rows[: len(of_community)]))
    if sale is None:
        found = _sale(now, sku_ids, rows[len(of_community) :])
        sale = _keep(_sales, campaign_id, found.together_with(kept))
    offers = [sale.offers[sku_id] for sku_id in sku_ids]
    plan = None
    if any(offer and offer.commission is None for offer in offers):
        plan = _plan(leader_id, community.plan_id, now)
    return OnSale(
        community.leader,
        sale.campaign,
        community.names_leader,
        offers,
        community.prices,
        _settlement_terms([offer for offer in offers if offer], now),
        plan,
    )


def forget(campaign_id: str) -> None:
    """Read it anew: this function has just changed it, or learned something of it."""
    _sales.pop(campaign_id, None)
    for of in [of for of in list(_communities) if of[0] == campaign_id]:
        _communities.pop(of, None)


def forget_supplier(supplier_id: str) -> None:
    """Read its terms anew: this function has just changed them."""
    _agreed.pop(supplier_id, None)


def forget_all() -> None:
    _sales.clear()
    _communities.clear()
    _agreed.clear()
    _supplier_of.clear()
    _plans.clear()
    _plan_ids.clear()


def _fresh(kept: R | None, now: datetime) -> R | None:
    return kept if kept and timedelta() <= now - kept.read_at < KEPT_FOR else None


def _keep(among: dict[Any, R], key: Any, found: R) -> R:
    """What does not exist may come to exist, and there is no end to it."""
    if found.exists:
        _note(among, key, found)
    return found


def _note(among: dict[Any, Any], key: Any, what: Any) -> None:
    if key not in among and len(among) >= MOST_KEPT:
        among.clear()
    among[key] = what


def _read(request: IdempotentRequest, keys: Sequence[store.Key]) -> list[Any]:
    if not keys:
        request.look_up()
        return []
    answered, *rows = store.get_together([request.key, *keys])
    request.judge(answered)
    return rows


def _keys_of_community(campaign_id: str, leader_id: str) -> list[store.Key]:
    return [
        parties.leader_key(leader_id),
        catalogue.campaign_leader_key(campaign_id, leader_id),
        catalogue.leader_prices_key(campaign_id, leader_id),
        plans.defaults_key(),
    ]


def _community(now: datetime, leader: Any, named: Any, prices: Any, defaults: Any) -> Community:
    found: Leader | None = _entity(leader)
    plan_id = found.plan_id if found else None
    if found and defaults:
        plan_id = plan_id or defaults.plan_of(found.currency)
    return Community(now, found, named is not None, prices.by_sku if prices else {}, plan_id)


def _keys_of_plan(leader_id: str, now: datetime) -> list[store.Key]:
    plan_id = _plan_ids.get(leader_id)
    if plan_id is None or _fresh(_plans.get(plan_id), now):
        return []
    return [plans.plan_key(plan_id)]


def _keep_plans(now: datetime, keys: Sequence[store.Key], rows: Sequence[Any]) -> None:
    for key, row in zip(keys, rows, strict=False):
        _keep(_plans, key.pk, KeptPlan(now, _entity(row)))


def _plan(leader_id: str, plan_id: str | None, now: datetime) -> Plan | None:
    if plan_id is None:
        return None
    if len(_plan_ids) >= MOST_KEPT:
        _plan_ids.clear()
    _plan_ids[leader_id] = plan_id
    kept = _fresh(_plans.get(plan_id), now)
    kept = kept or _keep(_plans, plan_id, KeptPlan(now, plans.get_plan(plan_id)))
    return kept.plan


def _keys_of_sale(campaign_id: str, sku_ids: Sequence[str]) -> list[store.Key]:
    offers = [catalogue.offer_key(campaign_id, sku_id) for sku_id in sku_ids]
    return [catalogue.campaign_key(campaign_id), *offers]


def _sale(now: datetime, sku_ids: Sequence[str], rows: Sequence[Any]) -> Sale:
    campaign, *offers = map(_entity, rows)
    return Sale(now, campaign, dict(zip(sku_ids, offers, strict=True)))


def _to_agree_with(sku_ids: Sequence[str], now: datetime) -> list[str]:
    """Of the suppliers that these SKUs are known to be of, those whose terms are to be read."""
    known = dict.fromkeys(_supplier_of.get(each) for each in sku_ids)
    return [each for each in known if each and not _fresh(_agreed.get(each), now)]


def _agree(now: datetime, supplier_ids: Sequence[str], rows: Sequence[Any]) -> None:
    for supplier_id, row in zip(supplier_ids, rows, strict=True):
        terms = _entity(row) or SettlementTerms(supplier_id)
        _note(_agreed, supplier_id, Agreed(now, terms))


def _settlement_terms(offers: Sequence[Offer], now: datetime) -> dict[str, SettlementTerms]:
    """By what each supplier is paid: a read more where this function sells a SKU the first time."""
    for offer in offers:
        _note(_supplier_of, offer.sku_id, offer.supplier_id)
    kept = {each.supplier_id: _fresh(_agreed.get(each.supplier_id), now) for each in offers}
    unknown = [supplier_id for supplier_id, agreed in kept.items() if not agreed]
    read = parties.settlement_terms_of(unknown) if unknown else {}
    for supplier_id, terms in read.items():
        _note(_agreed, supplier_id, Agreed(now, terms))
    return {supplier_id: agreed.terms for supplier_id, agreed in kept.items() if agreed} | read


def _version(sale: Sale) -> int | None:
    return sale.campaign.version if sale.campaign else None


def _entity(row: Any) -> Any:
    return row.to_entity() if row else None
