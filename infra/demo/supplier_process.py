"""Starts the demo's suppliers as a process of their own, and speaks with it."""

import json
import subprocess
import sys
from types import TracebackType

import httpx

from infra.demo.client import Json
from infra.demo.supplier import Report

GOODBYE_SECONDS = 90


class SupplierFailed(Exception):
    """The suppliers' process died, or reports that something went wrong."""


class SupplierProcess:
    """The running process. `finish` lets it end well; leaving the context before kills it."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url

    def __enter__(self) -> "SupplierProcess":
        # A session of its own: Ctrl-C reaches only us, and leaving the context ends the process.
        self._process = subprocess.Popen(
            [sys.executable, "-m", "infra.demo.supplier", "--base-url", self._base_url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            self._address = f"http://127.0.0.1:{self._hear()['port']}"
        except BaseException:
            self._end()
            raise
        self._http = httpx.Client(base_url=self._address, timeout=10.0, trust_env=False)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()
        self._http.close()

    def url(self, name: str) -> str:
        """Where the supplier of that name takes its webhooks."""
        return f"{self._address}/{name}"

    def introduce(self, name: str, secret: str, api_key: str, sold_out: str | None) -> None:
        """Makes the process answer for one supplier; returns when it does."""
        told = {
            "name": name,
            "secret": secret,
            "api_key": api_key,
            "sold_out": [sold_out] if sold_out else [],
        }
        self._say(told)
        if self._hear() != {"knows": name}:
            raise SupplierFailed(f"the suppliers' process does not know {name}")

    def status(self) -> Report:
        """What it has done so far. Raises SupplierFailed as soon as something went wrong."""
        report = Report(**self._http.get("/status").raise_for_status().json())
        if report.failures:
            raise SupplierFailed(report.what_failed())
        return report

    def finish(self) -> Report:
        """Ends the process once its work is done. Raises SupplierFailed if anything went wrong."""
        try:
            output, _ = self._process.communicate(timeout=GOODBYE_SECONDS)
        except subprocess.TimeoutExpired:
            raise SupplierFailed("the suppliers' process did not end") from None
        if not output:
            raise SupplierFailed(f"exit code {self._process.returncode} and no report")
        report = Report(**json.loads(output))
        if report.failures or self._process.returncode:
            raise SupplierFailed(f"exit code {self._process.returncode}: {report.what_failed()}")
        return report

    def _end(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()

    def _say(self, told: Json) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(told) + "\n")
        self._process.stdin.flush()

    def _hear(self) -> Json:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SupplierFailed(f"the suppliers' process ended with {self._process.wait()}")
        heard: Json = json.loads(line)
        return heard
