"""Files for banks: the payouts of a batch that was sent and of which nobody has told a result.

While none is told they are the same bytes however often they are asked for. `pain.001` is the
customer credit transfer of ISO 20022, written by a library and fixed in what it makes up at random.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from chalicelib.kernel import clock
from chalicelib.kernel.currencies import in_major
from chalicelib.kernel.errors import Conflict, NotFound
from chalicelib.payouts import accounts, batch_store
from chalicelib.payouts.accounts import Details
from chalicelib.payouts.reading import part_of
from chalicelib.payouts.rules import Batch, Payout
from chalicelib.payouts.sepa import in_sepa
from chalicelib.platform import sheets
from chalicelib.platform.settings import settings
from chalicelib.platform.sheets import Sheet

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

Format = Literal["pain.001", "csv"]
MEDIA_TYPES: Mapping[Format, str] = {
    "pain.001": "application/xml; charset=utf-8",
    "csv": sheets.MEDIA_TYPES["csv"],
}
ENDINGS: Mapping[Format, str] = {"pain.001": "xml", "csv": "csv"}
SCHEMA = "pain.001.001.09"
NAMESPACE = f"urn:iso:std:iso:20022:tech:xsd:{SCHEMA}"
COLUMNS = ("payout_id", "payee", "holder", "iban", "bic", "amount", "currency")


def name(batch_id: str, form: Format, part: int) -> str:
    return f"{batch_id}-{part}.{ENDINGS[form]}"


def file_of(batch_id: str, form: Format, part: int) -> bytes:
    """One part of a batch's file. Raises NotFound, Invalid for a part there is not, or Conflict
    where the batch cannot be written so."""
    batch = batch_store.get_batch(batch_id)
    if batch is None:
        raise NotFound("There is no such payout batch.")
    if batch.sent_at is None:
        raise Conflict(
            f"The batch is {batch.status}; its file is there once it is sent.",
            code="batch_not_sent",
        )
    if form == "pain.001":
        _check_sepa(batch)
    of_part = _part(batch, part)
    if not of_part:
        raise Conflict(
            f"No payout of part {part} of the batch waits for its result.", code="part_is_empty"
        )
    if form == "csv":
        return _csv(of_part)
    return _pain_001(batch, part, of_part, batch.sent_at)


def bank_id(own: str) -> str:
    """An id as banks take it; reconciliation reads it without its underscore as well."""
    return own.replace("_", "")


def _part(batch: Batch, part: int) -> list[Payout]:
    """Those without a result: who has one was paid, or may be paid by another batch."""
    return [payout for payout in part_of(batch, part) if payout.outcome is None]


def _check_sepa(batch: Batch) -> None:
    if batch.method != "bank_file":
        raise Conflict(
            f"The batch is paid by {batch.method}; only one by bank_file has accounts at banks.",
            code="not_by_bank_file",
        )
    if batch.currency != "EUR":
        raise Conflict(
            f"SEPA transfers are in EUR, the batch is in {batch.currency}. Take its CSV file.",
            code="currency_not_sepa",
        )


def _csv(of_part: list[Payout]) -> bytes:
    rows = [_row(payout) for payout in of_part]
    return sheets.written([Sheet("Payouts", COLUMNS, rows)], "csv")


def _row(payout: Payout) -> list[str | None]:
    """Whole account numbers are for banks alone, which get what is paid by `bank_file`."""
    details = _details(payout)
    holder, iban, bic = (details.holder, details.iban, details.bic) if details else (None,) * 3
    if payout.method != "bank_file":
        iban = bic = None
    amount = in_major(payout.amount, payout.currency)
    return [payout.id, payout.payee.id, holder, iban, bic, amount, payout.currency]


def _details(payout: Payout) -> Details | None:
    return accounts.details_of(payout.sealed, payout.payee) if payout.sealed else None


def _pain_001(batch: Batch, part: int, of_part: list[Payout], sent_at: datetime) -> bytes:
    from sepaxml import SepaTransfer

    day = clock.business_date(sent_at, settings().zone)
    transfer = SepaTransfer(_payer(batch), schema=SCHEMA, clean=False)
    for payout in of_part:
        details = accounts.details_of(payout.sealed or "", payout.payee)
        payment = {
            "name": in_sepa(details.holder) or payout.payee.role,
            "IBAN": details.iban,
            "amount": payout.amount,
            "execution_date": day,
            "description": bank_id(payout.id),
            "endtoend_id": bank_id(payout.id),
        }
        transfer.add_payment(payment | ({"BIC": details.bic} if details.bic else {}))
    exported = transfer.export(validate=False)
    return _valid(_fixed(exported, f"{bank_id(batch.id)}-{part}", sent_at))


def _payer(batch: Batch) -> dict[str, object]:
    """As it was when the batch was made: what was approved is what is paid, from where."""
    if batch.payer is None:
        raise Conflict(
            "The batch was made without an account to pay from. Take its CSV file.",
            code="payer_not_set",
        )
    payer: dict[str, object] = {
        "name": in_sepa(batch.payer.name),
        "IBAN": batch.payer.iban,
        "batch": True,
        "currency": "EUR",
    }
    return payer | ({"BIC": batch.payer.bic} if batch.payer.bic else {})


def _fixed(exported: bytes, message_id: str, at: datetime) -> bytes:
    """With ids and an instant that follow from the batch, in place of the library's own."""
    from xml.etree import ElementTree

    document = ElementTree.fromstring(exported)
    said = {
        "MsgId": message_id,
        "PmtInfId": message_id,
        "CreDtTm": at.strftime("%Y-%m-%dT%H:%M:%S"),
    }
    for tag, text in said.items():
        for node in document.iter(f"{{{NAMESPACE}}}{tag}"):
            node.text = text
    _name_no_bank(document)
    ElementTree.register_namespace("", NAMESPACE)
    written: bytes = ElementTree.tostring(document, encoding="utf-8", xml_declaration=True)
    return written


def _name_no_bank(document: "Element") -> None:
    """Where no BIC is known of a bank, SEPA wants that said."""
    from xml.etree.ElementTree import SubElement

    for bank in document.iter(f"{{{NAMESPACE}}}FinInstnId"):
        if len(bank) == 0:
            other = SubElement(bank, f"{{{NAMESPACE}}}Othr")
            SubElement(other, f"{{{NAMESPACE}}}Id").text = "NOTPROVIDED"


def _valid(document: bytes) -> bytes:
    """Raises Conflict where a bank would not take it, though all of it was checked before."""
    from sepaxml.validation import ValidationError, try_valid_xml

    try:
        try_valid_xml(document, SCHEMA)
    except ValidationError:
        raise Conflict(
            f"The file would not be valid by {SCHEMA}. Take the CSV file of the batch.",
            code="file_not_valid",
        ) from None
    return document
