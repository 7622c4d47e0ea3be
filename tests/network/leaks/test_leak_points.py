"""`points.csv` and `series.csv` as people write them."""

import numpy as np
import pytest

from nuan.network.graph import Network
from nuan.network.leaks.points import CANONICAL, QUANTITY_WORDS, Point, guess, read
from nuan.network.leaks.series import read as read_series

NETWORK = Network.of(
    nodes={"node": ["j0", "j1", "j2", "j3"]},
    pipes={"pipe": ["p0"], "from_node": ["j0"], "to_node": ["j1"], "length_m": [10.0], "inner_diameter_m": [0.1]},
    sources={"source": ["cp0"], "return_node": ["j2"], "supply_node": ["j0"], "supply_temp_c": [90.0]},
    substations={
        "substation": ["c7"],
        "supply_node": ["j1"],
        "return_node": ["j3"],
        "heat_kw": [10.0],
        "return_temp_c": [50.0],
    },
)
HEAD = "point,quantity,unit,asset_kind,asset_id,side\n"


@pytest.mark.parametrize(
    ("quantity", "unit", "side", "written", "canonical"),
    [
        ("pressure", "bar", "", 3.0, 3.0), ("pressure", "kPa", "", 300.0, 3.0), ("pressure", "MPa", "", 0.3, 3.0), ("pressure", "bar(g)", "", 3.0, 3.0),
        ("temperature", "°C", "", 60.0, 60.0), ("temperature", "K", "", 333.15, 60.0), ("flow", "t/h", "supply", 36.0, 10.0), ("flow", "kg/s", "", 10.0, 10.0),
        ("flow", "m³/h", "supply", 36.0, 9.65), ("make_up_flow", "t/h", "", 2.0, 2.0), ("make_up_flow", "m3/h", "", 2.0, 1.996),
        ("make_up_flow", "kg/s", "", 1.0, 3.6), ("make_up_flow", "l/min", "", 100.0, 5.988), ("make_up_total", "m3", "", 7.0, 7.0), ("heat", "MW", "", 2.0, 2000.0),
        ("position", "Hz", "", 50.0, 100.0), ("humidity", "%", "", 60.0, 60.0), ("water_level", "cm", "", 40.0, 0.4),
    ],
)  # fmt: skip
def test_units_become_the_ones_that_are_computed_with(
    quantity: str, unit: str, side: str, written: float, canonical: float
) -> None:
    point = Point("x", quantity, unit, "source", "a", side)
    assert point.canonical(np.array([written]))[0] == pytest.approx(canonical, rel=1e-3)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("a,pressure,kPa,substation,c7,supply", ("pressure", "substation", "c7", "supply")),
        ("a,pressure,kPa,substation,7,S", ("pressure", "substation", "c7", "supply")),
        ("a,Supply Pressure,kPa,Station,C7,", ("pressure", "substation", "c7", "supply")),
        ("a,回水温度,℃,换热站,c7,", ("temperature", "substation", "c7", "return")),
        ("a,补水流量,m³/h,热源,,", ("make_up_flow", "source", "cp0", "")),
        ("a,flow,t/h,source,0,make-up", ("make_up_flow", "source", "cp0", "")),
        ("a,makeup_flow,t/h,plant,whatever,", ("make_up_flow", "source", "cp0", "")),
        ("a,make_up_flow,m3,source,cp0,", ("make_up_total", "source", "cp0", "")),
        ("a,pressure,bar,junction,2,return", ("pressure", "node", "j2", "return")),
        ("a,temperature,C,weather,,", ("temperature", "weather", "", "")),
        ("a,outdoor_temperature,C,,,", ("temperature", "weather", "", "")),
        ("a,level,m,chamber,K12,", ("water_level", "duct", "K12", "")),
    ],
)
def test_many_ways_to_write_a_point(line: str, expected: tuple[str, str, str, str]) -> None:
    points, findings = read(HEAD + line + "\n", NETWORK)
    assert [(point.quantity, point.asset_kind, point.asset, point.side) for point in points] == [expected]
    assert findings == []


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("a,colour,bar,substation,c7,", "quantity_unknown"), ("a,pressure,kWh,substation,c7,", "unit_unknown"),
        ("a,pressure,bar,substation,c99,", "asset_unknown"), (",pressure,bar,substation,c7,", "column_empty"),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_said_and_the_rest_goes_on(line: str, code: str) -> None:
    points, findings = read(HEAD + line + "\nb,pressure,bar,substation,c7,return\n", NETWORK)
    assert [point.column for point in points] == ["b"]
    assert [finding.code for finding in findings] == [code]
    assert findings[0].row == 2


