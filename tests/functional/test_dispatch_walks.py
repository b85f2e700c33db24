"""Orders that go any way there is: every step is done or refused, and all adds up after each."""

import random
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from chalicelib.kernel import clock
from tests.functional.conftest import Clock
from tests.support.gateway import Answer
from tests.support.invariants import findings
from tests.support.world import Json, Sale, World

STEPS = 30
SUPPLIED = 8
REASONS = ("damaged", "out_of_stock", "no van", "other")


@dataclass
class Walk:
    """Two suppliers' goods in one order, an alternate for one of them, and chance."""

    world: World
    time: Clock
    chance: random.Random
    order_id: str
    sale: Sale

    @property
    def order(self) -> Json:
        return self.world.order(self.order_id)

    def dispatch(self) -> Json:
        shown = self.chance.choice(self.order["dispatches"])
        return self.world.operator.get(f"/v1/dispatches/{shown['id']}").json

    def some(self, lines: list[Json]) -> list[Json]:
        """Some units of some lines; now and then more than there are."""
        chosen = self.chance.sample(lines, self.chance.randint(1, len(lines)))
        return [
            {"sku_id": line["sku_id"], "quantity": self.chance.randint(1, line["quantity"] or 1)}
            for line in chosen
        ]

    def call(self, verb: str, body: Json) -> Answer:
        dispatch = self.dispatch()
        if self.chance.random() < 0.6 and dispatch["lines"]:
            body = {**body, "lines": self.some(dispatch["lines"])}
        return self.world.operator.send("POST", f"/v1/dispatches/{dispatch['id']}/{verb}", body, {})

    def accept(self) -> Answer:
        return self.call("accept", {})

    def reject(self) -> Answer:
        return self.call("reject", {"reason": self.chance.choice(REASONS)})

    def ship(self) -> Answer:
        number = f"T{self.chance.randint(1, 4)}"
        return self.call("ship", {"carrier": "DHL", "tracking_number": number})

    def deliver(self) -> Answer:
        dispatch = self.dispatch()
        path = f"/v1/dispatches/{dispatch['id']}"
        if dispatch["parcels"] and self.chance.random() < 0.7:
            path += f"/parcels/{self.chance.choice(dispatch['parcels'])['id']}"
        return self.world.operator.send("POST", f"{path}/deliver", {}, {})

    def refund(self) -> Answer:
        body: Json = {"reason": "broken"}
        if self.chance.random() < 0.5:
            body["amount"] = self.chance.randint(1, 1500)
        else:
            body["lines"] = self.some(self.order["lines"])
            body["restock"] = self.chance.random() < 0.3
        return self.world.operator.post(f"/v1/orders/{self.order_id}/refunds", body)

    def dispute(self) -> Answer:
        path = f"/v1/dispatches/{self.dispatch()['id']}/disputes"
        return self.world.customer().send("POST", path, {"reason": "Nothing came."}, {})

    def resolve(self) -> Answer:
        dispatch = self.dispatch()
        disputes = [each["dispute_id"] for each in dispatch["parcels"] if each["dispute_id"]]
        dispute_id = self.chance.choice([*disputes, "dpt_0"])
        body = {"outcome": self.chance.choice(["upheld", "dismissed"]), "note": "seen"}
        path = f"/v1/dispatches/{dispatch['id']}/disputes/{dispute_id}/resolve"
        return self.world.operator.send("POST", path, body, {})

    def settle(self) -> Answer:
        self.time.move_on(days=self.chance.randint(1, 4))
        day = clock.day_before(clock.now().date()).isoformat()
        return self.world.operator.post("/v1/settlement-runs", {"business_date": day})


def begin(world: World, time: Clock, seed: int) -> Walk:
    sale, other = world.sale(price=333, stock=SUPPLIED), world.sale(price=777, stock=SUPPLIED)
    sku_ids = [*sale.sku_ids, *other.sku_ids]
    campaign = world.add_campaign(sku_ids, [sale.leader_id], price=555, rate_bps=1250)
    alternate = world.add_product(world.add_supplier(), cost=450)["skus"][0]["id"]
    world.set_stock(alternate, SUPPLIED)
    world.operator.patch(f"/v1/skus/{alternate}", {"alternate_of": sku_ids[0]})
    both = Sale(sale.supplier_id, sale.leader_id, campaign["id"], "", sku_ids)
    order = world.paid_order(both, quantity=5)
    return Walk(world, time, random.Random(seed), order["id"], both)


@pytest.mark.parametrize("seed", range(3))
def test_whatever_becomes_of_an_order_adds_up(world: World, time: Clock, seed: int) -> None:
    walk = begin(world, time, seed)
    likely: list[tuple[Callable[[], Answer], int]] = [
        (walk.accept, 2),
        (walk.reject, 1),
        (walk.ship, 4),
        (walk.deliver, 4),
        (walk.refund, 2),
        (walk.dispute, 2),
        (walk.resolve, 2),
        (walk.settle, 1),
    ]
    steps, weights = zip(*likely, strict=True)
    done = 0
    for _ in range(STEPS):
        (step,) = walk.chance.choices(steps, weights)
        answer = step()
        assert answer.status in (200, 201, 202, 404, 409, 422), answer.text
        done += answer.status < 300
        world.work()
        assert findings() == [], step
    assert done >= 5
