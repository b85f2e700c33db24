"""The one way Tuan calls addresses that other people typed in, such as webhook endpoints.

The name is resolved once, every answer is judged, and a judged address is what is dialled;
Host, SNI and the certificate check keep the name. Redirects and proxies do not exist here.
"""

from __future__ import annotations

import contextlib
import io
import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import cache
from http.client import HTTPException, IncompleteRead
from ipaddress import ip_address
from threading import Thread
from typing import TYPE_CHECKING, Any

from chalicelib.kernel import addresses
from chalicelib.kernel.addresses import AddressRefused, IPAddress, Target

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer
    from urllib3.response import BaseHTTPResponse

__all__ = ["AddressRefused", "Answer", "CallFailed", "check_url", "post"]

RESOLVE_SECONDS = 5.0
MAX_ADDRESSES_DIALLED = 4
_SET_HERE = frozenset({"connection", "content-length", "host", "transfer-encoding"})


@dataclass(frozen=True)
class Answer:
    """What the other side said, whatever its status; a 3xx is an answer like any other."""

    status: int
    headers: Mapping[str, str]  # lower-case names; repeated fields joined by ", "
    body: bytes  # at most max_bytes of it, not decompressed
    duration_ms: int


class CallFailed(Exception):
    """No complete answer came; ``reason`` is short and may be shown to the endpoint's owner."""

    def __init__(self, reason: str, duration_ms: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.duration_ms = duration_ms


def check_url(url: str, *, allow_loopback: bool) -> None:
    """Say whether ``url`` may be called now; resolves its name, for at most 5 s.

    A name that does not resolve now may do so later: ``post`` judges again each time, since a
    name can be pointed elsewhere at any time.

    Raises:
        AddressRefused: it may not be called.
    """
    target = addresses.parse_target(url, allow_loopback=allow_loopback)
    with contextlib.suppress(OSError):
        _judged_addresses(target, RESOLVE_SECONDS)


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    allow_loopback: bool,
    connect_timeout: float = 3.0,
    total_timeout: float = 15.0,
    max_bytes: int = 16384,
) -> Answer:
    """POST ``body`` unchanged to ``url`` and read at most ``max_bytes`` of the answer's body.

    ``connect_timeout`` (seconds) bounds the TCP connection over all its addresses together;
    ``total_timeout`` (seconds) bounds everything from resolving to the last byte read.

    Raises:
        AddressRefused: ``url`` may not be called; nothing was dialled.
        CallFailed: the name did not resolve, or no complete answer came in time.
        ValueError: ``headers`` set a field that is decided here, or one RFC 9110 does not allow.
    """
    from urllib3.exceptions import HTTPError

    deadline = _Deadline(total_timeout)
    target = addresses.parse_target(url, allow_loopback=allow_loopback)
    fields = _fields(target, headers)
    try:
        judged = _judged_addresses(target, deadline.left())
        with (
            _dial(judged, target.port, connect_timeout, deadline) as plain,
            _secured(plain, target, deadline) as sock,
        ):
            return _exchange(_Wire(sock, deadline), target, body, fields, max_bytes)
    except (OSError, HTTPException, HTTPError) as error:
        raise CallFailed(_reason(error, deadline), deadline.elapsed_ms()) from error


class _Deadline:
    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._started = time.monotonic()

    def left(self) -> float:
        """Seconds left, more than 0; raises TimeoutError when there are none."""
        left = self._started + self.seconds - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def over(self) -> bool:
        return time.monotonic() >= self._started + self.seconds

    def elapsed_ms(self) -> int:
        return round((time.monotonic() - self._started) * 1000)


class _ConnectTimeout(OSError):
    def __init__(self, seconds: float) -> None:
        super().__init__(f"no connection within {seconds:g} s")


def _fields(target: Target, headers: Mapping[str, str]) -> dict[str, str]:
    given = {name.lower(): value for name, value in headers.items()}
    if clash := _SET_HERE & given.keys():
        raise ValueError(f"set by http_out alone: {', '.join(sorted(clash))}")
    return {"host": target.host_header, "user-agent": "Tuan", "connection": "close", **given}


def _judged_addresses(target: Target, seconds: float) -> list[IPAddress]:
    if target.address is not None:
        return [target.address]
    found = _resolve(target.host, target.port, seconds)
    if any(addresses.why_not_public(address) for address in found):
        # The address itself stays unsaid: it would let outsiders read our internal names.
        raise AddressRefused("The URL's host name points to an address that is not public.")
    return found


def _resolve(host: str, port: int, seconds: float) -> list[IPAddress]:
    answers = _getaddrinfo_within(host, port, seconds)
    # A dict keeps the resolver's order of preference (RFC 6724) and drops repetitions.
    found = list(dict.fromkeys(ip_address(sockaddr[0]) for *_, sockaddr in answers))
    if not found:
        raise socket.gaierror(socket.EAI_NONAME, "no addresses")
    return found


