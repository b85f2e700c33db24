"""Calls to addresses that others typed in, against hostile peers on the loopback interface."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from chalicelib.kernel import addresses
from chalicelib.platform import http_out
from chalicelib.platform.http_out import AddressRefused, Answer, CallFailed, check_url, post

PUBLIC = "93.184.216.34"
PUBLIC_V6 = "2606:4700::1111"
NAME = "hooks.supplier.example"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
PATIENCE = 10.0  # seconds until a test that hangs gives up

Script = Callable[["Peer", socket.socket], None]


class Peer:
    """A server on 127.0.0.1 that reads each request, then does what its script says."""

    def __init__(self, script: Script, tls: ssl.SSLContext | None = None) -> None:
        self.script = script
        self.tls = tls
        self.requests: list[bytes] = []
        self.stopped = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.threads = [threading.Thread(target=self._accept)]
        self.threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            sock.settimeout(PATIENCE)
            self.threads.append(threading.Thread(target=self._talk, args=[sock]))
            self.threads[-1].start()

    def _talk(self, sock: socket.socket) -> None:
        with suppress(OSError), sock:
            if self.tls is None:
                self.script(self, sock)
                return
            with self.tls.wrap_socket(sock, server_side=True) as secured:
                self.script(self, secured)

    def drip(self, sock: socket.socket, piece: bytes) -> None:
        """Send the piece every 10 ms until the other side has gone, at most 300 times."""
        with suppress(OSError):
            for _ in range(300):
                if self.stopped.wait(0.01):
                    return
                sock.sendall(piece)

    def stop(self) -> None:
        self.stopped.set()
        # accept() in another thread wakes up on shutdown, not on close.
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for thread in self.threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()


def read_request(sock: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        received += sock.recv(65536) or b"\r\n\r\n"
    head, _, body = received.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
    while len(body) < length:
        body += sock.recv(65536)
    return head + b"\r\n\r\n" + body


def answering(answer: bytes) -> Script:
    def script(peer: Peer, sock: socket.socket) -> None:
        peer.requests.append(read_request(sock))
        sock.sendall(answer)

    return script


def dripping(start: bytes, piece: bytes) -> Script:
    def script(peer: Peer, sock: socket.socket) -> None:
        read_request(sock)
        sock.sendall(start)
        peer.drip(sock, piece)

    return script


@pytest.fixture
def serve() -> Iterator[Callable[..., Peer]]:
    peers: list[Peer] = []

    def start(script: Script, tls: ssl.SSLContext | None = None) -> Peer:
        peers.append(Peer(script, tls))
        return peers[-1]

    yield start
    for peer in peers:
        peer.stop()


@pytest.fixture(autouse=True)
def _only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    connect = socket.socket.connect

    def guarded(sock: socket.socket, address: Any) -> None:
        if not ipaddress.ip_address(address[0]).is_loopback:
            pytest.fail(f"a test dialled {address}")
        connect(sock, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture
def dialled(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Every address dialled; each refuses the connection."""
    seen: list[tuple[str, int]] = []

    def connect(_sock: socket.socket, address: Any) -> None:
        seen.append(address[:2])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", connect)
    return seen


