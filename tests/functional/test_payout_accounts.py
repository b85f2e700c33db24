"""Where parties are paid: judged, encrypted, and shown by its last four alone."""

import json
from typing import Any

import boto3
import pytest
from cryptography.exceptions import InvalidTag

from chalicelib.payouts import account_store, accounts
from chalicelib.payouts.rules import Party
from chalicelib.platform.sealing import seal, unseal
from chalicelib.platform.settings import settings
from tests.functional.conftest import Clock
from tests.support.payouts import IBAN, OTHER_IBAN, STRIPE_ACCOUNT, set_iban
from tests.support.process import forget_everything
from tests.support.snapshot import snapshot
from tests.support.world import World

HOLDER = "Wilhelmina Featherstonehaugh"


def put(world: World, leader_id: str, **body: Any) -> Any:
    return world.leader(leader_id).put(f"/v1/leaders/{leader_id}/payout-account", body)


def read(world: World, leader_id: str) -> Any:
    return world.operator.get(f"/v1/leaders/{leader_id}/payout-account").json


def test_an_account_is_shown_by_its_last_four(world: World) -> None:
    leader_id = world.add_leader()
    assert world.operator.get(f"/v1/leaders/{leader_id}/payout-account").status == 404
    answer = put(world, leader_id, holder=HOLDER, iban="DE89 3704 0044 0532 0130 00")
    assert answer.status == 200
    shown = {**answer.json, "changed_at": None}
    assert shown == {
        "kind": "iban",
        "holder": HOLDER,
        "last_four": "3000",
        "not_by_sepa": None,
        "changed_at": None,
        "changed_by": f"leader:{leader_id}",
    }
    assert read(world, leader_id) == answer.json


def test_a_supplier_sets_its_own_and_nobody_else_does(world: World) -> None:
    supplier_id, other_id = world.add_supplier(), world.add_supplier()
    path = f"/v1/suppliers/{supplier_id}/payout-account"
    body = {"holder": "Green Farm", "stripe_account": STRIPE_ACCOUNT}
    assert world.supplier(supplier_id).put(path, body).json["kind"] == "stripe"
    other = world.supplier(other_id)
    assert (other.put(path, body).status, other.get(path).status) == (404, 404)
    leader_id = world.add_leader()
    leaders = f"/v1/leaders/{leader_id}/payout-account"
    stranger = world.leader(world.add_leader())
    assert (stranger.put(leaders, body).status, stranger.get(leaders).status) == (404, 404)
    assert world.operator.put("/v1/leaders/ldr_none/payout-account", body).status == 404


def test_nothing_of_it_is_stored_in_the_clear(world: World) -> None:
    leader_id = world.add_leader()
    put(world, leader_id, holder=HOLDER, iban=IBAN, bic="COBADEFFXXX")
    put(world, leader_id, holder=HOLDER, iban=OTHER_IBAN)
    put(world, leader_id, holder=HOLDER, stripe_account=STRIPE_ACCOUNT)
    stored = str(snapshot(world.environment))
    secret = (IBAN, IBAN[4:], OTHER_IBAN, STRIPE_ACCOUNT, HOLDER, "COBADEFFXXX")
    assert [each for each in secret if each in stored] == []


def test_every_change_is_kept_with_who_and_when(world: World, time: Clock) -> None:
    leader_id = world.add_leader()
    put(world, leader_id, holder=HOLDER, iban=IBAN)
    time.move_on(hours=1)
    put(world, leader_id, holder=HOLDER, iban=IBAN)
    assert set_iban(world, "leader", leader_id, OTHER_IBAN).status == 200
    items = snapshot(world.environment)["PAYOUTS_TABLE"]
    kept = sorted(str(item) for item in items if "account#" in str(item))
    assert len(kept) == 2
    assert f"leader:{leader_id}" in kept[0]
    assert "operator:op_test" in kept[1]
    assert read(world, leader_id)["last_four"] == "2606"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"holder": HOLDER}, "stripe_account"),
        ({"holder": HOLDER, "iban": IBAN, "stripe_account": STRIPE_ACCOUNT}, "stripe_account"),
        ({"holder": HOLDER, "iban": "DE88370400440532013000"}, "iban"),
        ({"holder": HOLDER, "iban": "DE8937040044053201300"}, "iban"),
        ({"holder": HOLDER, "iban": "XX89370400440532013000"}, "iban"),
        ({"holder": HOLDER, "iban": ""}, "iban"),
        ({"holder": HOLDER, "iban": IBAN, "bic": "NOTABIC"}, "bic"),
        ({"holder": HOLDER, "stripe_account": STRIPE_ACCOUNT, "bic": "COBADEFFXXX"}, "bic"),
        ({"holder": HOLDER, "stripe_account": "cus_1032D82eZvKYlo2C"}, "stripe_account"),
        ({"holder": " ", "iban": IBAN}, "holder"),
        ({"holder": "x" * 71, "iban": IBAN}, "holder"),
        ({"iban": IBAN}, "holder"),
        ({"holder": HOLDER, "iban": IBAN, "swift": "x"}, "swift"),
    ],
)
def test_details_that_cannot_be_right_are_refused_without_repeating_them(
    world: World, body: Any, field: str
) -> None:
    leader_id = world.add_leader()
    before = snapshot(world.environment)
    answer = put(world, leader_id, **body)
    assert (answer.status, [each["field"] for each in answer.json["errors"]]) == (422, [field])
    assert not [each for each in body.values() if len(each) > 3 and each in answer.text]
    assert snapshot(world.environment) == before


