"""docs/money.md is made of tables that can lie: accounts, kinds of lines, guards and commands are compared with the code."""

import re
from pathlib import Path

import django

django.setup()

from nuan.cli.bill import bill  # noqa: E402 -- Django first
from nuan.cli.ledger import ledger  # noqa: E402
from nuan.operations.ledger_check import GUARDS  # noqa: E402
from nuan.policies.tariffs.working import LABELS  # noqa: E402
from nuan.records.billing.chart import CHART  # noqa: E402

TEXT = (Path(__file__).parents[2] / "docs" / "money.md").read_text("utf-8")


def rows(heading: str) -> list[list[str]]:
    section = TEXT.split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines]


def test_the_accounts_are_the_chart() -> None:
    told = [tuple(row[:5]) for row in rows("Accounts")]
    assert told == [(role, a.number, a.name, a.kind, "户" if a.by_home else "") for role, a in CHART.items()]


def test_the_lines_are_the_kinds_of_the_tariff() -> None:
    assert [(row[0], row[1]) for row in rows("What a bill consists of")] == [
        (kind, zh) for kind, (zh, _) in LABELS.items()
    ]


def test_the_guards_are_those_that_the_check_looks_for() -> None:
    told = {row[0] for row in rows("What the database refuses")}
    assert told == {*GUARDS, "append_only_rows"} - {"entry_lock", "period_lock", "day_lock"}


def test_the_commands_are_there() -> None:
    told = set(re.findall(r"`nuan (bill|ledger) ([\w-]+)", TEXT))
    assert told
    for group, command in told:
        assert command in (bill if group == "bill" else ledger).commands, f"nuan {group} {command}"
