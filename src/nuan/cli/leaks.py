"""`nuan leaks`: a network and what its points measured, replayed row by row: leaks, their size, side and place."""

import csv
import io
import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from nuan.network.graph import Network
    from nuan.network.leaks.alarm import Alarm
    from nuan.network.leaks.series import Series
    from nuan.terms.findings import Finding

COLUMNS = ("time", "kind", "event", "pipes", "size_t_h", "side", "confidence", "since", "found_by", "near_probability")
SHOWN_FINDINGS = 30
CHUNK = 4096


class Impossible(click.ClickException):
    exit_code = 2


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def leaks() -> None:
    """Leaks from make-up water, pressures and flows; flooded ducts."""


@leaks.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--out",
    default="-",
    show_default=True,
    type=click.Path(dir_okay=False, path_type=Path, allow_dash=True),
    help="the alarms as CSV; - is standard output",
)
@click.option("--no-location", is_flag=True, help="only that and how much, not where")
@click.option("--quiet", is_flag=True, help="no progress and no findings on standard error")
def replay(folder: Path, out: Path, no_location: bool, quiet: bool) -> None:
    """Read DIR/network.json, series.csv and points.csv as if they came in now, and write every alarm.

    Nothing is looked up ahead: an alarm at a row follows from the rows up to it. The formats stand in docs/leaks.md.

    \b
    nuan leaks replay winter --out alarms.csv

    Exit code 0: replayed, with or without alarms; 2: not possible (a file is missing or is no network or table).
    """
    console = Console(stderr=True, quiet=quiet)
    network, points_text, series_bytes, names, findings = _read(folder)
    from nuan.network.leaks import points as point_table
    from nuan.network.leaks import series as series_table

    points, more = (
        point_table.read(points_text, network, names)
        if points_text is not None
        else point_table.guess(series_bytes, network)
    )
    findings += more
    try:
        series, more = series_table.read(series_bytes, points)
    except ValueError as error:
        raise Impossible(f"{folder}：{error}") from None
    _tell(console, findings + more)
    with _opened(out) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        count = 0
        for alarm in _alarms(network, series, console, quiet, locate=not no_location):
            writer.writerow(_row(alarm, series))
            file.flush()
            count += alarm.kind not in ("leak_update", "leak_end")
    console.print(f"{len(series.time_s):,} 行，{len(series.points)} 个测点：{count} 个警报", highlight=False)


def _read(folder: Path) -> "tuple[Network, str | None, bytes, dict[str, str], list[Finding]]":
    if not folder.is_dir():
        raise Impossible(
            f"{folder}：没有这个文件夹 / no such folder; it is to hold network.json, series.csv, points.csv"
        )
    found = {
        stem: _file(folder, stem, suffixes)
        for stem, suffixes in {
            "network": ("json", "geojson", "inp"),
            "series": ("csv", "csv.gz"),
            "points": ("csv",),
        }.items()
    }
    for stem in ("network", "series"):
        if found[stem] is None:
            raise Impossible(
                f"{folder}：缺少 {stem}.{'json' if stem == 'network' else 'csv'} / is missing; see docs/leaks.md"
            )
    network_file, series_file, points_file = found["network"], found["series"], found["points"]
    assert network_file is not None
    assert series_file is not None
    network, names, findings = _network(network_file)
    text = points_file.read_text(encoding="utf-8-sig", errors="replace") if points_file is not None else None
    body = series_file.read_bytes()
    if series_file.suffix == ".gz":
        import gzip

        body = gzip.decompress(body)
    return network, text, body, names, findings


def _file(folder: Path, stem: str, suffixes: tuple[str, ...]) -> Path | None:
    return next((path for suffix in suffixes if (path := folder / f"{stem}.{suffix}").is_file()), None)


