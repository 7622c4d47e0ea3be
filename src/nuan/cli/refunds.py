"""`nuan refunds`: from judgements to money in the hands of the home. Two people, each with their own password."""

import csv
import json
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, cast

import click
from rich.console import Console

from nuan.cli.main import setup_records

SETTINGS = {"help_option_names": ["-h", "--help"]}
FOUND, USAGE = 1, 2
_as = click.option("--as", "username", required=True, help="whose account; the password is asked for")
_password = click.option("--password", prompt="口令 / password", hide_input=True, help="asked for when not given")
_json = click.option("--json", "as_json", is_flag=True, help="print one JSON document for programs")


@click.group(context_settings=SETTINGS)
def refunds() -> None:
    """Refunds of what was judged: proposed by one person, approved by another, booked, paid out.

    \b
    nuan refunds status
    nuan refunds propose --company C01 --season 2025-2026 --as zhoukuaiji
    nuan refunds approve 1 --as zhengzhuguan
    nuan refunds post 1 --as zhoukuaiji
    nuan refunds payout send 1 --channel bank --as zhoukuaiji > list.csv
    nuan refunds payout results answer.csv --as zhoukuaiji

    Exit code 0: done; 1: a file of results was refused; 2: not possible, with a sentence that says why.
    """


def _refused(words: str) -> click.ClickException:
    error = click.ClickException(words)
    error.exit_code = USAGE
    return error


def _told(work: Callable[..., None]) -> Callable[..., None]:
    """What an operation refuses becomes a sentence and exit code 2."""

    @wraps(work)
    def run(*args: Any, **more: Any) -> None:
        setup_records()
        from nuan.operations.approvals import ApprovalError
        from nuan.operations.refund_batches import RefundError
        from nuan.operations.refund_payouts import PayoutError

        try:
            work(*args, **more)
        except (ApprovalError, RefundError, PayoutError) as error:
            raise _refused(str(error)) from error

    return run


def _person(username: str, password: str) -> Any:
    from nuan.records.accounts.models import User

    found = User.objects.filter(username=username, is_active=True).first()
    if found is None or not found.check_password(password):
        raise _refused("账号或口令不对 / no such account, or a wrong password")
    return found


def _batch(number: int) -> Any:
    from nuan.records.billing.models import RefundBatch

    found = RefundBatch.objects.filter(pk=number).first()
    if found is None:
        raise _refused(f"没有退费批次 {number} / no such batch")
    return found


@refunds.command(context_settings=SETTINGS)
@_json
@_told
def status(as_json: bool) -> None:
    """Every company: judged, booked, paid, and how long it waits."""
    from django.utils import timezone

    from nuan.operations.refund_status import by_company

    rows = [row.as_dict() for row in by_company(timezone.localdate())]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, default=str))
        return
    for row in rows:
        click.echo(
            f"{row['company']} {row['name']} {row['season']}：判定应退 {row['judged_fen'] / 100:,.2f}，已入账 {row['booked_fen'] / 100:,.2f}，"
            f"已付 {row['paid_fen'] / 100:,.2f}，未付 {row['unpaid_fen'] / 100:,.2f}，最久 {row['longest_days']} 天"
        )


@refunds.command(context_settings=SETTINGS)
@click.option("--company", required=True)
@click.option("--season", required=True, help="such as 2025-2026")
@click.option("--clause", default="", help="only this clause")
@_as
@_password
@_json
@_told
def propose(company: str, season: str, clause: str, username: str, password: str, as_json: bool) -> None:
    """Make a batch of all that is owed now and ask another person to approve it."""
    from nuan.operations.refund_batches import propose_refunds

    batch = propose_refunds(company=company, season=season, clause=clause, by=_person(username, password))
    _say_batch(batch, as_json)


@refunds.command(context_settings=SETTINGS)
@click.argument("number", type=int)
@click.option("--reject", is_flag=True, help="send it back instead")
@click.option("--why", default="")
@_as
@_password
@_json
@_told
def approve(number: int, reject: bool, why: str, username: str, password: str, as_json: bool) -> None:
    """Approve batch NUMBER as it stands now, or send it back."""
    from nuan.operations.refund_batches import content_hash, decide_refunds

    batch = _batch(number)
    decide_refunds(batch, by=_person(username, password), seen_hash=content_hash(batch), approve=not reject, why=why)
    batch.refresh_from_db()
    _say_batch(batch, as_json)


@refunds.command(context_settings=SETTINGS)
@click.argument("number", type=int)
@_as
@_password
@_json
@_told
def post(number: int, username: str, password: str, as_json: bool) -> None:
    """Book batch NUMBER once another person has approved it."""
    from django.utils import timezone

    from nuan.operations.refund_posting import post_refunds

    _say_batch(post_refunds(_batch(number), by=_person(username, password), on=timezone.localdate()), as_json)


def _say_batch(batch: Any, as_json: bool) -> None:
    told = {
        "batch": batch.pk, "company": batch.company_id, "season": batch.season, "state": batch.state, "homes": batch.homes_count,
        "items": batch.items_count, "amount_fen": batch.amount_fen, "blocked": batch.blocked,
    }  # fmt: skip
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False))
    else:
        click.echo(
            f"批次 {batch.pk}：{batch.get_state_display()}，{batch.homes_count} 户 {batch.items_count} 项，{batch.amount_fen / 100:,.2f} 元；"
            f"不能付的 {len(batch.blocked)} 项"
        )


@refunds.group(context_settings=SETTINGS)
def payout() -> None:
    """Paying out: a list for the bank or platform, and its answer."""


@payout.command("send", context_settings=SETTINGS)
@click.argument("number", type=int)
@click.option("--channel", default="bank", show_default=True, help="for payouts that have no way of their own")
@_as
@_password
@_told
def send(number: int, channel: str, username: str, password: str) -> None:
    """Put what waits of batch NUMBER on its way and print the list."""
    from django.utils import timezone

    from nuan.operations.refund_payouts import may_pay_out, send_payouts
    from nuan.operations.refund_status import LIST_HEADS, list_lines

    batch = _batch(number)
    person = may_pay_out(_person(username, password), batch.company_id)
    waiting = batch.payouts.filter(state="pending")
    sent = send_payouts(waiting, channel=channel, on=timezone.localdate(), actor=person.username)
    writer = csv.writer(sys.stdout)
    writer.writerow(LIST_HEADS)
    writer.writerows(list_lines(sent))


@payout.command(context_settings=SETTINGS)
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_as
@_password
@_told
def results(path: Path, username: str, password: str) -> None:
    """Take in the answer of the bank or platform: all of it or nothing."""
    from django.utils import timezone

    from nuan.operations.refund_payouts import may_pay_out, take_results

    person = _person(username, password)
    company = cast(str, person.company_id or "")
    may_pay_out(person, company)
    done = take_results(
        path.read_bytes(), path.name, company=company, actor=person.username, today=timezone.localdate()
    )
    for finding in done.findings:
        Console(stderr=True).print(f"[red]●[/] {finding.sentence()}", highlight=False, soft_wrap=True)
    if done.findings:
        raise SystemExit(FOUND)
    click.echo(f"已付 {done.paid} 笔，失败 {done.failed} 笔，以前记过 {done.known} 笔")
