"""`nuan`: the commands. Each stands in a file of its own and is loaded only when it is called."""

import os
from importlib import import_module

import click

COMMANDS = {
    "demo": "nuan.cli.demo:demo",
    "serve": "nuan.cli.serve:serve",
    "import": "nuan.cli.importing:import_group",
    "judge": "nuan.cli.judge:judge",
    "explain": "nuan.cli.explain:explain",
    "cases": "nuan.cli.cases:cases",
    "export": "nuan.cli.export:export",
    "payments": "nuan.cli.payments:payments",
    "refunds": "nuan.cli.refunds:refunds",
    "bill": "nuan.cli.bill:bill",
    "ledger": "nuan.cli.ledger:ledger",
    "account": "nuan.cli.account:account",
    "rollup": "nuan.cli.rollup:rollup",
    "store": "nuan.cli.store:store",
    "correct": "nuan.cli.correct:correct",
    "intake": "nuan.cli.intake:intake",
    "gateway": "nuan.cli.gateway:gateway",
    "device": "nuan.cli.device:device",
    "notify": "nuan.cli.notify:notify",
    "hazard": "nuan.cli.hazard:hazard",
    "patrol": "nuan.cli.patrol:patrol",
    "simulate": "nuan.cli.simulate:simulate",
    "quality": "nuan.cli.quality:quality",
    "network": "nuan.cli.network:network",
    "leaks": "nuan.cli.leaks:leaks",
    "health": "nuan.cli.health:health",
}


class LazyGroup(click.Group):
    """A group that imports a command's module when it is needed, so that `--help` answers at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name].split(":")
        command = getattr(import_module(module), name)
        assert isinstance(command, click.Command)
        return command


class Refused(click.ClickException):
    """Not possible, with a sentence."""

    exit_code = 2


def setup_records() -> None:
    """Make the records usable, with all tables in their present shape; commands that need no records do not call it."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "nuan.site.settings")
    import django

    django.setup()
    from nuan.records.schema import bring_up_to_date

    bring_up_to_date()


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="nuan")
def main() -> None:
    """暖 Nuan: runs and supervises a city's heating, clause by clause.

    Start with `nuan demo` (a synthetic city, judged) and `nuan serve`.
    """
