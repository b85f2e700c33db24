"""Which URLs and addresses may be called: the hostile corpus, and controls that must pass."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kernel.addresses import AddressRefused, parse_target, why_not_public
from tests.support.hostile import HOSTILE_URLS

FRIENDLY_URLS = {
    "https://example.com": ("example.com", 443, "/"),
    "https://example.com/": ("example.com", 443, "/"),
    "https://example.com?a=1": ("example.com", 443, "/?a=1"),
    "HTTPS://Hooks.Example.COM/In?b[]=%2F": ("hooks.example.com", 443, "/In?b[]=%2F"),
    "https://example.com:443/a@b//c": ("example.com", 443, "/a@b//c"),
    "https://example.com:8443/a/../b": ("example.com", 8443, "/a/../b"),
    "https://xn--bcher-kva.example/": ("xn--bcher-kva.example", 443, "/"),
    "https://1.example.com/": ("1.example.com", 443, "/"),
    "https://0x7f.1.com/": ("0x7f.1.com", 443, "/"),
    "https://localhost.example.com/": ("localhost.example.com", 443, "/"),
    "https://8.8.8.8/": ("8.8.8.8", 443, "/"),
    "https://[2606:4700:0::1111]:8443/": ("2606:4700::1111", 8443, "/"),
}

# The first and last address of every block that is not public (RFC 6890 and its updates).
NOT_PUBLIC_RANGES = [
    ("0.0.0.0", "0.255.255.255"),
    ("10.0.0.0", "10.255.255.255"),
    ("100.64.0.0", "100.127.255.255"),
    ("127.0.0.0", "127.255.255.255"),
    ("169.254.0.0", "169.254.255.255"),
    ("172.16.0.0", "172.31.255.255"),
    ("192.0.0.0", "192.0.0.255"),
    ("192.0.2.0", "192.0.2.255"),
    ("192.31.196.0", "192.31.196.255"),
    ("192.52.193.0", "192.52.193.255"),
    ("192.88.99.0", "192.88.99.255"),
    ("192.168.0.0", "192.168.255.255"),
    ("192.175.48.0", "192.175.48.255"),
    ("198.18.0.0", "198.19.255.255"),
    ("198.51.100.0", "198.51.100.255"),
    ("203.0.113.0", "203.0.113.255"),
    ("224.0.0.0", "255.255.255.255"),
    ("::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("2620:4f:8000::", "2620:4f:8000:ffff:ffff:ffff:ffff:ffff"),
    ("3ffe::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("4000::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
]

# Neighbours just outside those blocks, and well-known public hosts.
PUBLIC_TEXT = """
    1.0.0.0 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0
    169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 192.0.1.0 192.0.3.0 192.167.255.255
    192.169.0.0 198.17.255.255 198.20.0.0 198.51.99.255 198.51.101.0 203.0.112.255 203.0.114.0
    223.255.255.255 8.8.8.8 93.184.216.34 168.63.129.15
    2000::1 2001:200::1 2001:4860:4860::8888 2003::1 2606:4700::1111 2a00:1450::1 3ffd::1
