"""`nuan network`: check, isolate and convert a network file without any platform; import it, watch it and export it with one."""

import json
import signal
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from getpass import getuser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table

from nuan.cli.importing import show_findings
from nuan.terms.findings import Finding
from nuan.terms.places import CHINA

if TYPE_CHECKING:
    from nuan.network.graph import Network
    from nuan.network.isolation import Isolation

HELP = {"help_option_names": ["-h", "--help"]}
FOUND, USAGE = 1, 2
_file = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
_json = click.option("--json", "as_json", is_flag=True, help="print one JSON document for programs")


@click.group("network", context_settings=HELP)
def network() -> None:
    """The pipe network: our JSON, GeoJSON, pandapipes JSON or EPANET .inp.

    \b
    nuan network check city.json                 all that is wrong with it, at once
    nuan network isolate city.json P17           which valves to close, who is lost
    nuan network import city.json --company C01  keep it on the platform
    nuan network watch                           compute it every ten minutes

    `check`, `isolate` and `convert` need no platform. Exit code 0: done; 1: findings or somebody short of heat; 2: not possible.
    """


def _read(file: Path) -> "tuple[Network, list[Finding]]":
    from nuan.operations.network_files import read_network

    content = file.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("gb18030", errors="replace")
    return read_network(text, file.name)


def _errors(found: Sequence[Finding]) -> bool:
    return any(each.severity == "error" for each in found)


def _print(document: dict[str, Any]) -> None:
    click.echo(json.dumps(document, ensure_ascii=False, indent=1, default=str))


def _size(read: "Network") -> dict[str, Any]:
    tables = ("nodes", "pipes", "valves", "pumps", "sources", "substations")
    return {name: read.table(name).height for name in tables} | {"length_m": float(read.pipes["length_m"].sum() or 0.0)}


@network.command(context_settings=HELP)
@_file
@_json
def check(file: Path, as_json: bool) -> None:
    """Say all that is wrong with a network FILE, at once. Exit code 0: nothing that stops it; 1: errors."""
    read, found = _read(file)
    if as_json:
        _print({"size": _size(read), "findings": [each.as_dict() for each in found]})
    else:
        show_findings(found)
        size = _size(read)
        click.echo(
            f"{size['pipes']} 根管 {size['length_m'] / 1000:.1f} km，{size['valves']} 个阀门，{size['substations']} 座热力站，{size['sources']} 个热源；"
            f"{sum(each.severity == 'error' for each in found)} 个错误，{sum(each.severity != 'error' for each in found)} 个提示。"
        )
    if _errors(found):
        raise SystemExit(FOUND)


@network.command(context_settings=HELP)
@_file
@click.argument("pipe")
@click.option("--one-side", is_flag=True, help="leave the pipe beside it (supply or return) in service")
@click.option("--ambient", default=5.0, show_default=True, help="temperature of the ground, °C")
@_json
def isolate(file: Path, pipe: str, one_side: bool, ambient: float, as_json: bool) -> None:
    """Which valves to close when PIPE is broken, in order, and who is left without water or with too little.

    Exit code 0: nobody is lost; 1: somebody is, or the file has errors; 2: no such pipe, or no steady state.
    """
    from nuan.network.drainage import segment_pipes, water_m3
    from nuan.network.isolation import NoSuchPipeError
    from nuan.network.isolation import isolate as isolated
    from nuan.network.steady import NotSettledError, solve

    read, found = _read(file)
    if _errors(found):
        show_findings(found)
        raise SystemExit(FOUND)
    try:
        state = solve(read, ambient_temp_c=ambient)
        done = isolated(state, pipe, both_sides=not one_side)
    except (NoSuchPipeError, NotSettledError) as error:
        click.echo(error.args[0], err=True)
        raise SystemExit(USAGE) from error
    water = water_m3(state, segment_pipes(state, [pipe]))
    if as_json:
        weak = done.weak["substation"].to_list() if done.weak.height else []
        _print(
            {
                "pipe": pipe, "valves": done.valves, "minutes": done.minutes, "lost": done.lost["substation"].to_list(), "weak": weak,
                "protected_lost": done.lost.filter(done.lost["protected"])["substation"].to_list(), "water_m3": round(water, 2), "why": done.why,
            }
        )  # fmt: skip
    else:
        _tell(done, water)
    if done.lost.height or done.weak.height:
        raise SystemExit(FOUND)


def _tell(done: "Isolation", water: float) -> None:
    console = Console()
    table = Table(
        "次序", "阀门", title=f"管道 {done.pipe}：依次关闭（一组人约 {done.minutes:.0f} 分钟），放水约 {water:.1f} m³"
    )
    for number, valve in enumerate(done.valves, 1):
        table.add_row(str(number), valve)
    console.print(table)
    for words, frame in (("断水", done.lost), ("供得上但不够", done.weak)):
        names = frame["substation"].to_list() if frame.height else []
        console.print(f"{words}：{'、'.join(names) if names else '没有'}")
    if done.why:
        console.print(f"[yellow]关阀以后的工况没有算出：{done.why}[/yellow]")


