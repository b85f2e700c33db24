"""Which addresses, typed in by other people, Tuan is willing to call.

Rules only: nothing here resolves a name or opens a connection.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import NoReturn

IPAddress = IPv4Address | IPv6Address

ALLOWED_PORTS = frozenset({443, 8443})
MAX_URL_LENGTH = 2048

# The IANA special-purpose registries (RFC 6890 and its updates), with what a translator or a
# tunnel would turn into another address. Whole blocks are refused even where the registry calls
# a corner of them reachable: no webhook receiver lives there.
_BLOCKS = {
    "0.0.0.0/8": "this network (RFC 791)",
    "10.0.0.0/8": "private network (RFC 1918)",
    "100.64.0.0/10": "carrier-grade NAT (RFC 6598)",
    "127.0.0.0/8": "loopback (RFC 1122)",
    "168.63.129.16/32": "a cloud platform's own service",
    "169.254.0.0/16": "link-local and instance metadata (RFC 3927)",
    "172.16.0.0/12": "private network (RFC 1918)",
    "192.0.0.0/24": "IETF protocol assignments (RFC 6890)",
    "192.0.2.0/24": "documentation (RFC 5737)",
    "192.31.196.0/24": "AS112 (RFC 7535)",
    "192.52.193.0/24": "multicast tunnelling (RFC 7450)",
    "192.88.99.0/24": "6to4 relay (RFC 7526)",
    "192.168.0.0/16": "private network (RFC 1918)",
    "192.175.48.0/24": "AS112 (RFC 7534)",
    "198.18.0.0/15": "benchmarking (RFC 2544)",
    "198.51.100.0/24": "documentation (RFC 5737)",
    "203.0.113.0/24": "documentation (RFC 5737)",
    "224.0.0.0/4": "multicast (RFC 5771)",
    "255.255.255.255/32": "broadcast (RFC 919)",
    "240.0.0.0/4": "reserved (RFC 1112)",
    "::/128": "unspecified (RFC 4291)",
    "::1/128": "loopback (RFC 4291)",
    "::ffff:0:0/96": "IPv4-mapped (RFC 4291)",
    "::/96": "IPv4-compatible (RFC 4291)",
    "::ffff:0:0:0/96": "IPv4-translated (RFC 2765)",
    "64:ff9b::/96": "NAT64 (RFC 6052)",
    "64:ff9b:1::/48": "local NAT64 (RFC 8215)",
    "100::/64": "discard-only (RFC 6666)",
    "2001::/32": "Teredo (RFC 4380)",
    "2001:2::/48": "benchmarking (RFC 5180)",
    "2001::/23": "IETF protocol assignments (RFC 2928)",
    "2001:db8::/32": "documentation (RFC 3849)",
    "2002::/16": "6to4 (RFC 3056)",
    "2620:4f:8000::/48": "AS112 (RFC 7534)",
    "3ffe::/16": "6bone, returned (RFC 3701)",
    "3fff::/20": "documentation (RFC 9637)",
    "5f00::/16": "segment routing (RFC 9602)",
    "fc00::/7": "private network (RFC 4193)",
    "fe80::/10": "link-local (RFC 4291)",
    "fec0::/10": "site-local (RFC 3879)",
    "ff00::/8": "multicast (RFC 4291)",
}
_NOT_PUBLIC: tuple[tuple[IPv4Network | IPv6Network, str], ...] = tuple(
    (ip_network(block), what) for block, what in _BLOCKS.items()
)
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_ISATAP_MARKS = (b"\x00\x00\x5e\xfe", b"\x02\x00\x5e\xfe")

# RFC 6761, 6762, 7686, 9476, 3172, and ICANN's reservation of .internal.
_NEVER_PUBLIC_NAMES = frozenset({"localhost", "local", "onion", "alt", "arpa", "internal"})

_CHARACTERS = re.compile(r"(?:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*")
_SHAPE = re.compile(r"(?P<scheme>[A-Za-z]+)://(?P<authority>[^/?]*)(?P<rest>.*)")
_AUTHORITY = re.compile(
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.\-]+)(?::(?P<port>[1-9][0-9]{0,4}))?"
)
_LOOPBACK = re.compile(r"127\.0\.0\.1:(?P<port>[1-9][0-9]{0,4})")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


class AddressRefused(Exception):
    """Tuan does not call this address; ``reason`` is a sentence for the person who typed it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Target:
    """A URL taken apart once, so that what was checked and what is sent cannot differ."""

    scheme: str  # "https", or "http" for the local loopback form
    host: str  # lower case; an IPv6 literal without its brackets
    port: int
    path: str  # path and query exactly as typed, at least "/"
    address: IPAddress | None  # set when the host is an address, which has then been judged

    @property
    def host_header(self) -> str:
        """The Host field (RFC 9110, 7.2): the port only where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual_port = {"https": 443, "http": 80}[self.scheme]
        return host if self.port == usual_port else f"{host}:{self.port}"


def parse_target(url: str, *, allow_loopback: bool) -> Target:
    """Take apart a URL that may be called, as far as can be said without resolving its name.

    Stricter than RFC 3986: https, a port of ``ALLOWED_PORTS``, no user, no fragment, a host
    spelled in the one usual way. ``allow_loopback`` adds literally ``http://127.0.0.1:<port>``.

    Raises:
        AddressRefused: the URL is not of that kind.
    """
    scheme, authority, path = _split(url)
    if allow_loopback and scheme == "http" and (local := _LOOPBACK.fullmatch(authority)):
        return _loopback(int(local["port"]), path)
    if scheme != "https":
        also = ", or with http://127.0.0.1:<port>" if allow_loopback else ""
        _refuse(f"The URL must start with https://{also}.")
    host, port = _host_and_port(authority)
    address = _literal(host)
    if address is None:
        _check_name(host)
    else:
        _check_literal(address)
    return Target(scheme, host if address is None else str(address), port, path, address)


def why_not_public(address: IPAddress) -> str | None:
    """Say which kind of non-public address this is, or None for one on the public internet.

    Sources: the IANA IPv4 and IPv6 special-purpose address registries (RFC 6890) and RFC 4291.
    ``ipaddress.is_global`` is asked last because it takes NAT64, 6to4 and multicast for global.
    """
    for network, what in _NOT_PUBLIC:
        if address in network:
            return what
    if isinstance(address, IPv6Address) and (what_v6 := _why_not_global_unicast(address)):
        return what_v6
    return None if address.is_global else "not globally reachable (RFC 6890)"


def _why_not_global_unicast(address: IPv6Address) -> str | None:
    if address.scope_id is not None:
        return "bound to a zone (RFC 4007)"
    if address not in _GLOBAL_UNICAST:
        return "not global unicast (RFC 4291)"
    if address.packed[8:12] in _ISATAP_MARKS:
        return "ISATAP (RFC 5214)"
    return None


def _refuse(reason: str) -> NoReturn:
    raise AddressRefused(reason)


def _split(url: str) -> tuple[str, str, str]:
    if len(url) > MAX_URL_LENGTH:
        _refuse(f"The URL is longer than {MAX_URL_LENGTH} characters.")
    if not _CHARACTERS.fullmatch(url):
        _refuse(
            "The URL holds a character that URLs may not hold (RFC 3986); write the host in its "
            "ASCII form (xn--...) and percent-encode the rest."
        )
    if "#" in url:
        _refuse("The URL must not have a fragment (#...).")
    shape = _SHAPE.fullmatch(url)
    if not shape:
        _refuse("The URL must look like https://host/path.")
    rest = shape["rest"]
    return shape["scheme"].lower(), shape["authority"], rest if rest[:1] == "/" else "/" + rest


def _loopback(port: int, path: str) -> Target:
    if port > 65535:
        _refuse("The port must be at most 65535.")
    return Target("http", "127.0.0.1", port, path, IPv4Address("127.0.0.1"))


def _host_and_port(authority: str) -> tuple[str, int]:
    if "@" in authority:
        _refuse("The URL must not hold a user name or password.")
    parts = _AUTHORITY.fullmatch(authority)
    if not parts:
        _refuse("The URL's host or port is not written in the usual way.")
    port = int(parts["port"] or 443)
    if port not in ALLOWED_PORTS:
        _refuse(f"The port must be one of {', '.join(map(str, sorted(ALLOWED_PORTS)))}.")
    return parts["host"].lower(), port


def _literal(host: str) -> IPAddress | None:
    """The address that the host spells, or None where it is a name.

    A host whose last label is a number is an address to browsers and to inet_aton
    (WHATWG URL, "ends in a number"), so 127.1, 0177.0.0.1, 0x7f.1 and 2130706433 are never names.
    """
    try:
        if host.startswith("["):
            return IPv6Address(host[1:-1])
        last_label = host.rstrip(".").rpartition(".")[2]
        return IPv4Address(host) if _NUMBER.fullmatch(last_label) else None
    except ValueError:
        _refuse("The URL's host is a number but not an address written in the usual way.")


def _check_literal(address: IPAddress) -> None:
    what = why_not_public(address)
    if what:
        _refuse(f"{address} is not a public address: {what}.")


def _check_name(host: str) -> None:
    labels = host.split(".")
    if len(host) > 253 or not all(map(_LABEL.fullmatch, labels)):
        _refuse("The URL's host is not a valid host name (RFC 1123), without a trailing dot.")
    if len(labels) < 2 or labels[-1] in _NEVER_PUBLIC_NAMES:
        _refuse("The URL's host is not a public name.")
