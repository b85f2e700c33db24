"""A file of SEPA transfers asks a bank only for what SEPA takes."""

import xml.etree.ElementTree as ET
from typing import Any

import pytest
from stdnum import numdb

from chalicelib.payouts import files, sepa
from chalicelib.platform.settings import settings
from tests.functional.conftest import Clock
from tests.functional.test_payout_previews import left_out
from tests.support.payouts import IBAN, PAYER, earned, make, payouts_of, sent, try_batch
from tests.support.world import World

SAUDI = "SA0380000000608010167519"
BRITISH, SWISS = "GB29NWBK60161331926819", "CH9300762011623852957"


@pytest.fixture
def deployed_with() -> dict[str, str]:
    """The world pays from an account."""
    return PAYER


def pay_to(world: World, leader_id: str, iban: str, bic: str | None = None) -> Any:
    body = {"holder": "Lena Wolf", "iban": iban} | ({"bic": bic} if bic else {})
    answer = world.operator.put(f"/v1/leaders/{leader_id}/payout-account", body)
    assert answer.status == 200, answer.text
    return answer.json


def test_what_sepa_does_not_take_is_in_no_file_and_named(world: World, time: Clock) -> None:
    saudi, british, swiss, german = (sale.leader_id for sale in earned(world, time, 3, 4, 5, 6))
    assert pay_to(world, saudi, SAUDI, "NCBKSAJE")["not_by_sepa"] == "not_in_sepa"
    assert pay_to(world, british, BRITISH)["not_by_sepa"] == "bic_missing"
    assert pay_to(world, swiss, SWISS, "UBSWCHZH80A")["not_by_sepa"] is None
    assert pay_to(world, german, IBAN)["not_by_sepa"] is None
    batch = sent(world, method="bank_file")
    assert left_out(world, batch) == {saudi: ("not_in_sepa", 300), british: ("bic_missing", 400)}
    assert (batch["payouts"], batch["amount"], batch["left_out"]) == (2, 1100, 2)
    answer = world.operator.get(f"/v1/payout-batches/{batch['id']}/file")
    paid = ET.fromstring(answer.text).iter(f"{{{files.NAMESPACE}}}CdtrAcct")
    assert {"".join(each.itertext()) for each in paid} == {SWISS, IBAN}


def test_with_its_bank_said_it_is_in_the_next_batch(world: World, time: Clock) -> None:
    (sale,) = earned(world, time, 3)
    pay_to(world, sale.leader_id, BRITISH)
    assert make(world, method="bank_file")["left_out"] == 1
    assert pay_to(world, sale.leader_id, BRITISH, "NWBKGB2L")["not_by_sepa"] is None
    assert make(world, method="bank_file")["payouts"] == 1


def test_what_is_no_sepa_transfer_pays_into_any_country(world: World, time: Clock) -> None:
    (sale,) = earned(world, time, 3)
    pay_to(world, sale.leader_id, SAUDI)
    assert [each["amount"] for each in payouts_of(world, make(world, method="manual"))] == [300]


def test_a_platform_whose_account_is_not_in_sepa_pays_by_no_file(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAYER_IBAN", SAUDI)
    settings.cache_clear()
    refused = try_batch(world, method="bank_file")
    assert (refused.status, refused.code) == (409, "payer_not_valid")
    assert "PayerIban is of a country that is not in SEPA" in refused.text


def test_each_country_of_sepa_has_ibans_and_is_in_one_list() -> None:
    has_ibans = numdb.get("iban")
    for country in sepa.IN_EEA | sepa.WITH_BIC:
        assert has_ibans.info(country)[0][1].get("bban"), country
    assert not sepa.IN_EEA & sepa.WITH_BIC
    # The Council counts 41 countries; Gibraltar, a territory of one, has IBANs of its own.
    assert len(sepa.IN_EEA | sepa.WITH_BIC) == 41 + 1
