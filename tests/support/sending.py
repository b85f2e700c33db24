"""A dispatch that ships in parcels, step by step."""

from typing import Any

from tests.support.dispatching import call, read
from tests.support.gateway import Answer
from tests.support.world import Api, Json, Sale, World, created


class Sending:
    """An accepted dispatch of three boxes at 10.00 with 10 % commission and a cost of 7.00 each."""

    def __init__(
        self, world: World, *, quantity: int = 3, sale: Sale | None = None, **terms: Any
    ) -> None:
        self.world, self.sale = world, sale or world.sale(stock=quantity + 7, **terms)
        (self.eggs,) = self.sale.sku_ids
        order = world.paid_order(self.sale, quantity=quantity)
        self.order_id, self.id = order["id"], order["dispatches"][0]["id"]
        world.move(self.id, "accept")

    @property
    def order(self) -> Json:
        return self.world.order(self.order_id)

    @property
    def now(self) -> Json:
        return read(self.world, self.id)

    def ship(self, number: str, units: int | None = None, **changes: Any) -> Answer:
        body: Json = {"carrier": "DHL", "tracking_number": number, **changes}
        if units is not None:
            body["lines"] = [{"sku_id": self.eggs, "quantity": units}]
        return call(self.world.operator, self.id, "ship", body)

    def parcel(self, number: str) -> Json:
        return next(each for each in self.now["parcels"] if each["tracking_number"] == number)

    def of_parcel(self, number: str, method: str, body: Json, caller: Api | None = None) -> Answer:
        path = f"/v1/dispatches/{self.id}/parcels/{self.parcel(number)['id']}"
        end = "/deliver" if method == "POST" else ""
        return (caller or self.world.operator).send(method, f"{path}{end}", body, {})

    def deliver(self, number: str, **body: Any) -> Answer:
        return self.of_parcel(number, "POST", body)

    def refund(self, **body: Any) -> Json:
        path = f"/v1/orders/{self.order_id}/refunds"
        return created(self.world.operator.post(path, {"reason": "broken", **body}))

    def refund_units(self, units: int, **body: Any) -> Json:
        return self.refund(lines=[{"sku_id": self.eggs, "quantity": units}], **body)

    def shares(self) -> tuple[int, int, int]:
        """What the supplier, the leader and the platform have of it."""
        books = self.world.trial_balance()
        names = (
            f"supplier:{self.sale.supplier_id}:payable",
            f"leader:{self.sale.leader_id}:pending",
            "platform:revenue",
        )
        return tuple(-books.get(name, 0) for name in names)  # type: ignore[return-value]
