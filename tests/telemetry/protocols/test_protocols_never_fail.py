"""Whatever the bytes: a parser returns, its values are numbers or nothing, and what it could not read comes back with its bytes."""

from collections.abc import Callable
from datetime import UTC, datetime
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mbus_writing import heat_meter

from nuan.telemetry.protocols import cjt188, mbus, modbus, mqtt_json, thingsboard, wmbus
from nuan.telemetry.protocols.details import detail_words
from nuan.telemetry.protocols.mbus.layout import walk
from nuan.telemetry.protocols.parsed import PROBLEMS, STATUS, Parsed
from nuan.telemetry.protocols.profile import shipped
from nuan.telemetry.protocols.wmbus.link import with_crcs_a, with_crcs_b

HEAT = cjt188.heat_reply(
    "11110012345678", heat_100=1, settled_100=2, power_100=3, flow_10000=4, volume_100=5, supply_c100=6, return_c100=-7, hours=8,
    local=datetime(2026, 1, 10, tzinfo=UTC),
)  # fmt: skip
RADIO = bytes.fromhex("1a44 2d2c 78563412 01 04 7a 2a 04 0000 0c0645230100 0a5a3406 2f")
REGISTERS = shipped()["substation_rtu_modbus"].registers
JSON = b'{"ts": 1768003200000, "values": {"t": 20.5, "u": "1 MPa", "s": null}, "x": {"value": 1}, "d": [{"sn": "A", "name": "t", "value": 3}]}'

PARSERS: dict[str, tuple[Callable[[bytes], Parsed], list[bytes]]] = {
    "mbus": (mbus.parse, [heat_meter(12_345_678, 1), heat_meter(1, 2) * 2, bytes.fromhex("6813136808057378563412 0A00E97E010000003501 00003C16")]),
    "wmbus": (wmbus.parse, [RADIO, with_crcs_a(RADIO), with_crcs_b(RADIO)]),
    "cjt188": (cjt188.parse, [HEAT, HEAT.hex(" ").encode(), HEAT * 3]),
    "mqtt_json": (lambda data: mqtt_json.parse("nuan/G/D", data), [JSON]),
    "thingsboard": (lambda data: thingsboard.parse("v1/gateway/telemetry", data), [b'{"A": [{"ts": 1768003200000, "values": {"t": 1}}]}']),
    "session limits": (lambda data: thingsboard.parse("v1/devices/me/rpc/request/1", data), [b'{"method": "getSessionLimits"}']),
    "modbus": (lambda data: modbus.parse(data, REGISTERS, "S"), [b'{"start": 40001, "values": [1, 2, 3]}', b"register,value\n40001,1\n"]),
}  # fmt: skip


def holds(parsed: Parsed, payload: bytes) -> None:
    for point in parsed.points:
        assert isinstance(point.device, str)
        assert point.device
        assert isinstance(point.name, str)
        assert point.time_s is None or 0 <= point.time_s < 2**34
        assert set(point.status) <= set(STATUS)
        if point.value is not None:
            assert abs(Fraction(point.value)) < 10**40, "a number whose fraction would take for ever"
    for problem in parsed.problems:
        assert problem.code in PROBLEMS
        assert len(problem.payload) <= 256 << 10
        assert all(detail_words(problem.detail)) or not problem.detail
    assert len(parsed.problems) <= max(100, len(payload))


@pytest.mark.parametrize("name", PARSERS)
def test_any_bytes(name: str) -> None:
    parse, _ = PARSERS[name]

    @settings(max_examples=150, deadline=None)
    @given(st.binary(max_size=400))
    def any_bytes(payload: bytes) -> None:
        holds(parse(payload), payload)

    any_bytes()


@pytest.mark.parametrize("name", PARSERS)
def test_true_messages_with_some_bytes_changed(name: str) -> None:
    parse, true = PARSERS[name]

    @settings(max_examples=250, deadline=None)
    @given(
        st.sampled_from(true),
        st.lists(st.tuples(st.integers(0, 500), st.integers(0, 255)), max_size=6),
        st.integers(0, 400),
    )
    def changed(message: bytes, changes: list[tuple[int, int]], cut: int) -> None:
        data = bytearray(message)
        for at, byte in changes:
            data[at % len(data)] = byte
        holds(parse(bytes(data)), bytes(data))
        holds(parse(bytes(data[: cut % (len(data) + 1)])), bytes(data))

    changed()


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=250))
def test_any_records_behind_a_true_head(block: bytes) -> None:
    """The checksum holds, so the walk over the records sees every kind of nonsense."""
    frame = mbus.long_frame(0x08, 1, 0x72, bytes.fromhex("785634122D2C0104000000 00") + block[:240])
    holds(mbus.parse(frame), frame)
    layout = walk(block)
    assert all(0 <= slot.start <= slot.stop <= len(block) for slot in layout.slots)


@pytest.mark.parametrize("name", ["mbus", "cjt188"])
def test_a_long_stream_of_beginnings_takes_no_long_time(name: str) -> None:
    """68 68 68 …: each byte could begin a frame. Must stay far from quadratic."""
    parse, _ = PARSERS[name]
    for payload in (
        b"\x68" * 65_536,
        b"\x68\x03\x03\x68" * 16_384,
        b"\xe5" * 1_000,
        b"\x10" * 65_536,
        (HEAT[:30] + b"\x00") * 1_000,
    ):
        parsed = parse(payload)
        assert parsed.problems or not payload.strip(b"\xe5")


def test_a_parser_that_fails_would_be_noticed() -> None:
    with pytest.raises(AssertionError):
        holds(Parsed.refused("no such code", "", b""), b"")