class Resolver:
    """Stands in for socket.getaddrinfo; gives the next answer list each time, then the last."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = answers
        self.asked: list[str] = []

    def __call__(self, host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        answer = self.answers[min(len(self.asked), len(self.answers) - 1)]
        self.asked.append(host)
        return [_addrinfo(address, port) for address in answer]


def _addrinfo(address: str, port: int) -> tuple[Any, ...]:
    if ":" in address:
        return (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, port, 0, 0))
    return (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Resolver]:
    def to(*answers: Sequence[str]) -> Resolver:
        resolver = Resolver(*answers)
        monkeypatch.setattr(socket, "getaddrinfo", resolver)
        return resolver

    return to


def local_post(peer: Peer, path: str = "/", body: bytes = b"{}", **options: Any) -> Answer:
    url = f"http://127.0.0.1:{peer.port}{path}"
    return post(url, body, options.pop("headers", {}), allow_loopback=True, **options)


# --- the address rules hold on the way out ---


@pytest.mark.parametrize(
    "answers",
    [
        ["127.0.0.1"],
        ["127.8.8.8"],
        ["10.0.0.5"],
        ["172.20.1.1"],
        ["192.168.1.1"],
        ["100.64.0.1"],
        ["169.254.169.254"],
        ["169.254.170.2"],
        ["198.18.0.1"],
        ["224.0.0.1"],
        ["255.255.255.255"],
        ["0.0.0.0"],
        ["::1"],
        ["::"],
        ["fe80::1"],
        ["fe80::1%eth0"],
        [f"{PUBLIC_V6}%eth0"],
        ["fec0::1"],
        ["fd00:ec2::254"],
        ["::ffff:10.0.0.1"],
        ["::ffff:8.8.8.8"],
        ["64:ff9b::a9fe:a9fe"],
        ["64:ff9b:1::a9fe:a9fe"],
        ["2002:a9fe:a9fe::"],
        ["2001:0:53aa:64c::1"],
        ["ff02::1"],
        [PUBLIC, "10.0.0.5"],
        ["10.0.0.5", PUBLIC],
        [PUBLIC, PUBLIC_V6, "::1"],
        [PUBLIC] * 40 + ["169.254.169.254"],
    ],
)
def test_a_name_with_any_answer_that_is_not_public_is_refused(
    answers: list[str], resolve: Callable[..., Resolver], dialled: list[tuple[str, int]]
) -> None:
    resolve(answers)
    with pytest.raises(AddressRefused) as at_check:
        check_url(f"https://{NAME}/", allow_loopback=True)
    with pytest.raises(AddressRefused) as at_post:
        post(f"https://{NAME}/", b"", {}, allow_loopback=True)
    assert dialled == []
    assert at_check.value.reason == at_post.value.reason
    assert not any(answer in at_post.value.reason for answer in answers)


@pytest.mark.parametrize("url", ["https://169.254.169.254/", "https://0x7f.1/", "http://x.com/"])
def test_a_refused_url_is_neither_resolved_nor_dialled(
    url: str, resolve: Callable[..., Resolver], dialled: list[tuple[str, int]]
) -> None:
    resolver = resolve([PUBLIC])
    with pytest.raises(AddressRefused):
        check_url(url, allow_loopback=True)
    with pytest.raises(AddressRefused):
        post(url, b"", {}, allow_loopback=True)
    assert (resolver.asked, dialled) == ([], [])


def test_a_public_name_passes_the_check(resolve: Callable[..., Resolver]) -> None:
    resolver = resolve([PUBLIC, PUBLIC_V6])
    check_url(f"https://{NAME}/in", allow_loopback=False)
    assert resolver.asked == [NAME]


def test_a_rebinding_name_gets_only_its_judged_address_dialled(
    resolve: Callable[..., Resolver], dialled: list[tuple[str, int]]
) -> None:
    resolver = resolve([PUBLIC], ["127.0.0.1"])
    with pytest.raises(CallFailed, match=r"connection refused"):
        post(f"https://{NAME}/", b"", {}, allow_loopback=False)
    assert dialled == [(PUBLIC, 443)]
    assert resolver.asked == [NAME]


def test_the_rebinding_rig_catches_a_caller_that_checks_and_then_dials_the_name(
    resolve: Callable[..., Resolver], dialled: list[tuple[str, int]]
) -> None:
    resolve([PUBLIC], ["127.0.0.1"])
    check_url(f"https://{NAME}/", allow_loopback=False)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((NAME, 443))
    assert dialled == [("127.0.0.1", 443)]


def test_a_check_passed_earlier_does_not_count_at_the_call(
    resolve: Callable[..., Resolver], dialled: list[tuple[str, int]]
) -> None:
    resolve([PUBLIC], ["127.0.0.1"])
    check_url(f"https://{NAME}/", allow_loopback=False)
    with pytest.raises(AddressRefused):
        post(f"https://{NAME}/", b"", {}, allow_loopback=False)
    assert dialled == []


def test_addresses_are_tried_in_order_and_only_a_few(
    resolve: Callable[..., Resolver], dialled: list[tuple[str, int]]
) -> None:
    resolve([PUBLIC_V6, PUBLIC, PUBLIC, *(f"8.8.8.{n}" for n in range(20))])
    with pytest.raises(CallFailed, match=r"connection refused"):
        post(f"https://{NAME}:8443/", b"", {}, allow_loopback=False)
    assert dialled == [(PUBLIC_V6, 8443), (PUBLIC, 8443), ("8.8.8.0", 8443), ("8.8.8.1", 8443)]


@pytest.mark.parametrize(
    ("url", "end"),
    [("https://8.8.8.8/", ("8.8.8.8", 443)), (f"https://[{PUBLIC_V6}]/", (PUBLIC_V6, 443))],
)
def test_an_address_in_the_url_is_dialled_without_resolving(
    url: str,
    end: tuple[str, int],
    resolve: Callable[..., Resolver],
    dialled: list[tuple[str, int]],
) -> None:
    resolver = resolve(["127.0.0.1"])
    with pytest.raises(CallFailed, match=r"connection refused"):
        post(url, b"", {}, allow_loopback=False)
    assert (dialled, resolver.asked) == ([end], [])


# --- names that do not resolve, or not in time ---


def _no_such_name(*_: Any, **__: Any) -> list[Any]:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def test_a_name_that_does_not_resolve_now_may_do_so_when_it_is_called(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", _no_such_name)
    check_url(f"https://{NAME}/", allow_loopback=False)
    with pytest.raises(CallFailed, match=r"the name does not resolve"):
        post(f"https://{NAME}/", b"", {}, allow_loopback=False)


def test_a_name_without_addresses_does_not_resolve(resolve: Callable[..., Resolver]) -> None:
    resolve([])
    check_url(f"https://{NAME}/", allow_loopback=False)
    with pytest.raises(CallFailed, match=r"the name does not resolve"):
        post(f"https://{NAME}/", b"", {}, allow_loopback=False)


def test_a_slow_resolver_is_left_behind_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    released, done = threading.Event(), threading.Event()

    def slow(*_: Any, **__: Any) -> list[Any]:
        released.wait(PATIENCE)
        done.set()
        return []

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    monkeypatch.setattr(http_out, "RESOLVE_SECONDS", 0.05)
    with pytest.raises(CallFailed, match=r"^timed out after 0.1 s$") as failed:
        post(f"https://{NAME}/", b"", {}, allow_loopback=False, total_timeout=0.1)
    assert 100 <= failed.value.duration_ms < 1000
    asked = time.monotonic()
    check_url(f"https://{NAME}/", allow_loopback=False)
    assert time.monotonic() - asked < PATIENCE
    released.set()
    assert done.wait(PATIENCE)


# --- the exchange ---


def test_the_body_arrives_byte_for_byte_with_the_headers_given(
    serve: Callable[..., Peer],
) -> None:
    peer = serve(answering(OK))
    body = bytes(range(256)) * 1000
    headers = {"webhook-id": "whd_1", "Content-Type": "application/json"}
    answer = local_post(peer, "/in//./x?a=%2F&b[]=1", body, headers=headers)
    head, _, received = peer.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert received == body
    assert lines[0] == "POST /in//./x?a=%2F&b[]=1 HTTP/1.1"
    assert sorted(lines[1:]) == [
        "Accept-Encoding: identity",
        f"Content-Length: {len(body)}",
        "connection: close",
        "content-type: application/json",
        f"host: 127.0.0.1:{peer.port}",
        "user-agent: Tuan",
        "webhook-id: whd_1",
    ]
    assert (answer.status, answer.body) == (200, b"ok")
    assert 0 <= answer.duration_ms < PATIENCE * 1000


def test_an_empty_body_is_sent_as_one(serve: Callable[..., Peer]) -> None:
    peer = serve(answering(OK))
    assert local_post(peer, body=b"").status == 200
    assert b"Content-Length: 0\r\n" in peer.requests[0]


def test_header_names_are_lower_case_and_repeated_fields_joined(
    serve: Callable[..., Peer],
) -> None:
    head = b"HTTP/1.1 503 No\r\nRetry-After: 120\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: 0\r\n\r\n"
    answer = local_post(serve(answering(head)))
    assert answer.headers == {"retry-after": "120", "x-a": "1, 2", "content-length": "0"}
    assert answer.status == 503


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_answer_and_is_not_followed(
    status: int, serve: Callable[..., Peer]
) -> None:
    elsewhere = serve(answering(OK))
    location = f"http://127.0.0.1:{elsewhere.port}/"
    head = f"HTTP/1.1 {status} Go\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
    answer = local_post(serve(answering(head.encode())))
    assert (answer.status, answer.headers["location"]) == (status, location)
    assert elsewhere.requests == []


def test_proxies_in_the_environment_are_ignored(
    serve: Callable[..., Peer], monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = serve(answering(OK))
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv(name.upper(), f"http://127.0.0.1:{proxy.port}")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    peer = serve(answering(OK))
    assert local_post(peer).status == 200
    assert (len(peer.requests), len(proxy.requests)) == (1, 0)


def test_a_compressed_body_is_not_unpacked(serve: Callable[..., Peer]) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\0"
    assert local_post(serve(answering(answer))).body == b"\x1f\x8b\x08\0"


@pytest.mark.parametrize(
    "name", ["Host", "Content-Length", "Transfer-Encoding", "Connection", "HOST"]
)
def test_a_field_decided_here_cannot_be_given(name: str) -> None:
    with pytest.raises(ValueError, match=name.lower()):
        post("https://8.8.8.8/", b"", {name: "x"}, allow_loopback=False)


def test_a_header_cannot_smuggle_another(serve: Callable[..., Peer]) -> None:
    with pytest.raises(ValueError, match=r"Invalid header"):
        local_post(serve(answering(OK)), headers={"x": "1\r\nhost: internal"})


# --- caps ---


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        pytest.param(b"", b"", id="silence"),
        pytest.param(b"", b"H", id="an endless status line"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX: ", b"x", id="an endless header"),
        pytest.param(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n", id="endless headers"),
        pytest.param(b"", b"HTTP/1.1 100 Continue\r\n\r\n", id="endless interim answers"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b"x", id="a body"),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\n", b"x", id="a body until closed"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"1\r\nx\r\n",
            id="a chunked body",
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"x", id="a chunk's name"
        ),
    ],
)
@pytest.mark.parametrize("over_tls", [False, True])
def test_a_dripping_peer_is_cut_at_the_total_time(
    start: bytes, piece: bytes, over_tls: bool, serve: Callable[..., Peer], dial_home: DialHome
) -> None:
    call = dial_home.post if over_tls else local_post
    peer = serve(dripping(start, piece), dial_home.server_tls if over_tls else None)
    with pytest.raises(CallFailed, match=r"^timed out after 0.2 s$") as failed:
        call(peer, total_timeout=0.2)
    assert 200 <= failed.value.duration_ms < 1500


def test_the_dripping_rig_outlives_a_timeout_per_read(serve: Callable[..., Peer]) -> None:
    peer = serve(dripping(b"HTTP/1.1 200 OK\r\n\r\n", b"x"))
    started = time.monotonic()
    with socket.create_connection(("127.0.0.1", peer.port), timeout=0.2) as sock:
        sock.sendall(b"POST / HTTP/1.1\r\n\r\n")
        while time.monotonic() < started + 0.4:
            assert sock.recv(100)


def test_a_peer_that_does_not_read_is_cut_at_the_total_time(serve: Callable[..., Peer]) -> None:
    def never_reads(peer: Peer, _sock: socket.socket) -> None:
        peer.stopped.wait(PATIENCE)

    with pytest.raises(CallFailed, match=r"^timed out after 0.2 s$") as failed:
        local_post(serve(never_reads), body=bytes(32_000_000), total_timeout=0.2)
    assert failed.value.duration_ms < 1500


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        pytest.param(b"", b"", id="silence"),
        # A record of 16 KiB that begins a ServerHello (RFC 8446, 4.1.3 and 5.1).
        pytest.param(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc", b"\x00", id="a record"),
    ],
)
def test_a_dripping_handshake_is_cut_at_the_total_time(
    start: bytes, piece: bytes, serve: Callable[..., Peer], dial_home: DialHome
) -> None:
    def script(peer: Peer, sock: socket.socket) -> None:
        sock.sendall(start)
        peer.drip(sock, piece)

    with pytest.raises(CallFailed, match=r"^timed out after 0.2 s$") as failed:
        dial_home.post(serve(script), total_timeout=0.2)
    assert failed.value.duration_ms < 1500


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffff\r\n",
    ],
)
def test_an_endless_body_is_cut_at_max_bytes(head: bytes, serve: Callable[..., Peer]) -> None:
    def endless(peer: Peer, sock: socket.socket) -> None:
        peer.requests.append(read_request(sock))
        sock.sendall(head)
        while not peer.stopped.is_set():
            sock.sendall(b"x" * 4096)

    answer = local_post(serve(endless), max_bytes=1000)
    assert (answer.status, answer.body) == (200, b"x" * 1000)


@pytest.mark.parametrize("size", [0, 1, 999, 1000, 1001])
def test_bodies_around_max_bytes(size: int, serve: Callable[..., Peer]) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode()
    answer = local_post(serve(answering(head + b"x" * size)), max_bytes=1000)
    assert answer.body == b"x" * min(size, 1000)


def test_each_address_has_its_share_of_the_connect_time(
    resolve: Callable[..., Resolver], monkeypatch: pytest.MonkeyPatch
) -> None:
    shares: list[float] = []

    def times_out(_sock: socket.socket, _address: Any) -> None:
        shares.append(_sock.gettimeout() or 0)
        raise TimeoutError

    monkeypatch.setattr(socket.socket, "connect", times_out)
    resolve([PUBLIC, PUBLIC_V6, "8.8.8.8"])
    with pytest.raises(CallFailed, match=r"^no connection within 3 s$"):
        post(f"https://{NAME}/", b"", {}, allow_loopback=False)
    assert [round(share, 1) for share in shares] == [1.0, 1.5, 3.0]


# --- failures ---


def test_connection_refused(serve: Callable[..., Peer]) -> None:
    peer = serve(answering(OK))
    peer.stop()
    with pytest.raises(CallFailed, match=r"^connection refused$") as failed:
        local_post(peer)
    assert failed.value.duration_ms >= 0


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "connection closed before the answer was complete"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", "connection closed before"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", "connection closed before"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", "connection closed"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab", "connection closed"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "not a valid HTTP answer"),
        (b"\x15\x03\x01\x00\x02\x02\x50", "not a valid HTTP answer"),
        (b"HTTP/1.1 abc OK\r\n\r\n", "not a valid HTTP answer"),
        (b"HTTP/1.1 99999 OK\r\n\r\n", "not a valid HTTP answer"),
        (b"HTTP/9.9 200 OK\r\n\r\n", "not a valid HTTP answer"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n", "not a valid HTTP answer"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70000 + b"\r\n\r\n", "not a valid HTTP answer"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
            "not a valid HTTP answer",
        ),
    ],
)
def test_what_is_not_a_complete_answer_is_a_failed_call(
    answer: bytes, reason: str, serve: Callable[..., Peer]
) -> None:
    with pytest.raises(CallFailed, match=f"^{reason}"):
        local_post(serve(answering(answer)))


def test_a_reset_connection_is_a_failed_call(serve: Callable[..., Peer]) -> None:
    def reset(_peer: Peer, sock: socket.socket) -> None:
        read_request(sock)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    with pytest.raises(CallFailed, match=r"^connection closed before"):
        local_post(serve(reset))


# --- TLS, with the address rules opened for the loopback interface ---


class Authority:
    """A throw-away certificate authority and a server certificate for NAME."""

    def __init__(self, folder: Path, name: str) -> None:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.x509.oid import NameOID

        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.datetime.now(datetime.UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        self.file = folder / "certificate.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        self.file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + private)

    def server_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.file)
        return context


class DialHome:
    """Calls https://<name> so that it ends at a peer of the test, which its client trusts."""

    def __init__(
        self, authority: Authority, monkeypatch: pytest.MonkeyPatch, resolver: Resolver
    ) -> None:
        self.server_tls = authority.server_context()
        self.resolver = resolver
        self._monkeypatch = monkeypatch
        trusting = ssl.create_default_context(cafile=str(authority.file))
        monkeypatch.setattr(http_out, "_tls_context", lambda: trusting)
        monkeypatch.setattr(addresses, "why_not_public", lambda _address: None)

    def post(self, peer: Peer, name: str = NAME, **options: Any) -> Answer:
        self._monkeypatch.setattr(addresses, "ALLOWED_PORTS", {peer.port})
        body = options.pop("body", b"{}")
        return post(f"https://{name}:{peer.port}/in", body, {}, allow_loopback=False, **options)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"), NAME)


