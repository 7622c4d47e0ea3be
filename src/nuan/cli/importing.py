"""`nuan import`: registry, readings, templates. Faults are listed all at once; nothing is half imported."""

import getpass
import json
import time
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from nuan.terms.findings import Finding

HELP = {"help_option_names": ["-h", "--help"]}
FOUND, USAGE = 1, 2
_json = click.option("--json", "as_json", is_flag=True, help="print one JSON document for programs")
_dry_run = click.option("--dry-run", is_flag=True, help="read and check everything, write nothing")
_actor = click.option(
    "--actor", default=getpass.getuser, help="who does this; stands in the audit log", show_default="you"
)
err = Console(stderr=True)


@click.group("import", context_settings=HELP)
def import_group() -> None:
    """Take in a registry and readings.

    \b
    1. nuan import template ./my-city          empty tables with headers and an example row
    2. nuan import registry ./my-city          homes, stations, contracts …
    3. nuan import readings *.csv --mapping my-city.yaml

    Every file comes in whole or not at all; the same file twice changes nothing. docs/import.md describes the formats.
    Exit codes: 0 done; 1 there are findings that stopped something; 2 the command was not understood.
    """


def _text(file: Path) -> str:
    """A hand-written file: UTF-8, or what Excel and Notepad write in China. What is neither, the reader of the text refuses."""
    content = file.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("gb18030", errors="replace")


def show_findings(findings: Sequence[Finding]) -> None:
    for finding in findings:
        colour = "red" if finding.severity == "error" else "yellow"
        err.print(f"[{colour}]●[/] {finding.sentence()}", highlight=False, soft_wrap=True)
        err.print(f"  [dim]{finding.sentence('en')} · {finding.code}[/]", highlight=False, soft_wrap=True)


@import_group.command(context_settings=HELP)
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@_actor
@_dry_run
@_json
def registry(path: Path, actor: str, dry_run: bool, as_json: bool) -> None:
    """Import a registry: a FOLDER of CSV or xlsx files named after the tables, or one WORKBOOK with a sheet for each.

    \b
    nuan import registry ./my-city
    nuan import registry 登记表.xlsx --dry-run

    Headers may be English or Chinese (建筑面积 = area_m2). Rows that are already there and equal stay untouched.
    """
    from nuan.cli.main import setup_records

    setup_records()
    from nuan.operations.import_registry import ImportReport, import_registry
    from nuan.operations.registry_files import read_registry

    frames, findings = read_registry(path)
    report = ImportReport({}, findings)
    if report.ok:
        done = import_registry(frames, actor=actor, source=path.name, dry_run=dry_run)
        report = ImportReport(done.tables, [*findings, *done.findings])
    if as_json:
        document = {
            "ok": report.ok,
            "dry_run": dry_run,
            "tables": {
                name: {"created": c.created, "changed": c.changed, "unchanged": c.unchanged}
                for name, c in report.tables.items()
            },
            "findings": [finding.as_dict() for finding in report.findings],
        }
        click.echo(json.dumps(document, ensure_ascii=False, indent=1))
    else:
        show_findings(report.findings)
        if report.ok and not dry_run:
            table = Table("表", "新增", "修改", "未变", box=None, header_style="bold")
            for name, c in report.tables.items():
                table.add_row(name, str(c.created), str(c.changed), str(c.unchanged))
            Console().print(table)
        elif report.ok:
            Console().print(f"检查完毕，未写入：{sum(frame.height for frame in frames.values())} 行，可以导入。")
        else:
            err.print("[red]未导入：请改正后重试。[/]")
    if not report.ok:
        raise SystemExit(FOUND)


