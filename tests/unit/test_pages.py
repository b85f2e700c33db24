"""Cursors: a list's own are read back, all others are refused."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kernel.errors import Malformed
from chalicelib.platform import pages
from chalicelib.platform.pages import Page, cursor, read_cursor

ORDERS = "GET /v1/orders customer cus_alice"
POSITIONS = st.one_of(st.text(st.characters(codec="utf-8"), min_size=1), st.integers())


@pytest.fixture(autouse=True, scope="module")
def signing_secret() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pages, "secret", lambda _: "a secret of these tests")
        yield


@given(POSITIONS)
def test_a_list_reads_its_own_cursor(position: Any) -> None:
    text = cursor(ORDERS, position)
    assert text is not None
    assert text.isascii()
    assert read_cursor(ORDERS, text) == position


def test_the_last_page_has_no_cursor() -> None:
    assert cursor(ORDERS, None) is None


@pytest.mark.parametrize(
    "scope",
    [
        "GET /v1/orders customer cus_bob",
        "GET /v1/orders leader cus_alice",
        "GET /v1/cases customer cus_alice",
        "",
    ],
)
def test_another_list_or_caller_refuses_it(scope: str) -> None:
    with refused():
        read_cursor(scope, str(cursor(ORDERS, "ord_1")))


@given(st.integers(0, 10**6), st.integers(1, 255))
def test_no_byte_of_it_can_be_changed(place: int, change: int) -> None:
    raw = bytearray(base64.urlsafe_b64decode(f"{cursor(ORDERS, 'ord_0123456789ab')}=="))
    raw[place % len(raw)] ^= change
    with refused():
        read_cursor(ORDERS, base64.urlsafe_b64encode(raw).decode())


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_no_other_text_is_a_cursor(text: str) -> None:
    with refused():
        read_cursor(ORDERS, text)


@given(st.binary(max_size=80))
def test_no_bytes_that_were_not_signed_are_a_cursor(raw: bytes) -> None:
    with refused():
        read_cursor(ORDERS, base64.urlsafe_b64encode(raw).decode().rstrip("="))


def test_another_secret_signs_other_cursors(monkeypatch: pytest.MonkeyPatch) -> None:
    text = str(cursor(ORDERS, "ord_1"))
    monkeypatch.setattr(pages, "secret", lambda _: "another secret")
    with refused():
        read_cursor(ORDERS, text)


def test_a_cursor_cut_short_is_refused() -> None:
    text = str(cursor(ORDERS, "ord_1"))
    for length in range(len(text)):
        with refused():
            read_cursor(ORDERS, text[:length])


def test_a_page_keeps_its_end_when_its_items_are_changed() -> None:
    assert Page((1, 2), "two").map(str) == Page(("1", "2"), "two")


def refused() -> Any:
    return pytest.raises(Malformed, check=lambda error: error.code == "invalid_cursor")
