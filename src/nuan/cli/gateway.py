"""`nuan gateway`: who may send readings."""

import json
import os
from datetime import UTC, datetime
from getpass import getuser
from pathlib import Path
from typing import Any

import click

from nuan.cli.main import setup_records

HELP = {"help_option_names": ["-h", "--help"]}
_json = click.option("--json", "as_json", is_flag=True, help="print one JSON document for programs")


class Refused(click.ClickException):
    """What an operation refused, as the command says it."""

    exit_code = 2


@click.group(context_settings=HELP)
def gateway() -> None:
    """Open gateways, give them new tokens, close them.

    \b
    nuan gateway add GW-01 --company C01 --protocol line
    nuan gateway list
    nuan gateway rotate GW-01 --why 例行更换
    nuan gateway broker-config ./mosquitto

    Protocols: line (InfluxDB line protocol over HTTP), mqtt, thingsboard. A token is shown once; kept is only its digest.
    Exit code 0: done; 2: not possible, with a sentence that says why.
    """


@gateway.command(context_settings=HELP)
@click.argument("code")
@click.option("--company", required=True, help="code of the company that it belongs to")
@click.option("--protocol", required=True, help="line, mqtt or thingsboard")
@click.option("--name", default="", help="the name that pages show")
@click.option("--device-tag", default="device", show_default=True, help="line protocol: the tag that names the device")
@click.option("--timezone", default="Asia/Shanghai", show_default=True, help="of times that come without one")
@click.option("--max-rate", default=5_000, show_default=True, help="readings a second")
@click.option("--max-series", default=100_000, show_default=True, help="points that may be registered behind it")
@_json
def add(
    code: str, company: str, protocol: str, name: str, device_tag: str, timezone: str, max_rate: int, max_series: int,
    as_json: bool,
) -> None:  # fmt: skip
    """Open the gateway CODE and print its token, once.

    \b
    nuan gateway add GW-01 --company C01 --protocol line --name 城北站群
    nuan gateway add TB-02 --company C01 --protocol thingsboard --max-rate 500
    """
    setup_records()
    from nuan.operations.gateways import GatewayError, register_gateway

    try:
        made = register_gateway(
            code=code, company=company, protocol=protocol, name=name, device_tag=device_tag, timezone=timezone,
            max_readings_per_s=max_rate, max_series=max_series, now=datetime.now(UTC), actor=f"cli:{getuser()}",
        )  # fmt: skip
    except GatewayError as error:
        raise Refused(str(error)) from error
    _show_token(code, made.token, as_json)


@gateway.command("list", context_settings=HELP)
@click.option("--closed", is_flag=True, help="closed ones as well")
@_json
def list_gateways(closed: bool, as_json: bool) -> None:
    """All gateways, when they were last heard, and how far their clocks are off.

    \b
    nuan gateway list
    nuan gateway list --json
    """
    setup_records()
    from django.db.models import Count, Q

    from nuan.records.devices.models import Gateway

    rows = Gateway.objects.all() if closed else Gateway.objects.filter(closed_at=None)
    rows = rows.select_related("pulse").annotate(n=Count("devices", Q(devices__removed_on=None))).order_by("code")
    found = [_row(each) for each in rows]
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=1))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("代码", "名称", "企业", "协议", "设备", "最后收到", "时钟偏差", box=None, header_style="bold")
    for row in found:
        offset = (
            "" if row["clock_offset_s"] is None else f"{row['clock_offset_s']:+.0f} ± {row['clock_spread_s']:.0f} s"
        )
        table.add_row(
            row["code"], row["name"], row["company"], row["protocol"], str(row["devices"]), row["last_seen"] or "从未", offset
        )  # fmt: skip
    Console().print(table)


