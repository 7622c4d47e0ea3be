"""`nuan notify`: sends what the alarm engine has put into the outbox."""

import signal
import threading
from datetime import UTC, datetime

import click

from nuan.cli.main import setup_records


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--once", is_flag=True, help="send what is due and leave")
@click.option("--every", default=2.0, show_default=True, type=click.FloatRange(0.1, 60), help="seconds between looks")
def notify(once: bool, every: float) -> None:
    """Tell people: e-mail, webhooks and short messages, each at least once, until Ctrl-C.

    Several may run at once, on one machine or more. Settings: NUAN_SMTP, NUAN_SMTP_FROM, NUAN_WEBHOOK_SECRET, NUAN_SMS_FOLDER.

    \b
    nuan notify            looks every two seconds
    nuan notify --once     for a timer of your own

    Exit code 0: stopped, or all that was due was sent; 1: with --once, something could not be sent (the page of notices says why).
    """
    setup_records()
    from nuan.operations.notify.outbox import deliver

    stop = threading.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda *_: stop.set())
    failed = 0
    while not stop.is_set():
        done = deliver(datetime.now(UTC))
        failed += done.failed + done.dead
        if not done.idle:
            click.echo(f"已发 {done.sent}，未成 {done.failed}，放弃 {done.dead}")
        if done.idle:
            if once:
                break
            stop.wait(every)
    raise SystemExit(1 if once and failed else 0)
