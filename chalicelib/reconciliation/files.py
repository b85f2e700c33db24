"""Statement files as banks and providers give them: camt.053 of ISO 20022, CSV, and Stripe's
balance transactions. Each is read whole, or refused with what is wrong in it."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.kernel import clock
from chalicelib.kernel.errors import Invalid
from chalicelib.payments.providers.stripe_api import from_stripe
from chalicelib.reconciliation import camt, cells, csv_lines
from chalicelib.reconciliation.lines import MAX_DAYS, Format, Line, LineKind, Statement, sums

MAX_LINES = 20_000
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

# What ids of Stripe's disputes begin with.
DISPUTE = ("dp_", "du_")


def read(
    raw: bytes, form: Format, zone: ZoneInfo, first: str | None = None, last: str | None = None
) -> Statement:
    """The statement; `first` and `last` are days that it is of beyond those that the file says.

    Raises Invalid where the file cannot be taken whole.
    """
    if not raw.strip():
        raise cells.refused("is empty; send a statement file")
    statement = READERS[form](raw, zone)
    if len(statement.lines) > MAX_LINES:
        raise cells.refused(f"has more than {MAX_LINES} lines; send several files")
    if not statement.lines and not statement.first:
        raise cells.refused("has no lines and no period")
    of = replace(
        statement,
        first=min(first or statement.first, statement.first),
        last=max(last or statement.last, statement.last),
    )
    _check_period(of)
    _check_not_to_come(statement, last, cells.latest_day(zone))
    return of


def _check_not_to_come(statement: Statement, last: str | None, latest: str) -> None:
    if statement.last > latest:
        raise cells.refused(f"is of days that are yet to come, until {statement.last}")
    if last and last > latest:
        raise Invalid.field("last", "is a day that is yet to come")


def _check_period(statement: Statement) -> None:
    first, last = date.fromisoformat(statement.first), date.fromisoformat(statement.last)
    if last < first:
        raise cells.refused(f"is of a period that ends on {last}, before it begins on {first}")
    if (last - first).days >= MAX_DAYS:
        raise cells.refused(f"is of more than {MAX_DAYS} days, from {first} to {last}")


def _csv(raw: bytes, zone: ZoneInfo) -> Statement:
    return csv_lines.read(raw, zone, MAX_LINES)


def _stripe(raw: bytes, zone: ZoneInfo) -> Statement:
    found = _json(raw)
    data = found.get("data") if isinstance(found, dict) else found
    if not isinstance(data, list) or not all(isinstance(each, dict) for each in data):
        raise cells.refused("is not a list of balance transactions as Stripe's API gives it")
    if isinstance(found, dict) and found.get("has_more"):
        raise cells.refused("is one page of a longer list: has_more is true; send all of it")
    lines = _fees_of_disputes_apart([_transaction(n, each, zone) for n, each in enumerate(data, 1)])
    days = [line.day for line in lines]
    for currency, amount in sums((line.currency, -line.fee) for line in lines).items():
        if amount:
            said = "Fees of all transactions in the file"
            n = len(lines) + 1
            lines.append(Line(n, amount, currency, max(days), "fee", text=said, is_sum=True))
    return cells.statement_of("stripe", "", lines)


def _fees_of_disputes_apart(lines: Sequence[Line]) -> list[Line]:
    """The fee of a dispute is an entry of its own in the books, so it is a line of its own here;
    one that is below zero comes back."""
    apart = {line.n: line for line in lines if line.fee and line.reference.startswith(DISPUTE)}
    fees = [
        replace(line, n=n, amount=-line.fee, kind="fee", fee=0, bank_ref=f"{line.bank_ref}/fee")
        for n, line in enumerate(apart.values(), len(lines) + 1)
    ]
    return [*(replace(line, fee=0) if line.n in apart else line for line in lines), *fees]


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        raise cells.refused("is not JSON in UTF-8") from None


def _transaction(n: int, sent: Mapping[str, Any], zone: ZoneInfo) -> Line:
    where = f"at transaction {n}"
    amount, fee, created = (_integer(sent, name, where) for name in ("amount", "fee", "created"))
    currency = cells.to_currency(str(sent.get("currency", "")).upper(), where)
    kind = STRIPE_KINDS.get(str(sent.get("type")), "payment")
    reference, texts = _source(sent.get("source"))
    try:
        at = datetime.fromtimestamp(created, UTC)
    except (ValueError, OverflowError, OSError):
        raise cells.refused(f"has a created {where} that is no instant") from None
    return Line(
        n,
        _of_stripe(amount, currency, where),
        currency,
        clock.business_date(at, zone).isoformat(),
        kind,
        cells.shortened(sent.get("id")),
        cells.shortened(reference),
        cells.plain(" ".join(filter(None, (*texts, str(sent.get("description") or ""))))),
        fee=_of_stripe(fee, currency, where),
    )


def _source(source: Any) -> tuple[str, list[str]]:
    """What a transaction is of, by id or, where it was asked for, whole."""
    if not isinstance(source, dict):
        return str(source or ""), []
    metadata = source.get("metadata")
    named = metadata.values() if isinstance(metadata, dict) else ()
    texts = [str(each) for each in (source.get("transfer_group"), *named) if each]
    # A dispute names its payment as well, which has a line of its own.
    of = None if source.get("object") == "dispute" else source.get("payment_intent")
    return str(of or source.get("id") or ""), texts


def _integer(sent: Mapping[str, Any], name: str, where: str) -> int:
    value = sent.get(name)
    if type(value) is not int or abs(value) > 10**15:
        raise cells.refused(f"has no whole number as {name} {where}")
    return value


def _of_stripe(amount: int, currency: str, where: str) -> int:
    try:
        return from_stripe(amount, currency)
    except ValueError:
        raise cells.refused(f"has an amount {where} that {currency} has no unit for") from None


READERS: Mapping[Format, Callable[[bytes, ZoneInfo], Statement]] = {
    "camt.053": camt.read,
    "csv": _csv,
    "stripe": _stripe,
}
