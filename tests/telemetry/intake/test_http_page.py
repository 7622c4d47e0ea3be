"""docs/intake-http.md against the code: doors, answers, reasons and limits, so that the page cannot lie."""

import re
from pathlib import Path

import pytest

from nuan.telemetry.intake import commit, http, http_answers, line_senders, line_steps
from nuan.telemetry.intake.directory import Gateway
from nuan.telemetry.intake.floods import MOST_A_MINUTE
from nuan.telemetry.intake.placing import AHEAD_S, BEHIND_S
from nuan.telemetry.intake.reasons import REASONS
from nuan.telemetry.intake.token_bucket import TokenBucket
from nuan.telemetry.protocols.line_protocol.grammar import LONGEST_HEAD, NS_PER_UNIT

PAGE = (Path(__file__).parents[3] / "docs" / "intake-http.md").read_text("utf-8")
CODES = [*line_steps.CODES[line_steps.IGNORED + 1 :], "line"]


def test_every_door_is_on_the_page_and_no_other() -> None:
    table = PAGE.split("## Doors")[1].split("## Answers")[0]
    documented = {
        path for row in re.findall(r"^\| (`/[^|]+) \|", table, re.MULTILINE) for path in re.findall(r"`(/[^`]+)`", row)
    }
    assert documented == set(http.DOORS)


def test_every_answer_is_on_the_page() -> None:
    table = PAGE.split("## Answers")[1].split("## Limits")[0]
    documented = {
        int(status)
        for row in re.findall(r"^\| ([^|]+) \|", table, re.MULTILINE)
        for status in re.findall(r"\b[245]\d\d\b", row)
    }
    assert documented == {204, *http_answers._CODES} - {500}


@pytest.mark.parametrize("code", CODES)
def test_every_reason_is_on_the_page_and_has_its_words(code: str) -> None:
    assert f"`{code}`" in PAGE
    assert all(REASONS[code])


def test_the_limits_are_those_of_the_code() -> None:
    limits, gateway = http.HttpLimits(), Gateway("G", "C", "line")
    assert (limits.max_body_bytes, limits.max_bytes_at_once, limits.body_within_s) == (25_000_000, 256_000_000, 60)
    assert (commit.MAX_WAITING_ROWS, commit.MAX_LANE_BYTES) == (2_000_000, 4 << 30)
    assert (gateway.max_readings_per_s, gateway.max_series, TokenBucket(1, 0).burst_s) == (5_000, 100_000, 10)
    assert (LONGEST_HEAD, MOST_A_MINUTE, line_senders.MOST_AT_FAULT) == (65_535, 600, 100_000)
    assert (AHEAD_S, BEHIND_S) == (86_400, 400 * 86_400)
    for said in (
        "25 MB",
        "256 MB",
        "60 s",
        "2 million",
        "4 GiB",
        "5 000",
        "100 000",
        "65 535 bytes",
        "600 letters",
        "400 days",
    ):
        assert said in PAGE


def test_every_precision_of_version_1_is_on_the_page() -> None:
    short = [name for name in NS_PER_UNIT if len(name) <= 2 and name != "µs"]
    row = next(line for line in PAGE.splitlines() if line.startswith("| `/write`"))
    assert sorted(short) == sorted(re.findall(r"`precision` ([a-z ]+)", row)[0].split())