def _getaddrinfo_within(host: str, port: int, seconds: float) -> list[Any]:
    """Ask in a thread of its own, because getaddrinfo cannot be given a time limit."""
    answer: Future[list[Any]] = Future()

    def ask() -> None:
        try:
            answer.set_result(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except Exception as error:
            answer.set_exception(error)

    Thread(target=ask, name="resolve", daemon=True).start()
    return answer.result(timeout=seconds)


def _dial(
    judged: Sequence[IPAddress], port: int, connect_timeout: float, deadline: _Deadline
) -> socket.socket:
    """Connect to the first address that takes us; each has an equal share of the time left."""
    connecting = _Deadline(connect_timeout)
    candidates = judged[:MAX_ADDRESSES_DIALLED]
    failure: OSError = _ConnectTimeout(connect_timeout)
    for tried, address in enumerate(candidates):
        try:
            share = connecting.left() / (len(candidates) - tried)
            return _connect(address, port, min(share, deadline.left()))
        except TimeoutError:
            failure = _ConnectTimeout(connect_timeout)
        except OSError as error:
            failure = error
    raise failure


def _connect(address: IPAddress, port: int, seconds: float) -> socket.socket:
    sock = socket.socket(socket.AF_INET if address.version == 4 else socket.AF_INET6)
    try:
        sock.settimeout(seconds)
        sock.connect((str(address), port))
        # Header and body go out as two writes; Nagle would hold back the second.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        sock.close()
        raise
    return sock


def _secured(sock: socket.socket, target: Target, deadline: _Deadline) -> socket.socket:
    if target.scheme == "http":
        return sock
    sock.settimeout(deadline.left())
    return _tls_context().wrap_socket(sock, server_hostname=target.host)


@cache
def _tls_context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


class _Wire:
    """A connected socket, as far as http.client uses one, with the deadline on every wait.

    A socket's own timeout starts afresh with each byte, so a peer that drips would never meet it.
    """

    def __init__(self, sock: socket.socket, deadline: _Deadline) -> None:
        self.sock = sock
        self.deadline = deadline

    def sendall(self, data: ReadableBuffer) -> None:
        unsent = memoryview(data)
        while unsent:
            self.sock.settimeout(self.deadline.left())
            unsent = unsent[self.sock.send(unsent) :]

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self))

    def settimeout(self, _seconds: float | None) -> None:
        """Left to the deadline."""

    def close(self) -> None:
        """Left to the caller: http.client closes before the body is read."""


class _Reader(io.RawIOBase):
    def __init__(self, wire: _Wire) -> None:
        self._wire = wire

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        self._wire.sock.settimeout(self._wire.deadline.left())
        return self._wire.sock.recv_into(buffer)


def _exchange(
    wire: _Wire, target: Target, body: bytes, fields: Mapping[str, str], max_bytes: int
) -> Answer:
    from urllib3.connection import HTTPConnection

    connection = HTTPConnection(target.host, target.port)
    connection.sock = wire
    # Were the connection lost, http.client would dial the name anew, unjudged.
    connection.auto_open = 0
    connection.request(
        "POST", target.path, body, fields, preload_content=False, decode_content=False
    )
    response = connection.getresponse()
    received = response.read(max_bytes, decode_content=False)
    if response.length_remaining and len(received) < max_bytes:
        raise IncompleteRead(received, response.length_remaining)
    elapsed_ms = wire.deadline.elapsed_ms()
    return Answer(response.status, _lower_case(response), received, elapsed_ms)


def _lower_case(response: BaseHTTPResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.itermerged()}


# The first kind that fits speaks; what nothing here names is not HTTP.
_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (socket.gaierror, "the name does not resolve"),
    (ConnectionRefusedError, "connection refused"),
    (ConnectionError, "connection closed before the answer was complete"),
    (IncompleteRead, "connection closed before the answer was complete"),
    (ssl.SSLError, "TLS failed"),
    (OSError, "connection failed"),
    (Exception, "not a valid HTTP answer"),
)


def _reason(error: BaseException, deadline: _Deadline) -> str:
    # urllib3 wraps what happened on the socket; the cause says it better.
    happened = error if isinstance(error, OSError) else error.__cause__ or error
    if deadline.over() or isinstance(happened, TimeoutError):
        return f"timed out after {deadline.seconds:g} s"
    if isinstance(happened, _ConnectTimeout):
        return str(happened)
    if isinstance(happened, ssl.SSLCertVerificationError):
        return f"certificate not accepted: {happened.verify_message}"
    return next(reason for kind, reason in _REASONS if isinstance(happened, kind))
