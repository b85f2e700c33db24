"""No webhook reaches what only Tuan can reach: each hostile target, and no connection made.

Controls show that the rig sees a connection, and that a client without the guard makes one.
"""

import ipaddress
import socket
import ssl
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any
from unittest import mock

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from chalicelib.platform.http_out import AddressRefused, CallFailed, check_url, post
from tests.support.hostile import HOSTILE_ANSWERS, HOSTILE_LOCATIONS, HOSTILE_URLS

NAME = "hooks.supplier.example"
PUBLIC = "93.184.216.34"
Lookup = Callable[[str], Sequence[str]]


class Wire:
    """Every connection that anybody tries to make; none but those to `allowed` is made."""

    def __init__(self) -> None:
        self.dialled: list[str] = []
        self.allowed: set[tuple[str, int]] = set()
        self._connect = socket.socket.connect

    def connect(self, sock: socket.socket, address: Any) -> None:
        self.dialled.append(str(address[0]))
        if tuple(address[:2]) not in self.allowed:
            raise ConnectionRefusedError
        self._connect(sock, address)

    def connect_ex(self, sock: socket.socket, address: Any) -> int:
        self.dialled.append(str(address[0]))
        return 111

    def sendto(self, sock: socket.socket, data: bytes, *arguments: Any) -> int:
        self.dialled.append(str(arguments[-1][0]))
        raise ConnectionRefusedError


@pytest.fixture
def wire() -> Iterator[Wire]:
    watched = Wire()
    with (
        mock.patch.object(socket.socket, "connect", lambda s, a: watched.connect(s, a)),
        mock.patch.object(socket.socket, "connect_ex", lambda s, a: watched.connect_ex(s, a)),
        mock.patch.object(socket.socket, "sendto", lambda s, *a: watched.sendto(s, *a)),
    ):
        yield watched


@pytest.fixture(scope="module")
def server() -> Iterator[HTTPServer]:
    with HTTPServer(host="127.0.0.1") as listening:
        yield listening


def answering(lookup: Lookup) -> Any:
    """The system's resolver: it reads numbers as it always does, and asks `lookup` for names."""
    real = socket.getaddrinfo

    def resolve(host: Any, port: Any, *arguments: Any, **options: Any) -> list[Any]:
        text = host.decode() if isinstance(host, bytes) else host
        with suppress(OSError):
            return real(text, port, *arguments, **{**options, "flags": socket.AI_NUMERICHOST})
        found = lookup(text)
        return [addrinfo for each in found for addrinfo in real(each, port, *arguments, **options)]

    return mock.patch.object(socket, "getaddrinfo", resolve)


def pointing_to(*addresses: str) -> Any:
    return answering(lambda _: addresses)


def refused(url: str) -> bool:
    """Whether an address is refused when it is given, and once more when it is called."""
    outcomes = []
    for call in (
        lambda: check_url(url, allow_loopback=False),
        lambda: post(url, b"{}", {}, allow_loopback=False),
    ):
        try:
            call()
            outcomes.append(False)
        except AddressRefused:
            outcomes.append(True)
        except CallFailed:
            outcomes.append(False)
    return all(outcomes)


# Most clients are like this one: it resolves, dials, and follows wherever the answer leads.
NAIVE = urllib.request.build_opener(
    urllib.request.ProxyHandler({}),
    urllib.request.HTTPSHandler(context=ssl.create_default_context()),
)


def naive_post(url: str) -> None:
    # Of what is no URL it makes all kinds of exceptions.
    with suppress(Exception), NAIVE.open(url, b"{}", timeout=5):
        pass


def test_there_are_more_than_a_hundred_targets_of_each_kind_of_trick() -> None:
    assert len(set(HOSTILE_URLS)) > 250
    assert len({tuple(each) for each in HOSTILE_ANSWERS}) == len(HOSTILE_ANSWERS) > 60


@pytest.mark.parametrize("url", HOSTILE_URLS)
def test_a_hostile_url_makes_no_connection(url: str, wire: Wire) -> None:
    with pointing_to("127.0.0.1"):
        assert refused(url)
    assert wire.dialled == []


