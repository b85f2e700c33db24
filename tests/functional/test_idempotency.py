"""Idempotency keys, and the order in which a request is judged."""

from datetime import timedelta
from typing import Any

import pytest

from tests.functional.conftest import Clock
from tests.support.snapshot import snapshot
from tests.support.world import Sale, World, created

ORDERS = "/v1/orders"
SUPPLIER = {"name": "Green Farm", "email": "orders@green.example", "currency": "EUR"}


def test_a_repeat_is_given_the_first_answer_and_orders_nothing_again(world: World) -> None:
    sale, alice = world.sale(stock=5), world.customer()
    body = world.order_body(sale, 2)
    first = alice.post(ORDERS, body, key="basket-1")
    before = snapshot(world.environment)
    again = alice.post(ORDERS, body, key="basket-1")
    assert (again.status, again.json) == (201, first.json)
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert snapshot(world.environment) == before
    assert world.stock(sale.sku_ids[0])["reserved"] == 2
    assert len(alice.get(ORDERS).json["items"]) == 1


def test_the_first_answer_comes_again_even_when_the_order_has_moved_on(world: World) -> None:
    sale, alice = world.sale(), world.customer()
    body = world.order_body(sale)
    first = alice.post(ORDERS, body, key="basket-1")
    world.pay(first.json)
    again = alice.post(ORDERS, body, key="basket-1")
    assert again.json["status"] == "pending_payment"
    assert world.order(first.json["id"])["status"] == "paid"


def test_the_order_of_fields_and_white_space_do_not_make_another_request(world: World) -> None:
    raw = b'{ "currency":"EUR",\n "email": "orders@green.example", "name": "Green Farm"}'
    first = created(world.operator.post("/v1/suppliers", SUPPLIER, key="one"))
    again = world.operator.post("/v1/suppliers", raw, key="one")
    assert (again.status, again.json["id"]) == (201, first["id"])


def test_a_key_with_another_body_or_path_is_refused(world: World) -> None:
    first = created(world.operator.post("/v1/suppliers", SUPPLIER, key="one"))
    before = snapshot(world.environment)
    other = world.operator.post("/v1/suppliers", {**SUPPLIER, "name": "Blue Farm"}, key="one")
    assert (other.status, other.code) == (422, "idempotency_key_reused")
    path = world.operator.post(f"/v1/suppliers/{first['id']}/api-keys", SUPPLIER, key="one")
    assert (path.status, path.code) == (422, "idempotency_key_reused")
    assert snapshot(world.environment) == before


def test_the_same_key_on_two_orders_paths_is_two_requests(world: World) -> None:
    """The fingerprint has the concrete path, not the route's pattern."""
    sale = world.sale()
    one, two = world.place(sale), world.place(sale)
    assert world.operator.post(f"{ORDERS}/{one['id']}/cancel", {}, key="c").status == 200
    other = world.operator.post(f"{ORDERS}/{two['id']}/cancel", {}, key="c")
    assert (other.status, other.code) == (422, "idempotency_key_reused")
    assert world.order(two["id"])["status"] == "pending_payment"


def test_a_key_belongs_to_one_caller(world: World) -> None:
    sale = world.sale()
    body = world.order_body(sale)
    alice = created(world.customer("cus_alice").post(ORDERS, body, key="same"))
    bob = world.customer("cus_bob").post(ORDERS, body, key="same")
    assert bob.status == 201
    assert "idempotent-replayed" not in bob.headers
    assert bob.json["id"] != alice["id"]
    assert bob.json["customer_id"] == "cus_bob"


def test_callers_of_one_name_and_two_roles_share_no_key(world: World) -> None:
    leader_id = world.add_leader()
    sale = world.sale(leader_id=leader_id)
    order = world.place(sale, payment_method="leader_collect")
    path, body = f"{ORDERS}/{order['id']}/payments", {"amount": 1, "reference": "r"}
    assert world.leader(leader_id).post(path, body, key="k").status == 422
    assert world.caller("operator", leader_id).post(path, body, key="k").code == "amount_mismatch"


