"""Lists: newest first, a page at a time, with cursors that only their own list accepts."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from tests.functional.conftest import new_world
from tests.support.world import Api, Issuer, Json, Sale, World, created

HOOK = {"url": "http://127.0.0.1:9/hook"}


@dataclass
class Shelf:
    """Five of each kind of thing that lists show, and who may see them."""

    world: World
    sale: Sale
    supplier: Api
    stranger: Api
    made: dict[str, list[str]]

    def whole(self, path: str, caller: Api, limit: int) -> list[Json]:
        """Every item of a list, read page by page; no page may be longer than asked."""
        items: list[Json] = []
        cursor = ""
        while True:
            page = caller.get(f"{path}?limit={limit}{cursor}").json
            assert len(page["items"]) <= limit
            items += page["items"]
            if page["next_cursor"] is None:
                return items
            assert len(page["items"]) == limit
            cursor = f"&cursor={page['next_cursor']}"


@pytest.fixture(scope="module")
def shelf(issuer: Issuer) -> Iterator[Shelf]:
    with new_world(issuer) as world:
        sale = world.sale()
        supplier = world.supplier(sale.supplier_id)
        endpoint_id = add_endpoint(supplier)
        orders = several(lambda: paid(world, sale))
        world.work()
        made = {
            "/v1/suppliers": [sale.supplier_id, *several(world.add_supplier, 4)],
            "/v1/leaders": [sale.leader_id, *several(world.add_leader, 20)],
            "/v1/products": [
                sale.product_id,
                *several(lambda: world.add_product(sale.supplier_id)["id"], 4),
            ],
            "/v1/campaigns": [
                sale.campaign_id,
                *several(lambda: world.add_campaign(sale.sku_ids, [sale.leader_id])["id"], 4),
            ],
            "/v1/webhook-endpoints": [endpoint_id, *several(lambda: add_endpoint(supplier), 4)],
            "/v1/orders": orders,
            "/v1/dispatches": dispatches_of(world, orders),
        }
        several(lambda: supplier.post(f"/v1/webhook-endpoints/{endpoint_id}/test").json["id"])
        several(lambda: unmatched(world))
        stranger = world.supplier(made["/v1/suppliers"][1])
        yield Shelf(world, sale, supplier, stranger, made)


def add_endpoint(supplier: Api) -> str:
    return str(created(supplier.post("/v1/webhook-endpoints", HOOK))["id"])


def several(make: Callable[[], str], times: int = 5) -> list[str]:
    return [make() for _ in range(times)]


def paid(world: World, sale: Sale) -> str:
    order = world.place(sale)
    world.pay(order)
    return str(order["id"])


def dispatches_of(world: World, order_ids: list[str]) -> list[str]:
    return [world.order(each)["dispatches"][0]["id"] for each in order_ids]


_references = iter(range(10**6))


def unmatched(world: World) -> str:
    reference = f"ch_{next(_references)}"
    event = {"payment_id": "pay_0", "amount": 1, "currency": "EUR", "reference": reference}
    world.provider_event("payment.succeeded", event)
    return reference


NEWEST_FIRST = [
    "/v1/suppliers",
    "/v1/leaders",
    "/v1/products",
    "/v1/campaigns",
    "/v1/orders",
    "/v1/webhook-endpoints",
]
OTHERS = ["/v1/dispatches", "/v1/webhook-deliveries", "/v1/cases"]


@pytest.mark.parametrize("path", NEWEST_FIRST)
def test_a_list_shows_the_newest_first(shelf: Shelf, path: str) -> None:
    items = shelf.whole(path, shelf.world.operator, 100)
    assert [each["id"] for each in items] == shelf.made[path][::-1]


def test_the_feed_of_dispatches_alone_shows_the_oldest_first(shelf: Shelf) -> None:
    items = shelf.whole("/v1/dispatches", shelf.world.operator, 100)
    assert {each["id"] for each in items} == set(shelf.made["/v1/dispatches"])
    changes = [each["updated_at"] for each in items]
    assert changes == sorted(changes)


@pytest.mark.parametrize(
    ("path", "instant"), [("/v1/webhook-deliveries", "created_at"), ("/v1/cases", "opened_at")]
)
def test_what_has_derived_ids_is_listed_by_its_instant(
    shelf: Shelf, path: str, instant: str
) -> None:
    instants = [each[instant] for each in shelf.whole(path, shelf.world.operator, 100)]
    assert len(instants) >= 5
    assert instants == sorted(instants, reverse=True)


@pytest.mark.parametrize("path", [*NEWEST_FIRST, *OTHERS])
@pytest.mark.parametrize("limit", [1, 3, 5])
def test_pages_hold_every_item_once_and_in_order(shelf: Shelf, path: str, limit: int) -> None:
    operator = shelf.world.operator
    whole = shelf.whole(path, operator, 100)
    assert shelf.whole(path, operator, limit) == whole
    assert len({each["id"] for each in whole}) == len(whole)


def test_a_page_holds_twenty_unless_asked_otherwise(shelf: Shelf) -> None:
    page = shelf.world.operator.get("/v1/leaders").json
    assert len(page["items"]) == 20
    assert page["next_cursor"]


@pytest.mark.parametrize(
    "path", ["/v1/products", "/v1/dispatches", "/v1/webhook-endpoints", "/v1/webhook-deliveries"]
)
def test_a_supplier_pages_through_its_own(shelf: Shelf, path: str) -> None:
    mine = shelf.whole(path, shelf.supplier, 2)
    assert mine == shelf.whole(path, shelf.world.operator, 100)
    assert shelf.whole(path, shelf.stranger, 2) == []


def test_customers_and_leaders_page_through_their_own_orders(shelf: Shelf) -> None:
    expected = shelf.made["/v1/orders"][::-1]
    for caller in (shelf.world.customer(), shelf.world.leader(shelf.sale.leader_id)):
        assert [each["id"] for each in shelf.whole("/v1/orders", caller, 2)] == expected


def cursor_of(caller: Api, path: str) -> str:
    return str(caller.get(f"{path}?limit=1").json["next_cursor"])


def test_a_cursor_of_another_list_is_refused(shelf: Shelf) -> None:
    operator, lists = shelf.world.operator, (*NEWEST_FIRST, *OTHERS)
    cursors = {path: cursor_of(operator, path) for path in lists}
    for path, other in itertools.product(lists, lists):
        answer = operator.get(f"{path}?cursor={cursors[other]}")
        if other == path:
            assert answer.status == 200
        else:
            assert (answer.status, answer.code) == (400, "invalid_cursor"), (path, other)


def test_a_cursor_of_another_caller_is_refused(shelf: Shelf) -> None:
    world, path = shelf.world, "/v1/orders"
    callers = {
        "alice": world.customer(),
        "bob": world.customer("cus_bob"),
        "operator": world.operator,
        "another operator": world.caller("operator", "op_other"),
        "leader": world.leader(shelf.sale.leader_id),
        "a customer of the operator's name": world.customer("op_test"),
    }
    cursor = cursor_of(callers["alice"], path)
    for name, caller in callers.items():
        answer = caller.get(f"{path}?cursor={cursor}")
        assert answer.status == (200 if name == "alice" else 400), name


def test_a_cursor_that_was_touched_is_refused(shelf: Shelf) -> None:
    operator, path = shelf.world.operator, "/v1/orders"
    cursor = cursor_of(operator, path)
    for n in range(len(cursor)):
        changed = "B" if cursor[n] == "A" else "A"
        answer = operator.get(f"{path}?cursor={cursor[:n]}{changed}{cursor[n + 1 :]}")
        assert (answer.status, answer.code) == (400, "invalid_cursor"), n
    for cut in (cursor[:-4], cursor[4:], cursor + "AAAA"):
        assert operator.get(f"{path}?cursor={cut}").code == "invalid_cursor"
