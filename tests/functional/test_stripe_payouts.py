"""Payouts by Stripe: sent once, whatever becomes of a call, and looked for where none knows."""

from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import pytest
from pytest_httpserver import HTTPServer

from chalicelib.payments.providers import Refused
from chalicelib.payouts import transfers
from tests.functional.conftest import Clock, new_world
from tests.support.communities import balance
from tests.support.invariants import findings
from tests.support.lambdas import handle, invoke
from tests.support.payouts import (
    approve,
    earned,
    lift,
    make,
    payout_to,
    payouts_of,
    read,
    send,
    sent,
    tell,
    try_batch,
)
from tests.support.stripe_server import Accident, StripeServer
from tests.support.stripe_world import at_odds, connected
from tests.support.world import Issuer, Json, Sale, World

TRANSFER = r"POST /v1/transfers$"
LOOK = r"GET /v1/transfers$"


@pytest.fixture
def stripe(server: HTTPServer) -> StripeServer:
    return StripeServer(server)


@pytest.fixture
def world(issuer: Issuer, time: Clock, stripe: StripeServer) -> Iterator[World]:
    """A world with Stripe, which must agree with it in the end. Cards are not taken by it: its
    books hold the transfers alone."""
    with new_world(issuer) as made:
        yield made
        made.work()
        assert findings() == []
        with connected(stripe):
            assert at_odds(made, stripe) == []


@pytest.fixture
def sales(world: World, time: Clock, stripe: StripeServer) -> Iterator[list[Sale]]:
    """Leaders with 3.00 and 2.00 available, and an account at Stripe each; from then on there is
    Stripe."""
    found = earned(world, time, 3, 2)
    for n, sale in enumerate(found):
        body = {"holder": "Lena", "stripe_account": account(n)}
        path = f"/v1/leaders/{sale.leader_id}/payout-account"
        assert world.operator.put(path, body).status == 200
    with connected(stripe):
        yield found


def account(n: int) -> str:
    return f"acct_leader000{n}"


def asked(stripe: StripeServer) -> list[str | None]:
    """The idempotency keys of all transfers that were asked for."""
    return [
        key for method, path, key in stripe.asked if (method, path) == ("POST", "/v1/transfers")
    ]


def test_each_payout_is_a_transfer_under_its_own_id(
    world: World, stripe: StripeServer, sales: list[Sale]
) -> None:
    batch = sent(world, method="stripe")
    assert (batch["status"], batch["results"]["paid_amount"]) == ("closed", 500)
    made = {each["destination"]: each for each in stripe.transfers.values()}
    for n, sale in enumerate(sales):
        payout, transfer = payout_to(world, batch, sale.leader_id), made[account(n)]
        assert transfer["metadata"] == {"payout_id": payout["id"], "batch_id": batch["id"]}
        assert (transfer["transfer_group"], transfer["currency"]) == (payout["id"], "eur")
        assert (transfer["amount"], payout["amount"]) == (300 - 100 * n, 300 - 100 * n)
        assert (payout["status"], payout["reference"]) == ("paid", transfer["id"])
    assert sorted(map(str, asked(stripe))) == sorted(
        each["id"] for each in payouts_of(world, batch)
    )
    assert world.trial_balance()["cash:stripe"] == -500


def test_an_account_that_stripe_refuses_has_its_money_available_again(
    world: World, stripe: StripeServer, sales: list[Sale]
) -> None:
    stripe.closed_accounts.add(account(0))
    batch = sent(world, method="stripe")
    payout = payout_to(world, batch, sales[0].leader_id)
    assert (payout["status"], payout["reference"]) == ("failed", "account_invalid")
    assert balance(world, sales[0])["available"] == 300
    assert batch["status"] == "closed"


@pytest.mark.parametrize("accident", ["lose", "fail", "down"])
def test_what_stripe_did_not_answer_is_unknown_and_never_sent_again(
    world: World, time: Clock, stripe: StripeServer, sales: list[Sale], accident: Accident
) -> None:
    with stripe.accident(TRANSFER, accident):
        batch = sent(world, method="stripe")
    assert (batch["status"], batch["results"]["unknown"]) == ("sent", 1)
    for _ in range(20):
        time.move_on(minutes=6)
        invoke("payout_watch")
        world.work()
    keys = asked(stripe)
    assert len(keys) == len(set(keys)) == 2
    after = read(world, batch)
    if accident == "lose":
        assert (after["status"], after["results"]["paid"]) == ("closed", 2)
        return
    assert (after["status"], after["results"]["unknown"]) == ("sent", 1)
    (case,) = world.operator.get("/v1/cases").json["items"]
    unknown = next(each for each in payouts_of(world, batch) if each["status"] == "unknown")
    assert (case["kind"], case["subject"]) == ("payout_unknown", unknown["id"])
    time.move_on(minutes=10)
    assert tell(world, unknown, "failed", "not at Stripe").status == 200
    assert read(world, batch)["status"] == "closed"
    again = sent(world, method="stripe")
    assert again["results"]["paid"] == 1
    assert len(stripe.transfers) == 2


