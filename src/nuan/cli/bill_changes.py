"""`nuan bill adjust, cancel, decide, hold, release, stop-heat, stop-silence`: what happens to a bill, or instead of one, after the run."""

from collections.abc import Callable
from datetime import date
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from nuan.cli.main import Refused, setup_records
from nuan.terms.money import MoneyTextError, format_yuan, parse_yuan

if TYPE_CHECKING:
    from nuan.records.accounts.models import User
    from nuan.records.billing.models import Bill
    from nuan.records.registry.models import Home

DAY = click.DateTime(["%Y-%m-%d"])
_user = click.option("--user", required=True, help="who you are; asks for the password")


def _told(work: Callable[..., None]) -> Callable[..., None]:
    """What an operation refuses becomes a sentence."""

    @wraps(work)
    def run(**given: Any) -> None:
        setup_records()
        from django.db import IntegrityError

        from nuan.operations.approvals import ApprovalError
        from nuan.operations.bill_documents import DocumentError
        from nuan.operations.city_packs import SeasonKeyError, SeasonUnknownError
        from nuan.operations.ledger import ClosedBooksError, NoGroundError
        from nuan.operations.payment_queue import PlacingError
        from nuan.operations.stop_heat import StopHeatError

        try:
            work(**given)
        except (
            ApprovalError, ClosedBooksError, DocumentError, NoGroundError, StopHeatError, SeasonKeyError, SeasonUnknownError, MoneyTextError, PlacingError
        ) as refusal:  # fmt: skip
            raise Refused(str(refusal)) from refusal
        except IntegrityError as refusal:
            raise Refused(f"数据库拒绝了：{str(refusal).splitlines()[0]}") from refusal

    return run


def _person(user: str, company: str) -> "User":
    from nuan.cli.person import signed_in
    from nuan.operations.approvals import in_charge

    return in_charge(signed_in(user), company)


def _bill(number: str) -> "Bill":
    from nuan.records.billing.models import Bill

    found = Bill.objects.filter(number__iexact=number.strip()).first()
    if found is None:
        raise Refused(f"没有账单 {number} / no such bill")
    return found


def _home(code: str) -> "Home":
    from nuan.records.registry.models import Home

    found = Home.objects.select_related("banner").filter(code=code).first()
    if found is None:
        raise Refused(f"没有户号 {code} / no such home")
    return found


def _day(given: Any) -> date:
    from django.utils import timezone

    found: date = given.date() if given else timezone.localdate()
    return found


@click.command()
@click.argument("number")
@click.option("--yuan", required=True, help="what the home owes more; with a minus: less, e.g. --yuan=-120.50")
@click.option("--why", required=True)
@_user
@_told
def adjust(number: str, yuan: str, why: str, user: str) -> None:
    """Propose an adjustment of bill NUMBER; another person decides with `nuan bill decide`."""
    from nuan.operations.bill_changes import propose_change
    from nuan.operations.bill_documents import NewLine

    found, fen = _bill(number), parse_yuan(yuan)
    asked = propose_change(
        found, [NewLine("adjustment", fen, why.strip())], why=why, by=_person(user, found.company_id)
    )
    click.echo(f"已提请把账单 {found.number} 调整 {format_yuan(fen)} 元；另一人运行：\nnuan bill decide {found.number} --user … --seen {asked.content_hash}")  # fmt: skip


@click.command()
@click.argument("number")
@click.option("--why", required=True)
@_user
@_told
def cancel(number: str, why: str, user: str) -> None:
    """Propose to cancel bill NUMBER; another person decides with `nuan bill decide`."""
    from nuan.operations.bill_changes import propose_change

    found = _bill(number)
    asked = propose_change(found, [], why=why, by=_person(user, found.company_id))
    click.echo(f"已提请冲销账单 {found.number}；另一人运行：\nnuan bill decide {found.number} --user … --seen {asked.content_hash}")  # fmt: skip


@click.command()
@click.argument("number")
@click.option("--seen", required=True, help="the content hash that the first person's command printed")
@click.option("--on", type=DAY, default=None, help="day of the document  [default: today]")
@click.option("--reject", is_flag=True, help="send it back instead")
@click.option("--why", default="")
@_user
@_told
def decide(number: str, seen: str, on: Any, reject: bool, why: str, user: str) -> None:
    """Another person's answer to an adjustment or cancellation of bill NUMBER; a yes makes the document."""
    from nuan.operations.bill_changes import decide_change

    found = _bill(number)
    made = decide_change(
        found, by=_person(user, found.company_id), seen_hash=seen, on=_day(on), approve=not reject, why=why
    )
    click.echo(f"{made.get_kind_display()} {made.number}：{format_yuan(made.total_fen)} 元。" if made else f"账单 {found.number} 的更正已退回。")  # fmt: skip


