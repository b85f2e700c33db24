"""Suppliers' money at once: fines never pass their cap, a fee is posted once, a deposit is held."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from unittest import mock

from chalicelib.dispatch import clocks
from chalicelib.kernel import clock
from chalicelib.kernel.errors import Stale
from chalicelib.suppliers import fees
from chalicelib.suppliers.owing import look
from tests.support.at_once import THREADS, at_once, each, outcomes
from tests.support.clouds import ALSO_IN_MEMORY, IN_MEMORY
from tests.support.gateway import Answer
from tests.support.invariants import findings
from tests.support.payouts import paid_and_refunded
from tests.support.unguarded import unguarded
from tests.support.world import World

ORDERS = 6


@contextmanager
def later(**time: float) -> Iterator[None]:
    """So much later, for the application."""
    real = clock.now

    def now() -> datetime:
        return real() + timedelta(**time)

    with mock.patch.object(clock, "now", now):
        yield


def agree(world: World, supplier_id: str, **terms: int) -> None:
    path = f"/v1/suppliers/{supplier_id}/settlement-terms"
    assert world.operator.put(path, {"basis": "cost", **terms}).status == 200


def balance(world: World, supplier_id: str, account: str) -> int:
    return int(world.operator.get(f"/v1/suppliers/{supplier_id}/balance").json[account])


def fine_at_once(world: World) -> tuple[int, list[str]]:
    """Six dispatches have missed a clock of 5.00, and are looked at until nothing is due; of a
    month at most 12.00 may be taken."""
    sale = world.sale()
    fine = {"on_missed": "fine", "fine_amount": 500, "deliver_by_hours": 720}
    assert world.operator.put(f"/v1/suppliers/{sale.supplier_id}/terms", fine).status == 200
    agree(world, sale.supplier_id, fine_cap=1200)
    orders = [world.paid_order(sale) for _ in range(ORDERS)]
    made = [order["dispatches"][0]["id"] for order in orders]

    def look(dispatch_id: str) -> None:
        for _ in range(3 * ORDERS):
            try:
                clocks.look_at(dispatch_id, clock.now())
            except Stale:
                continue  # the next sweep goes on with it
            return

    with later(hours=13):
        at_once(each(made, look))
        world.work()
        return -balance(world, sale.supplier_id, "payable"), findings()


@ALSO_IN_MEMORY
def test_fines_at_once_take_no_more_than_the_cap(world: World) -> None:
    assert fine_at_once(world) == (1200, [])


@IN_MEMORY
def test_control_the_rig_catches_fines_beyond_the_cap(world: World) -> None:
    with unguarded():
        taken, _ = fine_at_once(world)
    assert taken > 1200


def post_fees_at_once(world: World) -> tuple[int, list[str]]:
    """A year's fee of 10.00 is looked for by sixteen."""
    supplier_id = world.add_supplier()
    agree(world, supplier_id, annual_fee=1000)
    with later(days=1):
        at_once(each(range(THREADS), lambda _: fees.sweep(clock.now())))
        return balance(world, supplier_id, "owed"), findings()


@ALSO_IN_MEMORY
def test_a_years_fee_posted_by_sixteen_at_once_is_owed_once(world: World) -> None:
    assert post_fees_at_once(world) == (1000, [])


@IN_MEMORY
def test_control_the_rig_catches_a_fee_posted_twice(world: World) -> None:
    with unguarded():
        owed, found = post_fees_at_once(world)
    assert owed > 1000
    assert any(finding.startswith("party_balances: supplier:") for finding in found)


def reach_at_once(world: World) -> tuple[Counter[str], int, list[str]]:
    """Six first deliveries to a community whose fee is 3.00."""
    sale = world.sale()
    agree(world, sale.supplier_id, community_fee=300)
    made = [world.paid_order(sale)["dispatches"][0]["id"] for _ in range(ORDERS)]
    for dispatch_id in made:
        world.move(dispatch_id, "accept", "ship")

    def deliver(dispatch_id: str) -> Answer:
        return world.operator.post(f"/v1/dispatches/{dispatch_id}/deliver", {})

    answers = at_once(each(made, deliver))
    world.work()
    return outcomes(answers), balance(world, sale.supplier_id, "owed"), findings()


@ALSO_IN_MEMORY
def test_a_community_reached_by_six_deliveries_at_once_is_paid_for_once(world: World) -> None:
    assert reach_at_once(world) == ({"200": ORDERS}, 300, [])


@IN_MEMORY
def test_control_the_rig_catches_a_community_paid_for_twice(world: World) -> None:
    with unguarded():
        _, owed, _ = reach_at_once(world)
    assert owed > 300


def give_back_at_once(world: World) -> tuple[Counter[str], int, list[str]]:
    """Of a deposit of 10.00 sixteen times 3.00 are returned or drawn."""
    supplier_id = world.add_supplier()
    path = f"/v1/suppliers/{supplier_id}/deposits"
    assert world.operator.post(path, {"amount": 1000, "reference": "T1"}).status == 201

    def give(n: int) -> Answer:
        if n % 2:
            body = {"amount": 300, "reason": "spoilt", "pays": "damages"}
            return world.operator.post(f"{path}/draw", body)
        return world.operator.post(f"{path}/return", {"amount": 300, "reference": f"R{n}"})

    answers = at_once(each(range(THREADS), give))
    return outcomes(answers), balance(world, supplier_id, "deposit"), findings()


