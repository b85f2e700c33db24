"""A client of Tuan's HTTP API: problem documents as errors, patience with a pressed store."""

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import uuid4

import httpx

Json = dict[str, Any]

PATIENCE_SECONDS = 60.0
LOST_ANSWERS = 3


class Problem(Exception):
    """An answer that is not a success, read from its problem document (RFC 9457)."""

    def __init__(self, response: httpx.Response) -> None:
        document = _document(response)
        self.status = response.status_code
        self.code = str(document.get("code", ""))
        self.detail = str(document.get("detail") or document.get("title") or response.text[:300])
        self.errors = document.get("errors", [])
        self.request_id = response.headers.get("x-request-id", "")
        request = response.request
        said = f"{request.method} {request.url.path}: {self.status} {self.code} {self.detail}"
        fields = f" {json.dumps(self.errors)}" if self.errors else ""
        super().__init__(f"{said}{fields} (request {self.request_id or 'without id'})")


class Traffic:
    """Counts of what went over the wire, shared by all views of one client."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def count(self, what: str) -> None:
        with self._lock:
            self._counts[what] += 1

    def __getitem__(self, what: str) -> int:
        return self._counts[what]


class Api:
    """Calls in the name of one token; `using` gives a view in another name.

    Every call may be repeated without harm (creations carry an Idempotency-Key), so 503, 429 and
    lost answers are tried again. Raises Problem for any other answer that is not a success, and
    httpx.TransportError when the API cannot be reached. Safe for threads.
    """

    def __init__(self, http: httpx.Client, token: str = "", traffic: Traffic | None = None) -> None:
        self._http = http
        self._token = token
        self.traffic = traffic or Traffic()

    @classmethod
    def at(cls, base_url: str, token: str = "") -> "Api":
        """A client of the API at `base_url`, with a pool of connections of its own."""
        # trust_env: a proxy from the environment has no business with a stack on loopback.
        return cls(httpx.Client(base_url=base_url, timeout=60.0, trust_env=False), token)

    def using(self, token: str) -> "Api":
        """The same connections in another name."""
        return Api(self._http, token, self.traffic)

    @property
    def base_url(self) -> str:
        return str(self._http.base_url).rstrip("/")

    def close(self) -> None:
        self._http.close()

    def get(self, path: str, query: Mapping[str, str | int] | None = None) -> Json:
        return self._call("GET", path, query=query)

    def put(self, path: str, body: Json) -> Json:
        return self._call("PUT", path, body=body)

    def delete(self, path: str) -> None:
        self._call("DELETE", path)

    def create(self, path: str, body: Json) -> Json:
        """A POST that makes something new: sent with a key of its own, kept over all tries."""
        return self._call("POST", path, body=body, headers={"Idempotency-Key": str(uuid4())})

    def post(self, path: str, body: Json) -> Json:
        """A POST whose repetition the API takes as the same call."""
        return self._call("POST", path, body=body)

    def post_signed(self, path: str, headers: Mapping[str, str], content: bytes) -> Json:
        """A signed event, byte for byte."""
        return self._call("POST", path, headers=headers, content=content)

    def listing(self, path: str, query: Mapping[str, str | int] | None = None) -> Iterator[Json]:
        """All items of a list, over all its pages of 100."""
        for page in self.pages(path, query):
            yield from page["items"]

    def pages(self, path: str, query: Mapping[str, str | int] | None = None) -> Iterator[Json]:
        """A list page by page, each with what else stands beside its items."""
        asked = {"limit": 100, **(query or {})}
        while True:
            page = self.get(path, asked)
            yield page
            if not page.get("next_cursor"):
                return
            asked["cursor"] = page["next_cursor"]

    def _call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int] | None = None,
        body: Json | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> Json:
        all_headers = httpx.Headers(headers)
        if self._token:
            all_headers["Authorization"] = f"Bearer {self._token}"
        if body is not None:
            content = json.dumps(body).encode()
        if content is not None:
            all_headers["Content-Type"] = "application/json"
        request = self._http.build_request(
            method, path, params=query, headers=all_headers, content=content
        )
        return _document(self._patiently(request))

    def _patiently(self, request: httpx.Request) -> httpx.Response:
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        lost = 0
        while True:
            self.traffic.count("requests")
            try:
                response = self._http.send(request)
            except httpx.TransportError:
                lost += 1
                if lost >= LOST_ANSWERS:
                    raise
                pause = 0.5 * lost
            else:
                if response.is_success:
                    return response
                pause = _retry_after(response)
                late = time.monotonic() + pause > give_up_at
                if late or not _may_be_tried_again(response):
                    raise Problem(response)
            self.traffic.count("retries")
            time.sleep(pause * random.uniform(1.0, 1.3))


def _document(response: httpx.Response) -> Json:
    if not response.content:
        return {}
    try:
        document = response.json()
    except ValueError:
        if response.is_success:
            raise
        return {}
    return document if isinstance(document, dict) else {"items": document}


def _may_be_tried_again(response: httpx.Response) -> bool:
    if response.status_code in (429, 503):
        return True
    return response.status_code == 409 and (
        _document(response).get("code") == "idempotency_in_progress"
    )


def _retry_after(response: httpx.Response) -> float:
    seconds = response.headers.get("retry-after", "")
    return float(seconds) if seconds.isdigit() else 0.5
