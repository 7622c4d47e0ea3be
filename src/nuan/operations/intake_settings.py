"""What `nuan intake` runs with: where things lie, the broker, the HTTP door, how many workers. Handed to each process as JSON."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import unquote, urlsplit

PASSWORD_FILE = "broker_password"
"""In the intake's folder: what `nuan gateway broker-config` made for the user `nuan-intake`."""
INTAKE_USER = "nuan-intake"


class IntakeSettingsError(ValueError):
    """A setting that cannot be used, in one sentence."""


@dataclass(frozen=True)
class BrokerAddress:
    """`mqtt://user:password@host:1883`, or `mqtts://…:8883`; `ca_file` for a broker whose certificate nobody else knows."""

    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)
    tls: bool = False
    ca_file: str = ""

    @classmethod
    def parse(cls, text: str, folder: Path, ca_file: str = "") -> Self:
        """Without a user in the address, the intake's own, if `broker-config` has made one.

        >>> BrokerAddress.parse("mqtt://u:p%40ss@broker", Path("nowhere")).password
        'p@ss'
        """
        parts = urlsplit(text if "//" in text else f"mqtt://{text}")
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
            raise IntakeSettingsError(f"“{text}”不是 MQTT 地址；例如 mqtt://127.0.0.1:1883")
        try:
            port = parts.port or (8883 if parts.scheme == "mqtts" else 1883)
        except ValueError:
            raise IntakeSettingsError(f"“{text}”的端口不对") from None
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        secret = folder / PASSWORD_FILE
        if not user and secret.is_file():
            user, password = INTAKE_USER, secret.read_text("utf-8").strip()
        return cls(parts.hostname, port, user, password, parts.scheme == "mqtts", ca_file)


@dataclass(frozen=True)
class WorkerSettings:
    """Of the worker `slot` of `workers`. `http_fd`: the listening socket that the supervisor holds open for it. `shared`: the broker
    spreads messages over the workers; else each gateway belongs to one of them."""

    slot: int
    root: str
    folder: str
    workers: int = 1
    broker: BrokerAddress | None = None
    client_id: str = "nuan"
    shared: bool = False
    http_fd: int | None = None
    certificate: tuple[str, str] | None = None
    receive_maximum: int = 4_000

    @property
    def name(self) -> str:
        return lane_name(self.slot)

    def as_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def of_json(cls, text: str) -> Self:
        values: dict[str, Any] = json.loads(text)
        if values["broker"] is not None:
            values["broker"] = BrokerAddress(**values["broker"])
        if values["certificate"] is not None:
            values["certificate"] = tuple(values["certificate"])
        return cls(**values)


def intake_folder(home: Path) -> Path:
    """What the intake keeps beside the readings: the directory, what each worker reports, the broker's password."""
    return home / "intake"


def lane_name(slot: int) -> str:
    return f"w{slot}"
