"""One table in every dress that it comes in: the readings are the same."""

from datetime import datetime
from fractions import Fraction
from pathlib import Path

import numpy as np
import openpyxl
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nuan.telemetry.files import FileReadings, load_mapping, read_file
from nuan.telemetry.files.collecting import in_steps
from nuan.telemetry.files.mapping import Point
from nuan.telemetry.files.times import epochs
from nuan.terms.quantities import to_fixed

WIDE = """
files:
  - match: "*"
    time: {{column: 时间, zone: Asia/Shanghai}}
    decimal: "{decimal}"
    columns:
      客厅: {{place: B1-1-0101, quantity: room_temp, position: living}}
      供水: {{place: S1, quantity: supply_temp}}
    ignore: [备注*]
"""
AT_8, AT_9 = 1_768_003_200, 1_768_006_800
ROWS = [("2026-01-10 08:00", "18.5", "45.25"), ("2026-01-10 09:00", "17.995", "")]
EXPECTED = {"B1-1-0101|room_temp|living": [(AT_8, 1850), (AT_9, 1800)], "S1|supply_temp|supply": [(AT_8, 4525)]}


def text(delimiter: str = ",", decimal: str = ".", end: str = "\n") -> str:
    lines = [("时间", "客厅", "供水"), *ROWS]
    return "".join(delimiter.join(cell.replace(".", decimal) for cell in line) + end for line in lines)


def by_series(read: FileReadings) -> dict[str, list[tuple[int, int]]]:
    return {
        str(key): [
            (int(t), int(v)) for t, v in zip(read.time_s[read.series == n], read.value[read.series == n], strict=True)
        ]
        for n, key in enumerate(read.keys)
    }


def read(path: Path, decimal: str = ".", mapping_text: str = "") -> FileReadings:
    mapping, findings = load_mapping(mapping_text or WIDE.format(decimal=decimal), "mapping.yaml")
    assert findings == []
    return read_file(path, mapping)


@pytest.mark.parametrize(
    ("content", "decimal"),
    [
        pytest.param(text().encode(), ".", id="UTF-8"),
        pytest.param(text().encode("utf-8-sig"), ".", id="UTF-8 with mark, as Excel writes it"),
        pytest.param(text().encode("gbk"), ".", id="GBK"),
        pytest.param(text().encode("utf-16"), ".", id="UTF-16"),
        pytest.param(text(end="\r\n").encode(), ".", id="Windows line ends"),
        pytest.param(text(";", ",").encode(), ",", id="semicolons and decimal commas"),
        pytest.param(text("\t").encode(), ".", id="tabs"),
        pytest.param(text().replace("18.5", '"18.5"').encode(), ".", id="quoted cells"),
        pytest.param(text().replace("18.5", " 18.5 ").encode(), ".", id="blanks around cells"),
    ],
)
def test_csv(tmp_path: Path, content: bytes, decimal: str) -> None:
    file = tmp_path / "readings.csv"
    file.write_bytes(content)
    result = read(file, decimal)

    assert result.findings == []
    assert by_series(result) == EXPECTED


@pytest.mark.parametrize(
    "times",
    [
        pytest.param([datetime(2026, 1, 10, 8), datetime(2026, 1, 10, 9)], id="date cells"),  # noqa: DTZ001
        pytest.param(["2026-01-10 08:00", "2026-01-10 09:00"], id="text cells"),
        pytest.param([46032.333333333336, 46032.375], id="serial numbers"),
        pytest.param([datetime(2026, 1, 10, 8), "2026/1/10 9:00"], id="date and text cells mixed"),  # noqa: DTZ001
    ],
)
def test_xlsx(tmp_path: Path, times: list[object]) -> None:
    book = openpyxl.Workbook()
    book.active.append(["时间", "客厅", "供水", "备注1"])
    book.active.append([times[0], 18.5, "45.25", None])
    book.active.append([times[1], 17.995, None, "开窗"])
    book.save(tmp_path / "readings.xlsx")
    result = read(tmp_path / "readings.xlsx")

    assert result.findings == []
    assert by_series(result) == EXPECTED


