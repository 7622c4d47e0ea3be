"""`nuan export`: lists for other programs."""

import json
from getpass import getuser
from pathlib import Path

import click

from nuan.cli.main import setup_records


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("kind", type=click.Choice(["judgements", "homes", "refunds", "board"]))
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True, help="the file to write"
)
@click.option(
    "--format", "format_name", type=click.Choice(["csv", "xlsx", "parquet", "json"]), default=None,
    help="[default: by the file's ending]",
)  # fmt: skip
@click.option("--season", default=None, help="such as 2025-2026  [default: the newest judged]")
@click.option("--reason", default="", help="why the doors of homes are needed; written into the audit log")
@click.option("--json", "as_json", is_flag=True, help="say what was written as one JSON document")
def export(kind: str, output: Path, format_name: str | None, season: str | None, reason: str, as_json: bool) -> None:
    """Write current judgements, homes, refunds or the clause board to a file.

    Doors of homes are masked. Who needs them says why with --reason, and the audit log keeps who, when and why. Names and phone
    numbers are never exported. In CSV and xlsx a text that a spreadsheet would run as a formula is made harmless.

    \b
    nuan export board -o board.xlsx
    nuan export refunds -o refunds.csv --reason "发放退费，财务科 2026-05"
    nuan export judgements -o judgements.parquet --season 2025-2026

    Exit code 0: written; 2: not possible (nothing judged, unknown format, no such folder).
    """
    setup_records()
    from nuan.operations.exporting import ExportFormatError
    from nuan.operations.exporting import export as write
    from nuan.records.supervision.models import Run

    done_runs = Run.objects.filter(state=Run.State.DONE).order_by("-id")
    key = (done_runs.filter(season=season) if season else done_runs).values_list("season", flat=True).first()
    if key is None:
        raise _impossible(f"还没有判定{season or ''}：先运行 nuan judge / nothing is judged yet")
    try:
        done = write(
            kind, output, season=key, format_name=format_name or output.suffix.lstrip(".").lower(), reason=reason,
            actor=f"cli:{getuser()}",
        )  # fmt: skip
    except ExportFormatError as error:
        raise _impossible(str(error)) from error
    except OSError as error:
        raise _impossible(f"不能写 {output}：{error.strerror} / cannot be written") from error
    if as_json:
        click.echo(json.dumps({"rows": done.rows, "masked": done.masked, "file": str(output)}, ensure_ascii=False))
    else:
        note = "，门牌已隐去（需要时用 --reason 说明理由）" if done.masked else ""
        click.echo(f"已写出 {done.rows:,} 行到 {output}{note}")


def _impossible(words: str) -> click.ClickException:
    error = click.ClickException(words)
    error.exit_code = 2
    return error
