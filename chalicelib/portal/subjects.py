"""What a line of a supplier's statement is, and of what: by names and references, not by ids."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from chalicelib.dispatch import store as dispatches
from chalicelib.dispatch.parcels import SkuUnits
from chalicelib.dispatch.rules import Dispatch
from chalicelib.parties import store as parties
from chalicelib.payments import refund_store
from chalicelib.payouts import store as payouts
from chalicelib.payouts.rules import Payout
from chalicelib.portal import words
from chalicelib.suppliers import store as suppliers
from chalicelib.suppliers.rules import StatementLine


@dataclass(frozen=True)
class Told:
    """A line as people read it; `of` is empty where nothing that it came of has a name."""

    line: StatementLine
    what: str
    of: str


def told(supplier_id: str, lines: Sequence[StatementLine]) -> list[Told]:
    names = _names(supplier_id, {each for line in lines for each in _ids(line)})
    charged_back = _charged_back(lines)
    return [Told(line, _what(line, charged_back), _of(line, names)) for line in lines]


def _what(line: StatementLine, charged_back: set[str]) -> str:
    taken = line.kind == "refund" and line.refund_id in charged_back
    return words.CHARGEBACK if taken else words.KINDS[line.kind]


def _of(line: StatementLine, names: Mapping[str, str]) -> str:
    """Parcels are told by what is in them, so their dispatches are not told beside them. What comes
    after a delivery may be of fewer units than were in its parcel."""
    known = [each for each in _ids(line) if each in names]
    parcels = "; ".join(names[each] for each in known if each.startswith("prc_"))
    if parcels:
        return parcels if line.kind == "delivery" else f"a parcel of {parcels}"
    return "; ".join(names[each] for each in known)


def _ids(line: StatementLine) -> list[str]:
    """All that the line came of, but its order, which several suppliers may have a part in."""
    found = (*line.of, line.dispatch_id, *line.entry_id.split(":")[1:], line.leader_id)
    return list(dict.fromkeys(each for each in found if each))


def _charged_back(lines: Sequence[StatementLine]) -> set[str]:
    """The refunds among the lines' that a customer's bank has brought."""
    refunds = {line.refund_id for line in lines if line.kind == "refund" and line.refund_id}
    return {each.id for each in refund_store.get_refunds(refunds) if each.cause == "chargeback"}


def _names(supplier_id: str, ids: set[str]) -> dict[str, str]:
    """What each thing is called that has a name; the rest are no ids, or of nothing that has."""
    own = [(supplier_id, each) for each in ids]
    deposits = suppliers.get_deposits(each for each in own if each[1].startswith("dpo_"))
    transfers = suppliers.get_remittances(each for each in own if each[1].startswith("rem_"))
    return {
        **dict(_goods(dispatches.get_dispatches(_only("dsp_", ids)))),
        **{each.id: each.reference or each.reason or each.id for each in deposits},
        **{each.id: each.reference for each in transfers},
        **{each.id: _payout(each) for each in payouts.get_payouts(_only("pyt_", ids))},
        **{each.id: each.community for each in parties.get_leaders(_only("ldr_", ids))},
    }


def _only(prefix: str, ids: set[str]) -> list[str]:
    return [each for each in ids if each.startswith(prefix)]


def _goods(found: Sequence[Dispatch]) -> Iterator[tuple[str, str]]:
    for dispatch in found:
        units = [SkuUnits(line.sku_id, line.quantity) for line in dispatch.lines]
        yield dispatch.id, words.contents(units, dispatch)
        for parcel in dispatch.parcels:
            yield parcel.id, words.contents(parcel.lines, dispatch)


def _payout(payout: Payout) -> str:
    if payout.reference:
        return payout.reference
    return f"account ending {payout.last_four}" if payout.last_four else payout.id