@network.command(context_settings=HELP)
@_file
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--solve", "with_state", is_flag=True, help="with pressures, temperatures and flows as properties (GeoJSON)"
)
def convert(file: Path, out: Path, with_state: bool) -> None:
    """Write a network FILE as OUT: `.geojson` for maps, anything else as our own JSON. Exit code 1: it has errors."""
    from nuan.network.formats import geojson, nuan_json
    from nuan.network.steady import NotSettledError, solve

    read, found = _read(file)
    if _errors(found):
        show_findings(found)
        raise SystemExit(FOUND)
    try:
        text = (
            geojson.write(read, solve(read) if with_state else None)
            if out.suffix == ".geojson"
            else nuan_json.write(read)
        )
    except NotSettledError as error:
        click.echo(str(error), err=True)
        raise SystemExit(USAGE) from error
    out.write_text(text, "utf-8")
    click.echo(f"{out}：{read.pipes.height} 根管")


@network.command("import", context_settings=HELP)
@_file
@click.option("--company", required=True, help="code of the company whose network it is")
@click.option(
    "--places", type=click.Path(exists=True, dir_okay=False, path_type=Path), default=None,
    help="CSV substation,place: which registry station, building or home each one feeds",
)  # fmt: skip
@click.option(
    "--valid-from", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"]), default=None, help="local time  [default: now]"
)
@click.option("--actor", default=getuser, help="who does this; stands in the audit log", show_default="you")
@click.option("--dry-run", is_flag=True, help="read and check everything, write nothing")
@_json
def import_(
    file: Path, company: str, places: Path | None, valid_from: datetime | None, actor: str, dry_run: bool, as_json: bool
) -> None:
    """Keep a network FILE as a new version of a company's network. The same file again changes nothing.

    Exit code 0: kept (or nothing to do); 1: there are errors and nothing was written.
    """
    from nuan.cli.main import setup_records

    setup_records()
    from nuan.operations.network_import import keep_network, with_places

    read, found = _read(file)
    if places is not None:
        import polars as pl

        table = pl.read_csv(places, infer_schema=False)
        if {"substation", "place"} - set(table.columns):
            raise click.UsageError("places: 要有 substation 和 place 两列 / needs the columns substation and place")
        read, strange = with_places(read, dict(table.select("substation", "place").iter_rows()))
        found = [*found, *strange]
    done = keep_network(
        read, found, source=file.name, company=company, actor=actor, now=datetime.now(UTC), dry_run=dry_run,
        valid_from=None if valid_from is None else valid_from.replace(tzinfo=CHINA),
    )  # fmt: skip
    if as_json:
        number = None if done.version is None else done.version.number
        findings = [each.as_dict() for each in done.findings]
        _print(
            {"ok": done.ok, "version": number, "unchanged": done.unchanged, "findings": findings, "size": _size(read)}
        )
    else:
        show_findings(done.findings)
        if not done.ok:
            click.echo("有错误，没有写入。", err=True)
        elif done.version is None:
            click.echo("检查通过（试运行，没有写入）。")
        else:
            again = "与现行版本相同，没有改动" if done.unchanged else f"已成为第 {done.version.number} 版"
            click.echo(f"{company}：{again}，{done.version.placed}/{done.version.stations} 座热力站对上了登记册。")
    if not done.ok:
        raise SystemExit(FOUND)


@network.command(context_settings=HELP)
@click.option("--company", default="", help="only this company  [default: all]")
@click.option("--once", is_flag=True, help="compute once and leave")
@click.option(
    "--every", default=600.0, show_default=True, type=click.FloatRange(10, 86_400), help="seconds between runs"
)
def watch(company: str, once: bool, every: float) -> None:
    """Compute the networks with the newest readings and raise alarms, until Ctrl-C.

    Exit code 0: stopped, or computed; 1: with --once, a network could not be computed (the page says why).
    """
    from nuan.cli.main import setup_records

    setup_records()
    from nuan.operations.live import live_now
    from nuan.operations.network_tick import network_tick

    stop = threading.Event()
    for each in () if once else (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda *_: stop.set())
    while True:
        runs = network_tick(live_now(datetime.now(UTC)), company)
        for run in runs:
            worst = "—" if run.worst_dp_bar is None else f"{run.worst_station} {run.worst_dp_bar:.2f} bar"
            click.echo(
                f"{run.company_id} {run.at.astimezone(CHINA):%Y-%m-%d %H:%M}：实测 {run.measured} 站，最不利点 {worst}，供热不足 {run.short} 站"
                if run.settled else f"{run.company_id}：没有算出 {run.why}"
            )  # fmt: skip
        if once:
            raise SystemExit(0 if all(run.settled for run in runs) else 1)
        if stop.wait(every):
            return


@network.command(context_settings=HELP)
@click.option("--company", required=True, help="code of the company")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="a .geojson file")
def export(company: str, out: Path) -> None:
    """Write a company's network in force as GeoJSON, with the newest computed state. Exit code 2: it has none."""
    from nuan.cli.main import setup_records

    setup_records()
    from nuan.network.formats import geojson
    from nuan.operations.live import live_now
    from nuan.operations.network_run import newest_run, state_of
    from nuan.operations.network_twin import twin_of

    twin = twin_of(company, live_now(datetime.now(UTC)))
    if twin is None:
        click.echo(f"{company}：还没有管网 / no network", err=True)
        raise SystemExit(USAGE)
    run = newest_run(company)
    state = None if run is None or run.version_id != twin.version.pk else state_of(run)
    out.write_text(geojson.write(twin.network, state), "utf-8")
    click.echo(f"{out}：第 {twin.version.number} 版，{twin.network.pipes.height} 根管")