@ALSO_IN_MEMORY
def test_no_more_of_a_deposit_is_given_at_once_than_is_held(world: World) -> None:
    answered = {"201": 3, "409 more_than_deposited": 13}
    assert give_back_at_once(world) == (answered, 100, [])


@IN_MEMORY
def test_control_the_rig_catches_a_deposit_given_twice(world: World) -> None:
    with unguarded():
        answered, left, found = give_back_at_once(world)
    assert (answered, left) == ({"201": 16}, 1000 - 16 * 300)
    assert any("deposit has a debit of 3800" in finding for finding in found)


def book_at_once(world: World) -> tuple[Counter[str], int, list[str]]:
    """One transfer of 10.00 is told by sixteen."""
    supplier_id = world.add_supplier()
    path = f"/v1/suppliers/{supplier_id}/deposits"
    body = {"amount": 1000, "reference": "T1"}
    answers = at_once(each(range(THREADS), lambda _: world.operator.post(path, body)))
    return outcomes(answers), balance(world, supplier_id, "deposit"), findings()


@ALSO_IN_MEMORY
def test_one_transfer_told_sixteen_times_at_once_is_one_deposit(world: World) -> None:
    assert book_at_once(world) == ({"201": 1, "200": 15}, 1000, [])


def pay_at_once(world: World) -> tuple[Counter[str], int, list[str]]:
    """Of a debt of 7.00 sixteen times 3.00 are transferred, or drawn from a deposit."""
    supplier_id = paid_and_refunded(world).supplier_id
    path = f"/v1/suppliers/{supplier_id}"
    body = {"amount": 5000, "reference": "T1"}
    assert world.operator.post(f"{path}/deposits", body).status == 201

    def pay(n: int) -> Answer:
        if n % 2:
            body = {"amount": 300, "reason": "fines", "pays": "payable"}
            return world.operator.post(f"{path}/deposits/draw", body)
        return world.operator.post(f"{path}/remittances", {"amount": 300, "reference": f"R{n}"})

    answers = at_once(each(range(THREADS), pay))
    return outcomes(answers), balance(world, supplier_id, "payable"), findings()


@ALSO_IN_MEMORY
def test_no_more_of_a_debt_is_paid_at_once_than_is_owed(world: World) -> None:
    assert pay_at_once(world) == ({"201": 2, "409 more_than_owed": 14}, -100, [])


@IN_MEMORY
def test_control_the_rig_catches_a_debt_paid_beyond_itself(world: World) -> None:
    with unguarded():
        answered, left, _ = pay_at_once(world)
    assert (answered, left) == ({"201": 16}, 16 * 300 - 700)


def remit_at_once(world: World) -> tuple[Counter[str], int, list[str]]:
    """One transfer of 7.00 is told by sixteen."""
    supplier_id = paid_and_refunded(world).supplier_id
    path = f"/v1/suppliers/{supplier_id}/remittances"
    body = {"amount": 700, "reference": "T1"}
    answers = at_once(each(range(THREADS), lambda _: world.operator.post(path, body)))
    return outcomes(answers), balance(world, supplier_id, "payable"), findings()


@ALSO_IN_MEMORY
def test_one_transfer_told_sixteen_times_at_once_is_one_remittance(world: World) -> None:
    assert remit_at_once(world) == ({"201": 1, "200": 15}, 0, [])


@IN_MEMORY
def test_control_the_rig_catches_a_transfer_booked_twice(world: World) -> None:
    with unguarded():
        _, left, _ = remit_at_once(world)
    assert left > 0


def call_at_once(world: World) -> tuple[int, list[str]]:
    """Sixteen batches find one supplier in debt."""
    supplier_id = paid_and_refunded(world).supplier_id
    batches = [f"pob_{n}" for n in range(THREADS)]
    at_once(each(batches, lambda batch_id: look([supplier_id], "EUR", batch_id)))
    found = world.operator.get("/v1/cases").json["items"]
    return sum(case["kind"] == "supplier_owes" for case in found), findings()


@ALSO_IN_MEMORY
def test_a_person_is_called_once_about_a_debt_that_many_batches_find(world: World) -> None:
    assert call_at_once(world) == (1, [])


@IN_MEMORY
def test_control_the_rig_catches_a_debt_told_twice(world: World) -> None:
    with unguarded():
        told, _ = call_at_once(world)
    assert told > 1


def set_at_once(world: World) -> list[int]:
    supplier_id = world.add_supplier()
    path = f"/v1/suppliers/{supplier_id}/settlement-terms"
    bodies = [{"basis": "revenue_share", "fee_bps": 100 + n} for n in range(8)]
    at_once(each(bodies, lambda body: world.operator.put(path, body)))
    versions = world.operator.get(f"{path}/versions").json["items"]
    return sorted(version["version"] for version in versions)


@ALSO_IN_MEMORY
def test_terms_set_at_once_are_a_version_each(world: World) -> None:
    assert set_at_once(world) == list(range(1, 9))


@IN_MEMORY
def test_control_the_rig_catches_versions_that_overwrite_each_other(world: World) -> None:
    with unguarded():
        assert len(set_at_once(world)) < 8