def _row(each: Any) -> dict[str, Any]:
    pulse = getattr(each, "pulse", None)
    seen = None if pulse is None else datetime.fromtimestamp(pulse.last_seen_s).astimezone().isoformat(" ")
    return {
        "code": each.code, "name": each.name, "company": each.company_id, "protocol": each.protocol, "devices": each.n,
        "closed": each.closed_at is not None, "last_seen": seen,
        "clock_offset_s": None if pulse is None else pulse.clock_offset_s,
        "clock_spread_s": None if pulse is None else pulse.clock_spread_s,
        "readings": 0 if pulse is None else pulse.readings, "letters": 0 if pulse is None else pulse.letters,
    }  # fmt: skip


@gateway.command(context_settings=HELP)
@click.argument("code")
@click.option("--why", default="", help="stands in the audit log")
@click.option("--at-once", is_flag=True, help="the old token was lost: it opens nothing any more")
@_json
def rotate(code: str, why: str, at_once: bool, as_json: bool) -> None:
    """Give CODE a new token. Over HTTP the old one opens for another day; a broker wants `broker-config` again.

    \b
    nuan gateway rotate GW-01
    nuan gateway rotate GW-01 --at-once --why 令牌外泄
    """
    setup_records()
    from nuan.operations.gateways import GatewayError, rotate_gateway

    try:
        made = rotate_gateway(code, now=datetime.now(UTC), actor=f"cli:{getuser()}", why=why, at_once=at_once)
    except GatewayError as error:
        raise Refused(str(error)) from error
    _show_token(code, made.token, as_json)


@gateway.command(context_settings=HELP)
@click.argument("code")
@click.option("--why", required=True, help="stands in the audit log")
def close(code: str, why: str) -> None:
    """CODE opens nothing any more; its devices and what they sent stay.

    \b
    nuan gateway close GW-01 --why 设备已拆除
    """
    setup_records()
    from nuan.operations.gateways import GatewayError, close_gateway

    try:
        close_gateway(code, now=datetime.now(UTC), actor=f"cli:{getuser()}", why=why)
    except GatewayError as error:
        raise Refused(str(error)) from error
    click.echo(f"网关 {code} 已停用。")


@gateway.command("broker-config", context_settings=HELP)
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--bind", default="127.0.0.1", show_default=True, help="address that the broker's listeners bind to")
@click.option("--port", default=1883, show_default=True, help="of the listener for plain MQTT gateways")
@click.option(
    "--mount-port",
    default=18830,
    show_default=True,
    help="first port of the listeners for ThingsBoard gateways, one each",
)
@click.option("--tls", nargs=2, default=None, help="CERTIFICATE KEY, as paths on the broker's machine")
@click.option("--user", default="", help="account that the broker runs as, where it is started by root")
@_json
def broker_config(
    folder: Path, bind: str, port: int, mount_port: int, tls: tuple[str, str] | None, user: str, as_json: bool
) -> None:  # fmt: skip
    """Write Mosquitto's settings, passwords and access rules for all open gateways into FOLDER.

    \b
    nuan gateway broker-config ./mosquitto
    mosquitto -c ./mosquitto/nuan.conf

    A gateway signs in with its code and its token and may publish under its own name only. Each ThingsBoard gateway has a port of its
    own. Run it again when gateways change, then send the broker SIGHUP (or restart it when listeners changed).
    """
    setup_records()
    from nuan.operations.broker_config import write_broker_config

    written = write_broker_config(folder, bind=bind, port=port, mount_port=mount_port, tls=tls, user=user)
    if as_json:
        click.echo(json.dumps(written, ensure_ascii=False))
        return
    for name in written["files"]:
        click.echo(folder / name)
    for code, number in written["ports"].items():
        click.echo(f"{code}：{bind}:{number}")
    if os.geteuid() == 0 and not user:
        click.secho(
            "由 root 启动的 mosquitto 会换成 mosquitto 账号，读不到口令文件：请加 --user，或以别的账号启动。"
            " / started by root, Mosquitto changes to its own account, which cannot read the passwords: give --user.",
            fg="yellow",
            err=True,
        )


def _show_token(code: str, token: str, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"gateway": code, "token": token}))
    else:
        click.echo(f"网关 {code} 的令牌（只显示这一次，请妥善保存）：")
        click.echo(token)
