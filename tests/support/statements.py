"""Statement files as banks and providers send them, and what becomes of them."""

from typing import Any

from tests.support.gateway import Answer
from tests.support.world import Api, World

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"


def csv_file(*rows: tuple[Any, ...], columns: str = "date,amount,currency,reference") -> bytes:
    return "\n".join([columns, *(",".join(map(str, row)) for row in rows)]).encode()


def entry(
    amount: str,
    *,
    day: str = "2026-03-20",
    currency: str = "EUR",
    reference: str = "NOTPROVIDED",
    text: str = "",
    ref: str = "",
    code: str = "ESCT",
    status: str = "BOOK",
) -> str:
    """One entry; a negative amount is a debit."""
    way = "DBIT" if amount.startswith("-") else "CRDT"
    return (
        f'<Ntry><Amt Ccy="{currency}">{amount.lstrip("-")}</Amt><CdtDbtInd>{way}</CdtDbtInd>'
        f"<Sts><Cd>{status}</Cd></Sts><BookgDt><Dt>{day}</Dt></BookgDt>"
        f"<AcctSvcrRef>{ref}</AcctSvcrRef>"
        f"<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>ICDT</Cd><SubFmlyCd>{code}</SubFmlyCd></Fmly>"
        f"</Domn></BkTxCd><NtryDtls><TxDtls><Refs><EndToEndId>{reference}</EndToEndId></Refs>"
        f"<RmtInf><Ustrd>{text}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>"
    )


def balance(kind: str, amount: str, currency: str = "EUR") -> str:
    way = "DBIT" if amount.startswith("-") else "CRDT"
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp>"
        f'<Amt Ccy="{currency}">{amount.lstrip("-")}</Amt><CdtDbtInd>{way}</CdtDbtInd>'
        f"<Dt><Dt>2026-03-01</Dt></Dt></Bal>"
    )


def batch_entry(amount: str, *parts: tuple[str, str, str], day: str, ref: str) -> str:
    """One debit of several parts, each of an amount, an end-to-end id and the bank's reference."""
    details = "".join(
        f"<TxDtls><Refs><AcctSvcrRef>{own}</AcctSvcrRef><EndToEndId>{reference}</EndToEndId></Refs>"
        f'<Amt Ccy="EUR">{of}</Amt></TxDtls>'
        for of, reference, own in parts
    )
    whole = entry(amount, day=day, ref=ref)
    return whole[: whole.index("<NtryDtls>")] + f"<NtryDtls>{details}</NtryDtls></Ntry>"


def iban(of: str) -> str:
    return f"<Acct><Id><IBAN>{of}</IBAN></Id></Acct>"


def camt_statement(
    *parts: str, own_id: str = "STMT-1", period: tuple[str, str] | None = None
) -> str:
    days = ""
    if period:
        days = (
            f"<FrToDt><FrDtTm>{period[0]}T00:00:00</FrDtTm>"
            f"<ToDtTm>{period[1]}T23:59:59</ToDtTm></FrToDt>"
        )
    return f"<Stmt><Id>{own_id}</Id>{days}{''.join(parts)}</Stmt>"


def camt(
    *parts: str, own_id: str = "STMT-1", period: tuple[str, str] | None = None, more: str = ""
) -> bytes:
    """A file of one statement, and of `more`."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><Document xmlns="{NAMESPACE}"><BkToCstmrStmt>'
        f"<GrpHdr><MsgId>M</MsgId></GrpHdr>{camt_statement(*parts, own_id=own_id, period=period)}"
        f"{more}</BkToCstmrStmt></Document>"
    ).encode()


def send(caller: Api, raw: bytes, **query: Any) -> Answer:
    usual = {"account": "cash:bank", "format": "csv"}
    asked = "&".join(f"{name}={value}" for name, value in (usual | query).items())
    headers = {"Content-Type": "application/octet-stream"}
    return caller.send("POST", f"/v1/reconciliations?{asked}", raw, headers)


def reconcile(world: World, raw: bytes, **query: Any) -> Any:
    """A reconciliation as it is once it is done."""
    answer = send(world.operator, raw, **query)
    assert answer.status == 202, answer.text
    world.work()
    made = world.operator.get(f"/v1/reconciliations/{answer.json['id']}").json
    assert (made["status"], made["progress"]) == ("done", 100)
    return made


def differences(world: World, made: Any) -> list[Any]:
    """In the order of their numbers."""
    path = f"/v1/reconciliations/{made['id']}/differences?limit=100"
    return list(reversed(world.operator.get(path).json["items"]))


def resolve(world: World, made: Any, n: int, resolution: str, **more: Any) -> Answer:
    body = {"resolution": resolution, "note": "looked into", **more}
    return world.operator.post(f"/v1/reconciliations/{made['id']}/differences/{n}/resolve", body)
