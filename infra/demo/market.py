"""Setting up a market for given orders, selling them, and settling the day."""

from argparse import ArgumentParser, Namespace
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache

from infra.demo.baskets import Line, Market, Order, Sale, split
from infra.demo.client import Api, Json
from infra.demo.crew import Crew
from infra.demo.figures import COMMISSION_BPS, CURRENCY, money, total, unit_cost
from infra.failures import Fixable
from infra.local import credentials, deploy, stack

SKUS_PER_PRODUCT = 50
OPEN_HOURS = 48
START_EMPTY = "`make down`, `make up`, and again"


class WrongTotal(Exception):
    """An order's total is not what its lines come to."""


class SettlementFailed(Exception):
    """The run failed, or left a ledger that does not balance."""


def base_url_arguments() -> ArgumentParser:
    """The arguments that say which stack, for the parser of a command to take over."""
    parser = ArgumentParser(add_help=False)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--base-url", help="default: the stack in .local/stack.json")
    which.add_argument(
        "--new-stack", action="store_true", help="an empty local stack, brought up on PORT"
    )
    return parser


def base_url(asked: Namespace) -> str:
    """The base URL of the stack that is asked for. Raises Fixable where none is up."""
    if asked.new_stack:
        return deploy.bring_up_empty().base_url
    return str(asked.base_url or stack.current().base_url).rstrip("/")


@cache
def token(role: str, sub: str) -> str:
    """A local token; one for each person is enough."""
    return credentials.token(role, sub)


def operator(api: Api) -> Api:
    return api.using(token("operator", "op_demo"))


def require_unused(api: Api) -> None:
    """Raises Fixable unless the ledger is empty: other entries would blur the figures."""
    balance = operator(api).get("/v1/ledger/trial-balance")
    if any(currency["debits"] for currency in balance["currencies"]):
        raise Fixable(f"the store already holds entries: {START_EMPTY}")


def name_parties(
    api: Api, orders: Sequence[Order], crew: Crew
) -> tuple[dict[str, str], dict[str, str]]:
    """Creates suppliers and leaders; returns the ids of the first and of the second by name."""
    boss = operator(api)
    suppliers = sorted({supplier for order in orders for supplier in order.suppliers})
    leaders = sorted({order.leader for order in orders})

    def create_supplier(name: str) -> str:
        return str(boss.create("/v1/suppliers", _supplier(name))["id"])

    def create_leader(name: str) -> str:
        return str(boss.create("/v1/leaders", _leader(name))["id"])

    supplier_ids = crew.each("Suppliers join", create_supplier, suppliers)
    leader_ids = crew.each("Leaders join", create_leader, leaders)
    by_name = dict(zip(suppliers, supplier_ids, strict=True))
    return by_name, dict(zip(leaders, leader_ids, strict=True))


def stock_shelves(
    api: Api, orders: Sequence[Order], suppliers: dict[str, str], crew: Crew
) -> dict[str, str]:
    """Creates the products and stocks exactly what will be sold; returns SKU ids by name."""
    boss = operator(api)

    def create_product(some: Sequence[Line]) -> list[tuple[str, str]]:
        product = boss.create("/v1/products", _product(some, suppliers))
        return [(line.sku, str(sku["id"])) for line, sku in zip(some, product["skus"], strict=True)]

    made = crew.each("Products are listed", create_product, _assortments(orders))
    skus = dict(pair for pairs in made for pair in pairs)
    sold = Counter[str]()
    for order in orders:
        sold.update({line.sku: line.quantity for line in order.lines})

    def put_stock(sku: str) -> None:
        boss.put(f"/v1/skus/{skus[sku]}/stock", {"on_hand": sold[sku]})

    crew.each("Stock is counted in", put_stock, list(skus))
    return skus


def open_campaigns(
    api: Api, orders: Sequence[Order], leaders: dict[str, str], skus: dict[str, str], crew: Crew
) -> dict[tuple[str, str], str]:
    """One campaign for each leader and day with what is bought there; returns their ids."""
    boss = operator(api)
    bought: defaultdict[tuple[str, str], dict[str, Line]] = defaultdict(dict)
    for order in orders:
        bought[order.leader, order.day].update({line.sku: line for line in order.lines})

    def create_campaign(key: tuple[str, str]) -> str:
        leader, day = key
        body = _campaign(f"{leader}, {day}", leaders[leader], bought[key].values(), skus)
        return str(boss.create("/v1/campaigns", body)["id"])

    keys = list(bought)
    return dict(zip(keys, crew.each("Campaigns open", create_campaign, keys), strict=True))


