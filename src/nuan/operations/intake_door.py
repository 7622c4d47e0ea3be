"""The process with the door for ThingsBoard gateways (`nuan intake --thingsboard`): topics are mounted, everything else is the broker's.

It speaks TLS where it has a certificate, and to the broker where that does.

Started by `operations.intake_supervisor`: settings come on the standard input, which stays open as long as the supervisor lives.
"""

import asyncio
import json
import signal
import ssl
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

    far = ssl.create_default_context(cafile=settings["broker_ca"] or None) if settings["broker_tls"] else None
    near = None
    if settings["certificate"]:
        near = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        near.load_cert_chain(*settings["certificate"])

    async def gateway(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await relay(reader, writer, settings["broker_host"], settings["broker_port"], tls=far)

    server = await asyncio.start_server(gateway, settings["host"], settings["port"], ssl=near)
    gone = asyncio.create_task(supervisor.read())
    told = asyncio.create_task(stop.wait())
    await asyncio.wait({gone, told}, return_when=asyncio.FIRST_COMPLETED)
    server.close()
    for task in (gone, told):
        task.cancel()


if __name__ == "__main__":
    asyncio.run(serve(json.loads(sys.stdin.readline())))
