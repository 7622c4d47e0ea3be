"""The shipped winter is that of Dongsheng, to the figures; an EPW file is read or refused with all its faults."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from measured import MEASURED, needs
from nuan.buildings.weather.epw import parse_epw, read_epw
from nuan.buildings.weather.synthetic import synthetic_year
from nuan.terms.places import DAY_S, day_number, local_time

DONGSHENG = MEASURED / "weather" / "dongsheng.epw"
# month, mean, minimum, maximum °C
FIGURES = [
    (10, 7.2, -7.2, 18.6), (11, 0.2, -15.4, 13.8), (12, -6.2, -19.4, 6.4), (1, -8.0, -19.8, 4.7),
    (2, -4.9, -17.2, 6.0), (3, 1.5, -12.2, 14.8), (4, 7.7, -6.8, 23.4),
]  # fmt: skip
WINTER = [month for month, *_ in FIGURES]


@pytest.mark.parametrize(("month", "mean", "low", "high"), FIGURES, ids=[f"month {m}" for m, *_ in FIGURES])
def test_synthetic_month_has_the_figures_of_dongsheng(month: int, mean: float, low: float, high: float) -> None:
    outdoor = synthetic_year().outdoor_c[synthetic_year().month(month)]
    assert outdoor.mean() == pytest.approx(mean, abs=0.2)
    assert outdoor.min() == pytest.approx(low, abs=1.5)
    assert outdoor.max() == pytest.approx(high, abs=1.5)


def test_coldest_hour_wind_sun_and_daily_swing() -> None:
    year = synthetic_year()
    assert year.synthetic
    assert year.outdoor_c.min() == pytest.approx(-19.8, abs=0.05)
    swings, wind, sun = [], [], []
    for month in WINTER:
        hours = year.month(month)
        days = year.outdoor_c[hours].reshape(-1, 24)
        swings.append(np.ptp(days, axis=1).mean())
        wind.append(year.wind_m_per_s[hours].mean())
        sun.append(year.solar_w_per_m2[hours].sum() / len(days) / 1000)
    assert np.mean(swings) == pytest.approx(8.2, abs=0.6)
    assert min(wind) > 2.5
    assert max(wind) < 4.2
    assert min(sun) > 2.2
    assert max(sun) < 5.6
    assert np.abs(np.diff(year.outdoor_c)).max() < 4.0, "no jump at a month's edge"


def test_same_seed_same_winter_other_seed_other_winter() -> None:
    assert synthetic_year(5).outdoor_c.tolist() == synthetic_year.__wrapped__(5).outdoor_c.tolist()
    assert not np.array_equal(synthetic_year(5).outdoor_c, synthetic_year(6).outdoor_c)


def test_a_leap_day_repeats_the_day_before() -> None:
    span = synthetic_year().over(day_number(date(2028, 2, 27)), day_number(date(2028, 3, 1)))
    assert span.hours == 96
    assert span.outdoor_c[24:48].tolist() == span.outdoor_c[48:72].tolist()
    assert local_time(span.start_s).isoformat() == "2028-02-27T00:00:00+08:00"


def test_the_coldest_week_is_found() -> None:
    span = synthetic_year().over(day_number(date(2025, 10, 15)), day_number(date(2026, 4, 15)))
    start, end = span.coldest_days(7)
    assert end - start == 7 * DAY_S
    days = span.daily_outdoor_c()
    first = (start - span.start_s) // DAY_S
    assert days[first : first + 7].mean() == min(days[i : i + 7].mean() for i in range(len(days) - 6))


def _epw(change: dict[int, str] | None = None, drop: frozenset[int] = frozenset()) -> str:
    """A small EPW: constant 1.0 °C; `change` replaces the temperature of an hour index by a text."""
    header = ["LOCATION,示例,-,CHN,-,0,39.8,110.0,8.0,1460"] + ["X"] * 7
    lines, hour = [], 0
    for month, days in enumerate([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], 1):
        for day in range(1, days + 1):
            for clock in range(1, 25):
                temp = (change or {}).get(hour, "1.0")
                if hour not in drop:
                    fields = ["2005", str(month), str(day), str(clock), "0", "?", temp, *["0"] * 6, "100", *["0"] * 7]
                    lines.append(",".join([*fields, "2.0", "0"]))
                hour += 1
    return "\n".join(header + lines)


def test_hour_one_is_the_hour_after_midnight() -> None:
    year, findings = parse_epw(_epw({0: "-5.0", 8759: "7.0"}))
    assert findings == []
    assert year is not None
    assert (year.outdoor_c[0], year.outdoor_c[1], year.outdoor_c[-1]) == (-5.0, 1.0, 7.0)


def test_short_gaps_are_bridged_and_said_so() -> None:
    year, findings = parse_epw(_epw({9: "0.0", 10: "99.9", 11: "99.9", 12: "3.0"}))
    assert year is not None
    assert year.outdoor_c[9:13].round(6).tolist() == [0.0, 1.0, 2.0, 3.0]
    assert [(f.code, f.severity, f.count) for f in findings] == [("bridged", "warning", 2)]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param("", "not_epw", id="empty file"),
        pytest.param("hello\nworld", "not_epw", id="not an EPW"),
        pytest.param(_epw(drop=frozenset(range(100, 200))), "missing_hours", id="half a file"),
        pytest.param(_epw(dict.fromkeys(range(50, 60), "99.9")), "long_gap", id="ten hours missing"),
        pytest.param(_epw({5: "cold"}), "not_a_number", id="a word for a number"),
        pytest.param(_epw({5: "400"}), "out_of_range", id="400 degrees"),
        pytest.param(_epw().replace("2005,1,1,5,", "2005,1,1,25,", 1), "bad_time", id="hour 25"),
        pytest.param(_epw().replace("2005,1,1,5,", "2005,1,1,4,", 1), "duplicate_hour", id="an hour twice"),
    ],
)
def test_a_bad_file_gives_findings_and_no_year(text: str, code: str) -> None:
    year, findings = parse_epw(text)
    assert year is None
    assert code in {finding.code for finding in findings}
    assert all(finding.sentence() for finding in findings)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    year, findings = read_epw(tmp_path / "none.epw")
    assert year is None
    assert [finding.code for finding in findings] == ["unreadable"]


@needs(DONGSHENG)
def test_the_real_dongsheng_file() -> None:
    year, findings = read_epw(DONGSHENG)
    assert findings == []
    assert year is not None
    assert year.place == "Dongsheng"
    for month, mean, low, high in FIGURES:
        outdoor = year.outdoor_c[year.month(month)]
        assert (round(outdoor.mean(), 1), outdoor.min(), outdoor.max()) == pytest.approx((mean, low, high), abs=0.05)
