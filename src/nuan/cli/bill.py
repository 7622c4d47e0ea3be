"""`nuan bill`: a season's bills, from preview to posting."""

import json
from datetime import date
from getpass import getuser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nuan.cli.bill_changes import COMMANDS
from nuan.cli.main import Refused, setup_records
from nuan.terms.money import format_yuan

if TYPE_CHECKING:
    from nuan.records.billing.models import BillRun

DAY = click.DateTime(["%Y-%m-%d"])


@click.group("bill", context_settings={"help_option_names": ["-h", "--help"]})
def bill() -> None:
    """Bills: preview a run, have another person approve it, post it; adjust and cancel by two; late fees, dunning, holds, stop-heat."""


for _command in COMMANDS:
    bill.add_command(_command)


@bill.command()
@click.option("--season", required=True, help="such as 2025-2026")
@click.option("--company", "companies", multiple=True, help="only this company (may be repeated)  [default: all]")
@click.option("--pack", default=None, help="one jurisdiction pack instead of each banner's own")
@click.option("--json", "as_json", is_flag=True, help="print one JSON document for programs")
def preview(season: str, companies: tuple[str, ...], pack: str | None, as_json: bool) -> None:
    """Reckon what would be billed: totals, exceptions first. Nothing is posted."""
    setup_records()
    runs, said = [], []
    for code in companies or _companies(season):
        made = _preview(code, season, pack)
        (said if isinstance(made, str) else runs).append(made)
    for sentence in said:
        click.echo(sentence, err=True)
    if runs or not said:
        _tell(runs, as_json)
    elif as_json:
        click.echo("[]")
    if said and not runs:
        raise SystemExit(2)


@bill.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--season", required=True, help="such as 2025-2026")
def cards(file: Path, season: str) -> None:
    """Record measured areas, ceiling heights and consumption: a CSV with 户号 and any of 建筑面积 套内面积 使用面积 层高 用热量 用热量单位 新接入面积.

    Areas in m², heights in m, heat in kWh or GJ. One fault refuses the whole file, and every fault is said.
    """
    setup_records()
    from nuan.operations.billing_cards import record_cards
    from nuan.terms.findings import FindingsError

    try:
        count = record_cards(file.read_bytes(), file.name, season=season, actor=f"cli:{getuser()}")
    except FindingsError as refusal:
        raise Refused(str(refusal)) from refusal
    click.echo(f"{file.name}：{count:,} 户的计费卡片。")


@bill.command()
@click.argument("run", type=int)
@click.option("--user", required=True, help="who proposes; asks for the password")
def propose(run: int, user: str) -> None:
    """Ask another person to approve a run."""
    setup_records()
    from nuan.cli.person import signed_in
    from nuan.operations.bill_runs import propose_run

    found, person = _run(run), signed_in(user)
    _guarded(lambda: propose_run(found, by=person))
    click.echo(f"批次 {run} 已提请；另一人运行：nuan bill approve {run} --user … --seen {found.content_hash}")


@bill.command()
@click.argument("run", type=int)
@click.option("--user", required=True, help="who approves, another than who proposed; asks for the password")
@click.option("--seen", required=True, help="the content hash of the preview that you looked at")
@click.option("--reject", is_flag=True, help="send it back instead")
@click.option("--why", default="")
def approve(run: int, user: str, seen: str, reject: bool, why: str) -> None:
    """Another person's yes, to exactly what they saw."""
    setup_records()
    from nuan.cli.person import signed_in
    from nuan.operations.bill_runs import decide_run

    found, person = _run(run), signed_in(user)
    _guarded(lambda: decide_run(found, by=person, seen_hash=seen, approve=not reject, why=why))
    click.echo(f"批次 {run} {'已退回' if reject else '已同意，可以入账'}。")


@bill.command()
@click.argument("run", type=int)
@click.option("--user", required=True, help="who posts; asks for the password")
@click.option("--on", "issued_on", type=DAY, default=None, help="day of issue  [default: today]")
def post(run: int, user: str, issued_on: Any) -> None:
    """Number, book and write an approved run. Asked again it does nothing."""
    setup_records()
    from nuan.cli.person import signed_in
    from nuan.operations.approvals import in_charge
    from nuan.operations.bill_runs import post_run

    found = _run(run)
    person = _guarded(lambda: in_charge(signed_in(user), found.company_id))
    day = issued_on.date() if issued_on else _today()
    posted = _guarded(lambda: post_run(found, issued_on=day, actor=person.username))
    click.echo(f"批次 {run}：{'以前已经入账' if posted.again else '入账'} {posted.bills:,} 张，{format_yuan(posted.total_fen)} 元。")  # fmt: skip