def test_a_key_lives_for_at_least_24_hours(world: World, time: Clock) -> None:
    first = created(world.operator.post("/v1/suppliers", SUPPLIER, key="one"))
    time.move_on(hours=24)
    assert world.operator.post("/v1/suppliers", SUPPLIER, key="one").json["id"] == first["id"]


@pytest.mark.parametrize(
    "path",
    [
        ORDERS,
        f"{ORDERS}/ord_x/refunds",
        "/v1/refunds/rfd_x/retry",
        "/v1/leaders/ldr_x/remittances",
        "/v1/leaders/ldr_x/remittances/rem_x/reverse",
    ],
)
def test_a_key_is_required_where_money_or_stock_moves(world: World, path: str) -> None:
    caller = world.customer() if path == ORDERS else world.operator
    answer = caller.send("POST", path, {}, {})
    assert (answer.status, answer.code) == (400, "idempotency_key_missing")


@pytest.mark.parametrize(
    "key", ["", " ", "with space", "tab\there", "caf\u00e9", "\u00a0", "k" * 256]
)
def test_a_key_that_is_not_visible_ascii_is_malformed(world: World, key: str) -> None:
    answer = world.customer().send("POST", ORDERS, {}, {"Idempotency-Key": key})
    assert (answer.status, answer.code) == (400, "idempotency_key_malformed")


@pytest.mark.parametrize("key", ["!", "~" * 255, "a/b?c=d&e", '{"json": 1}'.replace(" ", "")])
def test_any_255_visible_ascii_characters_are_a_key(world: World, key: str) -> None:
    first = created(world.operator.post("/v1/suppliers", SUPPLIER, key=key))
    assert world.operator.post("/v1/suppliers", SUPPLIER, key=key).json["id"] == first["id"]


def test_a_refused_request_may_be_tried_again_with_its_key(world: World) -> None:
    sale, alice = world.sale(stock=1), world.customer()
    body = world.order_body(sale, 3)
    lost = alice.post(ORDERS, body, key="basket-1")
    assert (lost.status, lost.code) == (409, "out_of_stock")
    world.set_stock(sale.sku_ids[0], 3)
    won = alice.post(ORDERS, body, key="basket-1")
    assert won.status == 201
    assert "idempotent-replayed" not in won.headers


def test_a_refused_request_leaves_its_key_free_for_another_body(world: World) -> None:
    assert world.operator.post("/v1/suppliers", {}, key="one").status == 422
    assert world.operator.post("/v1/suppliers", SUPPLIER, key="one").status == 201


def test_an_answer_without_effect_is_the_first_answer_too(world: World) -> None:
    """Accepting what is accepted changes nothing, yet the key has been answered with it."""
    order = world.paid_order(world.sale())
    dispatch_id = order["dispatches"][0]["id"]
    path = f"/v1/dispatches/{dispatch_id}/accept"
    world.operator.post(path, {}, key="first")
    idle = world.operator.post(path, {}, key="second")
    world.move(dispatch_id, "ship")
    again = world.operator.post(path, {}, key="second")
    assert (again.status, again.json) == (200, idle.json)
    assert again.headers["idempotent-replayed"] == "true"


