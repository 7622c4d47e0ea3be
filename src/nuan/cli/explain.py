"""`nuan explain`: 怎么算的, for one home, station, heat source or banner."""

import json
import sys

import click

from nuan.cli.main import setup_records


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("subject")
@click.option("--clause", default=None, help="such as 2.5.3a  [default: every clause that judged it]")
@click.option("--item", default="", help="one of several: an outage id, the first day of a window")
@click.option("--lang", type=click.Choice(["zh", "en"]), default="zh", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="print a JSON list for programs")
def explain(subject: str, clause: str | None, item: str, lang: str, as_json: bool) -> None:
    """Explain the judgements that stand on SUBJECT (a home, substation, heat source or banner, by its code).

    The working is made anew from the readings and records, with every branch that was tried, and compared with what was posted.

    \b
    nuan explain B0042-1-0301
    nuan explain B0042-1-0301 --clause 2.5.3a --lang en
    nuan explain H01-S03 --clause 2.5 --item over_heating --json

    Exit code 0: explained; 1: something has changed since it was judged (run nuan judge); 2: nothing is judged under that code.
    """
    setup_records()
    from django.conf import settings

    from nuan.operations.explaining import NotJudgedError, explain_judgement
    from nuan.records.supervision.models import CurrentJudgement
    from nuan.telemetry.store import Store

    rows = CurrentJudgement.objects.filter(subject=subject).select_related("judgement__run").order_by("clause", "item")
    if clause:
        rows = rows.filter(clause=clause)
    if item:
        rows = rows.filter(item=item)
    if not rows:
        error = click.ClickException(str(NotJudgedError(subject, clause or "", item)))
        error.exit_code = 2
        raise error
    with Store(settings.READINGS_ROOT) as store:
        workings = [explain_judgement(row.judgement, lang, store=store) for row in rows]
    if as_json:
        documents = [working.as_dict() | {"subject": subject} for working in workings]
        click.echo(json.dumps(documents, ensure_ascii=False, indent=1))
    else:
        for row, working in zip(rows, workings, strict=True):
            click.echo(f"【{row.clause}】{row.item}")
            click.echo(working.text() + "\n")
    if not all(working.same for working in workings):
        sys.exit(1)
