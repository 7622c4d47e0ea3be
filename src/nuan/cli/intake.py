"""`nuan intake`: takes in what devices send, until it is stopped."""

import json
import os
import signal
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console

HELP = {"help_option_names": ["-h", "--help"]}
STATUS_S = 1.0


@click.command(context_settings=HELP)
@click.option(
    "--mqtt",
    "mqtt",
    default=lambda: os.environ.get("NUAN_MQTT"),
    help="the broker, e.g. mqtt://127.0.0.1:1883; mqtts:// for TLS",
)
@click.option(
    "--mqtt-ca",
    default=lambda: os.environ.get("NUAN_MQTT_CA", ""),
    help="certificate authority of the broker, where it is your own",
)
@click.option(
    "--http", "http", default="127.0.0.1:8086", show_default=True, help="HOST:PORT of the HTTP door; “off” for none"
)
@click.option(
    "--tls",
    nargs=2,
    default=None,
    type=click.Path(exists=True, dir_okay=False),
    help="CERTIFICATE KEY of the HTTP door",
)
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 64))
@click.option(
    "--client-id",
    default="nuan",
    show_default=True,
    help="begins the workers' names at the broker; one for each installation",
)
@click.option(
    "--shared",
    is_flag=True,
    help="let the broker spread messages over the workers; not with Mosquitto, see docs/intake-mqtt.md",
)
@click.option(
    "--thingsboard",
    default="off",
    show_default=True,
    help="HOST:PORT of a door for thingsboard-gateway, before the broker; see docs/intake-mqtt.md",
)
@click.option(
    "--thingsboard-tls",
    nargs=2,
    default=None,
    type=click.Path(exists=True, dir_okay=False),
    help="CERTIFICATE KEY of that door",
)
@click.option("--json", "as_json", is_flag=True, help="one JSON event a line for programs, instead of a status line")
def intake(
    mqtt: str | None,
    mqtt_ca: str,
    http: str,
    tls: tuple[str, str] | None,
    workers: int,
    client_id: str,
    shared: bool,
    thingsboard: str,
    thingsboard_tls: tuple[str, str] | None,
    as_json: bool,
) -> None:
    """Take in readings over MQTT and HTTP until Ctrl-C; what is acknowledged is on disk.

    \b
    nuan intake                                     HTTP (InfluxDB line protocol) on 127.0.0.1:8086
    nuan intake --mqtt mqtt://127.0.0.1:1883        and MQTT, from this broker
    nuan intake --http 0.0.0.0:8086 --tls cert.pem key.pem --workers 4

    Gateways and devices: `nuan gateway`, `nuan device`. Broker settings: `nuan gateway broker-config`. More: docs/intake-mqtt.md.
    Exit code 0: stopped by Ctrl-C or SIGTERM; 2: it cannot run like this.
    """
    from nuan.operations.intake_settings import BrokerAddress, IntakeSettingsError, intake_folder
    from nuan.operations.intake_supervisor import IntakePlan, Supervisor

    home = Path(os.environ.get("NUAN_HOME", "var")).resolve()  # not from the settings: they want a database
    folder = intake_folder(home)
    say = _json_events() if as_json else _words()
    try:
        broker = BrokerAddress.parse(mqtt, folder, mqtt_ca) if mqtt else None
        plan = IntakePlan(
            home / "readings", folder, workers, broker, _address(http), tls or None, client_id, shared, _address(thingsboard),
            thingsboard_tls or None,
        )  # fmt: skip
        if plan.thingsboard is not None and broker is None:
            raise IntakeSettingsError("--thingsboard 需要 --mqtt / the door stands before a broker")
        if broker is None and plan.http is None:
            raise IntakeSettingsError("没有 MQTT，也没有 HTTP：什么也收不到 / neither MQTT nor HTTP")
        _prepare(folder)
        supervisor = Supervisor(plan, say)
    except IntakeSettingsError as error:
        refused = click.ClickException(str(error))
        refused.exit_code = 2
        raise refused from error
    say("listening", {"http": supervisor.port, "mqtt": f"{broker.host}:{broker.port}" if broker else None})
    _run(supervisor, folder, as_json)