def _network(path: Path) -> "tuple[Network, dict[str, str], list[Finding]]":
    """By what the file says of itself: ours, pandapipes', GeoJSON or EPANET's."""
    from nuan.network.formats import epanet_inp, geojson, nuan_json, pandapipes_json

    text = path.read_text(encoding="utf-8-sig", errors="replace")
    names: dict[str, str] = {}
    if path.suffix == ".inp":
        network, findings = epanet_inp.read(text)
    elif '"nuan_network"' in text:
        network, findings = nuan_json.read(text)
    elif '"FeatureCollection"' in text:
        network, findings = geojson.read(text)
    elif '"_object"' in text:
        network, findings = pandapipes_json.read(text)
        names = pandapipes_json.names(text)
    else:
        network, findings = nuan_json.read(text)
    if not network.pipes.height:
        said = "；".join(finding.sentence() for finding in findings[:3]) or "没有管道 / it has no pipes"
        raise Impossible(f"{path}：{said}")
    return network, names, findings


def _tell(console: Console, findings: "list[Finding]") -> None:
    for finding in findings[:SHOWN_FINDINGS]:
        console.print(finding.sentence(), highlight=False, markup=False)
    if len(findings) > SHOWN_FINDINGS:
        console.print(f"… 还有 {len(findings) - SHOWN_FINDINGS} 条", highlight=False)


def _alarms(network: "Network", series: "Series", console: Console, quiet: bool, *, locate: bool) -> "Iterator[Alarm]":
    from nuan.network.leaks.stream import Watch

    if not series.points or not len(series.time_s):
        console.print(
            "没有可用的测点或没有数据行，没有什么可看的 / no usable points or no rows: nothing to watch",
            highlight=False,
        )
        return
    watch = Watch(network, series.points, locate=locate)
    if not watch.gatherer.sees_make_up:
        console.print("没有补水量测点：只看管沟，不找漏水 / no make-up point: only ducts are watched", highlight=False)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, disable=quiet or not console.is_terminal) as bar:
        task = bar.add_task("leaks", total=len(series.time_s))
        for start in range(0, len(series.time_s), CHUNK):
            rows = series.rows(start, CHUNK)
            for at, row in zip(series.time_s[start : start + CHUNK].tolist(), rows, strict=True):
                yield from watch.push(float(at), row)
            bar.update(task, completed=start + len(rows))


def _row(alarm: "Alarm", series: "Series") -> tuple[str, ...]:
    pipes = ";".join(f"{pipe}:{share:.4f}" for pipe, share in alarm.pipes)
    return (
        _said(series, alarm.time_s), alarm.kind, str(alarm.event), pipes, _number(alarm.size_t_h, 2), alarm.side, _number(alarm.confidence, 3),
        _said(series, alarm.since_s), alarm.found_by, _number(alarm.near_confidence, 3),
    )  # fmt: skip


def _number(value: float, digits: int) -> str:
    return "" if math.isnan(value) else f"{value:.{digits}f}"


def _said(series: "Series", time_s: float) -> str:
    """The time as the file writes it: that of the last row not after it."""
    if math.isnan(time_s):
        return ""
    return str(series.said[max(int(series.time_s.searchsorted(int(time_s), side="right")) - 1, 0)])


@contextmanager
def _opened(out: Path) -> Iterator[TextIO]:
    """Standard output, or a file that appears whole or not at all."""
    if str(out) == "-":
        buffer = (
            io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", newline="", write_through=True)
            if hasattr(sys.stdout, "buffer")
            else sys.stdout
        )
        yield buffer
        if isinstance(buffer, io.TextIOWrapper) and buffer is not sys.stdout:
            buffer.detach()
        return
    part = out.with_name(out.name + ".part")
    try:
        with part.open("w", encoding="utf-8", newline="") as file:
            yield file
        part.replace(out)
    except OSError as error:
        raise Impossible(f"{out}：写不进去 / cannot be written: {error.strerror}") from None
    finally:
        part.unlink(missing_ok=True)