def sell(api: Api, order: Order, market: Market) -> Sale:
    """Places an order as its customer and pays it: by card, or in cash to the leader.

    Raises WrongTotal when the API asks for another sum than the lines come to.
    """
    customer = api.using(token("customer", f"cus_{order.customer}"))
    placed = customer.create("/v1/orders", _order(order, market))
    if placed["total"] != total(order):
        asked, right = money(placed["total"]), money(total(order))
        raise WrongTotal(f"basket {order.basket}: its total is {asked}, not {right}")
    if order.leader_collects:
        leader = api.using(token("leader", market.leaders[order.leader]))
        cash = {"amount": placed["total"], "reference": f"cash {order.basket}"}
        leader.create(f"/v1/orders/{placed['id']}/payments", cash)
    else:
        headers, body = credentials.payment_event(
            placed["payment"]["id"], placed["total"], placed["currency"]
        )
        api.using("").post_signed("/v1/payment-events/local", headers, body)
    return Sale(order, placed["id"])


def settle_today(api: Api, leaders: int, crew: Crew) -> Json:
    """Runs today's settlement to its end and returns the completed run.

    Raises SettlementFailed when it fails, and Fixable when the day was settled before.
    """
    boss = operator(api)
    today = datetime.now(UTC).date().isoformat()
    run = boss.create("/v1/settlement-runs", {"business_date": today})
    if run["status"] == "completed":
        raise Fixable(f"{today} is settled already: {START_EMPTY}")

    def settled() -> int:
        nonlocal run
        run = boss.get(f"/v1/settlement-runs/{run['id']}")
        if run["status"] == "failed":
            raise SettlementFailed(f"settlement run {run['id']} failed")
        # Only the run's own word ends the wait; its count of leaders moves the bar.
        done = run["status"] == "completed"
        return leaders if done else min(leaders - 1, int(run.get("leaders_settled") or 0))

    crew.wait("Leaders are settled", leaders, settled)
    return run


def accounts(api: Api) -> dict[str, int]:
    """The trial balance's accounts that are not zero, in the demo's one currency.

    Raises SettlementFailed when debits and credits differ or another currency appears.
    """
    currencies = operator(api).get("/v1/ledger/trial-balance")["currencies"]
    for each in currencies:
        even = each["balanced"] and each["debits"] == each["credits"]
        if not even or each["currency"] != CURRENCY:
            raise SettlementFailed(f"the trial balance does not balance: {each}")
    return {
        account["account"]: account["balance"]
        for each in currencies
        for account in each["accounts"]
        if account["balance"]
    }


def _assortments(orders: Sequence[Order]) -> list[Sequence[Line]]:
    by_supplier: defaultdict[str, dict[str, Line]] = defaultdict(dict)
    for order in orders:
        for line in order.lines:
            by_supplier[line.supplier][line.sku] = line
    return [
        some
        for lines in by_supplier.values()
        for some in split(list(lines.values()), SKUS_PER_PRODUCT)
    ]


def _supplier(name: str) -> Json:
    mailbox = "".join(letter if letter.isalnum() else "-" for letter in name.lower())
    return {"name": name, "email": f"{mailbox}@example.com", "currency": CURRENCY}


def _leader(name: str) -> Json:
    pickup_point = {
        "line1": f"{name}, front desk",
        "city": "Cincinnati",
        "postal_code": "45202",
        "country": "US",
    }
    return {
        "name": name,
        "community": f"Neighbours of {name}",
        "pickup_point": pickup_point,
        "currency": CURRENCY,
    }


def _product(lines: Sequence[Line], suppliers: dict[str, str]) -> Json:
    supplier = lines[0].supplier
    return {
        "supplier_id": suppliers[supplier],
        "title": f"{supplier}: {lines[0].title}"[:100],
        "currency": CURRENCY,
        "skus": [
            {
                "title": line.title,
                "supplier_sku": line.sku,
                "list_price": line.unit_price,
                "cost": unit_cost(line.unit_price),
            }
            for line in lines
        ],
    }


def _campaign(title: str, leader_id: str, lines: Iterable[Line], skus: dict[str, str]) -> Json:
    now = datetime.now(UTC)
    commission = {"basis": "sales", "rate_bps": COMMISSION_BPS}
    return {
        "title": title,
        "opens_at": _instant(now),
        "closes_at": _instant(now + timedelta(hours=OPEN_HOURS)),
        "currency": CURRENCY,
        "leader_ids": [leader_id],
        "offers": [
            {"sku_id": skus[line.sku], "price": line.unit_price, "commission": commission}
            for line in lines
        ],
    }


def _order(order: Order, market: Market) -> Json:
    ship_to = {
        "name": f"Household {order.customer}",
        "phone": "+15135550100",
        "line1": f"{order.customer} Vine Street",
        "city": "Cincinnati",
        "postal_code": "45202",
        "country": "US",
    }
    return {
        "campaign_id": market.campaigns[order.leader, order.day],
        "leader_id": market.leaders[order.leader],
        "lines": [
            {"sku_id": market.skus[line.sku], "quantity": line.quantity} for line in order.lines
        ],
        "ship_to": ship_to,
        "payment_method": "leader_collect" if order.leader_collects else "card",
    }


def _instant(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
