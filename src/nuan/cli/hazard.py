"""`nuan hazard`: the register from the keyboard. Who takes a step signs in with name and password; a machine only reports."""

import json
from datetime import UTC, datetime
from getpass import getuser

import click
from rich.console import Console
from rich.table import Table

from nuan.cli.main import setup_records

HELP = {"help_option_names": ["-h", "--help"]}
_json = click.option("--json", "as_json", is_flag=True, help="print one JSON document for programs")


class Refused(click.ClickException):
    """What an operation refused, as the command says it."""

    exit_code = 2


@click.group(context_settings=HELP)
def hazard() -> None:
    """隐患台账: list hazards, report one, take a step, tell overdue ones further up.

    \b
    nuan hazard list --show overdue
    nuan hazard report --key leak:P-17:2026-01-05 --source leak_warning --company C01 --banner 150602 \\
        --place-level pipe --place P-17 --words "补水量持续增大约 6 t/h"
    nuan hazard step YH-2026-00012 confirm --as chendiaodu --level serious --responsible laozhang --deadline "2026-01-08 18:00"
    nuan hazard escalate

    Exit codes: 0 done; 2 not possible, with a sentence.
    """


@hazard.command("list", context_settings=HELP)
@click.option("--show", type=click.Choice(["open", "overdue", "all"]), default="open", show_default=True)
@click.option("--company", default="", help="code of a company")
@_json
def list_hazards(show: str, company: str, as_json: bool) -> None:
    """What stands in the register, the most urgent first."""
    setup_records()
    from django.utils import timezone

    from nuan.operations.hazard_register import is_overdue, most_urgent_first, overdue
    from nuan.operations.live import live_now
    from nuan.records.hazards.models import Hazard
    from nuan.records.hazards.states import OPEN, State
    from nuan.terms.places import CHINA

    now = live_now(timezone.now())
    rows = Hazard.objects.select_related("responsible")
    rows = rows.filter(overdue(now)) if show == "overdue" else rows.filter(state__in=OPEN) if show == "open" else rows
    if company:
        rows = rows.filter(company=company)
    found = list(most_urgent_first(rows, now))
    if as_json:
        document = [
            {
                "code": each.code, "company": each.company_id, "banner": each.banner_id, "state": each.state, "level": each.level,
                "kind": each.kind, "place": each.place_code, "deadline": each.deadline, "overdue": is_overdue(each, now),
            }
            for each in found
        ]  # fmt: skip
        click.echo(json.dumps(document, ensure_ascii=False, indent=1, default=str))
        return
    table = Table("编号", "企业", "级别", "状态", "种类", "地点", "责任人", "期限", box=None, header_style="bold")
    for each in found:
        due = f"{each.deadline.astimezone(CHINA):%m-%d %H:%M}" if each.deadline else "—"
        table.add_row(
            each.code, each.company_id, each.get_level_display() or "未定级", State(each.state).zh, each.get_kind_display(),
            each.place_code or each.place_words[:20], each.responsible.display_name if each.responsible else "—",
            f"[red]{due} 逾期[/]" if is_overdue(each, now) else due,
        )  # fmt: skip
    Console().print(table)


@hazard.command(context_settings=HELP)
@click.option("--key", required=True, help="the same key again is the same hazard")
@click.option("--words", required=True, help="what was seen")
@click.option(
    "--source", default="staff", show_default=True, help="patrol, leak_warning, alarm, resident, inspection or staff"
)
@click.option(
    "--kind",
    default="other",
    show_default=True,
    help="break, leak, soaked, insulation, valve, equipment, cover or other",
)
@click.option("--place-level", default="", help="source, substation, loop, building, pipe or chamber")
@click.option("--place", default="", help="its code")
@click.option("--place-words", default="", help="where it is, in words")
@click.option("--company", default="", help="needed where the place does not tell")
@click.option("--banner", default="", help="needed where the place does not tell")
def report(
    key: str,
    words: str,
    source: str,
    kind: str,
    place_level: str,
    place: str,
    place_words: str,
    company: str,
    banner: str,
) -> None:
    """Enter a hazard, once for each source and key; prints its code."""
    setup_records()
    from nuan.operations.hazards import HazardError, report_hazard
    from nuan.records.registry.models import Banner, Company

    if company and not Company.objects.filter(code=company).exists():
        raise Refused(f"没有企业 {company} / no such company")
    if banner and not Banner.objects.filter(code=banner).exists():
        raise Refused(f"没有旗区 {banner} / no such banner")
    try:
        done = report_hazard(
            source=source, key=key, words=words, actor=f"cli:{getuser()}", now=datetime.now(UTC), kind=kind, place_level=place_level,
            place_code=place, place_words=place_words, company=company, banner=banner,
        )  # fmt: skip
    except HazardError as error:
        raise Refused(str(error)) from None
    click.echo(f"{done.hazard.code} {'已上报' if done.is_new else '已在台账'}")


@hazard.command("step", context_settings=HELP)
@click.argument("code")
@click.argument("event")
@click.option("--as", "username", required=True, help="who takes the step; asks for the password")
@click.option("--note", default="")
@click.option("--level", default="", help="general, serious or major")
@click.option("--responsible", default="", help="user name of the one responsible person")
@click.option("--deadline", type=click.DateTime(["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"]), help="in local time")
def take_step(
    code: str, event: str, username: str, note: str, level: str, responsible: str, deadline: datetime | None
) -> None:
    """One step of the table in docs/hazards.md: confirm, reject, start, rectify, pass, fail, assign, grade, extend, note."""
    setup_records()
    from nuan.cli.person import signed_in
    from nuan.operations.hazards import HazardError, step
    from nuan.records.accounts.models import User
    from nuan.records.accounts.visibility import scope_of
    from nuan.records.hazards.models import Hazard
    from nuan.records.hazards.states import State
    from nuan.terms.places import CHINA

    person = signed_in(username)
    found = scope_of(person).of_places(Hazard.objects.all()).filter(code=code).first()
    if found is None:
        raise Refused(f"没有隐患 {code} / no such hazard")
    answerable = User.objects.filter(username=responsible).first() if responsible else None
    try:
        done = step(
            found, event, by=person, now=datetime.now(UTC), note=note, level=level, responsible=answerable,
            deadline=deadline.replace(tzinfo=CHINA) if deadline else None,
        )  # fmt: skip
    except HazardError as error:
        raise Refused(str(error)) from None
    click.echo(f"{code} {State(done.state_to).zh}")


@hazard.command(context_settings=HELP)
def escalate() -> None:
    """Tell 重大 and overdue hazards further up, each step once. A running `nuan notify` or `nuan intake` does it every minute."""
    setup_records()
    from nuan.operations.hazard_escalation import escalate_hazards
    from nuan.operations.live import live_now

    gone = escalate_hazards(live_now(datetime.now(UTC)))
    click.echo(" ".join(gone) if gone else "没有要上报的隐患 / nothing to tell")
