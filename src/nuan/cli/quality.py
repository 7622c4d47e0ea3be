"""`nuan quality`: counts anew what came, how complete and how late, by company and day."""

from datetime import UTC, datetime, timedelta

import click

from nuan.cli.main import setup_records


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--days", default=2, show_default=True, type=click.IntRange(1, 400), help="today and so many days back")
def quality(days: int) -> None:
    """Make the rows of the page 数据质量 anew from the readings; run it every hour by a timer, or after an import.

    The same readings give the same rows. Exit code 0: done; 2: nothing is stored yet.
    """
    setup_records()
    from nuan.operations.live import live_now
    from nuan.operations.quality_days import compute_quality
    from nuan.operations.stored_readings import store
    from nuan.terms.places import CHINA

    opened = store()
    if opened is None:
        raise click.UsageError("还没有读数 / nothing is stored yet")
    now = live_now(datetime.now(UTC))
    last = now.astimezone(CHINA).date()
    click.echo(f"{compute_quality(opened, last - timedelta(days=days - 1), last, now)} 行")