@pytest.mark.parametrize("zone", [None, "Asia/Shanghai", "UTC"], ids=["naive", "Shanghai", "UTC"])
def test_parquet(tmp_path: Path, zone: str | None) -> None:
    times = pl.Series([AT_8 * 1000, AT_9 * 1000]).cast(pl.Datetime("ms", "UTC")).dt.convert_time_zone("Asia/Shanghai")
    times = times.dt.convert_time_zone(zone) if zone else times.dt.replace_time_zone(None)
    frame = pl.DataFrame({"时间": times, "客厅": [18.5, 17.995], "供水": pl.Series([45.25, None], dtype=pl.Float32)})
    frame.write_parquet(tmp_path / "readings.parquet")
    result = read(tmp_path / "readings.parquet")

    assert result.findings == []
    assert by_series(result) == EXPECTED


LONG = """
zone: Asia/Shanghai
files:
  - match: "*"
    time: {columns: [日期, 时刻]}
    long:
      place: 户号
      quantity: 指标
      value: 数值
      unit: 单位
      quantities:
        室温: {quantity: room_temp}
        湿度: {quantity: room_humidity}
"""


def test_long_with_words_units_and_two_time_columns(tmp_path: Path) -> None:
    file = tmp_path / "long.csv"
    file.write_text(
        "日期,时刻,户号,指标,数值,单位\n"
        "2026年1月10日,08:00,B1,室温,65.3,°F\n"
        "2026年1月10日,09:00,B1,室温,18.5,\n"
        "2026年1月10日,08:00,B1,湿度,0.405,1\n"
        "2026年1月10日,08:00,B2,室温,185,0.1°C\n"
    )
    result = read(file, mapping_text=LONG)

    assert result.findings == []
    assert by_series(result) == {
        "B1|room_temp|room": [(AT_8, 1850), (AT_9, 1850)],
        "B1|room_humidity|room": [(AT_8, 405)],
        "B2|room_temp|room": [(AT_8, 1850)],
    }


@pytest.mark.parametrize(
    "cell",
    [
        "2026-01-10 08:00", "2026-01-10 08:00:00", "2026/1/10 8:00", "2026-01-10T08:00:00", "2026-01-10T00:00:00Z",
        "2026-01-10T08:00:00+08:00", "2026-01-10 01:00:00+0100", "2026年1月10日 8:00", "2026年1月10日8时00分",
        "10.01.2026 08:00", "20260110080000", "46032.3333333333", "1768003200", "1768003200000", "2026-01-10 08:00:00.400",
    ],
)  # fmt: skip
def test_times_are_understood(cell: str) -> None:
    mapping, _ = load_mapping(WIDE.format(decimal="."), "m")
    said: list[str] = []
    result = epochs(
        pl.Series([cell]), mapping.files[0].time, lambda code, mask: said.append(code) if mask.any() else None
    )

    assert result.to_list() == [AT_8]
    assert set(said) <= {"other_time_zone"}


@given(st.decimals(-40, 200, places=4))
def test_rounding_is_the_same_as_of_the_exact_number(value: object) -> None:
    steps = in_steps(np.array([float(str(value))]), Point("B1", "room_temp"))
    rounded = np.trunc(steps + np.copysign(0.5 + 1e-6, steps))

    assert int(rounded[0]) == to_fixed("room_temp", Fraction(str(value)))


def test_a_row_given_twice_counts_once_and_empty_rows_do_not_count(tmp_path: Path) -> None:
    file = tmp_path / "readings.csv"
    file.write_text(text() + "2026-01-10 09:00,17.995,\n,,\n")
    result = read(file)

    assert result.findings == []
    assert by_series(result) == EXPECTED


def test_many_pieces_make_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks smaller than a line of the file, in an encoding where a character is two bytes: nothing is lost at the seams."""
    monkeypatch.setattr("nuan.telemetry.files.pieces.BLOCK", 1 << 10)
    hours = 2_000
    lines = ["时间,客厅,供水"]
    lines += [f"{1_768_003_200 + n * 3600},{18 + n % 5 / 10:.1f},45" for n in range(hours)]
    file = tmp_path / "readings.csv"
    file.write_bytes(("\n".join(lines) + "\n").encode("gbk"))
    seen: list[int] = []
    mapping, _ = load_mapping(WIDE.format(decimal="."), "m")
    result = read_file(file, mapping, progress=lambda at, size: seen.append(at))

    assert [finding.code for finding in result.findings] == ["stuck"]
    assert len(result.time_s) == 2 * hours
    assert len(seen) > 10
    assert seen == sorted(seen)