@click.command()
@click.argument("home")
@click.option("--reason", required=True, help="the case or dispute that is open")
@click.option("--since", type=DAY, default=None, help="its first day  [default: today]")
@_user
@_told
def hold(home: str, reason: str, since: Any, user: str) -> None:
    """A case about HOME's bills is open: no reminder and no late fee until `nuan bill release`."""
    from nuan.operations.overdue import place_hold

    found = _home(home)
    placed = place_hold(found, reason=reason, since=_day(since), actor=_person(user, found.company_id).username)
    click.echo(f"{placed.since} 起暂停催缴和违约金，直到 nuan bill release。")


@click.command()
@click.argument("home")
@click.option("--until", type=DAY, default=None, help="the last day of the case  [default: today]")
@_user
@_told
def release(home: str, until: Any, user: str) -> None:
    """The case about HOME's bills is closed."""
    from nuan.operations.overdue import release_hold
    from nuan.records.billing.models import BillingHold

    found, last = _home(home), _day(until)
    person = _person(user, found.company_id)
    open_holds = list(BillingHold.objects.filter(home=found, until=None))
    if any(each.since > last for each in open_holds):
        raise Refused("结束日早于开始日 / it ends before it begins")
    for each in open_holds:
        release_hold(each, until=last, actor=person.username)
    click.echo(f"解除 {len(open_holds)} 项暂停，{last} 为最后一天。" if open_holds else "没有要解除的暂停。")


@click.command("stop-heat")
@click.argument("home")
@click.option("--season", required=True, help="such as 2025-2026")
@click.option("--applied", type=DAY, default=None, help="the day of the application  [default: today]")
@click.option("--ground", "grounds", multiple=True, help="a ground against it that was found to hold: first_season, shared_safety, no_shutoff, arrears, neighbours_cold")  # fmt: skip
@_user
@_told
def stop_heat(home: str, season: str, applied: Any, grounds: tuple[str, ...], user: str) -> None:
    """Decide HOME's application to stop heat by the place's window and grounds, and record it."""
    from nuan.operations.stop_heat import apply_to_stop
    from nuan.policies.tariffs.stop_heat import GROUNDS

    if unknown := sorted(set(grounds) - GROUNDS.keys()):
        raise click.UsageError(f"没有这种理由：{'、'.join(unknown)}；有：{'、'.join(GROUNDS)}")
    found = _home(home)
    person = _person(user, found.company_id)
    made = apply_to_stop(found, season=season, applied_on=_day(applied), facts=grounds, actor=person.username)
    said = {True: "准予停热", False: "不准停热", None: "无法认定"}[made.accepted]
    click.echo(f"{said}{'：' + made.why if made.why else ''}。")


@click.command("stop-silence")
@click.argument("company")
@click.option("--season", required=True, help="such as 2025-2026")
@click.option("--on", type=DAY, default=None, help="as of this day  [default: today]")
@click.option("--dry-run", is_flag=True, help="say what holds and write nothing")
@_user
@_told
def stop_silence(company: str, season: str, on: Any, dry_run: bool, user: str) -> None:
    """What the silence of homes means that COMPANY stopped last season: they go on being stopped where the place's law says so.

    Applications that wait for an answer are named with the day by which the law wants one.
    """
    from collections import Counter

    from nuan.operations.stop_silence import WORDS, continue_stops, silent_homes, waiting_applications

    person, day = _person(user, company), _day(on)
    if dry_run:
        found = silent_homes(company, season, day)
    else:
        found = continue_stops(company, season, today=day, actor=person.username)
    for answer, count in sorted(Counter(each.answer for each in found).items()):
        click.echo(f"{count} 户上季停热、本季未办手续：{WORDS[answer]}。")
    if not found:
        click.echo("上季停热的住户都已表示，或没有上季停热的住户。")
    for each in waiting_applications(company, day):
        late = "当地规定没有写答复期限" if each.answer_by is None else f"应在 {each.answer_by} 前答复" + (f"，已逾 {each.overdue_days} 天" if each.overdue_days else "")  # fmt: skip
        click.echo(f"{each.application.home.code} {each.application.applied_on} 的申请还没有答复：{late}。")


COMMANDS = (adjust, cancel, decide, hold, release, stop_heat, stop_silence)
