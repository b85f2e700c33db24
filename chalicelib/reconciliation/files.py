"""Statement files as banks and providers give them: camt.053 of ISO 20022, CSV, and Stripe's
balance transactions. Each is read whole, or refused with what is wrong in it."""

import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from chalicelib.kernel import clock
from chalicelib.kernel.currencies import in_minor, is_currency
from chalicelib.kernel.errors import Invalid
from chalicelib.payments.providers.stripe_api import from_stripe
from chalicelib.platform import sheets
from chalicelib.reconciliation.lines import MAX_DAYS, Format, Line, LineKind, Statement, sums

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MAX_LINES = 20_000
MAX_DEPTH, MAX_ELEMENTS = 40, 2_000_000
MAX_TEXT, MAX_REFERENCE = 500, 128
COLUMNS = ("date", "amount", "currency", "reference", "text", "bank_ref", "type")
REQUIRED = ("date", "amount", "currency")
KINDS: Mapping[str, LineKind] = {
    "": "payment",
    "payment": "payment",
    "fee": "fee",
    "return": "return",
    "transfer": "transfer",
}
DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(T.*)?")
# The families of bank transaction codes that are the bank's own charges, and returns.
FEE_CODES, RETURN_CODES = ("CHRG", "FEES", "COMM"), ("RRTN", "RPCR", "RIMB")
STRIPE_KINDS: Mapping[str, LineKind] = {
    "stripe_fee": "fee",
    "stripe_fx_fee": "fee",
    "tax_fee": "fee",
    "network_cost": "fee",
    "application_fee": "fee",
    "payout": "transfer",
    "payout_failure": "transfer",
    "payout_cancel": "transfer",
    "transfer_cancel": "return",
    "transfer_failure": "return",
    "transfer_refund": "return",
}


def read(raw: bytes, form: Format, zone: ZoneInfo) -> Statement:
    """Raises Invalid where the file cannot be taken whole."""
    if not raw.strip():
        raise _refused("is empty; send a statement file")
    statement = READERS[form](raw, zone)
    if len(statement.lines) > MAX_LINES:
        raise _refused(f"has more than {MAX_LINES} lines; send several files")
    if not statement.lines and not statement.first:
        raise _refused("has no lines and no period")
    _check_period(statement)
    return statement


def _check_period(statement: Statement) -> None:
    first, last = date.fromisoformat(statement.first), date.fromisoformat(statement.last)
    if last < first:
        raise _refused(f"is of a period that ends on {last}, before it begins on {first}")
    if (last - first).days >= MAX_DAYS:
        raise _refused(f"is of more than {MAX_DAYS} days, from {first} to {last}")


def _csv(raw: bytes, zone: ZoneInfo) -> Statement:
    rows = sheets.read(raw, COLUMNS, REQUIRED, MAX_LINES)
    lines = [_row(n, row) for n, row in enumerate(rows, 1)]
    return _statement("csv", "", lines)


def _row(n: int, row: sheets.Line) -> Line:
    cells, where = row.cells, f"at line {row.number}"
    kind = cells.get("type", "").lower()
    if kind not in KINDS:
        raise _refused(f"has a type {where} that is not one of payment, fee, return, transfer")
    currency = _currency(cells["currency"], where)
    return Line(
        n,
        _amount(cells["amount"], currency, where),
        currency,
        _day(cells["date"], where),
        KINDS[kind],
        _short(cells.get("bank_ref")),
        _short(cells.get("reference")),
        _text(cells.get("text")),
    )


def _stripe(raw: bytes, zone: ZoneInfo) -> Statement:
    found = _json(raw)
    data = found.get("data") if isinstance(found, dict) else found
    if not isinstance(data, list) or not all(isinstance(each, dict) for each in data):
        raise _refused("is not a list of balance transactions as Stripe's API gives it")
    if isinstance(found, dict) and found.get("has_more"):
        raise _refused("is one page of a longer list: has_more is true; send all of it")
    lines = [_transaction(n, each, zone) for n, each in enumerate(data, 1)]
    days = [line.day for line in lines]
    for currency, amount in sums((line.currency, -line.fee) for line in lines).items():
        if amount:
            said = "Fees of all transactions in the file"
            n = len(lines) + 1
            lines.append(Line(n, amount, currency, max(days), "fee", text=said, is_sum=True))
    return _statement("stripe", "", lines)


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        raise _refused("is not JSON in UTF-8") from None