@pytest.mark.parametrize("role", ["leader", "supplier"])
def test_nobody_is_paid_into_the_account_that_the_platform_pays_from(
    world: World, monkeypatch: pytest.MonkeyPatch, role: str
) -> None:
    monkeypatch.setenv("PAYER_IBAN", "nl91 ABNA 0417 1643 00")
    settings.cache_clear()
    party_id = world.add_leader() if role == "leader" else world.add_supplier()
    path = f"/v1/{role}s/{party_id}/payout-account"
    body = {"holder": HOLDER, "iban": "NL91 ABNA 0417 1643 00"}
    own = world.leader(party_id) if role == "leader" else world.supplier(party_id)
    for caller in (own, world.operator):
        refused = caller.put(path, body)
        assert (refused.status, refused.json["errors"]) == (
            422,
            [{"field": "iban", "message": "is the account that the platform pays from"}],
        )
    assert own.get(path).status == 404
    assert own.put(path, {"holder": HOLDER, "iban": IBAN}).status == 200


def test_check_digits_are_named_where_they_are_wrong(world: World) -> None:
    answer = put(world, world.add_leader(), holder=HOLDER, iban="DE88370400440532013000")
    assert "check digits" in answer.json["errors"][0]["message"]


def test_an_iban_of_a_bank_that_no_list_has_yet_is_taken(world: World) -> None:
    answer = put(world, world.add_leader(), holder=HOLDER, iban="BE68 5390 0754 7034")
    assert (answer.status, answer.json["last_four"]) == (200, "7034")


@pytest.mark.parametrize(
    ("iban", "said"),
    [
        ("DE8937040044053201300", "has 21 characters; an IBAN of DE has 22"),
        ("DE89 3704 0044 0532 0130 000", "has 23 characters; an IBAN of DE has 22"),
        ("NO93860111179470", "has 16 characters; an IBAN of NO has 15"),
        ("DE", "has 2 characters; an IBAN of DE has 22"),
        ("ZZ8937040044053201300", "of no country that has IBANs"),
        ("DE58X70400440532013000", "is not formed as IBANs of its country are"),
    ],
)
def test_an_iban_of_the_wrong_length_is_told_which_it_should_have(
    world: World, iban: str, said: str
) -> None:
    answer = put(world, world.add_leader(), holder=HOLDER, iban=iban)
    assert said in answer.json["errors"][0]["message"]


def rotate(keys: dict[str, str]) -> None:
    boto3.client("secretsmanager").put_secret_value(
        SecretId="PAYOUT_ACCOUNT_SECRET", SecretString=json.dumps(keys)
    )
    forget_everything()


def test_keys_are_rotated_while_the_old_ones_still_open_what_they_sealed(world: World) -> None:
    first, second = world.add_leader(), world.add_leader()
    put(world, first, holder=HOLDER, iban=IBAN)
    old = {"1": "PAYOUT_ACCOUNT_SECRET-for-tests-only"}
    try:
        rotate({"current": "2", "2": "another-for-tests-only", **old})
        put(world, second, holder=HOLDER, iban=IBAN)
        assert [read(world, each)["last_four"] for each in (first, second)] == ["3000", "3000"]
        of_each = [account_store.get_account(Party("leader", each)) for each in (first, second)]
        assert [each.sealed[:2] for each in of_each if each] == ["1.", "2."]
    finally:
        rotate({"current": "1", **old, "2": "another-for-tests-only"})


def test_what_is_sealed_opens_for_its_owner_alone(world: World) -> None:
    sealed = seal(accounts.SECRET, "text", "leader:ldr_1")
    assert unseal(accounts.SECRET, sealed, "leader:ldr_1") == "text"
    assert seal(accounts.SECRET, "text", "leader:ldr_1") != sealed
    with pytest.raises(InvalidTag):
        unseal(accounts.SECRET, sealed, "leader:ldr_2")
    with pytest.raises(InvalidTag):
        unseal(accounts.SECRET, f"{sealed[:-4]}AAA=", "leader:ldr_1")
    for key in ("3", "current"):
        with pytest.raises(LookupError):
            unseal(accounts.SECRET, f"{key}.{sealed.partition('.')[2]}", "leader:ldr_1")


@pytest.mark.parametrize("role", ["leader", "supplier"])
def test_each_change_is_listed_with_who_made_it(world: World, role: str) -> None:
    party_id = world.add_leader() if role == "leader" else world.add_supplier()
    path = f"/v1/{role}s/{party_id}/payout-account"
    assert world.operator.get(f"{path}/changes").json["items"] == []
    own = world.leader(party_id) if role == "leader" else world.supplier(party_id)
    for caller, iban in ((own, IBAN), (world.operator, OTHER_IBAN), (world.operator, OTHER_IBAN)):
        assert caller.put(path, {"holder": HOLDER, "iban": iban}).status == 200
    last = world.operator.get(f"{path}/changes?limit=1").json
    first = world.operator.get(f"{path}/changes?cursor={last['next_cursor']}").json
    shown = [
        (each["version"], each["last_four"], each["changed_by"].partition(":")[0])
        for each in (*last["items"], *first["items"])
    ]
    assert shown == [(2, OTHER_IBAN[-4:], "operator"), (1, IBAN[-4:], role)]
    assert first["next_cursor"] is None
    assert own.get(f"{path}/changes").status == 403
    assert world.operator.get(f"/v1/{role}s/none/payout-account/changes").status == 404
