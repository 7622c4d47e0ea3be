"""A wire between the fleet and what it sends to, that the soak can cut and mend."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any


class Proxy(threading.Thread):
    """A wire that can be cut: loopback TCP ports that pass on to others. While cut, every connection breaks and none is taken."""

    def __init__(self, routes: dict[int, int]) -> None:
        super().__init__(daemon=True)
        self.routes = routes
        self._loop = asyncio.new_event_loop()
        self._servers: list[asyncio.Server] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._ready = threading.Event()
        self.start()
        self._ready.wait(10)

    def run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._open())
        self._ready.set()
        self._loop.run_forever()
        left = asyncio.all_tasks(self._loop)
        for task in left:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    async def _open(self) -> None:
        for outer, inner in self.routes.items():
            self._servers.append(await asyncio.start_server(self._door(inner), "127.0.0.1", outer))

    def _door(self, inner: int) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]:
        async def passed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._tasks.add(task)
            with suppress(OSError, asyncio.CancelledError):
                try:
                    far_reader, far_writer = await asyncio.open_connection("127.0.0.1", inner)
                    try:
                        await asyncio.wait(
                            [asyncio.ensure_future(_pump(reader, far_writer)), asyncio.ensure_future(_pump(far_reader, writer))],
                            return_when=asyncio.FIRST_COMPLETED,
                        )  # fmt: skip
                    finally:
                        far_writer.transport.abort()
                finally:
                    writer.transport.abort()
            self._tasks.discard(task)

        return passed

    def cut(self) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)

    def mend(self) -> None:
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result(10)

    async def _close(self) -> None:
        for server in self._servers:
            server.close()
        self._servers.clear()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.sleep(0)

    def stop(self) -> None:
        with suppress(Exception):
            self.cut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self.join(5)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
