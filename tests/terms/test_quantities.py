"""One unit for each quantity; every other is converted exactly at the border, or refused in a sentence."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nuan.terms.quantities import (
    QUANTITIES,
    UNITS,
    QuantityTextError,
    UnknownQuantityError,
    convert,
    from_fixed,
    gj_from_kwh,
    parse_value,
    quantity,
    to_fixed,
)


@pytest.mark.parametrize("key", list(QUANTITIES))
def test_each_quantity_is_whole(key: str) -> None:
    each = QUANTITIES[key]
    assert each.key == key
    assert each.zh
    assert each.en
    assert UNITS[each.unit] == (each.unit, 0, 1), "its own unit converts to itself"
    assert each.low < each.high
    assert each.resolution > 0
    assert to_fixed(key, each.high) < 2**31, "fits into the 32 bits of a stored reading"
    assert each.column_suffix.startswith("_")


@pytest.mark.parametrize(
    ("text", "key", "steps"),
    [
        pytest.param("18.5 °C", "room_temp", 1850, id="degrees"),
        pytest.param("18.5℃", "room_temp", 1850, id="the one-character degree"),
        pytest.param("17.99", "room_temp", 1799, id="bare number: the quantity's own unit"),
        pytest.param("64.4°F", "room_temp", 1800, id="Fahrenheit"),
        pytest.param("291.15 K", "room_temp", 1800, id="kelvin"),
        pytest.param("-16.8", "outdoor_temp", -1680, id="the design day"),
        pytest.param("0.6 MPa", "pressure", 6000, id="megapascal"),
        pytest.param("600 kPa", "pressure", 6000, id="kilopascal"),
        pytest.param("6bar", "pressure", 6000, id="bar without a blank"),
        pytest.param("1 MWh", "heat_energy", 1000, id="megawatt-hour"),
        pytest.param("36 GJ", "heat_energy", 10_000, id="gigajoule"),
        pytest.param("3.6 GJ/h", "heat_power", 10_000, id="gigajoule an hour"),
        pytest.param("1.2 MW", "heat_power", 12_000, id="megawatt"),
        pytest.param("10 L/s", "flow", 36_000, id="litre a second"),
        pytest.param("93.5 ㎡", "area", 9350, id="square metres in one character"),
        pytest.param("1.2万吨", "fuel_stock", 12_000_000, id="ten thousand tonnes"),
        pytest.param("1.85e1", "room_temp", 1850, id="as a computer writes it"),
        pytest.param("180 0.1°C", "room_temp", 1800, id="tenths of a degree, as many loggers send"),
        pytest.param("+1.005", "room_temp", 101, id="half a step goes away from zero"),
        pytest.param("-1.005", "outdoor_temp", -101, id="below zero too"),
    ],
)
def test_parse_value(text: str, key: str, steps: int) -> None:
    assert parse_value(text, key) == steps


@pytest.mark.parametrize(
    ("text", "key", "says"),
    [
        pytest.param(
            "18.5 kPa", "room_temp", "“kPa” is no unit of room_temp .室温.*°C", id="a pressure for a temperature"
        ),
        pytest.param("5 bananas", "area", "no unit of area", id="not a unit"),
        pytest.param("18,5", "room_temp", "not a number", id="decimal comma"),
        pytest.param("", "room_temp", "not a number", id="nothing"),
        pytest.param("NaN", "room_temp", "not a number", id="not a number"),
        pytest.param("1e400", "room_temp", "no unit", id="an absurd exponent"),
        pytest.param("18..5", "room_temp", "not a number", id="two points"),
        pytest.param("1.2.3.4", "room_temp", "not a number", id="an address"),
        pytest.param("--", "room_temp", "not a number", id="a dash for missing"),
    ],
)
def test_parse_value_refuses(text: str, key: str, says: str) -> None:
    with pytest.raises(QuantityTextError, match=says):
        parse_value(text, key)


# One of each unit, in our unit, worked out by hand.
ONE_OF_EACH = {
    "°C": 1, "℃": 1, "C": 1, "degC": 1, "°F": Fraction(-31 * 5, 9), "K": Fraction("-272.15"), "0.1°C": Fraction(1, 10),
    "%": 1, "1": 100, "ppm": 1, "m³": 1, "m3": 1, "立方米": 1, "L": Fraction(1, 1000), "Hz": 1,
    "m³/h": 1, "m3/h": 1, "t/h": 1, "L/s": Fraction("3.6"), "L/h": Fraction(1, 1000), "kg/s": Fraction("3.6"),
    "bar": 1, "MPa": 10, "kPa": Fraction(1, 100), "Pa": Fraction(1, 100_000),
    "kW": 1, "W": Fraction(1, 1000), "MW": 1000, "GJ/h": Fraction(2500, 9),
    "kWh": 1, "MWh": 1000, "GJ": Fraction(2500, 9), "MJ": Fraction(5, 18),
    "m²": 1, "m2": 1, "㎡": 1, "平方米": 1, "t": 1, "吨": 1, "kg": Fraction(1, 1000), "万吨": 10_000,
    "m/s": 1, "km/h": Fraction(5, 18), "W/m²": 1,
    "kg/h": Fraction(1, 1000), "L/min": Fraction(3, 50), "mL/h": Fraction(1, 1_000_000), "mL": Fraction(1, 1_000_000),
    "J/h": Fraction(1, 3_600_000), "kJ/h": Fraction(1, 3600), "MJ/h": Fraction(5, 18), "Wh": Fraction(1, 1000),
    "J": Fraction(1, 3_600_000), "kJ": Fraction(1, 3600), "kcal": Fraction("0.001163"), "Mcal": Fraction("1.163"), "Gcal": 1163,
}  # fmt: skip


@pytest.mark.parametrize("unit", sorted({*UNITS, *ONE_OF_EACH}))
def test_one_of_each_unit(unit: str) -> None:
    key = next(each.key for each in QUANTITIES.values() if each.unit == UNITS[unit][0])
    assert convert(Fraction(1), unit, key) == ONE_OF_EACH[unit]


@pytest.mark.parametrize(
    ("key", "suffix"),
    [
        pytest.param("room_temp", "_c100", id="hundredths of a degree"),
        pytest.param("area", "_m2_100", id="hundredths of a square metre"),
        pytest.param("flow", "_m3h_1000", id="litres an hour"),
        pytest.param("heat_power", "_kw_10", id="hundreds of watts"),
        pytest.param("heat_energy", "_kwh", id="whole kilowatt-hours"),
        pytest.param("fuel_stock", "_t1000", id="kilograms"),
        pytest.param("room_humidity", "_pct_10", id="tenths of a percent"),
        pytest.param("pressure", "_bar_1000", id="millibars"),
    ],
)
def test_the_unit_is_in_the_name(key: str, suffix: str) -> None:
    assert quantity(key).column_suffix == suffix


def test_an_unknown_quantity_names_the_known() -> None:
    with pytest.raises(UnknownQuantityError, match=r"no quantity “temp”.*room_temp"):
        quantity("temp")


@given(st.sampled_from(sorted(QUANTITIES)), st.integers(-(10**7), 10**7))
def test_steps_survive_the_way_out_and_back(key: str, steps: int) -> None:
    assert to_fixed(key, from_fixed(key, steps)) == steps


@given(st.decimals(-100, 100, places=4))
def test_rounding_is_at_most_half_a_step(value: Decimal) -> None:
    error = abs(Fraction(value) - Fraction(from_fixed("room_temp", to_fixed("room_temp", value))))
    assert error <= Fraction(1, 200)


@given(st.integers(0, 10**9))
def test_heat_converts_without_loss(kwh: int) -> None:
    assert convert(gj_from_kwh(kwh), "GJ", "heat_energy") == kwh
    assert gj_from_kwh(kwh) == Fraction(kwh * 36, 10_000)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "", "1/0", "一"])
def test_what_is_no_number_has_no_steps(value: float | str) -> None:
    with pytest.raises(QuantityTextError, match="is not a number"):
        to_fixed("room_temp", value)
