"""ISO 4217 codes: money in use, and nothing else."""

import pytest

from chalicelib.kernel.currencies import CODES, is_currency


@pytest.mark.parametrize("code", ["EUR", "USD", "CNY", "VND", "JPY", "KWD", "CHF", "XOF", "BRL"])
def test_money_in_use_is_a_currency(code: str) -> None:
    assert is_currency(code)


@pytest.mark.parametrize("code", ["", "eur", "Eur", "EURO", "EU", "EUR ", "€", "BTC", "DEM", "ZZZ"])
def test_what_iso_does_not_know_is_none(code: str) -> None:
    assert not is_currency(code)


@pytest.mark.parametrize("code", ["XAU", "XDR", "XTS", "XXX", "CHE", "USN"])
def test_funds_metals_and_test_codes_are_none(code: str) -> None:
    assert not is_currency(code)


def test_every_code_is_three_capital_letters() -> None:
    assert all(len(code) == 3 and code.isascii() and code.isupper() for code in CODES)
