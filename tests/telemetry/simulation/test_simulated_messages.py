"""What a simulated device sends is read back, by the protocol that the intake uses, as exactly the steps that the ledger counts."""

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nuan.telemetry.protocols import cjt188, mbus, mqtt_json, thingsboard
from nuan.telemetry.protocols.parsed import Parsed
from nuan.telemetry.simulation import messages
from nuan.telemetry.simulation.faults import Faults, FaultTextError, damaged
from nuan.telemetry.simulation.messages import METER_POINTS, METER_QUANTITIES, Report
from nuan.terms.quantities import convert, quantity, to_fixed

AT_S = 1_768_003_217
METERS = st.tuples(
    st.integers(0, 999_999), st.integers(0, 99_999_999), st.integers(0, 999_999), st.integers(0, 999_999),
    st.integers(0, 999), st.integers(0, 999),
)  # fmt: skip


def steps_of(parsed: Parsed, wanted: Report) -> dict[str, int]:
    found = {}
    for point in parsed.points:
        if point.name in wanted.values:
            key = wanted.values[point.name][0]
            assert point.value is not None
            found[point.name] = to_fixed(key, convert(Fraction(point.value), point.unit or quantity(key).unit, key))
            assert (point.device, point.time_s) == (wanted.device, wanted.time_s)
    return found


READ: dict[str, Callable[[bytes], Parsed]] = {
    "json": lambda data: mqtt_json.parse("nuan/G/10000042", data),
    "thingsboard": lambda data: thingsboard.parse("v1/gateway/telemetry", data),
    "mbus": mbus.parse,
    "cjt188": cjt188.parse,
}
FORMS: dict[str, Callable[[Report], Parsed]] = {
    "json": lambda report: mqtt_json.parse(f"nuan/G/{report.device}", messages.json_message(report)),
    "thingsboard": lambda report: thingsboard.parse("v1/gateway/telemetry", messages.thingsboard_message([report])),
    "mbus": lambda report: mbus.parse(messages.mbus_message(report)),
    "cjt188": lambda report: cjt188.parse(messages.cjt188_message(report)),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_meter_is_read_back_exactly(form: str) -> None:
    device = "11000000000042" if form == "cjt188" else "10000042"

    @settings(max_examples=150, deadline=None)
    @given(METERS)
    def read_back(numbers: tuple[int, ...]) -> None:
        energy, volume, flow, power, supply, back = numbers
        counted = (energy, volume, flow, power, supply * 10, back * 10)
        values = {name: (key, n) for name, key, n in zip(METER_POINTS, METER_QUANTITIES, counted, strict=True)}
        report = Report(device, AT_S, values)
        parsed = FORMS[form](report)
        assert parsed.problems == []
        assert steps_of(parsed, report) == {name: steps for name, (_, steps) in values.items()}

    read_back()


def test_line_protocol_in_seconds() -> None:
    report = Report("R1", AT_S, {"temp": ("room_temp", -205), "hum": ("room_humidity", 412), "co2": ("room_co2", 640)})
    assert messages.line_message([report]) == b"sim,device=R1 temp=-2.05,hum=41.2,co2=640 1768003217\n"


def test_several_devices_in_one_thingsboard_message() -> None:
    reports = [Report(f"R{n % 2}", AT_S + n, {"temp": ("room_temp", 2000 + n)}) for n in range(4)]
    points = thingsboard.parse("v1/gateway/telemetry", messages.thingsboard_message(reports)).points
    assert sorted((point.device, point.time_s) for point in points) == sorted(
        (each.device, each.time_s) for each in reports
    )


def test_garbage_is_refused_by_every_protocol() -> None:
    """Whether cut or damaged, nothing of it becomes a reading that no ledger knows."""
    values = {name: (key, 100) for name, key in zip(METER_POINTS, METER_QUANTITIES, strict=True)}
    dice = np.random.default_rng(1)
    meter, chinese = Report("10000042", AT_S, values), Report("11000000000042", AT_S, values)
    whole = {
        "json": messages.json_message(meter), "thingsboard": messages.thingsboard_message([meter]),
        "mbus": messages.mbus_message(meter), "cjt188": messages.cjt188_message(chinese),
    }  # fmt: skip
    for form, message in whole.items():
        for _ in range(40):
            parsed = READ[form](damaged(message, dice))
            assert parsed.points == []
            assert parsed.problems != []
    assert damaged(messages.line_message([meter, meter]), dice) == b"sim,device=10000042"


@pytest.mark.parametrize(
    "text", ["", "late", "late=2", "late=200%", "late=2%:x", "tired=1%", "dropout=1%:5", "late=-1%"]
)
def test_a_fault_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(FaultTextError):
        Faults.parse([text])


def test_who_is_ill_is_fixed_by_the_seed() -> None:
    faults = Faults.parse(["stuck=10%", "clock=5%:-900"])
    ill = [device for device in range(2_000) if faults.ill("stuck", device)]
    assert 120 < len(ill) < 280
    assert ill == [device for device in range(2_000) if Faults.parse(["stuck=10%"]).ill("stuck", device)]
    assert faults.seconds("clock") == -900
    assert not any(faults.ill("swapped", device) for device in range(100))
