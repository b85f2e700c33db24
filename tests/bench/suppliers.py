"""Suppliers in a process of their own: each answers its webhooks as its path says.

`/100/...` answers after so many milliseconds, `/hang/...` never, `/gone/...` with 410, and `/heard`
tells the ids of all webhooks that came.
"""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from infra.paths import ROOT

ANSWER = "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
HEARD: set[str] = set()


@contextmanager
def suppliers() -> Iterator[str]:
    """Their base URL, for the time of a `with`."""
    command = [sys.executable, "-m", "tests.bench.suppliers"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(child.stdout.readline())}"
        finally:
            child.terminate()


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError, asyncio.IncompleteReadError):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        kind = head.split(" ")[1].split("/")[1]
        await reader.readexactly(int(field(head, "content-length")))
        HEARD.add(field(head, "webhook-id"))
        if kind == "hang":
            await reader.read()
        if kind.isdigit():
            await asyncio.sleep(int(kind) / 1000)
        body = "\n".join(HEARD) if kind == "heard" else '{"ok":true}'
        status = "410 Gone" if kind == "gone" else "200 OK"
        writer.write(ANSWER.format(status=status, length=len(body), body=body).encode())
        await writer.drain()
    writer.close()


def field(head: str, name: str) -> str:
    """A header's value, or a nought."""
    lines = (line.partition(":") for line in head.splitlines())
    return next((value.strip() for found, _, value in lines if found.lower() == name), "0")


async def serve() -> None:
    server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=1000)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(serve())
