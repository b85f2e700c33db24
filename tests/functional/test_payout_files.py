"""Files for banks: valid by their schema, the same bytes each time, and never a formula."""

import csv
import io
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from importlib.resources import files as resources

import pytest
import xmlschema

from chalicelib.payouts import files
from tests.functional.conftest import Clock, new_world
from tests.support.gateway import Answer
from tests.support.invariants import findings
from tests.support.payouts import (
    IBAN,
    OTHER_IBAN,
    approve,
    earned,
    make,
    payouts_of,
    send,
    set_iban,
)
from tests.support.world import Issuer, Json, Sale, World

PAYER = {
    "PAYER_NAME": "Tuan Märkte GmbH",
    "PAYER_IBAN": "NL91ABNA0417164300",
    "PAYER_BIC": "ABNANL2A",
}


@pytest.fixture
def world(issuer: Issuer, time: Clock) -> Iterator[World]:
    """A world that pays from an account."""
    with new_world(issuer, **PAYER) as made:
        yield made
        assert findings() == []


def file(world: World, batch: Json, form: str = "pain.001", part: int = 1) -> Answer:
    path = f"/v1/payout-batches/{batch['id']}/file?format={form}&part={part}"
    return world.operator.get(path)


def two_with_accounts(world: World, time: Clock) -> tuple[Json, list[Sale]]:
    """An approved batch of 3.00 and 2.00; a third leader has no account."""
    first, second, _ = sales = earned(world, time, 3, 2, 1)
    assert set_iban(world, "leader", first.leader_id, IBAN).status == 200
    body = {"holder": "=Zoë O'Neil & Søn", "iban": OTHER_IBAN, "bic": "PSSTFRPPXXX"}
    path = f"/v1/leaders/{second.leader_id}/payout-account"
    assert world.operator.put(path, body).status == 200
    batch = make(world, method="bank_file")
    assert (batch["payouts"], batch["left_out"], batch["amount"]) == (2, 1, 500)
    assert approve(world, batch).status == 200
    return batch, sales


def texts(document: ET.Element, tag: str) -> list[str]:
    return [node.text or "" for node in document.iter(f"{{{files.NAMESPACE}}}{tag}")]


def test_pain_001_is_valid_and_says_whom_to_pay_what(world: World, time: Clock) -> None:
    batch, _ = two_with_accounts(world, time)
    answer = file(world, batch)
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/xml; charset=utf-8"
    schema = resources("sepaxml") / "schemas" / f"{files.SCHEMA}.xsd"
    xmlschema.XMLSchema(schema.read_text()).validate(answer.text)
    document = ET.fromstring(answer.text)
    payouts = {each["id"]: each for each in payouts_of(world, batch)}
    assert set(texts(document, "EndToEndId")) == set(payouts)
    assert texts(document, "CtrlSum") == ["5.00", "5.00"]
    assert texts(document, "NbOfTxs") == ["2", "2"]
    assert sorted(texts(document, "InstdAmt")) == ["2.00", "3.00"]
    assert set(texts(document, "IBAN")) == {IBAN, OTHER_IBAN, PAYER["PAYER_IBAN"]}
    assert set(texts(document, "BICFI")) == {"PSSTFRPPXXX", "ABNANL2A"}
    assert texts(document, "MsgId") == [f"{batch['id']}-1"]
    assert texts(document, "Dt") == [batch["made_at"][:10]]


def test_a_file_is_the_same_bytes_each_time(world: World, time: Clock) -> None:
    batch, sales = two_with_accounts(world, time)
    first = [file(world, batch, form).text for form in ("pain.001", "csv")]
    set_iban(world, "leader", sales[0].leader_id, OTHER_IBAN)
    time.move_on(days=3)
    assert send(world, batch).status == 200
    assert [file(world, batch, form).text for form in ("pain.001", "csv")] == first


def test_csv_names_each_payout_and_is_never_a_formula(world: World, time: Clock) -> None:
    batch, sales = two_with_accounts(world, time)
    answer = file(world, batch, "csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = {row["payee"]: row for row in csv.DictReader(io.StringIO(answer.text.lstrip("\ufeff")))}
    assert set(rows) == {sale.leader_id for sale in sales[:2]}
    row = rows[sales[1].leader_id]
    assert (row["holder"], row["iban"], row["bic"], row["amount"], row["currency"]) == (
        "'=Zoë O'Neil & Søn",
        OTHER_IBAN,
        "PSSTFRPPXXX",
        "2.00",
        "EUR",
    )


def test_there_is_no_file_before_the_approval(world: World, time: Clock) -> None:
    (sale,) = earned(world, time, 1)
    set_iban(world, "leader", sale.leader_id)
    batch = make(world, method="bank_file")
    for form in ("pain.001", "csv"):
        assert (file(world, batch, form).status, file(world, batch, form).code) == (
            409,
            "batch_not_approved",
        )
    approve(world, batch)
    assert file(world, batch).status == 200
    beyond = file(world, batch, part=2)
    assert (beyond.status, beyond.json["errors"][0]["field"]) == (422, "part")
    world.operator.post(f"/v1/payout-batches/{batch['id']}/cancel")
    assert file(world, batch).code == "batch_not_approved"
    world.work()


def test_by_hand_there_is_a_list_and_no_pain_001(world: World, time: Clock) -> None:
    earned(world, time, 1)
    batch = make(world)
    approve(world, batch)
    assert file(world, batch).code == "not_by_bank_file"
    (row,) = csv.DictReader(io.StringIO(file(world, batch, "csv").text.lstrip("\ufeff")))
    assert (row["iban"], row["amount"]) == ("", "1.00")


def test_without_an_account_to_pay_from_there_is_no_pain_001(
    world: World, time: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch, _ = two_with_accounts(world, time)
    monkeypatch.setattr(files, "settings", lambda: type("Nobody", (), dict.fromkeys(PAY, "")))
    assert file(world, batch).code == "payer_not_set"
    assert file(world, batch, "csv").status == 200


PAY = ("payer_name", "payer_iban", "payer_bic")
