"""Mosquitto's settings, passwords and access rules for all open gateways, as files: the broker then knows who may say what.

A ThingsBoard gateway publishes on topics that do not name it (`v1/gateway/telemetry`), and a broker does not tell a subscriber who
published: each has a listener of its own, which lets only it in and mounts all that it says under `gw/<code>/`.
"""

import os
import secrets
from pathlib import Path
from typing import Any

from django.conf import settings

from nuan.operations.gateways import broker_hash
from nuan.operations.intake_settings import INTAKE_USER, PASSWORD_FILE, intake_folder
from nuan.records.devices.models import Gateway
from nuan.telemetry.intake.routes import MOUNT

CONF, PASSWORDS, RULES = "nuan.conf", "passwords", "rules.acl"


def write_broker_config(
    folder: Path,
    *,
    bind: str = "127.0.0.1",
    port: int = 1883,
    mount_port: int = 18830,
    tls: tuple[str, str] | None = None,
    user: str = "",
) -> dict[str, Any]:
    """Files written, and the port of each ThingsBoard gateway. The intake's own password is made once and kept beside the directory.

    Ports go by the order of opening, so that a gateway keeps its own when another is opened; closed ones leave theirs empty.
    """
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    gateways = list(Gateway.objects.filter(closed_at=None).exclude(protocol=Gateway.Protocol.LINE).order_by("code"))
    number = listener_ports(mount_port)
    mounted = [gateway for gateway in gateways if gateway.protocol == Gateway.Protocol.THINGSBOARD]
    _private(folder / PASSWORDS, _passwords(gateways))
    _private(folder / RULES, _rules(gateways))
    names = [CONF, PASSWORDS, RULES]
    parts = [_head(folder, user), _listener(folder, bind, port, tls, RULES)]
    for gateway in mounted:
        rules = f"rules-{gateway.code}.acl"
        _private(folder / rules, f"user {gateway.code}\ntopic readwrite {MOUNT}/{gateway.code}/v1/#\n")
        parts.append(_listener(folder, bind, number[gateway.code], tls, rules, f"{MOUNT}/{gateway.code}/"))
        names.append(rules)
    (folder / CONF).write_text("\n".join(parts), "utf-8")
    return {"files": names, "ports": {gateway.code: number[gateway.code] for gateway in mounted}}


def listener_ports(mount_port: int = 18830) -> dict[str, int]:
    """The port at which each ThingsBoard gateway finds its own listener."""
    everybody = Gateway.objects.filter(protocol=Gateway.Protocol.THINGSBOARD).order_by("opened_at", "code")
    return {code: mount_port + n for n, code in enumerate(everybody.values_list("code", flat=True))}


def _head(folder: Path, user: str) -> str:
    """What all listeners share. Messages wait for a worker that is away; nothing is dropped before memory is full. Numbers stand for “no
    limit”, because some versions of Mosquitto read the 0 of their own manual as none at all (ChangeLog 2.0.22, issue 3244)."""
    (folder / "data").mkdir(exist_ok=True)
    started = f"user {user}\n" if user else ""
    return f"""# made by `nuan gateway broker-config`; changes here are lost
per_listener_settings true
persistence true
persistence_location {folder / "data"}/
autosave_interval 10
autosave_on_changes false
persistent_client_expiration 30d
max_inflight_messages 65535
max_queued_messages 10000000
max_packet_size 300000
set_tcp_nodelay true
log_dest stderr
log_type error
log_type warning
log_type notice
{started}"""


def _listener(folder: Path, bind: str, port: int, tls: tuple[str, str] | None, rules: str, mount: str = "") -> str:
    lines = [
        f"listener {port} {bind}",
        "allow_anonymous false",
        f"password_file {folder / PASSWORDS}",
        f"acl_file {folder / rules}",
    ]
    lines += [f"mount_point {mount}"] if mount else []
    lines += [f"certfile {tls[0]}", f"keyfile {tls[1]}"] if tls else []
    return "\n".join(lines) + "\n"


def _passwords(gateways: list[Gateway]) -> str:
    rows = [f"{gateway.code}:{gateway.broker_hash}" for gateway in gateways]
    return "\n".join([f"{INTAKE_USER}:{broker_hash(_own_password())}", *rows, ""])


def _rules(gateways: list[Gateway]) -> str:
    """The intake reads everything and answers ThingsBoard gateways; a gateway writes under its own name. ThingsBoard's come here through
    the intake's own door (`nuan intake --thingsboard`), which mounts what they say."""
    rules = [
        f"user {INTAKE_USER}", "topic read nuan/#", f"topic read {MOUNT}/#", f"topic write {MOUNT}/+/v1/devices/me/rpc/response/+", "",
    ]  # fmt: skip
    for gateway in gateways:
        own = f"topic write nuan/{gateway.code}/#"
        if gateway.protocol == Gateway.Protocol.THINGSBOARD:
            own = f"topic readwrite {MOUNT}/{gateway.code}/v1/#"
        rules += [f"user {gateway.code}", own, ""]
    return "\n".join(rules)


def _own_password() -> str:
    path = intake_folder(settings.NUAN_HOME) / PASSWORD_FILE
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        _private(path, secrets.token_urlsafe(32))
    return path.read_text("utf-8").strip()


def _private(path: Path, text: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
