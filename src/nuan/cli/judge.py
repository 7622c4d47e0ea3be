"""`nuan judge`: a season, clause by clause."""

import json
from datetime import UTC, datetime
from getpass import getuser

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from nuan.cli.main import setup_records
from nuan.terms.money import format_yuan
from nuan.terms.places import CHINA

MOMENT = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"])


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--season", default=None, help="such as 2025-2026  [default: the newest season with contracts]")
@click.option("--pack", default=None, help="one jurisdiction pack for all banners instead of each banner's own")
@click.option("--as-of", type=MOMENT, default=None, help="local time up to which things are known  [default: now]")
@click.option("--home", "homes", multiple=True, help="judge only this home (may be repeated)")
@click.option("--force", is_flag=True, help="judge everything, changed or not")
@click.option("--json", "as_json", is_flag=True, help="print one JSON document for programs")
def judge(
    season: str | None, pack: str | None, as_of: datetime | None, homes: tuple[str, ...], force: bool, as_json: bool
) -> None:
    """Judge a season of the city and write what came out otherwise than before.

    Killed at any moment it goes on where it stopped. Run again it does only what has changed: a late reading has its one home judged
    anew; a new outage, contract or test the pieces of the city (some hundred homes each) in which it lies; other rules or a later hour of
    a season under way everything. Only what comes out otherwise is written.

    \b
    nuan judge                                  the newest season, up to now
    nuan judge --season 2025-2026 --as-of 2026-01-20
    nuan judge --pack heze                      by the rules of Heze, until it is judged again without --pack
    nuan judge --json | jq .refund_fen

    Exit code 0: judged, or nothing had changed; 2: not possible (no contracts, no such home, season unknown, somebody else is judging).
    """
    setup_records()
    from nuan.operations.city_packs import SeasonKeyError, SeasonUnknownError
    from nuan.operations.judging import JudgingBusyError, NoSuchHomeError, NothingToJudgeError, judge_season
    from nuan.rules.pack import UnknownPack
    from nuan.telemetry.store import Store

    # everything that a person says in local time
    moment = as_of.replace(tzinfo=CHINA) if as_of is not None else datetime.now(UTC)
    console = Console(stderr=True)
    try:
        season = season or _newest_season()
        with Store(_readings()) as store, _bar(console, quiet=as_json) as bar:
            task = bar.add_task(f"判定 {season}", total=None)
            report = judge_season(
                season,
                actor=f"cli:{getuser()}",
                store=store,
                as_of=moment,
                pack_name=pack,
                only=set(homes) or None,
                force=force,
                resume=as_of is None,
                progress=lambda said: bar.update(task, total=said.total, completed=said.done),
            )
    except (
        JudgingBusyError,
        NoSuchHomeError,
        NothingToJudgeError,
        SeasonKeyError,
        SeasonUnknownError,
        UnknownPack,
    ) as error:
        raise _Impossible(str(error)) from error
    if as_json:
        click.echo(json.dumps(report.as_dict(), ensure_ascii=False))
        return
    out = Console()
    if report.nothing_changed:
        out.print(f"{season}：没有变化，{report.homes:,} 户的判定保持不变。")
    else:
        out.print(
            f"{season}：判定 {report.homes_judged:,} 户，新增判定 {report.written:,} 条，用时 {report.seconds:.1f} 秒"
            f"{'（接着上次中断处）' if report.continued else ''}。"
        )
    out.print(_table(report.clauses))
    out.print(f"应退费合计 {format_yuan(report.refund_fen)} 元。看网页：nuan serve")


class _Impossible(click.ClickException):
    exit_code = 2


def _newest_season() -> str:
    from nuan.operations.judging import NothingToJudgeError
    from nuan.records.registry.models import Contract

    season = Contract.objects.order_by("-season").values_list("season", flat=True).first()
    if season is None:
        raise NothingToJudgeError("?")
    return season


def _readings():  # type: ignore[no-untyped-def]
    from django.conf import settings

    return settings.READINGS_ROOT


def _bar(console: Console, quiet: bool) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, disable=quiet)


def _table(clauses: dict[str, dict[str, int]]) -> Table:
    from nuan.policies.catalogue import clause

    table = Table("条款", "", title=None)
    for head in ("达标", "不达标", "无法判定", "应退（元）"):
        table.add_column(head, justify="right")
    for key in sorted(clauses):
        row = clauses[key]
        figures = [f"{row[name]:,}" for name in ("met", "breached", "undecidable")]
        table.add_row(key, clause(key).short_zh, *figures, format_yuan(row["amount_fen"]) if row["amount_fen"] else "")
    return table
