"""Local days at UTC+8, and findings that are sentences."""

from datetime import UTC, date, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nuan.terms.findings import Finding, FindingsError
from nuan.terms.places import CHINA, Level, day_date, day_number, day_start, local_day, local_time, to_epoch


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        pytest.param(datetime(2026, 1, 1, 15, 59, 59, tzinfo=UTC), date(2026, 1, 1), id="23:59:59 in China"),
        pytest.param(datetime(2026, 1, 1, 16, 0, 0, tzinfo=UTC), date(2026, 1, 2), id="24:00:00 in China"),
        pytest.param(datetime(2026, 1, 1, 0, 0, 0, tzinfo=CHINA), date(2026, 1, 1), id="00:00:00 in China"),
        pytest.param(datetime(1969, 12, 31, 12, tzinfo=UTC), date(1969, 12, 31), id="before the epoch"),
    ],
)
def test_local_day(moment: datetime, day: date) -> None:
    assert day_date(local_day(to_epoch(moment))) == day


@given(st.integers(-(10**9), 4 * 10**9))
def test_a_day_holds_its_moments(epoch_s: int) -> None:
    day = local_day(epoch_s)
    assert day_start(day) <= epoch_s < day_start(day + 1)
    assert local_day(np.array([epoch_s], dtype=np.int64)).tolist() == [day]
    assert local_time(epoch_s).date() == day_date(day)
    assert day_number(day_date(day)) == day
    assert to_epoch(local_time(epoch_s)) == epoch_s


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        to_epoch(datetime(2026, 1, 1))  # noqa: DTZ001


def test_every_level_has_a_chinese_name() -> None:
    assert all(level.zh for level in Level)


def test_a_finding_is_a_sentence_in_both_languages() -> None:
    finding = Finding(
        "readings.csv",
        "out_of_range",
        "超出量程",
        "out of range",
        "请核对单位。",
        row=3,
        field="湿度",
        value="1000",
        count=2,
    )
    assert finding.sentence() == "readings.csv 第 3 行 “湿度”：超出量程（1000），共 2 处。请核对单位。"
    assert finding.sentence("en") == "readings.csv row 3 “湿度”: out of range (1000), 2 times"
    assert finding.as_dict()["row"] == 3


def test_all_findings_are_told() -> None:
    twice = [Finding("a.csv", "empty", "空文件", "empty file", "请重新导出。", row=n) for n in (1, 2)]
    with pytest.raises(FindingsError) as caught:
        raise FindingsError(twice)
    assert caught.value.findings == twice
    assert str(caught.value).count("空文件") == 2