def test_a_look_that_is_not_answered_is_taken_again(
    world: World, time: Clock, stripe: StripeServer, sales: list[Sale]
) -> None:
    with stripe.accident(TRANSFER, "lose"):
        batch = sent(world, method="stripe")
    time.move_on(minutes=6)
    with stripe.accident(LOOK, "down"):
        invoke("payout_watch")
    assert read(world, batch)["results"]["unknown"] == 1
    time.move_on(minutes=6)
    invoke("payout_watch")
    assert read(world, batch)["status"] == "closed"


def test_calls_that_stripe_turns_away_come_again_with_their_page(
    world: World, stripe: StripeServer, sales: list[Sale]
) -> None:
    batch = make(world, method="stripe")
    approve(world, batch)
    send(world, batch)
    (begin,) = world.messages("PAYOUT_PAGE")
    assert handle("payout_page", begin) == []
    (page,) = world.messages("PAYOUT_PAGE")
    with stripe.accident(TRANSFER, "limit"):
        assert handle("payout_page", page) != []
    assert {each["status"] for each in payouts_of(world, batch)} == {"sent"}
    assert handle("payout_page", page) == []
    assert (read(world, batch)["status"], len(stripe.transfers)) == ("closed", 2)


class Died(BaseException):
    """The function ends here."""


@pytest.mark.parametrize("done", [False, True])
def test_a_function_that_dies_while_it_asks_leaves_a_doubt_and_no_second_transfer(
    world: World, time: Clock, stripe: StripeServer, sales: list[Sale], done: bool
) -> None:
    batch = make(world, method="stripe")
    approve(world, batch)
    send(world, batch)
    (begin,) = world.messages("PAYOUT_PAGE")
    handle("payout_page", begin)
    (page,) = world.messages("PAYOUT_PAGE")
    real = transfers.send

    def die(payout: Any) -> str:
        if done:
            real(payout)
        raise Died

    with mock.patch.object(transfers, "send", die), pytest.raises(Died):
        handle("payout_page", page)
    stripe.forget_keys()
    assert handle("payout_page", page) == []
    results = read(world, batch)["results"]
    assert (results["paid"], results["unknown"]) == ((2, 0) if done else (1, 1))
    assert len(stripe.transfers) == (2 if done else 1)
    if not done:
        unknown = next(each for each in payouts_of(world, batch) if each["status"] == "unknown")
        early = tell(world, unknown, "failed", "never sent")
        assert (early.status, early.code) == (409, "transfer_asked_for")
        time.move_on(minutes=10)
        assert tell(world, unknown, "failed", "never sent").status == 200


@pytest.mark.parametrize("status", ["failed", "returned"])
def test_nobody_gives_back_what_stripe_has_sent(
    world: World, stripe: StripeServer, sales: list[Sale], status: str
) -> None:
    with stripe.accident(TRANSFER, "lose"):
        batch = sent(world, method="stripe")
    unknown = next(each for each in payouts_of(world, batch) if each["status"] == "unknown")
    with stripe.accident(LOOK, "down"):
        assert tell(world, unknown, status, "I think so").status == 503
    refused = tell(world, unknown, status, "I think so")
    assert (refused.status, refused.code) == (409, "transfer_found")
    (transfer,) = (t for t in stripe.transfers.values() if t["transfer_group"] == unknown["id"])
    assert transfer["id"] in refused.json["detail"]
    assert tell(world, unknown, "paid", transfer["id"]).status == 200


def test_messages_that_come_twice_send_nothing_twice(
    world: World, stripe: StripeServer, sales: list[Sale]
) -> None:
    batch = sent(world, method="stripe")
    for data in ({}, {"page": 0}, {"page": 0}):
        assert handle("payout_page", {"subject": batch["id"], "data": data}) == []
    world.work()
    assert (len(stripe.transfers), len(asked(stripe))) == (2, 2)


def test_a_transfer_that_was_reversed_is_told_by_a_person(
    world: World, stripe: StripeServer, sales: list[Sale]
) -> None:
    batch = sent(world, method="stripe")
    payout = payout_to(world, batch, sales[0].leader_id)
    early = tell(world, payout, "returned", "it will be")
    assert (early.status, early.code) == (409, "transfer_found")
    assert balance(world, sales[0])["available"] == 0
    stripe.reverse(payout["reference"])
    told = tell(world, payout, "returned", f"reversal of {payout['reference']}")
    assert (told.status, balance(world, sales[0])["available"]) == (200, 300)
    assert lift(world, "leader", sales[0].leader_id).status == 200
    assert sent(world, method="stripe")["results"]["paid_amount"] == 300