def _transaction(n: int, sent: Mapping[str, Any], zone: ZoneInfo) -> Line:
    where = f"at transaction {n}"
    amount, fee, created = (_integer(sent, name, where) for name in ("amount", "fee", "created"))
    currency = _currency(str(sent.get("currency", "")).upper(), where)
    kind = STRIPE_KINDS.get(str(sent.get("type")), "payment")
    reference, texts = _source(sent.get("source"))
    try:
        at = datetime.fromtimestamp(created, UTC)
    except (ValueError, OverflowError, OSError):
        raise _refused(f"has a created {where} that is no instant") from None
    return Line(
        n,
        _of_stripe(amount, currency, where),
        currency,
        clock.business_date(at, zone).isoformat(),
        kind,
        _short(sent.get("id")),
        _short(reference),
        _text(" ".join(filter(None, (*texts, str(sent.get("description") or ""))))),
        _of_stripe(fee, currency, where),
    )


def _source(source: Any) -> tuple[str, list[str]]:
    """What a transaction is of, by id or, where it was asked for, whole."""
    if not isinstance(source, dict):
        return str(source or ""), []
    metadata = source.get("metadata")
    named = metadata.values() if isinstance(metadata, dict) else ()
    texts = [str(each) for each in (source.get("transfer_group"), *named) if each]
    return str(source.get("payment_intent") or source.get("id") or ""), texts


def _integer(sent: Mapping[str, Any], name: str, where: str) -> int:
    value = sent.get(name)
    if type(value) is not int or abs(value) > 10**15:
        raise _refused(f"has no whole number as {name} {where}")
    return value


def _of_stripe(amount: int, currency: str, where: str) -> int:
    try:
        return from_stripe(amount, currency)
    except ValueError:
        raise _refused(f"has an amount {where} that {currency} has no unit for") from None


def _camt(raw: bytes, zone: ZoneInfo) -> Statement:
    root = _xml(raw)
    statements = root.findall("./BkToCstmrStmt/Stmt")
    if not statements:
        raise _refused("is not a camt.053 statement: it has no BkToCstmrStmt with a Stmt")
    lines: list[Line] = []
    for statement in statements:
        for entry in statement.iter("Ntry"):
            lines += _entry_lines(entry, len(lines) + 1)
    own_id = ",".join(_of(each, "Id") for each in statements)
    days = [day for each in statements for day in _period(each)]
    totals = sums(total for each in statements for total in _total(each))
    return _statement("camt.053", own_id, lines, days, totals)


def _xml(raw: bytes) -> "Element":
    """The document without its namespaces. What could reach out or grow is refused unread."""
    from xml.etree.ElementTree import ParseError

    from defusedxml import ElementTree
    from defusedxml.common import DefusedXmlException

    depth = elements = 0
    root: Any = None
    try:
        for event, element in ElementTree.iterparse(
            io.BytesIO(raw), events=("start", "end"), forbid_dtd=True
        ):
            depth += 1 if event == "start" else -1
            elements += 1
            if depth > MAX_DEPTH or elements > MAX_ELEMENTS:
                raise _refused(f"is nested deeper than {MAX_DEPTH} elements, or has too many")
            root = element if root is None else root
            element.tag = element.tag.rpartition("}")[2]
    except ParseError as error:
        raise _refused(f"is not XML at line {error.position[0]}") from None
    except DefusedXmlException:
        raise _refused("has a document type or entities, which a statement needs not") from None
    except (LookupError, ValueError):
        raise _refused("is not XML in an encoding that can be read") from None
    found: Element = root
    return found


def _entry_lines(entry: "Element", n: int) -> Iterator[Line]:
    """One line, or, of a batch whose parts have amounts of their own, one for each part."""
    where = f"at entry {n}"
    if (_of(entry, "Sts/Cd") or _of(entry, "Sts")) == "PDNG":
        return
    whole = _money(entry, "Amt", where)
    day = _day(_of(entry, "BookgDt/Dt") or _of(entry, "BookgDt/DtTm"), where)
    sign = _sign(_of(entry, "CdtDbtInd"), where)
    kind, ref = _camt_kind(entry), _of(entry, "AcctSvcrRef")
    parts = entry.findall("NtryDtls/TxDtls")
    amounts = [_part_amount(each, where) for each in parts]
    if len(parts) > 1 and sum(a[0] for a in amounts if a) == whole[0] and all(amounts):
        for number, (part, amount) in enumerate(zip(parts, amounts, strict=True)):
            own = _of(part, "Refs/AcctSvcrRef") or (f"{ref}/{number + 1}" if ref else "")
            of = _camt_kind(part) if _camt_kind(part) != "payment" else kind
            yield _camt_line(n + number, sign * amount[0], whole[1], day, of, own, [part])
        return
    yield _camt_line(n, sign * whole[0], whole[1], day, kind, ref, parts or [entry])


