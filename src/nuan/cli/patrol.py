"""`nuan patrol`: routes and points from tables, and how the rounds stand."""

import json
from getpass import getuser
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from nuan.cli.importing import FOUND, show_findings
from nuan.cli.main import setup_records

HELP = {"help_option_names": ["-h", "--help"]}
TABLES = ("patrol_routes", "patrol_points")
_json = click.option("--json", "as_json", is_flag=True, help="print one JSON document for programs")


@click.group(context_settings=HELP)
def patrol() -> None:
    """巡线: import routes with their points, and list how the rounds stand.

    \b
    nuan patrol import ./patrols --dry-run      patrol_routes.csv and patrol_points.csv (or 巡线线路, 巡线点; csv or xlsx)
    nuan patrol import 巡线.xlsx
    nuan patrol list --missed

    docs/import.md lists the columns; `nuan import template` writes empty tables. Exit codes: 0 done; 1 there are findings that stopped something.
    """


@patrol.command("import", context_settings=HELP)
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--dry-run", is_flag=True, help="read and check everything, write nothing")
@_json
def import_patrols(path: Path, dry_run: bool, as_json: bool) -> None:
    """Routes and points: a FOLDER of CSV or xlsx files, one file named after its table, or a WORKBOOK. All of it or nothing."""
    setup_records()
    from nuan.operations.import_registry import ImportReport, import_registry
    from nuan.operations.registry_files import read_registry
    from nuan.terms.findings import Finding

    frames, findings = read_registry(path)
    findings += [
        Finding(name, "not_a_patrol", "不是巡线的表,未读取", "no table of patrols; left out", "用 nuan import registry 导入。", severity="warning")
        for name in frames
        if name not in TABLES
    ]  # fmt: skip
    report = ImportReport({}, findings)
    if report.ok:
        own = {name: frame for name, frame in frames.items() if name in TABLES}
        done = import_registry(own, actor=f"cli:{getuser()}", source=path.name, dry_run=dry_run)
        report = ImportReport(done.tables, [*findings, *done.findings])
    if as_json:
        tables = {name: [c.created, c.changed, c.unchanged] for name, c in report.tables.items()}
        found = [finding.as_dict() for finding in report.findings]
        click.echo(
            json.dumps(
                {"ok": report.ok, "dry_run": dry_run, "tables": tables, "findings": found}, ensure_ascii=False, indent=1
            )
        )
    else:
        show_findings(report.findings)
        for name, c in report.tables.items():
            click.echo(f"{name}: 新增 {c.created} 修改 {c.changed} 未变 {c.unchanged}")
        if report.ok and dry_run:
            click.echo("检查完毕，未写入。")
    if not report.ok:
        raise SystemExit(FOUND)


@patrol.command("list", context_settings=HELP)
@click.option("--missed", is_flag=True, help="only routes with rounds that ended and were not walked in full")
@_json
def list_patrols(missed: bool, as_json: bool) -> None:
    """Routes with their running round, what is missing in it, and the rounds that were missed."""
    setup_records()
    from django.utils import timezone

    from nuan.operations.live import live_now
    from nuan.operations.patrol_rounds import route_states
    from nuan.records.hazards.models import PatrolRoute

    routes = PatrolRoute.objects.select_related("company", "banner").order_by("code")
    states = [each for each in route_states(routes, live_now(timezone.now())) if each.missed or not missed]
    if as_json:
        document = [
            {
                "route": each.route.code, "company": each.route.company_id, "banner": each.route.banner_id,
                "round": [str(each.current.first_day), str(each.current.last_day)] if each.current else None,
                "missing": [point.number for point in each.current.missing] if each.current else [],
                "missed": [str(turn.first_day) for turn in each.missed], "coverage": each.coverage,
            }
            for each in states
        ]  # fmt: skip
        click.echo(json.dumps(document, ensure_ascii=False, indent=1))
        return
    table = Table("线路", "企业", "本轮", "已巡", "没走完的轮次", "覆盖率", box=None, header_style="bold")
    for each in states:
        turn = each.current
        table.add_row(
            f"{each.route.code} {each.route.name}", each.route.company_id, f"{turn.first_day:%m-%d}–{turn.last_day:%m-%d}" if turn else "—",
            f"{turn.seen}/{turn.points}" if turn else "—", str(len(each.missed)), "—" if each.coverage is None else f"{each.coverage:.1%}",
        )  # fmt: skip
    Console().print(table)
