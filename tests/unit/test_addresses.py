"""Which URLs and addresses may be called: the hostile corpus, and controls that must pass."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kernel.addresses import AddressRefused, parse_target, why_not_public

# Nothing here may be called whether or not the loopback form is allowed.
HOSTILE_URLS = [
    # other schemes
    "http://example.com/",
    "ftp://example.com/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_PING",
    "dict://127.0.0.1:11211/stats",
    "ldap://example.com/",
    "ws://example.com/",
    "wss://example.com/",
    "unix:///var/run/docker.sock",
    "javascript:alert(1)",
    "data:text/plain,x",
    "blob:https://example.com/x",
    "view-source:https://example.com/",
    "https+unix://example.com/",
    "http+unix://%2Fvar%2Frun%2Fdocker.sock/",
    # not a whole URL
    "",
    "/",
    "example.com",
    "//example.com/",
    "https:example.com",
    "https:/example.com",
    "https:///example.com",
    "https://",
    "https:///",
    "https://?x",
    "://example.com",
    "https//example.com",
    "url:https://example.com",
    "https://" + "a" * 2048 + ".example.com/",
    # ports
    "https://example.com:80/",
    "https://example.com:22/",
    "https://example.com:6379/",
    "https://example.com:0/",
    "https://example.com:65536/",
    "https://example.com:/",
    "https://example.com:0443/",
    "https://example.com:+443/",
    "https://example.com:-443/",
    "https://example.com:443:443/",
    "https://example.com:4 43/",
    "https://example.com:443x/",
    "https://example.com:https/",
    "https://example.com:4294967739/",
    "https://example.com:\uff14\uff14\uff13/",
    # user names, fragments
    "https://user@example.com/",
    "https://user:password@example.com/",
    "https://@example.com/",
    "https://:@example.com/",
    "https://example.com@127.0.0.1/",
    "https://example.com:443@127.0.0.1/",
    "https://example.com%40127.0.0.1/",
    "https://example.com/#",
    "https://example.com/#fragment",
    "https://example.com#@127.0.0.1/",
    "https://127.0.0.1#.example.com/",
    # backslashes, whitespace, control characters, percent signs
    "https:\\\\example.com\\",
    "https://example.com\\@127.0.0.1/",
    "https://127.0.0.1\\.example.com/",
    "https://example.com/\\",
    " https://example.com/",
    "https://example.com/ ",
    "https://example.com /",
    "https:// example.com/",
    "https://exa\tmple.com/",
    "https://example.com\t/",
    "https://example.com/\r\nHost: internal",
    "https://example.com/\n",
    "\nhttps://example.com/",
    "https://example.com/\x00",
    "https://example.com\x00.internal/",
    "https://example.com/\x7f",
    "https://example.com/\x85",
    "https://example.com/\u2028",
    "\ufeffhttps://example.com/",
    "https://ex\u00adample.com/",
    "https://ex\u200bample.com/",
    "https://%31%32%37.0.0.1/",
    "https://127.0.0.1%2f@example.com/",
    "https://exam%70le.com/",
    "https://example.com%00/",
    "https://example.com%2eevil.com/",
    "https://example.com/%",
    "https://example.com/%zz",
    "https://example.com/<x>",
    'https://example.com/"x"',
    "https://example.com/{x}",
    "https://example.com/|x",
    "https://example.com/^x",
    "https://example.com/`x`",
    # IDNA tricks
    "https://\u24d4xample.com/",
    "https://\uff11\uff12\uff17.0.0.1/",
    "https://127\u30020\u30020\u30021/",
    "https://127\uff0e0\uff0e0\uff0e1/",
    "https://127\uff610\uff610\uff611/",
    "https://\u2460\u2461\u2466.0.0.1/",
    "https://\u2139nternal.example.com/",
    "https://b\u00fccher.example/",
    "https://\u0440aypal.com/",
    "https://loca\u017fhost/",
    "https://\uff4c\uff4fcalhost/",
    "https://fa\u00df.de/",
    # names that are not public host names
    "https://localhost/",
    "https://LOCALHOST/",
    "https://localhost:8443/",
    "https://localhost./",
    "https://foo.localhost/",
    "https://localhost.localhost/",
    "https://printer.local/",
    "https://metadata.google.internal/",
    "https://ip-10-0-0-1.eu-west-1.compute.internal/",
    "https://something.onion/",
    "https://something.alt/",
    "https://router.home.arpa/",
    "https://1.0.0.127.in-addr.arpa/",
    "https://intranet/",
    "https://metadata/",
    "https://com/",
    "https://example.com./",
    "https://example.com../",
    "https://./",
    "https://../",
    "https://.example.com/",
    "https://example..com/",
    "https://-example.com/",
    "https://example-.com/",
    "https://exa_mple.com/",
    "https://*.example.com/",
    "https://example.com,127.0.0.1/",
    "https://example.com;127.0.0.1/",
    "https://example.com&@127.0.0.1/",
    "https://$host.example.com/",
    "https://" + "a" * 64 + ".com/",
    "https://" + ".".join(["a" * 60] * 5) + ".com/",
    # loopback in other clothes
    "https://127.0.0.1/",
    "https://127.0.0.1:8443/",
    "https://127.0.0.2/",
    "https://127.255.255.255/",
    "https://127.1/",
    "https://127.0.1/",
    "https://127.0.0.1./",
    "https://127.0.0.1.:443/",
    "https://2130706433/",
    "https://017700000001/",
    "https://0x7f000001/",
    "https://0X7F000001/",
    "https://0177.0.0.1/",
    "https://0x7f.1/",
    "https://0x7f.0x0.0x0.0x1/",
    "https://127.0.0.0x1/",
    "https://127.0.0.01/",
    "https://127.00.0.1/",
    "https://127.0.0.1.0/",
    "https://127.0.0.257/",
    "https://127.0.0.256/",
    "https://4294967295/",
    "https://1.2.3.0x/",
    "https://example.123/",
    "https://8.8.2056/",
    "https://08.8.8.8/",
    "https://0/",
    "https://0.0.0.0/",
    "https://[::1]/",
    "https://[::1]:8443/",
    "https://[0:0:0:0:0:0:0:1]/",
    "https://[0000::1]/",
    "https://[::]/",
    "https://[::127.0.0.1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[::ffff:8.8.8.8]/",
    "https://[::8.8.8.8]/",
    "https://[::ffff:0:8.8.8.8]/",
    # the loopback form that may be allowed is spelled one way only
    "http://localhost:8080/",
    "http://LOCALHOST:8080/",
    "http://127.0.0.1/",
    "http://127.0.0.1:/",
    "http://127.0.0.1:0/",
    "http://127.0.0.1:65536/",
    "http://127.0.0.1:99999/",
    "http://127.0.0.1:08080/",
    "http://127.0.0.1:8080#x",
    "http://127.0.0.1.:8080/",
    "http://127.0.0.01:8080/",
    "http://127.1:8080/",
    "http://127.0.0.2:8080/",
    "http://0.0.0.0:8080/",
    "http://0:8080/",
    "http://2130706433:8080/",
    "http://0x7f.1:8080/",
    "http://0177.0.0.1:8080/",
    "http://[::1]:8080/",
    "http://[::ffff:127.0.0.1]:8080/",
    "http://user@127.0.0.1:8080/",
    "http://127.0.0.1:8080@example.com/",
    "http://127.0.0.1:8080\\@example.com/",
    "http://127.0.0.1%3a8080/",
    "http://127.0.0.1:8080 /",
    "http://127.0.0.1:80:80/",
    "https://127.0.0.1:8080/",
    "ftp://127.0.0.1:8080/",
    # metadata, private, shared, documentation and other special addresses
    "https://169.254.169.254/latest/meta-data/",
    "https://169.254.170.2/v2/credentials",
    "https://169.254.0.1/",
    "https://2852039166/",
    "https://0xa9fea9fe/",
    "https://0251.0376.0251.0376/",
    "https://169.254.43518/",
    "https://168.63.129.16/",
    "https://100.100.100.200/",
    "https://192.0.0.192/",
    "https://[fd00:ec2::254]/",
    "https://[fd00:0ec2:0:0:0:0:0:254]/",
    "https://[fd20:ce::254]/",
    "https://[::ffff:169.254.169.254]/",
    "https://[::ffff:a9fe:a9fe]/",
    "https://[::169.254.169.254]/",
    "https://[64:ff9b::a9fe:a9fe]/",
    "https://[64:ff9b::169.254.169.254]/",
    "https://[64:ff9b:1::a9fe:a9fe]/",
    "https://[64:ff9b::8.8.8.8]/",
    "https://[2002:a9fe:a9fe::]/",
    "https://[2002:7f00:1::]/",
    "https://[2002:808:808::1]/",
    "https://[2001::7f00:1]/",
    "https://[2001:0:53aa:64c:0:0:5601:5601]/",
    "https://[2a00:1450::5efe:7f00:1]/",
    "https://[2a00:1450::200:5efe:a9fe:a9fe]/",
    "https://10.0.0.1/",
    "https://10.255.255.255/",
    "https://172.16.0.1/",
    "https://172.31.255.255/",
    "https://192.168.0.1/",
    "https://192.168.1.1:8443/",
    "https://100.64.0.1/",
    "https://100.127.255.255/",
    "https://192.0.0.8/",
    "https://192.0.2.1/",
    "https://192.88.99.1/",
    "https://198.18.0.1/",
    "https://198.19.255.255/",
    "https://198.51.100.7/",
    "https://203.0.113.7/",
    "https://224.0.0.1/",
    "https://239.255.255.255/",
    "https://240.0.0.1/",
    "https://255.255.255.255/",
    "https://[fc00::1]/",
    "https://[fdff::1]/",
    "https://[fe80::1]/",
    "https://[fe80::1%25eth0]/",
    "https://[fe80::1%eth0]/",
    "https://[2606:4700::1111%25eth0]/",
    "https://[fec0::1]/",
    "https://[ff02::1]/",
    "https://[ff0e::1]/",
    "https://[100::1]/",
    "https://[2001:2::1]/",
    "https://[2001:10::1]/",
    "https://[2001:20::1]/",
    "https://[2001:db8::1]/",
    "https://[3fff::1]/",
    "https://[5f00::1]/",
    "https://[4000::1]/",
    "https://[8000::1]/",
    # brackets that hold no IPv6 address
    "https://[]/",
    "https://[/",
    "https://]/",
    "https://[::1/",
    "https://::1/",
    "https://2606:4700::1111/",
    "https://[8.8.8.8]/",
    "https://[example.com]/",
    "https://[v1.x]/",
    "https://[2606:4700::1111]x/",
    "https://[2606:4700::1111].example.com/",
    "https://x[2606:4700::1111]/",
    "https://[[2606:4700::1111]]/",
    "https://[2606:4700:::1111]/",
    "https://[2606:4700::11111]/",
    "https://[2606:4700::1::1]/",
]

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
