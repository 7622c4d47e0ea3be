"""`nuan device`: what hangs behind the gateways."""

import json
from datetime import datetime
from decimal import Decimal, InvalidOperation
from getpass import getuser
from pathlib import Path

import click

from nuan.cli.importing import FOUND, show_findings
from nuan.cli.main import setup_records

HELP = {"help_option_names": ["-h", "--help"]}
DAY = click.DateTime(["%Y-%m-%d"])
_json = click.option("--json", "as_json", is_flag=True, help="print one JSON document for programs")


class Refused(click.ClickException):
    """What an operation refused, as the command says it."""

    exit_code = 2


@click.group(context_settings=HELP)
def device() -> None:
    """Register devices, list them, define their profiles.

    \b
    nuan device import devices.csv --dry-run
    nuan device import devices.xlsx
    nuan device list --gateway GW-01
    nuan device exchange GW-01 00012345 00067890 --on 2026-01-05
    nuan device verified GW-01 00012345 --on 2026-01-05 --valid-until 2029-01-04
    nuan device profiles

    Columns of the table: gateway, code, profile, kind, place, position, maker, installed_on, calibrated_on, calibration_valid_until
    (or 网关, 表号, 模板, 类别, 地点, 位置, 厂家, 安装日期, 检定日期, 检定有效期至). The whole table comes in, or nothing of it.
    Exit codes: 0 done; 1 there are findings that stopped something; 2 the command was not understood.
    """


@device.command("import", context_settings=HELP)
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="read and check everything, write nothing")
@_json
def import_devices(path: Path, dry_run: bool, as_json: bool) -> None:
    """Register the devices of a CSV or xlsx file. Rows that are already there and equal stay untouched.

    \b
    nuan device import devices.csv --dry-run
    nuan device import devices.csv
    """
    setup_records()
    from nuan.operations.device_profiles import define_shipped_profiles
    from nuan.operations.device_table import read_devices
    from nuan.operations.devices import DevicesReport, register_devices

    actor = f"cli:{getuser()}"
    define_shipped_profiles(actor=actor)
    frame, findings = read_devices(path)
    report = DevicesReport(findings=findings)
    if report.ok:
        done = register_devices(frame, actor=actor, source=path.name, dry_run=dry_run)
        report = DevicesReport(done.counts, [*findings, *done.findings])
    counts = report.counts
    if as_json:
        document = {
            "ok": report.ok, "dry_run": dry_run, "created": counts.created, "changed": counts.changed,
            "unchanged": counts.unchanged, "findings": [finding.as_dict() for finding in report.findings],
        }  # fmt: skip
        click.echo(json.dumps(document, ensure_ascii=False, indent=1))
    else:
        show_findings(report.findings)
        if not report.ok:
            click.secho("未导入：请改正后重试。", fg="red", err=True)
        elif dry_run:
            click.echo(f"检查完毕，未写入：{frame.height} 台设备，可以导入。")
        else:
            click.echo(f"新增 {counts.created}，修改 {counts.changed}，未变 {counts.unchanged}。")
    if not report.ok:
        raise SystemExit(FOUND)


@device.command("list", context_settings=HELP)
@click.option("--gateway", default=None, help="only behind this gateway")
@click.option("--place", default=None, help="only at this place")
@_json
def list_devices(gateway: str | None, place: str | None, as_json: bool) -> None:
    """Devices with their places and dates.

    \b
    nuan device list --gateway GW-01
    nuan device list --place H01-S03 --json
    """
    setup_records()
    from nuan.records.devices.models import Device

    rows = Device.objects.order_by("gateway_id", "code")
    rows = rows.filter(gateway_id=gateway) if gateway else rows
    rows = rows.filter(place=place) if place else rows
    names = (
        "gateway_id",
        "code",
        "profile_id",
        "kind",
        "place",
        "position",
        "installed_on",
        "removed_on",
        "calibration_valid_until",
    )
    found = [dict(zip(names, row, strict=True)) for row in rows.values_list(*names)]
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=1, default=str))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(
        "网关", "表号", "模板", "类别", "地点", "位置", "安装", "拆除", "检定有效期至", box=None, header_style="bold"
    )
    for row in found:
        table.add_row(*("" if value is None else str(value) for value in row.values()))
    Console().print(table)