@pytest.mark.parametrize("answers", HOSTILE_ANSWERS, ids=" ".join)
def test_a_name_that_points_inside_makes_no_connection(answers: list[str], wire: Wire) -> None:
    with pointing_to(*answers):
        assert refused(f"https://{NAME}/in")
    assert wire.dialled == []


@pytest.mark.parametrize("answers", HOSTILE_ANSWERS, ids=" ".join)
def test_a_name_that_points_inside_later_makes_no_connection(
    answers: list[str], wire: Wire
) -> None:
    """It was public when it was given: it is judged anew at each call."""
    answered: list[Sequence[str]] = []

    def rebinding(_: str) -> Sequence[str]:
        answered.append([PUBLIC] if not answered else answers)
        return answered[-1]

    with answering(rebinding):
        check_url(f"https://{NAME}/in", allow_loopback=False)
        with pytest.raises(AddressRefused):
            post(f"https://{NAME}/in", b"{}", {}, allow_loopback=False)
    assert wire.dialled == []


@pytest.mark.parametrize("answers", HOSTILE_ANSWERS, ids=" ".join)
def test_a_name_that_points_inside_between_judging_and_dialling_is_not_followed(
    answers: list[str], wire: Wire
) -> None:
    answered: list[Sequence[str]] = []

    def rebinding(_: str) -> Sequence[str]:
        answered.append([PUBLIC] if not answered else answers)
        return answered[-1]

    with answering(rebinding), pytest.raises(CallFailed):
        post(f"https://{NAME}/in", b"{}", {}, allow_loopback=False)
    assert wire.dialled == [PUBLIC]


@pytest.mark.parametrize("location", HOSTILE_LOCATIONS)
def test_a_redirect_inside_makes_no_second_connection(
    location: str, server: HTTPServer, wire: Wire
) -> None:
    for status in (301, 302, 303, 307, 308):
        url = redirecting(server, status, location, wire)
        with pointing_to("10.0.0.1"):
            answer = post(url, b"{}", {}, allow_loopback=True)
        assert (answer.status, answer.headers["location"]) == (status, location)
    assert wire.dialled == ["127.0.0.1"] * 5


def redirecting(server: HTTPServer, status: int, location: str, wire: Wire) -> str:
    """A supplier's own server, which may be called, and sends its callers elsewhere."""
    server.clear()
    headers = {"Location": location, "Refresh": f"0; url={location}"}
    server.expect_request("/hook").respond_with_response(Response(status=status, headers=headers))
    url = server.url_for("/hook")
    wire.allowed.add(("127.0.0.1", server.port))
    return url


# --- controls ---


def test_the_rig_sees_a_call_that_is_allowed(wire: Wire) -> None:
    with pointing_to(PUBLIC), pytest.raises(CallFailed):
        post(f"https://{NAME}/in", b"{}", {}, allow_loopback=False)
    assert wire.dialled == [PUBLIC]


def test_a_naive_client_connects_to_more_than_a_hundred_of_these_targets(wire: Wire) -> None:
    reached = set()
    with pointing_to("127.0.0.1"):
        for url in HOSTILE_URLS:
            wire.dialled.clear()
            naive_post(url)
            if any(not ipaddress.ip_address(each).is_global for each in wire.dialled):
                reached.add(url)
    assert len(reached) > 100


@pytest.mark.parametrize("answers", HOSTILE_ANSWERS, ids=" ".join)
def test_a_naive_client_connects_to_where_a_name_points(answers: list[str], wire: Wire) -> None:
    with pointing_to(*answers):
        naive_post(f"https://{NAME}/in")
    assert wire.dialled


@pytest.mark.parametrize("location", HOSTILE_LOCATIONS)
def test_a_naive_client_follows_a_redirect_inside(
    location: str, server: HTTPServer, wire: Wire
) -> None:
    url = redirecting(server, 302, location, wire)
    with pointing_to("10.0.0.1"):
        naive_post(url)
    assert len(wire.dialled) > 1
