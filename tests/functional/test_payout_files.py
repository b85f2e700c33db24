"""Files for banks: valid by their schema, the same bytes each time, and never a formula."""

import csv
import io
import string
import xml.etree.ElementTree as ET
from dataclasses import replace
from importlib.resources import files as resources

import pytest
import xmlschema

from chalicelib.payouts import batch_store, files
from chalicelib.payouts.rules import MOST_PARTS
from chalicelib.platform.settings import settings
from chalicelib.reconciliation.lines import own_ids, payout_id
from tests.functional.conftest import Clock
from tests.support.gateway import Answer
from tests.support.payouts import (
    IBAN,
    OTHER_IBAN,
    PAYER,
    approve,
    cancel,
    earned,
    make,
    payout_to,
    payouts_of,
    read,
    send,
    sent,
    set_iban,
    tell,
    try_batch,
)
from tests.support.world import Json, Sale, World


@pytest.fixture
def deployed_with() -> dict[str, str]:
    """The world pays from an account."""
    return PAYER


def file(world: World, batch: Json, form: str = "pain.001", part: int = 1) -> Answer:
    path = f"/v1/payout-batches/{batch['id']}/file?format={form}&part={part}"
    return world.operator.get(path)


def two_with_accounts(world: World, time: Clock) -> tuple[Json, list[Sale]]:
    """A batch of 3.00 and 2.00 that was sent; a third leader has no account."""
    first, second, _ = sales = earned(world, time, 3, 2, 1)
    assert set_iban(world, "leader", first.leader_id, IBAN).status == 200
    body = {"holder": "=Zoë O'Neil & Søn", "iban": OTHER_IBAN, "bic": "PSSTFRPPXXX"}
    path = f"/v1/leaders/{second.leader_id}/payout-account"
    assert world.operator.put(path, body).status == 200
    batch = make(world, method="bank_file")
    assert (batch["payouts"], batch["left_out"], batch["amount"]) == (2, 1, 500)
    assert approve(world, batch).status == send(world, batch).status == 200
    return read(world, batch), sales


def texts(document: ET.Element, tag: str) -> list[str]:
    return [node.text or "" for node in document.iter(f"{{{files.NAMESPACE}}}{tag}")]


def test_pain_001_is_valid_and_says_whom_to_pay_what(world: World, time: Clock) -> None:
    batch, _ = two_with_accounts(world, time)
    answer = file(world, batch)
    assert answer.status == 200, answer.text
    assert answer.headers["content-type"] == "application/xml; charset=utf-8"
    schema = resources("sepaxml") / "schemas" / f"{files.SCHEMA}.xsd"
    xmlschema.XMLSchema(schema.read_text()).validate(answer.text)
    document = ET.fromstring(answer.text)
    payouts = {each["id"]: each for each in payouts_of(world, batch)}
    named = {own_ids(each)[0]: each for each in texts(document, "EndToEndId")}
    assert {payout_id(key) for key in named} == set(payouts)
    assert sorted(texts(document, "Ustrd")) == sorted(named.values())
    assert texts(document, "CtrlSum") == ["5.00", "5.00"]
    assert texts(document, "NbOfTxs") == ["2", "2"]
    assert sorted(texts(document, "InstdAmt")) == ["2.00", "3.00"]
    assert set(texts(document, "IBAN")) == {IBAN, OTHER_IBAN, PAYER["PAYER_IBAN"]}
    assert set(texts(document, "BICFI")) == {"PSSTFRPPXXX", "ABNANL2A"}
    assert texts(document, "MsgId") == [f"{batch['id'].replace('_', '')}-1"]
    assert texts(document, "Dt") == [batch["sent_at"][:10]]
    assert set(texts(document, "Nm")) == {"Tuan Markte GmbH", ".Zoe O'Neil . Son", "Lena Wolf"}
    in_sepa = set(string.ascii_letters + string.digits + "/-?:().,'+ ")
    assert set("".join([*document.itertext()])) <= in_sepa
    for tag in ("MsgId", "PmtInfId", "EndToEndId"):
        assert max(len(each) for each in texts(document, tag)) <= 35