@device.command(context_settings=HELP)
@click.argument("gateway")
@click.argument("code")
@click.argument("new_code")
@click.option("--on", type=DAY, required=True, help="the day of the exchange")
@click.option("--last", default=None, help="counter of the old meter when it was removed")
@click.option("--first", default=None, help="counter of the new meter when it was installed")
@click.option("--valid-until", type=DAY, default=None, help="until when the new meter's verification holds")
@click.option("--why", default="", help="stands in the audit log")
def exchange(
    gateway: str, code: str, new_code: str, on: datetime, last: str | None, first: str | None, valid_until: datetime | None, why: str
) -> None:  # fmt: skip
    """换表: NEW_CODE stands where CODE stood behind GATEWAY. The old one stays in the register with its dates.

    \b
    nuan device exchange GW-01 00012345 00067890 --on 2026-01-05 --last 812.5 --first 0 --valid-until 2029-01-04
    """
    setup_records()
    from nuan.operations.devices import DeviceError, exchange_device

    try:
        exchange_device(
            _find(gateway, code), code=new_code, on=on.date(), actor=f"cli:{getuser()}", why=why,
            last_register=None if last is None else Decimal(last), first_register=None if first is None else Decimal(first),
            valid_until=None if valid_until is None else valid_until.date(),
        )  # fmt: skip
    except (DeviceError, InvalidOperation) as error:
        raise Refused(str(error) if isinstance(error, DeviceError) else "表底数应为数字") from error
    click.echo(f"{code} → {new_code}，已登记。")


@device.command(context_settings=HELP)
@click.argument("gateway")
@click.argument("code")
@click.option("--on", type=DAY, required=True, help="the day of the verification")
@click.option("--valid-until", type=DAY, required=True, help="as the certificate says")
def verified(gateway: str, code: str, on: datetime, valid_until: datetime) -> None:
    """检定: the device CODE behind GATEWAY was verified.

    \b
    nuan device verified GW-01 00012345 --on 2026-01-05 --valid-until 2029-01-04
    """
    setup_records()
    from nuan.operations.devices import DeviceError, record_calibration

    try:
        record_calibration(_find(gateway, code), on=on.date(), valid_until=valid_until.date(), actor=f"cli:{getuser()}")
    except DeviceError as error:
        raise Refused(str(error)) from error
    click.echo(f"{code} 检定有效期至 {valid_until.date()}。")


def _find(gateway: str, code: str) -> int:
    from nuan.records.devices.models import Device

    found = Device.objects.filter(gateway_id=gateway, code=code).values_list("pk", flat=True).first()
    if found is None:
        raise Refused(f"网关 {gateway} 下没有设备 {code}")
    return int(found)


@device.command(context_settings=HELP)
@_json
def profiles(as_json: bool) -> None:
    """Known device profiles.

    \b
    nuan device profiles
    """
    setup_records()
    from nuan.operations.device_profiles import define_shipped_profiles
    from nuan.records.devices.models import DeviceProfile

    define_shipped_profiles(actor=f"cli:{getuser()}")
    rows = list(DeviceProfile.objects.order_by("code").values("code", "name", "protocol", "kind"))
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    for row in rows:
        click.echo(f"{row['code']:28} {row['name']}（{row['protocol']}）")


@device.command(context_settings=HELP)
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def profile(path: Path) -> None:
    """Define a profile from a YAML file; its code is the name of the file. See docs/protocols.md.

    \b
    nuan device profile my-meter.yaml
    """
    setup_records()
    from nuan.operations.device_profiles import define_profiles
    from nuan.terms.findings import FindingsError

    try:
        changed = define_profiles({path.stem: path.read_text("utf-8")}, actor=f"cli:{getuser()}")
    except FindingsError as error:
        show_findings(error.findings)
        raise SystemExit(FOUND) from error
    click.echo(f"设备模板 {path.stem}：{'已更新' if changed else '未变'}。")
