"""The process with the door for ThingsBoard gateways (`nuan intake --thingsboard`): topics are mounted, everything else is the broker's.

Started by `operations.intake_supervisor`: settings come on the standard input, which stays open as long as the supervisor lives.
"""

import asyncio
import json
import signal
import sys
from typing import Any

from nuan.telemetry.intake.mqtt.mounting import relay


async def serve(settings: dict[str, Any]) -> None:
    """Until told to stop, or until the supervisor is gone."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    supervisor = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(supervisor), sys.stdin)

    async def gateway(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await relay(reader, writer, settings["broker_host"], settings["broker_port"])

    server = await asyncio.start_server(gateway, settings["host"], settings["port"])
    gone = asyncio.create_task(supervisor.read())
    told = asyncio.create_task(stop.wait())
    await asyncio.wait({gone, told}, return_when=asyncio.FIRST_COMPLETED)
    server.close()
    for task in (gone, told):
        task.cancel()


if __name__ == "__main__":
    asyncio.run(serve(json.loads(sys.stdin.readline())))
