"""`nuan ledger`: look at the books from outside, seal days, export for an auditor."""

import json
from datetime import UTC, datetime
from getpass import getuser
from pathlib import Path

import click

from nuan.cli.main import Refused, setup_records


@click.group("ledger", context_settings={"help_option_names": ["-h", "--help"]})
def ledger() -> None:
    """The ledger: check it, seal its days, export it."""


@ledger.command()
@click.option("--json", "as_json", is_flag=True, help="print one JSON document for programs")
def check(as_json: bool) -> None:
    """Add everything up again: entries, accounts, bills against lines and ledger, four eyes, numbers, the chain of days, the guards.

    Exit code 0: nothing to find fault with (days that wait to be sealed are said); 1: something does not hold.
    """
    setup_records()
    from nuan.operations.ledger_check import check as run

    found = run(now=datetime.now(UTC))
    faults = [each for each in found if each.severity == "error"]
    if as_json:
        click.echo(json.dumps([each.as_dict() for each in found], ensure_ascii=False, indent=1))
    else:
        for each in found:
            click.echo(f"{'错误' if each.severity == 'error' else '提示'}  {each.sentence()}")
        click.echo(
            "账本无误。" if not faults else f"{sum(each.count for each in faults)} 处不符，{len(faults)} 类。",
            err=bool(faults),
        )
    raise SystemExit(1 if faults else 0)


@ledger.command()
@click.option("--season", required=True, help="of the subsidies, such as 2025-2026")
@click.option(
    "--day", type=click.DateTime(["%Y-%m-%d"]), default=None, help="as of the end of that day  [default: today]"
)
def support(season: str, day: datetime | None) -> None:
    """Bring debts of government and heating subsidies into the ledger as they are recorded. Run it once a day; again changes nothing."""
    setup_records()
    from django.utils import timezone

    from nuan.operations.support_ledger import book_support

    found = book_support(season, day.date() if day else timezone.localdate(), actor=f"cli:{getuser()}")
    click.echo(
        f"政府欠账 {found.debts} 张，偿还 {found.debt_payments} 张；补贴应付 {found.subsidies} 张，逾期 {found.overdue} 张，拨付 {found.subsidy_payments} 张"
        + (f"；{found.unknown} 项金额算不出，没有入账" if found.unknown else "")
    )


@ledger.command()
def seal() -> None:
    """Seal every day that is over. Run it once a day; a sealed day takes no more entries."""
    setup_records()
    from nuan.operations.ledger_chain import seal_days

    sealed = seal_days(now=datetime.now(UTC), actor=f"cli:{getuser()}")
    for day in sealed:
        click.echo(f"{day.day}  凭证 {day.entries} 张  {day.digest}")
    if not sealed:
        click.echo("没有要封存的日子。")


@ledger.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--format", "format_name", type=click.Choice(["beancount"]), default="beancount", show_default=True)
@click.option(
    "--with-doors",
    is_flag=True,
    help="accounts carry the homes' codes; needs --reason and is written into the audit log",
)
@click.option("--reason", default="", help="why the doors are needed")
def export(file: Path, format_name: str, with_doors: bool, reason: str) -> None:
    """Write the whole ledger for another program: `nuan ledger export FILE && bean-check FILE`."""
    setup_records()
    from nuan.operations.ledger_export import DoorsNeedReasonError, export_beancount

    try:
        lines = export_beancount(file, actor=f"cli:{getuser()}", doors=with_doors, reason=reason)
    except DoorsNeedReasonError as refusal:
        raise click.UsageError(str(refusal)) from refusal
    click.echo(f"{file}：{lines:,} 行（{format_name}）。")


@ledger.command()
@click.argument("company")
@click.argument("period")
@click.option(
    "--user", required=True, help="who you are; asks for the password. The second person's command closes the month"
)
@click.option("--seen", default=None, help="the content hash that the first person's command printed")
def close(company: str, period: str, user: str, seen: str | None) -> None:
    """Close a month of a company's books, e.g. `nuan ledger close C01 2025-11 --user zhoukuaiji`; a second person repeats it with --seen."""
    setup_records()
    from nuan.cli.person import signed_in
    from nuan.operations.approvals import ApprovalError
    from nuan.operations.periods import PeriodError, approve_close, propose_close

    person = signed_in(user)
    try:
        if seen is None:
            asked = propose_close(company, period, by=person, now=datetime.now(UTC))
            click.echo(f"已提请 {company} {period} 结账；另一人运行：\nnuan ledger close {company} {period} --user … --seen {asked.content_hash}")  # fmt: skip
            return
        closed = approve_close(company, period, by=person, seen_hash=seen)
    except (ApprovalError, PeriodError) as refusal:
        raise Refused(str(refusal)) from refusal
    click.echo(f"{closed.company_id} {closed.period} 已结账（{closed.closed_by}、{closed.approved_by}）。")
