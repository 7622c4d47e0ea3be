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