def _camt_line(
    n: int,
    amount: int,
    currency: str,
    day: str,
    kind: LineKind,
    ref: str,
    parts: Sequence["Element"],
) -> Line:
    reference = _of(parts[0], "Refs/EndToEndId") if len(parts) == 1 else ""
    texts = [
        each.text or ""
        for part in parts
        for name in ("EndToEndId", "Ustrd", "Ref", "AddtlTxInf", "AddtlNtryInf")
        for each in part.iter(name)
    ]
    known = "" if reference == "NOTPROVIDED" else reference
    return Line(n, amount, currency, day, kind, _short(ref), _short(known), _text(" ".join(texts)))


def _camt_kind(of: "Element") -> LineKind:
    code = _of(of, "BkTxCd/Domn/Fmly/SubFmlyCd")
    if code in FEE_CODES:
        return "fee"
    returned = code in RETURN_CODES or of.find(".//RtrInf") is not None
    return "return" if returned else "payment"


def _part_amount(part: "Element", where: str) -> tuple[int, str]:
    for name in ("Amt", "AmtDtls/TxAmt/Amt", "AmtDtls/InstdAmt/Amt"):
        if part.find(name) is not None:
            return _money(part, name, where)
    return ()  # type: ignore[return-value]


def _total(statement: "Element") -> list[tuple[str, int]]:
    """What its balances say that it moves, where it opens and closes with one."""
    balances = {_of(each, "Tp/CdOrPrtry/Cd"): each for each in statement.findall("Bal")}
    opening = balances.get("OPBD", balances.get("PRCD"))
    closing = balances.get("CLBD")
    if opening is None or closing is None:
        return []
    moved = []
    for sign, each in ((-1, opening), (1, closing)):
        amount, currency = _money(each, "Amt", "in a balance")
        moved.append((currency, sign * amount * _sign(_of(each, "CdtDbtInd"), "in a balance")))
    return moved


def _period(statement: "Element") -> list[str]:
    names = ("FrToDt/FrDtTm", "FrToDt/ToDtTm", "FrToDt/FrDt", "FrToDt/ToDt")
    found = [_of(statement, name) for name in names]
    return [_day(each, "in its period") for each in found if each]


def _of(element: "Element", path: str) -> str:
    return (element.findtext(path) or "").strip()


def _money(element: "Element", path: str, where: str) -> tuple[int, str]:
    found = element.find(path)
    if found is None:
        raise _refused(f"has no amount {where}")
    currency = _currency(found.get("Ccy", ""), where)
    return _amount((found.text or "").strip(), currency, where), currency


def _sign(text: str, where: str) -> int:
    if text not in ("CRDT", "DBIT"):
        raise _refused(f"does not say {where} whether it is CRDT or DBIT")
    return 1 if text == "CRDT" else -1


def _statement(
    form: Format,
    own_id: str,
    lines: Sequence[Line],
    days: Iterable[str] = (),
    totals: Mapping[str, int] | None = None,
) -> Statement:
    named = [*days, *(line.day for line in lines)]
    first, last = min(named, default=""), max(named, default="")
    return Statement(form, _short(own_id), first, last, tuple(lines), totals or {})


def _amount(text: str, currency: str, where: str) -> int:
    try:
        return in_minor(text, currency)
    except ValueError:
        raise _refused(
            f"has an amount {where} that is not a decimal number of {currency}: {text[:40]!r}"
        ) from None


def _currency(code: str, where: str) -> str:
    if not is_currency(code):
        raise _refused(f"has a currency {where} that is no code of ISO 4217: {code[:10]!r}")
    return code


def _day(text: str, where: str) -> str:
    found = DAY.fullmatch(text)
    try:
        day = date.fromisoformat(found[1] if found else "")
    except ValueError:
        raise _refused(
            f"has a date {where} that is not such as 2026-03-01: {text[:40]!r}"
        ) from None
    if not 2000 <= day.year < 2200:
        raise _refused(f"has a date {where} of another age: {text[:40]!r}")
    return day.isoformat()


def _short(text: Any) -> str:
    return _text(text)[:MAX_REFERENCE]


def _text(text: Any) -> str:
    return " ".join(str(text or "").split())[:MAX_TEXT]


def _refused(message: str) -> Invalid:
    return Invalid.field("body", message)


READERS: Mapping[Format, Callable[[bytes, ZoneInfo], Statement]] = {
    "camt.053": _camt,
    "csv": _csv,
    "stripe": _stripe,
}