def test_a_file_is_the_same_bytes_each_time(world: World, time: Clock) -> None:
    batch, sales = two_with_accounts(world, time)
    first = [file(world, batch, form).text for form in ("pain.001", "csv")]
    set_iban(world, "leader", sales[0].leader_id, OTHER_IBAN)
    time.move_on(days=3)
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


def is_refused(world: World, batch: Json, code: str) -> bool:
    answers = [file(world, batch, form) for form in ("pain.001", "csv")]
    return [(each.status, each.code) for each in answers] == [(409, code)] * 2


def test_there_is_no_file_while_the_batch_may_still_be_cancelled(world: World, time: Clock) -> None:
    (sale,) = earned(world, time, 1)
    set_iban(world, "leader", sale.leader_id)
    batch = make(world, method="bank_file")
    assert is_refused(world, batch, "batch_not_sent")
    approve(world, batch)
    assert is_refused(world, batch, "batch_not_sent")
    assert cancel(world, batch).status == 200
    assert is_refused(world, batch, "batch_not_sent")
    world.work()
    assert is_refused(world, batch, "batch_not_sent")


def test_the_part_after_the_last_is_not_there(world: World, time: Clock) -> None:
    batch, _ = two_with_accounts(world, time)
    beyond = file(world, batch, part=2)
    assert (beyond.status, beyond.json["errors"][0]["field"]) == (422, "part")


def test_the_longest_id_of_a_part_is_one_that_banks_take(world: World, time: Clock) -> None:
    batch, _ = two_with_accounts(world, time)
    of_bank = files.bank_id(batch["id"])
    assert len(f"{of_bank}-{MOST_PARTS}") == 35
    assert file(world, batch, part=MOST_PARTS + 1).status == 422
    beyond = file(world, batch, part=2).json["errors"]
    assert beyond == [{"field": "part", "message": "is 2, and the last one of the batch is 1"}]


def test_a_payout_with_a_result_is_in_no_file_that_is_made_afterwards(
    world: World, time: Clock
) -> None:
    batch, (first, second, _) = two_with_accounts(world, time)
    before = ET.fromstring(file(world, batch).text)
    wrong, right = (payout_to(world, batch, sale.leader_id) for sale in (first, second))
    assert tell(world, wrong, "failed", "no such account").status == 200
    after = ET.fromstring(file(world, batch).text)
    assert texts(after, "EndToEndId") == [files.bank_id(right["id"])]
    assert (texts(after, "CtrlSum"), texts(after, "NbOfTxs")) == (["2.00"] * 2, ["1"] * 2)
    # A bank that has the whole file takes no other under its id.
    assert texts(after, "MsgId") == texts(before, "MsgId")
    assert [row["payout_id"] for row in rows_of(world, batch)] == [right["id"]]
    assert tell(world, right, "paid").status == 200
    for form in ("pain.001", "csv"):
        assert file(world, batch, form).code == "part_is_empty"


def rows_of(world: World, batch: Json) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(file(world, batch, "csv").text.lstrip("\ufeff"))))


def test_a_holder_whose_name_banks_have_no_letters_for_is_named_by_its_role(
    world: World, time: Clock
) -> None:
    (sale,) = earned(world, time, 1)
    body = {"holder": "\N{GRINNING FACE}", "iban": IBAN}
    path = f"/v1/leaders/{sale.leader_id}/payout-account"
    assert world.operator.put(path, body).status == 200
    batch = make(world, method="bank_file")
    approve(world, batch)
    send(world, batch)
    assert "leader" in texts(ET.fromstring(file(world, batch).text), "Nm")


