"""ISO 4217: money in use and nothing else, and amounts of it as people write them."""

import pytest

from chalicelib.kernel.currencies import CODES, is_currency, written


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


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (600, "EUR", "6.00 EUR"),
        (5, "EUR", "0.05 EUR"),
        (0, "USD", "0.00 USD"),
        (-1999, "EUR", "-19.99 EUR"),
        (-5, "EUR", "-0.05 EUR"),
        (600, "JPY", "600 JPY"),
        (600, "ISK", "600 ISK"),
        (1005, "KWD", "1.005 KWD"),
        (123456789012, "CNY", "1234567890.12 CNY"),
    ],
)
def test_an_amount_is_written_as_people_write_it(amount: int, currency: str, text: str) -> None:
    assert written(amount, currency) == text
