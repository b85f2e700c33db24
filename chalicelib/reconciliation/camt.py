"""Statements of ISO 20022, camt.053, of any version. Read whole, or refused."""

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from chalicelib.reconciliation import cells
from chalicelib.reconciliation.lines import Line, LineKind, Statement, sums

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MAX_DEPTH, MAX_ELEMENTS = 40, 2_000_000
# Kinds of balances, the one that is meant first.
OPENS, CLOSES = ("OPBD", "PRCD"), ("CLBD",)
# The families of bank transaction codes that are the bank's own charges, and returns.
FEE_CODES, RETURN_CODES = ("CHRG", "FEES", "COMM"), ("RRTN", "RPCR", "RIMB")


def read(raw: bytes, zone: ZoneInfo) -> Statement:
    """Raises Invalid where the file cannot be taken whole."""
    root = _xml(raw)
    statements = root.findall("./BkToCstmrStmt/Stmt")
    if not statements:
        raise cells.refused("is not a camt.053 statement: it has no BkToCstmrStmt with a Stmt")
    lines: list[Line] = []
    for each in statements:
        for entry in each.iter("Ntry"):
            lines += _entry_lines(entry, len(lines) + 1)
    own_id = ",".join(_of(each, "Id") for each in statements)
    days = [day for each in statements for day in _period(each)]
    found = cells.statement_of("camt.053", own_id, lines, days)
    opening, closing = (
        [_balances(each, kinds) for each in statements] for kinds in (OPENS, CLOSES)
    )
    return replace(
        found,
        iban=_iban(statements),
        totals=_totals(opening, closing),
        # Of several statements in a file the last balance of a currency is the one that counts.
        opening=dict(pair for each in reversed(opening) for pair in each.items()),
        closing=dict(pair for each in closing for pair in each.items()),
    )


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
                raise cells.refused(f"is nested deeper than {MAX_DEPTH} elements, or has too many")
            root = element if root is None else root
            element.tag = element.tag.rpartition("}")[2]
    except ParseError as error:
        raise cells.refused(
            f"is not XML at line {error.position[0]}; it is read as camt.053 unless `format` says "
            "csv or stripe"
        ) from None
    except DefusedXmlException:
        raise cells.refused(
            "has a document type or entities, which a statement needs not"
        ) from None
    except (LookupError, ValueError):
        raise cells.refused("is not XML in an encoding that can be read") from None
    found: Element = root
    return found


def _entry_lines(entry: "Element", n: int) -> Iterator[Line]:
    """One line, or, of a batch whose parts have amounts of their own, one for each part; none where
    it is not booked."""
    where = f"at entry {n}"
    status = _of(entry, "Sts/Cd") or _of(entry, "Sts")
    if not status:
        raise cells.refused(f"does not say {where} whether it is booked")
    if status != "BOOK":
        return
    whole, currency = _money(entry, "Amt", where)
    day = cells.to_day(_of(entry, "BookgDt/Dt") or _of(entry, "BookgDt/DtTm"), where)
    sign = _sign(_of(entry, "CdtDbtInd"), where)
    kind, ref = _kind(entry), _id(entry, "AcctSvcrRef")
    parts = entry.findall("NtryDtls/TxDtls")
    amounts = [amount for each in parts if (amount := _part_amount(each, where)) is not None]
    if len(parts) < 2 or len(amounts) < len(parts) or sum(amounts) != whole:
        yield _line(n, sign * whole, currency, day, kind, ref, parts or [entry])
        return
    refs, batch_ref = _part_refs(parts, ref), _batch_ref(parts, ref)
    for number, (part, amount, own) in enumerate(zip(parts, amounts, refs, strict=True), n):
        of = kind if _kind(part) == "payment" else _kind(part)
        line = _line(number, sign * amount, currency, day, of, own, [part])
        yield replace(line, batch=n, batch_ref=batch_ref)


def _batch_ref(parts: Sequence["Element"], ref: str) -> str:
    """The bank's own id of the whole entry; some banks give it to each of its parts instead."""
    of_parts = {_id(each, "Refs/AcctSvcrRef") for each in parts}
    return ref or (of_parts.pop() if len(of_parts) == 1 else "")


