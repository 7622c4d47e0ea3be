"""`nuan health`: which sensor lies and which substation is ill, from a folder of measurements, as if every hour had just come."""

import csv
import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from nuan.buildings.health.models import StationModel
    from nuan.buildings.health.replay import Fault
    from nuan.cli.health_files import Folder

HEADER = (
    "time",
    "station",
    "channel",
    "kind",
    "sensor_or_process",
    "size",
    "confidence",
    "unit",
    "since",
    "other_channel",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def health() -> None:
    """Sensors that lie and substations that are ill, found in their own measurements."""


@health.command()
def run() -> None:
    """Make the page 换热站健康 anew from the stored readings (a running intake does it once a day). Exit code 0: done; 2: nothing is stored yet."""
    from nuan.cli.main import setup_records

    setup_records()
    from nuan.operations.live import live_now
    from nuan.operations.station_health import compute_health
    from nuan.operations.stored_readings import store

    opened = store()
    if opened is None:
        raise click.UsageError("还没有读数 / nothing is stored yet")
    click.echo(f"换热站健康：{compute_health(opened, live_now(datetime.now(UTC)))} 处待处理 / open findings")


@health.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="CSV of what is found; - for standard output",
)
@click.option(
    "--train", "train", type=click.Path(path_type=Path), help="learn from this folder first (a healthy season)"
)
@click.option(
    "--train-until",
    help="learn from the folder's own time before this, and judge from there: 2022-07-01 or 2022-07-01T00:00",
)
@click.option(
    "--models", type=click.Path(path_type=Path, dir_okay=False), help="models learned before (JSON, see --save-models)"
)
@click.option("--save-models", type=click.Path(path_type=Path, dir_okay=False), help="keep what was learned")
def replay(
    folder: Path, out: Path, train: Path | None, train_until: str | None, models: Path | None, save_models: Path | None
) -> None:
    """Read FOLDER (points.csv and series.csv, or a SCADA's CSV files), walk through its hours without looking ahead, write what is found.

    Without --train, --train-until or --models each station is learned from its first 28 heated days. Exit code 0: done, whatever was found;
    2: the call, a folder or a file cannot be used, said with the place and a remedy.
    """
    from nuan.cli.health_files import Unreadable, read_folder

    began = time.perf_counter()
    try:
        data = read_folder(folder)
        known, first_day = _learned(data, train, train_until, models)
        if save_models is not None:
            text = json.dumps({name: model.to_json() for name, model in sorted(known.items())}, ensure_ascii=False)
            save_models.write_text(text, encoding="utf-8")
        _say(data, known)
        count = _write(out, data, known, first_day)
    except (Unreadable, OSError) as wrong:
        raise click.UsageError(str(wrong)) from wrong
    click.echo(f"{count} findings / 处发现 → {out}, {time.perf_counter() - began:.1f} s", err=True)


def _learned(
    data: "Folder", train: Path | None, until: str | None, models: Path | None
) -> tuple[dict[str, "StationModel"], int]:
    from nuan.buildings.health.learning import learn_city
    from nuan.buildings.health.models import StationModel
    from nuan.cli.health_files import Unreadable, read_folder

    known: dict[str, StationModel] = {}
    if models is not None:
        try:
            saved = json.loads(models.read_text(encoding="utf-8"))
            known = {name: StationModel.from_json(each) for name, each in saved.items()}
        except (ValueError, KeyError, TypeError) as wrong:
            raise Unreadable(models, f"not a file of models ({wrong})", "make it with --save-models") from wrong
    if train is not None:
        past = read_folder(train)
        known |= learn_city(past.city, 0, past.city.days)
    first_day = 0
    if until is not None:
        first_day = min(max(-(-(_hour(until) - data.city.start_h) // 24), 0), data.city.days)
        known |= learn_city(data.city, 0, first_day)
    return known, first_day


def _hour(text: str) -> int:
    if text.isdigit() and len(text) >= 9:
        return int(text) // (3_600_000 if len(text) > 11 else 3600)
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError as wrong:
        raise click.BadParameter(
            f"{text!r} is not a time; write 2022-07-01 or 2022-07-01T00:00", param_hint="--train-until"
        ) from wrong
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()) // 3600


def _say(data: "Folder", known: dict[str, "StationModel"]) -> None:
    for note in data.notes[:20]:
        click.echo(note, err=True)
    if len(data.notes) > 20:
        click.echo(f"… and {len(data.notes) - 20} more", err=True)
    for station in data.city.stations:
        model = known.get(station.station)
        how = f"learned from {model.days} days" if model else "learns from its own first weeks"
        click.echo(f"{station.station}: {', '.join(station.values)}; {how}", err=True)


def _write(out: Path, data: "Folder", known: dict[str, "StationModel"], first_day: int) -> int:
    from nuan.buildings.health.replay import replay as walk

    days, shown = max(data.city.days - first_day, 1), 0.0

    def progress(day: int) -> None:
        nonlocal shown
        if sys.stderr.isatty() and time.perf_counter() - shown > 0.5:
            shown = time.perf_counter()
            click.echo(f"\r{100 * (day - first_day + 1) // days} % ", err=True, nl=False)

    stream = sys.stdout if str(out) == "-" else out.open("w", encoding="utf-8", newline="")
    try:
        writer = csv.writer(stream)
        writer.writerow(HEADER)
        count = 0
        for fault in walk(data.city, known, first_day, progress):
            writer.writerow(_row(data, fault))
            count += 1
    finally:
        if stream is not sys.stdout:
            stream.close()
    return count


def _row(data: "Folder", fault: "Fault") -> tuple[str, ...]:
    def column(channel: str) -> str:
        wanted = "energy" if channel == "heat_counter" else channel
        return data.names.get((fault.station, wanted), channel)

    size = "" if fault.size != fault.size else f"{fault.size:.3f}"
    return (
        data.clock.text(fault.hour), fault.station, column(fault.channel) if fault.channel else "", fault.kind,
        "sensor" if fault.sensor else "process", size, f"{fault.confidence:.2f}", fault.unit, data.clock.text(fault.since),
        column(fault.other) if fault.other else "",
    )  # fmt: skip
