"""Roll-ups become home-days; a gap stays a gap."""

from dataclasses import dataclass

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from nuan.facts.home_days import RollupShapeError, home_days
from nuan.facts.schemas import check
from nuan.telemetry.readings import GAP
from nuan.terms.places import day_number
from nuan.terms.season import SeasonRule


@dataclass
class Arrays:
    covered: NDArray[np.uint8]
    minimum: NDArray[np.int16]
    mean: NDArray[np.int16]
    below: NDArray[np.uint8]
    longest: NDArray[np.uint8]
    above: NDArray[np.uint8]


def arrays(covered: list[list[int]], minimum: list[list[int]]) -> Arrays:
    low = np.array(minimum, dtype=np.int16)
    hours = np.array(covered, dtype=np.uint8)
    zero = np.zeros_like(hours)
    return Arrays(hours, low, np.where(low == GAP, low, low + 50).astype(np.int16), zero, zero, zero)


def test_two_homes_three_days() -> None:
    found = home_days(
        ["B1-1", "B1-2"], 20_376, [0, 24, 24], arrays([[0, 24, 20], [0, 0, 24]], [[GAP, 1790, 1800], [GAP, GAP, 1850]])
    )
    assert check("home_day", found) == []
    assert found.select("home", "day", "hours_due", "hours_covered", "min_c100", "mean_c100").rows() == [
        ("B1-1", 20_377, 24, 24, 1790, 1840),
        ("B1-1", 20_378, 24, 20, 1800, 1850),
        ("B1-2", 20_377, 24, 0, None, None),
        ("B1-2", 20_378, 24, 24, 1850, 1900),
    ]  # fmt: skip


def test_a_noon_season_has_half_days() -> None:
    season = SeasonRule(11, 14, 3, 15, "12:00", "12:00").season(2025)
    days = season.day_numbers
    due = [season.hours_due(day) for day in days]
    covered = np.array([due], dtype=np.uint8)
    zero = np.zeros_like(covered)
    level = np.full(covered.shape, 1800, dtype=np.int16)
    found = home_days(["B1-1"], days.start, due, Arrays(covered, level, level, zero, zero, zero))
    assert found.height == 122
    assert found["day"][0] == day_number(season.first_day)
    assert found["hours_due"].to_list() == [12, *[24] * 120, 12]


def test_nobody_and_no_day() -> None:
    nothing = np.zeros((0, 1), dtype=np.int16)
    found = home_days([], 20_376, [24], Arrays(nothing, nothing, nothing, nothing, nothing, nothing))  # type: ignore[arg-type]
    assert found.height == 0
    assert check("home_day", found) == []


def test_arrays_of_another_shape_are_refused() -> None:
    with pytest.raises(RollupShapeError, match=r"covered has shape \(1, 1\), not \(1, 2\)"):
        home_days(["B1-1"], 20_376, [24, 24], arrays([[24]], [[1800]]))


def test_every_home_keeps_its_own_numbers() -> None:
    count, days = 50, 7
    level = (1500 + np.arange(count * days).reshape(count, days)).astype(np.int16)
    hours = np.full((count, days), 24, dtype=np.uint8)
    zero = np.zeros_like(hours)
    names = [f"B{i}" for i in range(count)]
    found = home_days(names, 20_000, [24] * days, Arrays(hours, level, level, zero, zero, zero))
    assert found.sort("home", "day").equals(
        pl.DataFrame(
            [
                (names[i], 20_000 + d, 24, 24, int(level[i, d]), int(level[i, d]), 0, 0, 0)
                for i in range(count)
                for d in range(days)
            ],
            schema=found.schema,
            orient="row",
        ).sort("home", "day")
    )
