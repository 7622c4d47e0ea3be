"""Which sessions at the broker a worker holds, and what each is subscribed to.

Each gateway belongs to one worker, by its number: its session at the broker then keeps everything through a restart of the worker
and of the broker. A shared subscription would spread messages evenly, but Mosquitto forgets it when it restarts (ADR 15).
When there are fewer workers than before, the sessions of those that are gone still fill at the broker: the others empty them.
"""

import contextlib
import ssl
from collections.abc import Iterator
from pathlib import Path

from nuan.operations.intake_settings import BrokerAddress, WorkerSettings, lane_name
from nuan.telemetry.intake.directory import Directory
from nuan.telemetry.intake.mqtt.session import Broker, Terms
from nuan.telemetry.intake.mqtt.subscriber import Subscriptions
from nuan.telemetry.intake.routes import SHARED, filters


def wanted(settings: WorkerSettings, directory: Directory) -> set[str]:
    """The filters of this worker's own session."""
    if settings.shared:
        return set(SHARED)
    return {
        each
        for code, gateway in directory.gateways.items()
        if gateway.number % settings.workers == settings.slot
        for each in filters(code, gateway.protocol)
    }


def _file(folder: Path, name: str) -> Path:
    return folder / f"filters-{name}"


def subscriptions(folder: Path, name: str) -> Subscriptions:
    """With what the session may still have from before; written down whenever it changes."""
    path = _file(folder, name)

    def keep(held: set[str]) -> None:
        with contextlib.suppress(
            OSError
        ):  # a full disk: then the session is asked to forget them at the next start, or keeps them
            if held:
                path.write_text("\n".join(sorted(held)), "utf-8")
            else:
                path.unlink(missing_ok=True)

    try:
        before = path.read_text("utf-8").split("\n")
    except FileNotFoundError:
        before = []
    return Subscriptions(before, keep)


def left_behind(settings: WorkerSettings) -> Iterator[str]:
    """Names of workers that are no more and whose sessions this one empties."""
    for path in sorted(Path(settings.folder).glob("filters-w*")):
        digits = path.name.removeprefix("filters-w")
        slot = int(digits) if digits.isdigit() else 0
        if slot >= settings.workers and slot % settings.workers == settings.slot:
            yield lane_name(slot)


def terms(settings: WorkerSettings, name: str) -> Terms:
    return Terms(f"{settings.client_id}-{name}", settings.receive_maximum)


def broker(address: BrokerAddress) -> Broker:
    tls = ssl.create_default_context(cafile=address.ca_file or None) if address.tls else None
    return Broker(address.host, address.port, address.user, address.password, tls)