def test_a_points_file_without_a_header_says_what_is_lacking() -> None:
    assert [finding.code for finding in read("a,b\n1,2\n")[1]] == ["header_unknown"]
    assert [finding.code for finding in read("")[1]] == ["no_points"]


def test_every_quantity_has_words_and_a_unit_of_its_own() -> None:
    assert set(QUANTITY_WORDS) == set(CANONICAL)
    for quantity, unit in CANONICAL.items():
        assert Point("x", quantity, unit, "source", "a").scale[0] == pytest.approx(1.0), quantity


def test_without_a_points_file_columns_are_taken_by_name() -> None:
    points, _ = guess(b"time,make_up_t_h,supply_temperature,plant_return_pressure_bar,nonsense\n", NETWORK)
    assert [(point.column, point.quantity, point.side) for point in points] == [
        ("make_up_t_h", "make_up_flow", ""), ("supply_temperature", "temperature", "supply"), ("plant_return_pressure_bar", "pressure", "return"),
    ]  # fmt: skip


MAKE_UP = (Point("m", "make_up_flow", "t/h", "source", "cp0"),)


@pytest.mark.parametrize(
    "times",
    [
        ("2026-01-02 03:04", "2026-01-02 03:14"), ("2026-01-02T03:04:00Z", "2026-01-02T03:14:00Z"), ("2026/1/2 3:04", "2026/1/2 3:14"),
        ("02.01.2026 03:04", "02.01.2026 03:14"), ("2026-01-02T11:04:00+08:00", "2026-01-02T11:14:00+08:00"), ("20260102030400", "20260102031400"),
        ("1767323040", "1767323640"), ("1767323040000", "1767323640000"),
    ],
)  # fmt: skip
def test_times_in_many_forms(times: tuple[str, str]) -> None:
    series, findings = read_series(f"time,m\n{times[0]},1.5\n{times[1]},\n".encode(), MAKE_UP)
    assert series.time_s.tolist() == [1767323040, 1767323640]
    assert series.said.to_list() == list(times)
    assert findings == []
    assert series.rows(0, 2)[0, 0] == 1.5
    assert np.isnan(series.rows(0, 2)[1, 0])


def test_rows_out_of_order_twice_or_without_a_time_are_mended_and_said() -> None:
    text = "time;m\n2026-01-01 02:00;3,5\n2026-01-01 01:00;1,0\n2026-01-01 02:00;4,0\nnever;9\n"
    series, findings = read_series(text.encode(), MAKE_UP)
    assert series.rows(0, 9)[:, 0].tolist() == [1.0, 4.0]
    assert {finding.code for finding in findings} == {"time_unreadable", "not_ascending", "time_twice"}


def test_columns_that_only_one_file_knows_are_said() -> None:
    series, findings = read_series(b"time,x\n2026-01-01,1\n", MAKE_UP)
    assert series.points == ()
    assert {finding.code for finding in findings} == {"column_missing", "column_unknown"}


def test_a_pressure_without_a_unit_is_taken_by_its_size() -> None:
    points = (Point("p", "pressure", "", "source", "cp0", "return"),)
    series, _ = read_series(b"time,p\n2026-01-01 00:00,310\n2026-01-01 01:00,312\n", points)
    assert series.rows(0, 1)[0, 0] == pytest.approx(3.1)