"""
PUBLIC = PUBLIC_TEXT.split()


@pytest.mark.parametrize("allow_loopback", [False, True])
@pytest.mark.parametrize("url", HOSTILE_URLS)
def test_a_hostile_url_is_refused(url: str, allow_loopback: bool) -> None:
    with pytest.raises(AddressRefused) as refused:
        parse_target(url, allow_loopback=allow_loopback)
    assert refused.value.reason.endswith(".")


def test_the_corpus_is_large_and_has_no_repetitions() -> None:
    assert len(set(HOSTILE_URLS)) == len(HOSTILE_URLS) > 100


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://example.com/", "must start with https"),
        ("https://user:secret@example.com/", "user name or password"),
        ("https://example.com/#x", "fragment"),
        ("https://example.com:22/", "one of 443, 8443"),
        ("https://10.0.0.1/", "private network"),
        ("https://127.1/", "usual way"),
        ("https://example.com./", "trailing dot"),
        ("https://localhost/", "not a public name"),
    ],
)
def test_the_reason_says_what_to_change(url: str, words: str) -> None:
    with pytest.raises(AddressRefused, match=words) as refused:
        parse_target(url, allow_loopback=False)
    assert "secret" not in refused.value.reason


@pytest.mark.parametrize(("url", "parts"), FRIENDLY_URLS.items())
def test_a_friendly_url_is_taken_apart_exactly(url: str, parts: tuple[str, int, str]) -> None:
    target = parse_target(url, allow_loopback=False)
    assert (target.scheme, target.host, target.port, target.path) == ("https", *parts)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("http://127.0.0.1:8080", "/"),
        ("HTTP://127.0.0.1:1/a?b", "/a?b"),
        ("http://127.0.0.1:65535/", "/"),
    ],
)
def test_the_loopback_form_is_taken_only_where_allowed(url: str, path: str) -> None:
    target = parse_target(url, allow_loopback=True)
    assert (target.scheme, target.address, target.path) == ("http", IPv4Address("127.0.0.1"), path)
    with pytest.raises(AddressRefused):
        parse_target(url, allow_loopback=False)


@pytest.mark.parametrize(
    ("url", "host_header"),
    [
        ("https://Example.com", "example.com"),
        ("https://example.com:443", "example.com"),
        ("https://example.com:8443", "example.com:8443"),
        ("https://[2606:4700::1111]", "[2606:4700::1111]"),
        ("https://[2606:4700::1111]:8443", "[2606:4700::1111]:8443"),
        ("http://127.0.0.1:80", "127.0.0.1"),
        ("http://127.0.0.1:443", "127.0.0.1:443"),
    ],
)
def test_the_host_field_names_an_unusual_port_only(url: str, host_header: str) -> None:
    assert parse_target(url, allow_loopback=True).host_header == host_header


@pytest.mark.parametrize("ends", NOT_PUBLIC_RANGES)
def test_both_ends_of_a_block_are_not_public(ends: tuple[str, str]) -> None:
    assert all(why_not_public(ip_address(end)) for end in ends)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_public(address: str) -> None:
    assert why_not_public(ip_address(address)) is None


def test_a_zone_is_refused_even_on_a_global_address() -> None:
    assert why_not_public(IPv6Address("2606:4700::1111%eth0"))


@given(st.integers(0, 2**32 - 1))
def test_no_ipv4_address_passes_inside_an_ipv6_one(number: int) -> None:
    low = [0, 0xFFFF << 32, 0xFFFF << 48, 0x64FF9B << 96, 0x64FF9B0001 << 80]
    inside = [base | number for base in low] + [0x2002 << 112 | number << 80]
    inside.append(0x20010000 << 96 | (number ^ 0xFFFFFFFF))
    assert all(why_not_public(IPv6Address(value)) for value in inside)


@given(st.integers(0, 2**128 - 1).map(IPv6Address))
def test_only_global_unicast_ipv6_is_public(address: IPv6Address) -> None:
    assert why_not_public(address) or address.packed[0] >> 5 == 1


@given(st.integers(0, 2**32 - 1).map(IPv4Address))
def test_what_is_public_here_is_global_to_python_too(address: IPv4Address) -> None:
    assert why_not_public(address) or (address.is_global and not address.is_multicast)


@given(st.one_of(st.text(), st.text().map("https://".__add__), st.from_regex(r"https://.+/.*")))
def test_any_text_is_either_refused_or_a_callable_target(url: str) -> None:
    try:
        target = parse_target(url, allow_loopback=False)
    except AddressRefused:
        return
    assert (target.scheme, target.path[0]) == ("https", "/")
    assert target.host.isascii()
    assert target.path.isprintable()
    assert " " not in target.path