def test_a_file_that_a_bank_would_not_take_is_not_given(
    world: World, time: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch, _ = two_with_accounts(world, time)
    monkeypatch.setattr(files, "in_sepa", lambda name: "")
    refused = file(world, batch)
    assert (refused.status, refused.code) == (409, "file_not_valid")
    assert file(world, batch, "csv").status == 200


def test_by_hand_there_is_a_list_and_no_pain_001(world: World, time: Clock) -> None:
    earned(world, time, 1)
    batch = make(world)
    approve(world, batch)
    send(world, batch)
    assert file(world, batch).code == "not_by_bank_file"
    (row,) = csv.DictReader(io.StringIO(file(world, batch, "csv").text.lstrip("\ufeff")))
    assert (row["iban"], row["amount"]) == ("", "1.00")


def deploy(monkeypatch: pytest.MonkeyPatch, **changed: str) -> None:
    for name, value in changed.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()


OTHER_PAYER = {
    "PAYER_NAME": "Somebody Else",
    "PAYER_IBAN": "AT61 1904 3002 3457 3201",
    "PAYER_BIC": "",
}


def test_whole_account_numbers_are_in_files_for_banks_alone(world: World, time: Clock) -> None:
    (sale,) = earned(world, time, 3)
    body = {"holder": "Lena Wolf", "iban": IBAN, "bic": "COBADEFFXXX"}
    path = f"/v1/leaders/{sale.leader_id}/payout-account"
    assert world.operator.put(path, body).status == 200
    batch = sent(world)
    answer = file(world, batch, "csv")
    (row,) = csv.DictReader(io.StringIO(answer.text.lstrip("\ufeff")))
    assert (row["holder"], row["iban"], row["bic"], row["amount"]) == ("Lena Wolf", "", "", "3.00")
    assert IBAN not in answer.text
    assert payouts_of(world, batch)[0]["last_four"] == IBAN[-4:]


def test_what_was_approved_is_paid_from_the_account_of_then(
    world: World, time: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch, _ = two_with_accounts(world, time)
    of_then = {"name": "Tuan Märkte GmbH", "iban": "NL91ABNA0417164300", "bic": "ABNANL2A"}
    assert batch["payer"] == of_then
    first = file(world, batch).text
    deploy(monkeypatch, **OTHER_PAYER)
    assert file(world, batch).text == first
    later = make(world, method="bank_file")
    assert later["payer"] == {
        "name": "Somebody Else",
        "iban": "AT611904300234573201",
        "bic": None,
    }


def test_where_no_bic_is_known_the_file_says_so(
    world: World, time: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy(monkeypatch, **OTHER_PAYER)
    batch, _ = two_with_accounts(world, time)
    document = ET.fromstring(file(world, batch).text)
    (bank,) = document.iter(f"{{{files.NAMESPACE}}}DbtrAgt")
    assert texts(bank, "Id") == ["NOTPROVIDED"]


@pytest.mark.parametrize(
    ("changed", "code", "said"),
    [
        ({"PAYER_NAME": ""}, "payer_not_set", "PayerName and PayerIban; docs/operations.md"),
        ({"PAYER_IBAN": ""}, "payer_not_set", "PayerName and PayerIban; docs/operations.md"),
        ({"PAYER_NAME": " "}, "payer_not_valid", "PayerName has no letter"),
        ({"PAYER_IBAN": "NL91ABNA0417164301"}, "payer_not_valid", "PayerIban has check digits"),
        ({"PAYER_IBAN": "NL91ABNA041716430"}, "payer_not_valid", "17 characters; an IBAN of NL"),
        ({"PAYER_BIC": "ABNA"}, "payer_not_valid", "PayerBic is not a BIC"),
    ],
)
def test_an_account_that_cannot_pay_makes_no_batch(
    world: World, monkeypatch: pytest.MonkeyPatch, changed: dict[str, str], code: str, said: str
) -> None:
    deploy(monkeypatch, **changed)
    refused = try_batch(world, method="bank_file")
    assert (refused.status, refused.code) == (409, code)
    assert said in refused.text
    assert world.operator.get("/v1/payout-batches").json["items"] == []
    # What no SEPA transfer is made of needs no account to pay from.
    for sound in ({"method": "manual"}, {"method": "bank_file", "currency": "JPY"}):
        made = try_batch(world, **sound)
        assert (made.status, made.json["payer"]) == (202, None)
    world.work()


def test_a_batch_of_before_payers_were_kept_has_its_csv_file(
    world: World, time: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch, _ = two_with_accounts(world, time)
    kept = batch_store.get_batch(batch["id"])
    assert kept is not None
    monkeypatch.setattr(batch_store, "get_batch", lambda _: replace(kept, payer=None))
    assert file(world, batch).code == "payer_not_set"
    assert file(world, batch, "csv").status == 200
