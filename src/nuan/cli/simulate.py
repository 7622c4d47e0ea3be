"""`nuan simulate`: the sample city as a fleet of devices over real MQTT and HTTP, and the proof that nothing was lost."""

import asyncio
import json
import signal
import sys
import time
from datetime import datetime
from pathlib import Path

import click
from rich.console import Console

from nuan.cli.main import setup_records
from nuan.terms.places import CHINA

HELP = {"help_option_names": ["-h", "--help"]}
CREDENTIALS = click.Path(dir_okay=False, path_type=Path)


@click.group(context_settings=HELP)
def simulate() -> None:
    """Play the sample city's devices against any Nuan."""


@simulate.command(context_settings=HELP)
@click.option(
    "--homes", default=12_000, show_default=True, help="of the sample city in the registry (`nuan demo --homes`)"
)
@click.option("--seed", default=1, show_default=True)
@click.option("--season", default=2025, show_default=True, help="the year in which the city's season begins")
@click.option(
    "--credentials", type=CREDENTIALS, default=Path("fleet.json"), show_default=True, help="where the tokens go"
)
@click.option("--mount-port", default=18830, show_default=True, help="as given to `nuan gateway broker-config`")
@click.option("--actor", default="nuan simulate", show_default=True)
def register(homes: int, seed: int, season: int, credentials: Path, mount_port: int, actor: str) -> None:
    """Open the fleet's gateways, register its devices, and write their tokens to a file."""
    setup_records()
    from nuan.operations.simulation.registering import NoSampleCityError, register_fleet

    try:
        fleet, report = register_fleet(
            credentials,
            homes=homes,
            seed=seed,
            season=season,
            now=datetime.now(CHINA),
            actor=actor,
            mount_port=mount_port,
        )
    except NoSampleCityError as error:
        raise click.ClickException(str(error)) from None
    for finding in report.findings[:20]:
        click.echo(finding.sentence(), err=True)
    if not report.ok:
        sys.exit(1)
    click.echo(
        f"{len(fleet.companies)} 个网关，{len(fleet.devices)} 台设备，{len(fleet.series)} 个测点；凭据在 {credentials}"
    )


@simulate.command(context_settings=HELP)
@click.option("--credentials", type=CREDENTIALS, default=Path("fleet.json"), show_default=True)
@click.option("--mqtt", default="", help="host:port of the broker")
@click.option("--http", "http_url", default="", help="address of the intake's HTTP door, e.g. http://127.0.0.1:8086")
@click.option(
    "--speed",
    type=float,
    default=None,
    help="simulated seconds a second; each device at its own interval  [default: 1]",
)
@click.option("--rate", type=float, default=None, help="readings a second, all devices in turn, at the true time")
@click.option(
    "--start", type=click.DateTime(), default=None, help="local time at which the play begins  [default: now]"
)
@click.option("--seconds", type=float, default=None, help="how long  [default: until Ctrl-C]")
@click.option(
    "--drain", type=float, default=120.0, show_default=True, help="seconds to wait for the last acknowledgements"
)
@click.option(
    "--fault", "faults", multiple=True, help="e.g. duplicate=1%, late=2%:600, clock=5%:900; see docs/simulate.md"
)
@click.option(
    "--ledger", type=click.Path(dir_okay=False, path_type=Path), default=Path("ledger.json"), show_default=True
)
@click.option("--quiet", is_flag=True, help="no line every few seconds")
def run(
    credentials: Path, mqtt: str, http_url: str, speed: float | None, rate: float | None, start: datetime | None, seconds: float | None,
    drain: float, faults: tuple[str, ...], ledger: Path, quiet: bool,
) -> None:  # fmt: skip
    """Play the fleet; keep a ledger of what was acknowledged."""
    from nuan.operations.simulation.credentials import CredentialsError
    from nuan.operations.simulation.http_sender import HttpDoorError
    from nuan.operations.simulation.planning import PaceError
    from nuan.operations.simulation.preparing import prepare
    from nuan.telemetry.simulation.faults import FaultTextError

    if speed is not None and rate is not None:
        raise click.UsageError("either --speed or --rate")
    if not mqtt and not http_url:
        raise click.UsageError("where to? --mqtt HOST:PORT, --http URL, or both")
    now_s = int(time.time()) if start is None else int(start.replace(tzinfo=CHINA).timestamp())
    try:
        play = prepare(
            credentials, mqtt=mqtt, http=http_url, speed=speed, rate=rate, start_s=now_s, seconds=seconds, drain_s=drain, faults=faults,
            ledger=ledger,
        )  # fmt: skip
    except (CredentialsError, HttpDoorError, PaceError, FaultTextError) as error:
        raise click.ClickException(str(error)) from None
    console = Console(stderr=True)

    def watch(elapsed: float, tally: object, unsettled: int, troubles: list[str]) -> None:
        if not quiet and int(elapsed) % 5 == 0:
            console.print(
                f"{elapsed:6.0f} s  {play.tally.acknowledged} 条已确认  {unsettled} 条在途  {'；'.join(troubles[:2])}",
                highlight=False,
            )

    async def playing() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await play.play(stop, watch)

    asyncio.run(playing())
    tally = play.tally
    summary = {
        "acknowledged": tally.acknowledged, "messages": tally.messages, "left": play.ledger.left, "sent_again": tally.again,
        "refused": tally.refused, "dropped": tally.dropped, "nobody_listened": tally.nobody, "connections": tally.connections, "last_refusal": tally.last_refusal,
        "sum": play.ledger.total.text, "ledger": str(ledger),
    }  # fmt: skip
    click.echo(json.dumps(summary, ensure_ascii=False))
    sys.exit(1 if tally.refused else 0)


@simulate.command(context_settings=HELP)
@click.argument("ledger", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--store",
    "root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    required=True,
    help="the store's folder",
)
def check(ledger: Path, root: Path) -> None:
    """Is every acknowledged reading in the store, once? Exit code 0: yes."""
    from nuan.operations.simulation.checking import check as compare
    from nuan.telemetry.simulation.ledger import LedgerError

    try:
        report = compare(ledger, root)
    except LedgerError as error:
        raise click.ClickException(str(error)) from None
    for difference in report.differences[:20]:
        click.echo(str(difference), err=True)
    click.echo(json.dumps({
        "acknowledged": report.acknowledged, "stored": report.stored, "left": report.left, "series": report.series,
        "series_that_differ": len(report.differences), "missing": report.missing, "ok": report.ok,
    }))  # fmt: skip
    sys.exit(0 if report.ok else 1)
