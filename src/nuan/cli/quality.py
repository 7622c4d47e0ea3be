"""`nuan quality`: counts anew what came, how complete and how late, by company and day."""

from datetime import UTC, datetime, timedelta

import click

from nuan.cli.main import setup_records


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--days", default=2, show_default=True, type=click.IntRange(1, 400), help="today and so many days back")
def quality(days: int) -> None:
    """Make the page 数据质量 anew from the readings: its rows, and what they suggest about wiring, units and counters.

    Once a day the substations' health (换热站健康) is made too. A running intake does it every hour; without one run it by a timer, or after an import. The same readings give the same rows. Exit code 0: done; 2: nothing is stored yet.
    """
    setup_records()
    from nuan.operations.live import live_now
    from nuan.operations.quality_days import compute_quality
    from nuan.operations.quality_suggestions import compute_suggestions
    from nuan.operations.station_health import compute_health, health_due
    from nuan.operations.stored_readings import store
    from nuan.terms.places import CHINA

    opened = store()
    if opened is None:
        raise click.UsageError("还没有读数 / nothing is stored yet")
    now = live_now(datetime.now(UTC))
    last = now.astimezone(CHINA).date()
    rows = compute_quality(opened, last - timedelta(days=days - 1), last, now)
    if health_due(now):
        click.echo(f"换热站健康：{compute_health(opened, now)} 处待处理")
    click.echo(f"{rows} 行；像是接错了或换过表：{compute_suggestions(opened, now)} 处待核对")