@pytest.fixture
def dial_home(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, resolve: Callable[..., Resolver]
) -> DialHome:
    return DialHome(authority, monkeypatch, resolve(["127.0.0.1"]))


def test_tls_keeps_the_name_in_sni_host_and_certificate(
    serve: Callable[..., Peer], dial_home: DialHome
) -> None:
    greeted: list[str | None] = []
    dial_home.server_tls.sni_callback = lambda _sock, name, _context: greeted.append(name)
    peer = serve(answering(OK), dial_home.server_tls)
    body = bytes(range(256)) * 1000
    answer = dial_home.post(peer, body=body)
    assert (answer.status, answer.body) == (200, b"ok")
    assert greeted == [NAME]
    assert f"host: {NAME}:{peer.port}\r\n".encode() in peer.requests[0]
    assert peer.requests[0].endswith(b"\r\n\r\n" + body)
    assert dial_home.resolver.asked == [NAME]


def test_the_next_judged_address_is_tried_when_one_refuses(
    serve: Callable[..., Peer], dial_home: DialHome
) -> None:
    dial_home.resolver.answers = (["::1", "127.0.0.1"],)
    assert dial_home.post(serve(answering(OK), dial_home.server_tls)).status == 200


@pytest.mark.parametrize("name", ["other.supplier.example", f"sub.{NAME}", "supplier.example"])
def test_a_certificate_for_another_name_is_refused(
    name: str, serve: Callable[..., Peer], dial_home: DialHome
) -> None:
    peer = serve(answering(OK), dial_home.server_tls)
    with pytest.raises(CallFailed, match=r"^certificate not accepted: Hostname mismatch"):
        dial_home.post(peer, name)
    assert peer.requests == []


def test_a_certificate_must_hold_the_address_when_the_url_does(
    serve: Callable[..., Peer], dial_home: DialHome
) -> None:
    peer = serve(answering(OK), dial_home.server_tls)
    with pytest.raises(CallFailed, match=r"^certificate not accepted: IP address mismatch"):
        dial_home.post(peer, "127.0.0.1")
    assert peer.requests == []


def test_a_self_signed_certificate_is_refused(
    serve: Callable[..., Peer], dial_home: DialHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    distrusting = ssl.create_default_context()
    monkeypatch.setattr(http_out, "_tls_context", lambda: distrusting)
    peer = serve(answering(OK), dial_home.server_tls)
    with pytest.raises(CallFailed, match=r"^certificate not accepted: self"):
        dial_home.post(peer)
    assert peer.requests == []


def test_the_context_in_use_checks_certificate_and_name() -> None:
    context = http_out._tls_context()
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_a_peer_without_tls_fails_tls(serve: Callable[..., Peer], dial_home: DialHome) -> None:
    def plain(_peer: Peer, sock: socket.socket) -> None:
        sock.recv(100)
        sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        sock.recv(100)

    with pytest.raises(CallFailed, match=r"^TLS failed$"):
        dial_home.post(serve(plain))
