"""`nuan payments`: payment files of a channel, taken in or looked at; a home's credit."""

import json
from getpass import getuser
from pathlib import Path

import click
from rich.console import Console

from nuan.cli.main import setup_records

SETTINGS = {"help_option_names": ["-h", "--help"]}
FOUND, USAGE = 1, 2


@click.group(context_settings=SETTINGS)
def payments() -> None:
    """Payments that come as files: WeChat Pay and Alipay bills, bank statements.

    \b
    nuan payments channels
    nuan payments import 20251103ALL.csv --channel wechat --company C01 --dry-run
    nuan payments import 20251103ALL.csv --channel wechat --company C01
    nuan payments credits B001-1-0101

    A file that does not add up is refused whole, with row and column. The same file again changes nothing. docs/payments.md says more.
    """


@payments.command(context_settings=SETTINGS)
def channels() -> None:
    """The channels and whether their columns are confirmed."""
    from nuan.records.billing.channels.profile import channel_names, profile

    for name in channel_names():
        found = profile(name)
        note = "" if found.confirmed else "  列名未经确认"
        click.echo(f"{name:10} {found.label}  {found.kind}{note}")


@payments.command("import", context_settings=SETTINGS)
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--channel", required=True, help="wechat, alipay, bank …; see `nuan payments channels`")
@click.option("--company", required=True, help="code of the company that was paid")
@click.option("--month", default="", help="the month that all rows should be of, such as 2025-11")
@click.option("--dry-run", is_flag=True, help="read, check and match; write nothing")
@click.option("--json", "as_json", is_flag=True, help="print one JSON document for programs")
def import_file(path: Path, channel: str, company: str, month: str, dry_run: bool, as_json: bool) -> None:
    """Take in one payment FILE.

    Exit code 0: taken in, or taken in before; 1: refused, the findings say where and what to do; 2: no such channel or company.
    """
    setup_records()
    from django.utils import timezone

    from nuan.operations.payment_files import STATES_ZH, import_payments
    from nuan.records.billing.channels.profile import NoSuchChannelError
    from nuan.records.registry.models import Company

    if not Company.objects.filter(code=company).exists():
        raise _impossible(f"没有企业“{company}” / no such company")
    try:
        report = import_payments(
            path.read_bytes(), path.name, channel=channel, company=company, actor=f"cli:{getuser()}", today=timezone.localdate(),
            month=month, dry_run=dry_run,
        )  # fmt: skip
    except NoSuchChannelError as error:
        raise _impossible(str(error)) from error
    if as_json:
        click.echo(json.dumps(report.as_dict(), ensure_ascii=False, default=str))
    else:
        err = Console(stderr=True)
        for finding in report.findings:
            colour = "red" if finding.severity == "error" else "yellow"
            err.print(f"[{colour}]●[/] {finding.sentence()}", highlight=False, soft_wrap=True)
        click.echo(
            f"{path.name}：{STATES_ZH[report.state]}。{report.rows} 行，新收款 {report.new} 笔 {report.new_fen / 100:,.2f} 元，"
            f"已核销 {report.placed} 笔，待人工 {report.doubtful} 笔，以前导入过 {report.known} 笔"
        )
    if report.state == "refused":
        raise SystemExit(FOUND)


@payments.command(context_settings=SETTINGS)
@click.argument("number")
@click.option("--yuan", required=True, help="how much of the home's credit goes onto the bill")
@click.option("--why", default="", help="e.g. that the resident asked for it")
@click.option("--user", required=True, help="who you are; asks for the password")
def credit(number: str, yuan: str, why: str, user: str) -> None:
    """Pay bill NUMBER from its home's credit (余额): money paid in advance or too much, or a refund set against the season.

    The same amount on the same bill and day again changes nothing.
    """
    setup_records()
    from django.utils import timezone

    from nuan.cli.person import signed_in
    from nuan.operations.payment_queue import PlacingError, pay_from_credit
    from nuan.operations.refund_payouts import PayoutError, may_pay_out
    from nuan.records.billing.models import Bill
    from nuan.terms.money import MoneyTextError, format_yuan, parse_yuan

    bill = Bill.objects.filter(number__iexact=number.strip(), kind="bill").first()
    if bill is None:
        raise _impossible(f"没有账单 {number} / no such bill")
    try:
        fen = parse_yuan(yuan)
        person = may_pay_out(signed_in(user), bill.company_id)
        now = timezone.now()
        key = f"credit:{bill.number}:{timezone.localdate()}:{fen}"
        pay_from_credit(bill.pk, fen, actor=person.username, today=timezone.localdate(), now=now, key=key, why=why)
    except (PlacingError, PayoutError, MoneyTextError) as error:
        raise _impossible(str(error)) from error
    click.echo(f"账单 {bill.number} 已用余额付 {format_yuan(fen)} 元。")


@payments.command("credits", context_settings=SETTINGS)
@click.argument("home")
@click.option("--json", "as_json", is_flag=True, help="print one JSON document for programs")
def show_credits(home: str, as_json: bool) -> None:
    """What a HOME has beyond its bills, and which bills are open. It is used on the page 住户余额抵扣, by a person with a reason.

    Exit code 0: told; 2: no such home.
    """
    setup_records()
    from nuan.operations.open_bills import credit_fen, open_of_homes
    from nuan.records.registry.models import Home

    found = Home.objects.filter(code__iexact=home).first()
    if found is None:
        raise _impossible(f"没有住户“{home}” / no such home")
    fen, bills = credit_fen(found.pk), [each for each in open_of_homes([found.pk]) if each.open_fen > 0]
    if as_json:
        told = [{"bill": each.number, "open_fen": each.open_fen} for each in bills]
        click.echo(json.dumps({"home": found.code, "credit_fen": fen, "open": told}, ensure_ascii=False))
        return
    click.echo(f"{found.code} 余额 {fen / 100:,.2f} 元")
    for each in bills:
        click.echo(f"  {each.number} 未付 {each.open_fen / 100:,.2f} 元")


def _impossible(words: str) -> click.ClickException:
    error = click.ClickException(words)
    error.exit_code = USAGE
    return error