def posts(world: World, sale: Sale) -> dict[str, Any]:
    """One call of each POST that takes a key, with what it needs to succeed: path by body."""
    paid = world.paid_order(sale)
    dispatch_id = paid["dispatches"][0]["id"]
    collected = world.place(sale, payment_method="leader_collect")
    unpaid, refundable = world.place(sale), world.paid_order(sale)
    pending = created(
        world.supplier(sale.supplier_id).post(
            "/v1/products",
            {
                "supplier_id": sale.supplier_id,
                "title": "Milk",
                "currency": "EUR",
                "skus": [{"title": "1 l", "list_price": 150, "cost": 90}],
            },
        )
    )
    return {
        "/v1/suppliers": SUPPLIER,
        f"/v1/products/{pending['id']}/approve": None,
        f"{ORDERS}/{unpaid['id']}/cancel": {"reason": "changed my mind"},
        f"{ORDERS}/{collected['id']}/payments": {"amount": 1000, "reference": "cash 1"},
        f"/v1/leaders/{sale.leader_id}/remittances": {"amount": 400, "reference": "R1"},
        f"{ORDERS}/{refundable['id']}/refunds": {
            "lines": [{"sku_id": sale.sku_ids[0], "quantity": 1}],
            "reason": "broken",
        },
        f"/v1/dispatches/{dispatch_id}/accept": {},
        f"/v1/dispatches/{dispatch_id}/ship": {"carrier": "DHL", "tracking_number": "T1"},
        f"/v1/dispatches/{dispatch_id}/deliver": {},
    }


def test_every_post_that_has_an_effect_honours_its_key(world: World) -> None:
    for path, body in posts(world, world.sale()).items():
        first = world.operator.post(path, body, key=f"key of {path}".replace(" ", "-"))
        assert 200 <= first.status < 300, (path, first.text)
        before = snapshot(world.environment)
        again = world.operator.post(path, body, key=f"key of {path}".replace(" ", "-"))
        assert (again.status, again.json) == (first.status, first.json), path
        assert again.headers["idempotent-replayed"] == "true", path
        assert snapshot(world.environment) == before, path


class Judged:
    """A request that is wrong in every way; each right thing brings the next wrong one to light."""

    def __init__(self, world: World) -> None:
        self.world, self.sale = world, world.sale()
        self.order = world.paid_order(self.sale)
        self.path = f"/v1/dispatches/{self.order['dispatches'][0]['id']}/ship"
        self.good = {"carrier": "DHL", "tracking_number": "T1"}


def test_a_request_is_judged_credentials_role_key_body_ownership_state(world: World) -> None:
    judged = Judged(world)
    bad_key = {"Idempotency-Key": "not visible"}
    stranger = world.supplier(world.add_supplier())
    owner = world.supplier(judged.sale.supplier_id)
    nobody = world.anyone.send("POST", judged.path, b"{", bad_key)
    assert nobody.status == 401
    assert world.customer().send("POST", judged.path, b"{", bad_key).status == 403
    assert stranger.send("POST", judged.path, b"{", bad_key).code == "idempotency_key_malformed"
    assert stranger.send("POST", judged.path, b"{", {"Idempotency-Key": "k"}).status == 400
    assert stranger.post(judged.path, {"carrier": ""}).status == 422
    assert stranger.post(judged.path, judged.good).status == 404
    early = owner.post(judged.path, judged.good)
    assert (early.status, early.code) == (409, "invalid_transition")


def test_a_reused_key_is_judged_before_the_body_and_before_what_it_names(world: World) -> None:
    created(world.operator.post("/v1/suppliers", SUPPLIER, key="one"))
    answer = world.operator.post("/v1/suppliers", {"name": 7}, key="one")
    assert (answer.status, answer.code) == (422, "idempotency_key_reused")
    sale, alice = world.sale(), world.customer()
    alice.post(ORDERS, world.order_body(sale), key="basket")
    wrong = alice.post(ORDERS, {"campaign_id": 7}, key="basket")
    assert (wrong.status, wrong.code) == (422, "idempotency_key_reused")
    lost = alice.post(ORDERS, world.order_body(sale, 9999), key="basket")
    assert (lost.status, lost.code) == (422, "idempotency_key_reused")


def test_a_key_that_has_expired_may_be_used_for_another_request(world: World, time: Clock) -> None:
    created(world.operator.post("/v1/suppliers", SUPPLIER, key="one"))
    time.move_on(days=timedelta(days=8).days)
    other = world.operator.post("/v1/suppliers", {**SUPPLIER, "name": "Blue Farm"}, key="one")
    assert (other.status, other.json["name"]) == (201, "Blue Farm")
