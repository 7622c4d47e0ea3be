"""`nuan notify`: sends what is in the outbox, and puts in hazards that have become overdue."""

import signal
import threading
import time
from datetime import UTC, datetime
from getpass import getuser

import click

from nuan.cli.main import setup_records

HAZARDS_EVERY_S = 60.0
"""So often somebody looks whether a hazard has to be told further up."""


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--once", is_flag=True, help="send what is due and leave")
@click.option("--every", default=2.0, show_default=True, type=click.FloatRange(0.1, 60), help="seconds between looks")
@click.pass_context
def notify(context: click.Context, once: bool, every: float) -> None:
    """Tell people: e-mail, webhooks and short messages, each at least once, until Ctrl-C.

    Several may run at once, on one machine or more. Settings: NUAN_SMTP, NUAN_SMTP_FROM, NUAN_WEBHOOK_SECRET, NUAN_SMS_FOLDER.

    \b
    nuan notify            looks every two seconds
    nuan notify --once     for a timer of your own
    nuan notify route …    who is told by which channel

    Exit code 0: stopped, or all that was due was sent; 1: with --once, something could not be sent (the page of notices says why).
    """
    if context.invoked_subcommand is not None:
        return
    setup_records()
    from nuan.operations.hazard_escalation import escalate_hazards
    from nuan.operations.live import live_now
    from nuan.operations.notify.outbox import deliver

    stop = threading.Event()
    for each in () if once else (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda *_: stop.set())
    failed, looked = 0, float("-inf")
    while not stop.is_set():
        if time.monotonic() - looked > HAZARDS_EVERY_S:
            looked = time.monotonic()
            escalate_hazards(live_now(datetime.now(UTC)))
        done = deliver(datetime.now(UTC))
        failed += done.failed + done.dead
        if not done.idle:
            click.echo(f"已发 {done.sent}，未成 {done.failed}，放弃 {done.dead}")
        if done.idle:
            if once:
                break
            stop.wait(every)
    raise SystemExit(1 if once and failed else 0)


@notify.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("channel", type=click.Choice(["email", "webhook", "sms"]))
@click.argument("address")
@click.option("--role", required=True, help="whose alarms: dispatch, crew, desk, finance, banner or city")
@click.option("--place", default="", help="code of the company or banner  [default: the whole city]")
@click.option("--least", default=2, show_default=True, type=click.IntRange(1, 4), help="1 critical only … 4 everything")
def route(channel: str, address: str, role: str, place: str, least: int) -> None:
    """Have a role told by a channel. Webhooks are added here only, by who runs the machine.

    \b
    nuan notify route webhook https://duty.example/alarms --role dispatch --place C01
    nuan notify route email chen@heat.example --role dispatch --place C01 --least 3

    Exit code 0: done; 2: no such address, role or place.
    """
    setup_records()
    from nuan.operations.alarm_settings import add_notice_route
    from nuan.operations.notify.channels import AddressError
    from nuan.records.registry.models import Banner, Company

    if place and not (Company.objects.filter(code=place).exists() or Banner.objects.filter(code=place).exists()):
        raise click.UsageError(f"没有编号为“{place}”的企业或旗区 / no such company or banner")
    try:
        added = add_notice_route(
            channel=channel, address=address, role=role, place_code=place, least_priority=least, actor=f"cli:{getuser()}", now=datetime.now(UTC)
        )  # fmt: skip
    except AddressError as error:
        raise click.UsageError(str(error)) from error
    click.echo(f"{added.role} {added.place_code or '全市'} ← {added.channel}")