def _prepare(folder: Path) -> None:
    """Tables in their present shape, profiles that come with Nuan, and the directory for the workers. A database that is away is no
    reason to stand still: the workers go on with the directory that they have."""
    from django.core.exceptions import ImproperlyConfigured
    from django.db import Error

    from nuan.cli.main import setup_records

    try:
        setup_records()
        from nuan.operations.device_profiles import define_shipped_profiles
        from nuan.operations.intake_directory import DirectoryKeeper

        define_shipped_profiles(actor="nuan intake")
        DirectoryKeeper(folder).keep(datetime.now(UTC))
    except (Error, ImproperlyConfigured) as error:
        click.secho(
            f"数据库不可用，先用已有的设备目录接收 / no database: {str(error).splitlines()[0]}", fg="yellow", err=True
        )
    else:
        from django.db import connections

        connections.close_all()


def _address(text: str) -> tuple[str, int] | None:
    from nuan.operations.intake_settings import IntakeSettingsError

    if text in ("off", ""):
        return None
    host, _, port = text.rpartition(":")
    if not port.isdigit() or int(port) > 65_535:
        raise IntakeSettingsError(f"“{text}”不是地址；例如 127.0.0.1:8086，或 off")
    return host.strip("[]") or "127.0.0.1", int(port)


def _run(supervisor: Any, folder: Path, as_json: bool) -> None:
    import threading

    def leave(*_: object) -> None:
        supervisor.stop.set()

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)
    shown = threading.Thread(target=_show, args=(supervisor, folder, as_json), daemon=True)
    shown.start()
    supervisor.run()


def _show(supervisor: Any, folder: Path, as_json: bool) -> None:
    from nuan.operations.intake_supervisor import status

    console = Console(stderr=True)
    before: tuple[float, int] | None = None
    with console.status("…") as line:
        if as_json or not console.is_terminal:
            line.stop()
        while not supervisor.stop.wait(STATUS_S):
            reports = status(folder)
            now, readings = time.monotonic(), sum(r.get("readings", 0) for n, r in reports.items() if n.startswith("w"))
            rate = 0 if before is None else max(0, round((readings - before[1]) / (now - before[0])))
            before = now, readings
            if as_json:
                click.echo(
                    json.dumps({"event": "status", "readings_per_s": rate, **_facts(reports)}, ensure_ascii=False)
                )
            else:
                line.update(sentence(rate, _facts(reports)))


def _facts(reports: dict[str, Any]) -> dict[str, Any]:
    workers = [report for name, report in reports.items() if name.startswith("w")]
    fold, record = reports.get("fold", {}), reports.get("record", {})
    lost = [r["mqtt"]["why_not"] for r in workers if r["mqtt"] and not r["mqtt"]["connected"]]
    return {
        "workers": len(workers),
        "readings": sum(r["readings"] for r in workers),
        "letters": sum(r["letters"] for r in workers),
        "lane_mib": round(sum(r["lane_bytes"] for r in workers) / 2**20, 1),
        "broker_lost": next(iter(lost), None) or ("connecting" if lost else None),
        "fold_fault": fold.get("why_not") or None,
        "database_away": record.get("database_away"),
        "faults": record.get("faults") or {},
    }


def sentence(rate: int, facts: dict[str, Any]) -> str:
    """The status line."""
    parts = [
        f"{rate:,} 读数/秒",
        f"共 {facts['readings']:,}",
        f"死信 {facts['letters']:,}",
        f"待入库 {facts['lane_mib']} MiB",
    ]
    parts += [f"MQTT 断开：{facts['broker_lost']}"] if facts["broker_lost"] else []
    parts += ["数据库不可用，读数照收"] if facts["database_away"] else []
    parts += [f"入库受阻：{facts['fold_fault']}"] if facts["fold_fault"] else []
    return " · ".join(parts)


def _json_events() -> Any:
    def say(event: str, facts: dict[str, Any]) -> None:
        click.echo(json.dumps({"event": event, **facts}, ensure_ascii=False))

    return say


EVENTS_ZH = {
    "started": "启动 {process}（{pid}）", "died": "{process} 退出（{code}），重新启动", "stopping": "正在停止……", "stopped": "已停止。",
}  # fmt: skip


def _words() -> Any:
    def say(event: str, facts: dict[str, Any]) -> None:
        if event == "listening":
            doors = [
                f"HTTP 端口 {facts['http']}" if facts["http"] else "",
                f"MQTT {facts['mqtt']}" if facts["mqtt"] else "",
            ]
            click.echo(f"暖 Nuan 接收：{'；'.join(door for door in doors if door)}  （Ctrl-C 停止）", err=True)
        else:
            click.echo(EVENTS_ZH[event].format(**facts), err=True)

    return say