def _part_refs(parts: Sequence["Element"], ref: str) -> list[str]:
    """The bank's own ids of parts; some banks give each that of the whole entry, or none."""
    refs = [_id(each, "Refs/AcctSvcrRef") or ref for each in parts]
    if len(set(refs)) == len(refs):
        return refs
    return [f"{each}/{number}" if each else "" for number, each in enumerate(refs, 1)]


def _line(
    n: int,
    amount: int,
    currency: str,
    day: str,
    kind: LineKind,
    ref: str,
    parts: Sequence["Element"],
) -> Line:
    reference = _id(parts[0], "Refs/EndToEndId") if len(parts) == 1 else ""
    texts = [
        each.text or ""
        for part in parts
        for name in ("EndToEndId", "Ustrd", "Ref", "AddtlTxInf", "AddtlNtryInf")
        for each in part.iter(name)
    ]
    return Line(
        n,
        amount,
        currency,
        day,
        kind,
        cells.shortened(ref),
        reference,
        cells.plain(" ".join(texts)),
        counterparty=_counterparty(parts, amount) if len(parts) == 1 else "",
    )


def _counterparty(parts: Sequence["Element"], amount: int) -> str:
    """The name of who has paid what came in, or was paid what went out."""
    other = "Dbtr" if amount > 0 else "Cdtr"
    paths = (f"RltdPties/{other}/Pty/Nm", f"RltdPties/{other}/Nm")
    return cells.shortened(next(filter(None, (_of(parts[0], path) for path in paths)), ""))


def _kind(of: "Element") -> LineKind:
    code = _of(of, "BkTxCd/Domn/Fmly/SubFmlyCd")
    if code in FEE_CODES:
        return "fee"
    returned = code in RETURN_CODES or of.find(".//RtrInf") is not None
    return "return" if returned else "payment"


def _part_amount(part: "Element", where: str) -> int | None:
    """None where it has none of its own."""
    for name in ("Amt", "AmtDtls/TxAmt/Amt", "AmtDtls/InstdAmt/Amt"):
        if part.find(name) is not None:
            return _money(part, name, where)[0]
    return None


def _balances(statement: "Element", kinds: Sequence[str]) -> dict[str, int]:
    """By currency, those of the first of the kinds that it has."""
    found = {_of(each, "Tp/CdOrPrtry/Cd"): each for each in statement.findall("Bal")}
    of = next((found[kind] for kind in kinds if kind in found), None)
    if of is None:
        return {}
    amount, currency = _money(of, "Amt", "in a balance")
    return {currency: amount * _sign(_of(of, "CdtDbtInd"), "in a balance")}


def _totals(
    opening: Sequence[Mapping[str, int]], closing: Sequence[Mapping[str, int]]
) -> dict[str, int]:
    """What its balances say that it moves, where it opens and closes with one."""
    return sums(
        pair
        for opens, closes in zip(opening, closing, strict=True)
        if opens and closes
        for pair in (*closes.items(), *((currency, -opens[currency]) for currency in opens))
    )


def _iban(statements: Sequence["Element"]) -> str:
    found = {_of(each, "Acct/Id/IBAN") for each in statements} - {""}
    if len(found) > 1:
        raise cells.refused("is of several accounts; send a file for each")
    return "".join(found)


def _period(statement: "Element") -> list[str]:
    names = ("FrToDt/FrDtTm", "FrToDt/ToDtTm", "FrToDt/FrDt", "FrToDt/ToDt")
    found = [_of(statement, name) for name in names]
    return [cells.to_day(each, "in its period") for each in found if each]


def _of(element: "Element", path: str) -> str:
    return (element.findtext(path) or "").strip()


def _id(element: "Element", path: str) -> str:
    return cells.to_id(_of(element, path))


def _money(element: "Element", path: str, where: str) -> tuple[int, str]:
    found = element.find(path)
    if found is None:
        raise cells.refused(f"has no amount {where}")
    currency = cells.to_currency(found.get("Ccy", ""), where)
    amount = cells.to_amount((found.text or "").strip(), currency, where)
    if amount < 0:
        raise cells.refused(f"has an amount {where} below zero: CdtDbtInd says its direction")
    return amount, currency


def _sign(text: str, where: str) -> int:
    if text not in ("CRDT", "DBIT"):
        raise cells.refused(f"does not say {where} whether it is CRDT or DBIT")
    return 1 if text == "CRDT" else -1
