"""Integer money: every amount is in the currency's minor unit, every rate in basis points.

Source: contract, sections 1 and 6.
"""

from collections.abc import Sequence

BASIS_POINTS = 10_000


def half_up(numerator: int, denominator: int) -> int:
    """`numerator / denominator` rounded half up (towards plus infinity) to a whole minor unit."""
    return (2 * numerator + denominator) // (2 * denominator)


def at_rate(amount: int, rate_bps: int) -> int:
    """The share of `amount` at a rate in basis points, rounded half up."""
    return half_up(amount * rate_bps, BASIS_POINTS)


def part(whole: int, k: int, n: int) -> int:
    """What `k` of `n` equal units are worth of `whole`: 0 at k = 0 and exactly `whole` at k = n."""
    return half_up(whole * k, n)


def allocate(total: int, weights: Sequence[int]) -> list[int]:
    """Divide `total` (not negative) in proportion to `weights` so that the parts add up to it.

    Largest-remainder method; ties go to the earlier part. Where every weight is zero the
    parts are as equal as they can be.
    """
    if not weights:
        raise ValueError("nothing to divide among")
    if not any(weights):
        weights = [1] * len(weights)
    whole = sum(weights)
    parts = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % whole), i))
    for i in by_remainder[: total - sum(parts)]:
        parts[i] += 1
    return parts
