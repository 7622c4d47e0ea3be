"""`nuan demo`: a synthetic city with a whole season, judged."""

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from nuan.cli.main import setup_records
from nuan.terms.findings import FindingsError
from nuan.terms.places import CHINA

if TYPE_CHECKING:
    from nuan.operations.demo import DemoReport

STAGES = {
    "clearing": "删除旧的示例城市",
    "records": "准备数据库",
    "registry": "登记机构、管网、住户",
    "rooms": "室温读数（按桶）",
    "stations": "换热站读数",
    "support": "登记补贴、欠账、维修与保障资金",
    "hazards": "登记隐患与巡线",
    "judging": "逐条判定",
    "live": "最后一天：实时值和告警",
    "network": "管网：导入、测压、水力计算",
    "billing": "出账：预览、两人审批、入账",
    "payments": "收款文件和退费",
}
DAYTIME = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"])


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--homes", default=12_000, show_default=True, help="how many homes, 200 to 2 000 000")
@click.option("--seed", default=1, show_default=True, help="another seed, another city")
@click.option("--season", "season_year", default=2025, show_default=True, help="the year in which the season begins")
@click.option(
    "--as-of", type=DAYTIME, default=None, help="local time up to which things are known  [default: the season's end]"
)
@click.option(
    "--epw",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=None,
    help="weather of a real year (EnergyPlus EPW) instead of the synthetic one",
)
@click.option("--fresh", is_flag=True, help="delete the sample city that is there and build anew")
@click.option("--json", "as_json", is_flag=True, help="print one JSON document for programs")
def demo(
    homes: int, seed: int, season_year: int, as_of: datetime | None, epw: Path | None, fresh: bool, as_json: bool
) -> None:
    """Build a synthetic city, load a season of readings, judge it, and say what was planted and what was found.

    Everything lies under NUAN_HOME (default ./var). The same command again changes nothing; a killed one goes on where it stopped.
    A city that `nuan demo` did not make is never touched. The demo accounts (password nuan-demo) exist only here.

    \b
    nuan demo --homes 1000              a small town in a few seconds
    nuan demo --as-of "2026-01-11T02:00"  the night in January in which a heat source stands still
    nuan serve                          look at it

    Exit code 0: built, and found what was planted and nothing else; 1: something was missed or found too much; 2: nothing was done
    (the reason is said).
    """
    setup_records()
    from nuan.buildings.sample_city.plan import CitySizeError
    from nuan.operations.demo import OtherCityError, RealCityError
    from nuan.operations.intake_settings import IntakeSettingsError

    try:
        report = _build(homes, seed, season_year, as_of, epw, fresh, quiet=as_json)
    except (OtherCityError, RealCityError, CitySizeError, FindingsError, IntakeSettingsError) as refusal:
        click.echo(
            json.dumps({"error": str(refusal)}, ensure_ascii=False) if as_json else str(refusal), err=not as_json
        )
        raise SystemExit(2) from refusal
    if as_json:
        click.echo(json.dumps(report.facts | {"was_there": report.was_there}, ensure_ascii=False, indent=1))
    else:
        _tell(report)
    if not report.as_planted:
        raise SystemExit(1)


def _build(
    homes: int, seed: int, season_year: int, as_of: datetime | None, epw: Path | None, fresh: bool, *, quiet: bool
) -> "DemoReport":
    from nuan.operations.demo import build_demo_city

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), disable=quiet) as bars:
        tasks: dict[str, TaskID] = {}

        def said(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(STAGES[stage], total=total)
            bars.update(tasks[stage], completed=done, total=total)

        return build_demo_city(
            homes,
            seed=seed,
            season_year=season_year,
            as_of=None if as_of is None else as_of.replace(tzinfo=CHINA),
            epw=epw,
            fresh=fresh,
            actor="nuan demo",
            progress=said,
        )


def _tell(report: "DemoReport") -> None:
    facts: dict[str, Any] = report.facts
    console = Console()
    console.print("[bold]演示数据 · 合成城市[/bold]（全部为合成数据，不代表任何真实的地方、企业或个人）")
    if report.was_there:
        console.print("这座示例城市已经在这里，什么也没有改动。要重建请加 --fresh。")
    console.print(
        f"{facts['homes']} 户，种子 {facts['seed']}，{facts['season']} 采暖季，截至 {facts['as_of'][:16]}，读数 {facts['readings']:,} 条；"
        f"天气：{facts['weather']}"
    )
    judged = facts["judged"]
    console.print(f"判定 {judged['homes']} 户，应退费合计 {judged['refund_fen'] / 100:,.2f} 元。")
    if billed := facts.get("billed"):
        bills, fen = (sum(each[name] for each in billed.values()) for name in ("bills", "total_fen"))
        console.print(f"出账 {bills:,} 张，合计 {fen / 100:,.2f} 元（{len(billed)} 家企业，每批由两人办理）。")
    table = Table("埋设的事件", "条款", "应发现", "已发现", "")
    for each in report.found:
        mark = "[green]全部发现[/green]" if each.complete else f"[red]漏：{'、'.join(each.missed[:5])}[/red]"
        table.add_row(each.zh, each.clause, str(each.planted), str(each.found), mark)
    console.print(table)
    surplus = "；".join(f"{clause}：{'、'.join(places[:5])}" for clause, places in facts.get("beyond", {}).items())
    console.print(f"[red]没有埋设却被判不达标：{surplus}[/red]" if surplus else "没有埋设的地方，没有一处被判不达标。")
    live = facts.get("live", {})
    if live:
        console.print(
            f"实时测点 {live['points']:,} 个，未了结的告警 {live['alarms']} 条（“现在”是示例城市的 {facts['as_of'][:16]}，没有设备在跑）。"
        )
    names = "、".join(f"{person['username']}（{person['name']}）" for person in facts["accounts"])
    console.print(f"演示账号（口令都是 nuan-demo，只由 nuan demo 建立）：{names}")
    console.print("打开网页：nuan serve")
