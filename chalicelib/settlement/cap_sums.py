"""What capped lines come to, kept beside the day they wait under as they arise, so that a run reads
no lines to cap a day. Pure.

A sum is of all that a cap line needs to know of the lines it is of.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from chalicelib.settlement.rules import EarnedLine

# What a sum is of, and how it is read from the sum's name.
OF: Mapping[str, type[Any]] = {
    "delivered_on": str,
    "role": str,
    "plan_id": str,
    "plan_version": int,
    "rule": str,
    "day_cap": int,
    "matured_on": str,
    "borne_by": str,
}


def sums(lines: Iterable[EarnedLine]) -> Counter[str]:
    """What the capped ones among these lines come to, by names that say what each sum is of."""
    found = Counter[str]()
    for line in lines:
        if line.day_cap is not None:
            found[urlencode({name: getattr(line, name) for name in OF})] += line.amount
    return found


def summed_lines(found: Mapping[str, int]) -> list[EarnedLine]:
    """A line for each sum, in place of all lines that it is of."""
    return [_summed(name, amount) for name, amount in sorted(found.items())]


def _summed(name: str, amount: int) -> EarnedLine:
    of = {key: OF[key](value) for key, value in parse_qsl(name, keep_blank_values=True)}
    return EarnedLine(
        order_id="",
        sku_id="",
        kind="commission",
        basis="",
        basis_amount=0,
        rate_bps=0,
        amount=amount,
        **of,
    )