@import_group.command(context_settings=HELP)
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--mapping", "mapping_file", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="YAML that says which column is which measured point",
)  # fmt: skip
@click.option(
    "--registry", "registry_path", type=click.Path(exists=True, path_type=Path), help="import this registry first"
)
@_actor
@_dry_run
@_json
def readings(
    paths: tuple[Path, ...], mapping_file: Path, registry_path: Path | None, actor: str, dry_run: bool, as_json: bool
) -> None:
    """Import readings from CSV, xlsx or Parquet files.

    \b
    nuan import readings rooms-*.csv --mapping rooms.yaml --dry-run
    nuan import readings rooms-*.csv --mapping rooms.yaml
    nuan import readings *.csv --mapping examples/xai4heat/mapping.yaml --registry examples/xai4heat/registry

    A mapping, in its smallest form:
    \b
    zone: Asia/Shanghai
    files:
      - match: "rooms-*.csv"
        time: 时间
        long: {place: 户号, value: 室温, is: {quantity: room_temp, unit: °C}}

    Implausible values are flagged and kept; a fault of the file refuses the whole file and is told with row and column.
    While `nuan intake` runs the readings go through it and are in the store a second later.
    """
    from nuan.cli.main import setup_records
    from nuan.telemetry.files import load_mapping

    mapping, wrong = load_mapping(_text(mapping_file), mapping_file.name)
    if wrong:
        if as_json:
            click.echo(json.dumps({"ok": False, "findings": [each.as_dict() for each in wrong]}, ensure_ascii=False))
        else:
            show_findings(wrong)
        raise SystemExit(USAGE)
    setup_records()
    from django.conf import settings

    from nuan.operations.import_readings import STATES_ZH, ReadingsReport, import_readings, registered_places
    from nuan.operations.import_registry import import_registry
    from nuan.operations.readings_door import readings_door
    from nuan.operations.registry_files import read_registry
    from nuan.telemetry.store.errors import StoreBusyError

    findings: list[Finding] = []
    new_places: set[str] = set()
    if registry_path is not None:
        frames, findings = read_registry(registry_path)
        if not any(finding.severity == "error" for finding in findings):
            findings += import_registry(frames, actor=actor, source=registry_path.name, dry_run=dry_run).findings
        if any(finding.severity == "error" for finding in findings):
            show_findings(findings)
            raise SystemExit(FOUND)
        new_places.update(code for frame in frames.values() if "code" in frame.columns for code in frame["code"])
    places = registered_places() | new_places
    reports: list[ReadingsReport] = []
    columns = (
        TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    opened = nullcontext(None) if dry_run else readings_door(settings.READINGS_ROOT, int(time.time()))
    try:
        with opened as store, Progress(*columns, console=err, disable=as_json) as bars:
            for path in paths:
                task = bars.add_task(path.name, total=path.stat().st_size)
                reports.append(
                    import_readings(
                        path, mapping, actor=actor, store=store, arrival_s=int(time.time()), places=places, dry_run=dry_run,
                        progress=lambda read, size, task=task: bars.update(task, completed=read, total=size),
                    )
                )  # fmt: skip
    except StoreBusyError:
        busy = click.ClickException("另一次导入正在进行，请稍后再试 / another import is under way, try again later")
        busy.exit_code = USAGE
        raise busy from None
    if as_json:
        document = {"ok": all(r.state != "refused" for r in reports), "files": [r.as_dict() for r in reports]}
        click.echo(json.dumps(document, ensure_ascii=False, indent=1))
    else:
        table = Table("文件", "结果", "行", "读数", "测点", "标记", box=None, header_style="bold")
        for report in reports:
            show_findings(report.findings)
            marks = " ".join(f"{name} {count}" for name, count in report.flagged.items())
            table.add_row(
                report.name, STATES_ZH[report.state], str(report.rows), str(report.readings), str(report.series), marks
            )
        Console().print(table)
    if any(report.state == "refused" for report in reports):
        raise SystemExit(FOUND)


@import_group.command(context_settings=HELP)
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def template(folder: Path) -> None:
    """Write empty registry tables into FOLDER: a CSV for each table and one workbook, with headers and an example row.

    \b
    nuan import template ./my-city
    """
    from nuan.operations.registry_files import write_templates

    for file in write_templates(folder):
        click.echo(file)
