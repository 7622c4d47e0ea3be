"""The same frames read by an independent decoder (pyMeterBus): every number that it can read, we read alike."""

from decimal import Decimal
from typing import Any

import meterbus
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mbus_writing import Field, bcd, frame, header, heat_meter

from nuan.telemetry.protocols import mbus

# our unit → theirs, and how many of theirs one of ours is
THEIR_UNITS = {
    "Wh": ("Wh", "1"), "J": ("J", "1"), "L": ("m^3", "0.001"), "kg": ("kg", "1"), "W": ("W", "1"), "J/h": ("J/h", "1"),
    "L/h": ("m^3/h", "0.001"), "L/min": ("m^3/min", "0.001"), "L/s": ("m^3/s", "0.001"), "kg/h": ("kg/h", "1"), "°C": ("C", "1"),
    "ΔK": ("K", "1"), "bar": ("bar", "1"),
}  # fmt: skip
VIFS = [code for code in range(0x6C) if not 0x20 <= code <= 0x27]


def theirs(data: bytes) -> list[dict[str, Any]]:
    """Not by `meterbus.load`: it takes a wired frame of 105 bytes for a wireless one."""
    return list(meterbus.TelegramLong.parse(list(data)).interpreted["body"]["records"])


@st.composite
def fields(draw: st.DrawFn) -> Field:
    vif = draw(st.sampled_from(VIFS))
    size = draw(st.sampled_from([1, 2, 3, 4, 6]))
    if draw(st.booleans()):
        data_field = {1: 9, 2: 10, 3: 11, 4: 12, 6: 14}[size]
        number = draw(st.integers(0, 10 ** (2 * size) - 1))
        data = bcd(number, size)
    else:
        data_field = {1: 1, 2: 2, 3: 3, 4: 4, 6: 6}[size]
        top = 1 << (8 * size - 1)
        data = draw(st.integers(1 - top, top - 1)).to_bytes(size, "little", signed=True)
    return Field(
        bytes((vif,)),
        data_field,
        data,
        draw(st.integers(0, 40)),
        draw(st.integers(0, 2)),
        draw(st.integers(0, 3)),
        draw(st.integers(0, 3)),
    )


@settings(max_examples=120, deadline=None)
@given(st.lists(fields(), min_size=1, max_size=12))
def test_generated_frames_read_alike(records: list[Field]) -> None:
    data = frame(header(12_345_678), records)
    if len(data) > 255:
        return
    ours, others = mbus.parse(data), theirs(data)
    assert ours.problems == []
    assert len(ours.points) == len(others) == len(records)
    for point, other, record in zip(ours.points, others, records, strict=True):
        unit, factor = THEIR_UNITS[point.unit or ""]
        assert other["unit"].split(".")[-1].removeprefix("MeasureUnit.") in (unit, _enum_name(unit))
        assert point.value is not None
        assert float(Decimal(str(point.value)) * Decimal(factor)) == pytest.approx(
            float(other["value"]), rel=1e-9, abs=1e-12
        )
        assert other["storage_number"] == record.storage
        assert point.name.endswith(f".s{record.storage}") == (record.storage > 0)


def _enum_name(unit: str) -> str:
    return next(each.name for each in meterbus.MeasureUnit if each.value == unit)


def test_a_heat_meter_reads_alike() -> None:
    data = heat_meter(12_345_678, 3)
    ours = {(point.name.split(".")[0], point.unit) for point in mbus.parse(data).points}
    assert len(theirs(data)) == 12
    assert {("energy", "Wh"), ("volume", "L"), ("flow", "L/h"), ("power", "W"), ("supply_temp", "°C")} <= ours
    telegram = meterbus.load(data)
    head = telegram.interpreted["body"]["header"]
    assert (head["manufacturer"], "0x" + "12345678") == (
        "KAM",
        "0x" + head["identification"].replace("0x", "").replace(", ", ""),
    )


def test_a_wrong_frame_would_be_noticed() -> None:
    """One digit changed, and the two no longer agree."""
    record = Field(b"\x13", 12, bcd(1_000, 4))
    (other,) = theirs(frame(header(1), [record]))
    (point,) = mbus.parse(frame(header(1), [Field(b"\x13", 12, bcd(1_001, 4))])).points
    assert float(point.value or 0) / 1000 != pytest.approx(float(other["value"]), rel=1e-9)
