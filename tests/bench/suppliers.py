"""Fifty suppliers in a process of their own: each answers its webhooks as its path says.

`/100/...` answers after so many milliseconds, `/hang/...` never, `/gone/...` with 410.
"""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from infra.paths import ROOT

ANSWER = 'HTTP/1.1 {status}\r\ncontent-length: 11\r\nconnection: close\r\n\r\n{{"ok":true}}'


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
        length = next(
            line.partition(":")[2]
            for line in head.splitlines()
            if line.lower().startswith("content-length:")
        )
        await reader.readexactly(int(length))
        kind = head.split(" ")[1].split("/")[1]
        if kind == "hang":
            await reader.read()
        if kind.isdigit():
            await asyncio.sleep(int(kind) / 1000)
        writer.write(ANSWER.format(status="410 Gone" if kind == "gone" else "200 OK").encode())
        await writer.drain()
    writer.close()


async def serve() -> None:
    server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=1000)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(serve())