@bill.command()
@click.option("--company", required=True)
@click.option("--until", type=DAY, default=None, help="up to and including this day  [default: today]")
@click.option("--late-fees/--no-late-fees", default=True, show_default=True)
@click.option("--dunning/--no-dunning", default=True, show_default=True)
def overdue(company: str, until: Any, late_fees: bool, dunning: bool) -> None:
    """Charge late fees and write the dunning notices that are due. Homes with an open case are left alone; nobody is cut off."""
    setup_records()
    from nuan.operations.bill_runs import NoSuchCompanyError
    from nuan.operations.overdue import charge_late_fees, take_dunning_steps
    from nuan.records.registry.models import Company

    day, actor = until.date() if until else _today(), f"cli:{getuser()}"
    if not Company.objects.filter(code=company).exists():
        raise Refused(str(NoSuchCompanyError(company)))
    if late_fees:
        counts = _guarded(lambda: charge_late_fees(None, company, until=day, actor=actor))
        click.echo("违约金：" + "，".join(f"{_WORDS.get(key, key)} {n}" for key, n in sorted(counts.items())))
    if dunning:
        click.echo(f"催缴：新写 {len(take_dunning_steps(None, company, today=day, actor=actor))} 份。")


_WORDS = {
    "charged": "出单", "lowered": "调低", "fen": "金额（分）", "held": "有争议暂停", "late_fee.daily_percent": "费率未载明，不计", "bill.due_date": "截止日未载明，不计",
    "late_fee.cap": "上限未载明，不计",
}  # fmt: skip


def _preview(company: str, season: str, pack: str | None) -> "BillRun | str":
    """The run, or the sentence that says that this company has nothing (more) to bill."""
    from nuan.operations.bill_runs import NothingToBillError
    from nuan.operations.bill_runs import preview as make

    def run() -> "BillRun | str":
        try:
            return make(company, season, actor=f"cli:{getuser()}", pack_name=pack)
        except NothingToBillError as refusal:
            return str(refusal)

    found: BillRun | str = _guarded(run)
    return found


def _companies(season: str) -> list[str]:
    from nuan.operations.bill_runs import companies_to_bill

    return list(companies_to_bill(season))


def _run(number: int) -> "BillRun":
    from nuan.records.billing.models import BillRun

    found = BillRun.objects.filter(pk=number).first()
    if found is None:
        raise Refused(f"没有批次 {number} / no such run")
    return found


def _guarded(work: Any) -> Any:
    from django.db import IntegrityError

    from nuan.operations.approvals import ApprovalError
    from nuan.operations.bill_runs import NoSuchCompanyError, NothingToBillError
    from nuan.operations.city_packs import SeasonKeyError, SeasonUnknownError
    from nuan.operations.ledger import ClosedBooksError
    from nuan.rules.pack import UnknownPack

    try:
        return work()
    except (
        ApprovalError,
        ClosedBooksError,
        NoSuchCompanyError,
        NothingToBillError,
        SeasonKeyError,
        SeasonUnknownError,
        UnknownPack,
    ) as refusal:
        raise Refused(str(refusal)) from refusal
    except IntegrityError as refusal:
        raise Refused(f"数据库拒绝了：{str(refusal).splitlines()[0]}") from refusal


def _today() -> date:
    from django.utils import timezone

    return timezone.localdate()


def _tell(runs: "list[BillRun]", as_json: bool) -> None:
    from nuan.policies.catalogue import pack
    from nuan.policies.tariffs.working import reason_words

    rows = [
        {"run": run.pk, "company": run.company_id, "bills": run.bills, "total_fen": run.total_fen, "content_hash": run.content_hash, **run.summary}
        for run in runs
    ]  # fmt: skip
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    if not runs:
        click.echo("这一季没有有合同的住户，没有可出的账。")
    for run in runs:
        click.echo(f"批次 {run.pk}  {run.company_id}  {run.season}：{run.bills:,} 张，{format_yuan(run.total_fen)} 元；指纹 {run.content_hash}")  # fmt: skip
        for code, count in run.summary.get("exceptions", {}).items():
            from nuan.operations.bill_drafts import WARNINGS

            first = next(iter(run.packs), "directive")
            words = WARNINGS[code][0] if code in WARNINGS else reason_words(code, pack(first))
            click.echo(f"   {'核对' if code in WARNINGS else '不能出账'}  {count:>7,} 户  {words}")