def told_while_asked(
    world: World, batch: Json, tells: Callable[[Json], Any], *, refused: str = ""
) -> list[Any]:
    """What an operator is answered who tells results while Stripe is being asked, once for each
    payout; `refused` is Stripe's own answer, if it is none of a transfer."""
    approve(world, batch)
    send(world, batch)
    (begin,) = world.messages("PAYOUT_PAGE")
    handle("payout_page", begin)
    (page,) = world.messages("PAYOUT_PAGE")
    real, answers = transfers.send, []

    def slow(payout: Any) -> str:
        (shown,) = [each for each in payouts_of(world, batch) if each["id"] == payout.id]
        answers.append(tells(shown))
        if refused:
            raise Refused(refused)
        return real(payout)

    with mock.patch.object(transfers, "send", slow):
        assert handle("payout_page", page) == []
    world.work()
    return answers


@pytest.mark.parametrize("status", ["failed", "returned"])
def test_nobody_gives_back_what_stripe_is_being_asked_for(
    world: World, stripe: StripeServer, sales: list[Sale], status: str
) -> None:
    batch = make(world, method="stripe")
    answers = told_while_asked(world, batch, lambda payout: tell(world, payout, status, "mine"))
    assert [(each.status, each.code) for each in answers] == [(409, "transfer_asked_for")] * 2
    assert read(world, batch)["results"]["paid_amount"] == 500
    assert make(world, method="stripe")["payouts"] == 0
    assert len(stripe.transfers) == 2


def contradicted(world: World) -> set[str]:
    kinds = {"payout_contradicted"}
    found = world.operator.get("/v1/cases").json["items"]
    return {each["subject"] for each in found if each["kind"] in kinds}


def test_a_transfer_of_what_was_given_back_calls_a_person(
    world: World, time: Clock, stripe: StripeServer, sales: list[Sale]
) -> None:
    batch = make(world, method="stripe")

    def tells(payout: Json) -> Any:
        time.move_on(minutes=10)
        return tell(world, payout, "failed", "nothing there")

    answers = told_while_asked(world, batch, tells)
    assert [each.status for each in answers] == [200, 200]
    assert contradicted(world) == {each["id"] for each in payouts_of(world, batch)}
    for transfer_id in stripe.transfers:
        stripe.reverse(transfer_id)


def test_a_refusal_of_what_was_told_as_paid_calls_a_person_who_gives_it_back(
    world: World, time: Clock, stripe: StripeServer, sales: list[Sale]
) -> None:
    batch = make(world, method="stripe")
    told_while_asked(
        world, batch, lambda payout: tell(world, payout, "paid", "I saw it"), refused="no_account"
    )
    made = payouts_of(world, batch)
    assert contradicted(world) == {each["id"] for each in made}
    time.move_on(minutes=10)
    assert [tell(world, each, "returned", "it never went").status for each in made] == [200, 200]
    assert balance(world, sales[0])["available"] == 300


def test_what_stripe_was_never_asked_for_is_given_back_at_once(
    world: World, stripe: StripeServer, sales: list[Sale]
) -> None:
    batch = make(world, method="stripe")
    approve(world, batch)
    send(world, batch)
    for payout in payouts_of(world, batch):
        assert tell(world, payout, "failed", "not that account").status == 200
    world.work()
    assert (asked(stripe), read(world, batch)["status"]) == ([], "closed")


@pytest.mark.parametrize("currency", ["KWD", "UGX"])
def test_currencies_that_stripe_counts_otherwise_are_refused(
    world: World, sales: list[Sale], currency: str
) -> None:
    answer = try_batch(world, method="stripe", currency=currency)
    assert (answer.status, answer.json["errors"][0]["field"]) == (422, "currency")


def test_without_stripe_nothing_is_paid_by_it(world: World) -> None:
    answer: Json = try_batch(world, method="stripe")
    assert (answer.status, answer.json["errors"][0]["field"]) == (422, "method")


def test_a_leader_with_an_account_at_a_bank_alone_is_left_out(
    world: World, stripe: StripeServer, sales: list[Sale]
) -> None:
    body = {"holder": "Lena", "iban": "DE89370400440532013000"}
    path = f"/v1/leaders/{sales[1].leader_id}/payout-account"
    assert world.operator.put(path, body).status == 200
    batch = make(world, method="stripe")
    assert (batch["payouts"], batch["left_out"]) == (1, 1)
