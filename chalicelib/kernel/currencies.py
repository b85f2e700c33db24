"""Currencies in use by ISO 4217 (funds, metals and testing codes left out), and their amounts."""

import re

CODES = frozenset(
    [
        "AED",
        "AFN",
        "ALL",
        "AMD",
        "ANG",
        "AOA",
        "ARS",
        "AUD",
        "AWG",
        "AZN",
        "BAM",
        "BBD",
        "BDT",
        "BGN",
        "BHD",
        "BIF",
        "BMD",
        "BND",
        "BOB",
        "BRL",
        "BSD",
        "BTN",
        "BWP",
        "BYN",
        "BZD",
        "CAD",
        "CDF",
        "CHF",
        "CLP",
        "CNY",
        "COP",
        "CRC",
        "CUP",
        "CVE",
        "CZK",
        "DJF",
        "DKK",
        "DOP",
        "DZD",
        "EGP",
        "ERN",
        "ETB",
        "EUR",
        "FJD",
        "FKP",
        "GBP",
        "GEL",
        "GHS",
        "GIP",
        "GMD",
        "GNF",
        "GTQ",
        "GYD",
        "HKD",
        "HNL",
        "HTG",
        "HUF",
        "IDR",
        "ILS",
        "INR",
        "IQD",
        "IRR",
        "ISK",
        "JMD",
        "JOD",
        "JPY",
        "KES",
        "KGS",
        "KHR",
        "KMF",
        "KPW",
        "KRW",
        "KWD",
        "KYD",
        "KZT",
        "LAK",
        "LBP",
        "LKR",
        "LRD",
        "LSL",
        "LYD",
        "MAD",
        "MDL",
        "MGA",
        "MKD",
        "MMK",
        "MNT",
        "MOP",
        "MRU",
        "MUR",
        "MVR",
        "MWK",
        "MXN",
        "MYR",
        "MZN",
        "NAD",
        "NGN",
        "NIO",
        "NOK",
        "NPR",
        "NZD",
        "OMR",
        "PAB",
        "PEN",
        "PGK",
        "PHP",
        "PKR",
        "PLN",
        "PYG",
        "QAR",
        "RON",
        "RSD",
        "RUB",
        "RWF",
        "SAR",
        "SBD",
        "SCR",
        "SDG",
        "SEK",
        "SGD",
        "SHP",
        "SLE",
        "SOS",
        "SRD",
        "SSP",
        "STN",
        "SVC",
        "SYP",
        "SZL",
        "THB",
        "TJS",
        "TMT",
        "TND",
        "TOP",
        "TRY",
        "TTD",
        "TWD",
        "TZS",
        "UAH",
        "UGX",
        "USD",
        "UYU",
        "UZS",
        "VED",
        "VES",
        "VND",
        "VUV",
        "WST",
        "XAF",
        "XCD",
        "XCG",
        "XOF",
        "XPF",
        "YER",
        "ZAR",
        "ZMW",
        "ZWG",
    ]
)


# Digits of the minor unit, where they are not two.
_MINOR_DIGITS = {
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
    **dict.fromkeys(["BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF"], 0),
    **dict.fromkeys(["UGX", "VND", "VUV", "XAF", "XOF", "XPF"], 0),
}

_DECIMAL = re.compile(r"(?P<sign>[+-]?)(?P<whole>[0-9]{1,15})(?:\.(?P<fraction>[0-9]{1,10}))?")


def is_currency(code: str) -> bool:
    return code in CODES


def written(amount: int, currency: str) -> str:
    """An amount in minor units, as people write it: `6.00 EUR`."""
    return f"{in_major(amount, currency)} {currency}"


def in_major(amount: int, currency: str) -> str:
    """An amount in minor units as a decimal number of the currency itself: `6.00`."""
    digits = _MINOR_DIGITS.get(currency, 2)
    whole, rest = divmod(abs(amount), 10**digits)
    sign = "-" if amount < 0 else ""
    fraction = f".{rest:0{digits}}" if digits else ""
    return f"{sign}{whole}{fraction}"


def whole(currency: str) -> int:
    """One of the currency itself, in its minor unit."""
    return int(10 ** _MINOR_DIGITS.get(currency, 2))


def in_minor(text: str, currency: str) -> int:
    """The minor units of a decimal number of the currency itself, the other way round.

    Raises ValueError for what is no such number, or one finer than the currency's minor unit.
    """
    digits = _MINOR_DIGITS.get(currency, 2)
    found = _DECIMAL.fullmatch(text)
    fraction = (found["fraction"] or "").rstrip("0") if found else ""
    if not found or len(fraction) > digits:
        raise ValueError(f"{text!r} is no amount of {currency}")
    amount = int(found["whole"] + fraction.ljust(digits, "0"))
    return -amount if found["sign"] == "-" else amount
