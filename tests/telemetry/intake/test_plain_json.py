"""What is read the quick way is read as the protocol reads it."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nuan.telemetry.intake.plain_json import plain
from nuan.telemetry.protocols import mqtt_json

names = st.sampled_from(
    ["t", "supply_temp", "供水", "value", "unit", "VALUES", "values", "ts", "TS", "time", "device", "name", "data"]
)
numbers = st.one_of(
    st.integers(-(10**16), 10**16), st.decimals(-10_000, 10_000, places=4).map(float), st.sampled_from([1768003200, 1768003200123])
)  # fmt: skip
odd = st.one_of(st.none(), st.booleans(), st.text(max_size=3), st.just("20.5 ℃"), st.just([]))
flat = st.dictionaries(names, st.one_of(numbers, numbers, odd), max_size=4)
nested = st.dictionaries(names, st.one_of(numbers, flat), max_size=3)


def quickly(payload: bytes) -> dict[tuple[str, int | None], Any] | None:
    found = plain(payload)
    if found is None:
        return None
    time_s, values, time_key = found
    return {(name, time_s): value for name, value in values.items() if name != time_key}


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
@given(document=st.one_of(flat, nested))
def test_both_ways_read_alike(document: dict[str, Any]) -> None:
    payload = json.dumps(document).encode()
    found = quickly(payload)
    if found is not None:
        parsed = mqtt_json.parse("nuan/G1/D1", payload)
        assert parsed.problems == []
        assert {(point.name, point.time_s): float(point.value or 0) for point in parsed.points} == pytest.approx(found)
        assert {point.device for point in parsed.points} <= {"D1"}


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{",
        b"[]",
        b"3",
        b'{"t": "20.5"}',
        b'{"t": null}',
        b'{"t": true}',
        b'{"ts": "2026-01-01 08:00", "t": 1}',
        b'{"ts": 5, "t": 1}',
        b'{"device": "D2", "t": 1}',
        b'{"values": {"t": 1}, "rssi": 3}',
        b'{"values": {"ts": 1768003200, "t": 1}}',
        b'{"t": 1e300}',
        b"\xff\xfe",
    ],
)
def test_anything_else_is_left_to_the_protocol(payload: bytes) -> None:
    assert plain(payload) is None
