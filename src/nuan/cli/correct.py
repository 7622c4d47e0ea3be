"""`nuan correct`: readings that are known to be wrong, with a reason."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from fractions import Fraction
from getpass import getuser

import click

from nuan.cli.main import setup_records
from nuan.terms.places import CHINA

MOMENT = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"])


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("place")
@click.argument("quantity")
@click.option("--position", default="room", show_default=True, help="which point of the place: room, living, supply, …")
@click.option("--from", "start", type=MOMENT, required=True, help="local time, included")
@click.option("--to", "end", type=MOMENT, required=True, help="local time, not included")
@click.option("--add", "shift", default=None, help="add this to each reading, in the quantity's unit: --add=-0.8")
@click.option("--value", default=None, help="put this in place of each")
@click.option("--missing", is_flag=True, help="count them as missing")
@click.option("--reason", required=True, help="why; written into the audit log and shown with the place")
@click.option("--yes", is_flag=True, help="do not ask")
@click.option("--json", "as_json", is_flag=True, help="print one JSON document for programs")
def correct(
    place: str, quantity: str, position: str, start: datetime, end: datetime, shift: str | None, value: str | None,
    missing: bool, reason: str, yes: bool, as_json: bool,
) -> None:  # fmt: skip
    """Correct readings of a point: a new version with a reason; what stood before is kept.

    \b
    nuan correct B0042-1-0301 room_temp --position living --from 2026-01-05 --to 2026-01-12 --add=-0.8 --reason "探头偏高，送检证书 24-117"
    nuan correct H01-S03 flow --position primary --from "2026-01-05 08:00" --to "2026-01-05 12:00" --missing --reason "施工断线"

    Exit code 0: corrected; 2: not possible (no readings there, no reason, nothing or two things to do).
    """
    if [shift is not None, value is not None, missing].count(True) != 1:
        raise _impossible("请在 --add、--value、--missing 中选一个 / choose one of --add, --value, --missing")
    setup_records()
    from django.conf import settings

    from nuan.operations.correct_readings import Correction, CorrectionError, correct_readings
    from nuan.telemetry.series import SeriesKey, SeriesTextError
    from nuan.telemetry.store import StoreError
    from nuan.terms.quantities import UnknownQuantityError

    try:
        amounts = [None if text is None else Fraction(text) for text in (shift, value)]
        key = SeriesKey(place, quantity, position)
    except (ValueError, ZeroDivisionError, UnknownQuantityError, SeriesTextError) as error:
        raise _impossible(str(error)) from error
    span = [int(moment.replace(tzinfo=CHINA).timestamp()) for moment in (start, end)]
    if not yes and not as_json and not click.confirm(f"更正 {key} 从 {start} 到 {end} 的读数？ / Correct them?"):
        raise _impossible("未改动 / nothing was done")
    try:
        done = correct_readings(
            Correction(key, span[0], span[1], *amounts), actor=f"cli:{getuser()}", why=reason,
            root=settings.READINGS_ROOT, arrival_s=int(datetime.now(UTC).timestamp()),
        )  # fmt: skip
    except (CorrectionError, StoreError) as error:
        raise _impossible(str(error)) from error
    if as_json:
        click.echo(json.dumps(asdict(done)))
        return
    later = "" if done.taken_over else "采集程序数秒内接收。"
    click.echo(f"已更正 {done.readings:,} 条读数，原值保留。{later}运行 nuan judge 重新判定。")


def _impossible(sentence: str) -> click.ClickException:
    error = click.ClickException(sentence)
    error.exit_code = 2
    return error
