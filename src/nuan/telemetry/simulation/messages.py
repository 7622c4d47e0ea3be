"""Reports of simulated devices → the bytes that such devices send, exactly: what the store will keep is what the ledger says."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from nuan.telemetry.protocols import cjt188
from nuan.telemetry.protocols.mbus import long_frame
from nuan.telemetry.protocols.mbus.header import maker_bytes
from nuan.terms.places import CHINA_OFFSET_S
from nuan.terms.quantities import quantity

MEASUREMENT = "sim"
METER_POINTS = ("energy", "volume", "flow", "power", "supply_temp", "return_temp")
METER_QUANTITIES = ("heat_energy", "water_volume", "flow", "heat_power", "supply_temp", "return_temp")


class Report(NamedTuple):
    """One device at one time. `values`: point name → (quantity, steps of its resolution)."""

    device: str
    time_s: int
    values: Mapping[str, tuple[str, int]]


def decimal_text(key: str, steps: int) -> str:
    """
    >>> decimal_text("room_temp", -205), decimal_text("heat_energy", 12)
    ('-2.05', '12')
    """
    denominator = quantity(key).resolution.denominator
    if denominator == 1:
        return str(steps)
    whole, part = divmod(abs(steps), denominator)
    return f"{'-' if steps < 0 else ''}{whole}.{part:0{len(str(denominator)) - 1}d}"


def _object(report: Report) -> str:
    return ",".join(f'"{name}":{decimal_text(key, steps)}' for name, (key, steps) in report.values.items())


def json_message(report: Report) -> bytes:
    """`{"ts": ms, "values": {…}}`; the topic names the device."""
    return f'{{"ts":{report.time_s * 1000},"values":{{{_object(report)}}}}}'.encode()


def thingsboard_message(reports: Sequence[Report]) -> bytes:
    entries: dict[str, list[str]] = {}
    for report in reports:
        entries.setdefault(report.device, []).append(f'{{"ts":{report.time_s * 1000},"values":{{{_object(report)}}}}}')
    return (
        "{" + ",".join(f"{json.dumps(device)}:[{','.join(all_)}]" for device, all_ in entries.items()) + "}"
    ).encode()


def line_message(reports: Sequence[Report], measurement: str = MEASUREMENT, tag: str = "device") -> bytes:
    """Line protocol, times in seconds."""
    rows = []
    for report in reports:
        fields = ",".join(f"{name}={decimal_text(key, steps)}" for name, (key, steps) in report.values.items())
        rows.append(f"{measurement},{tag}={report.device} {fields} {report.time_s}")
    return ("\n".join(rows) + "\n").encode()


def local(time_s: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=time_s + CHINA_OFFSET_S)


def _steps(report: Report, name: str) -> int | None:
    found = report.values.get(name)
    return None if found is None else found[1]


def mbus_message(report: Report, access: int = 0) -> bytes:
    """A heat meter's reply: kWh, 10 L, L/h, 100 W, 0.1 °C, and its clock to the second (type I). A point without value is left out."""
    at = local(report.time_s)
    year = at.year % 100
    clock = bytes((at.second, at.minute, at.hour, at.day | (year & 7) << 5, at.month | (year >> 3) << 4, 0))
    records = b"\x06\x6d" + clock
    for name, vif, size, divisor in (
        ("energy", 0x06, 4, 1), ("volume", 0x14, 4, 1), ("flow", 0x3B, 3, 1), ("power", 0x2D, 3, 1),
        ("supply_temp", 0x5A, 2, 10), ("return_temp", 0x5E, 2, 10),
    ):  # fmt: skip
        steps = _steps(report, name)
        if steps is not None:
            records += bytes(({4: 0x0C, 3: 0x0B, 2: 0x0A}[size], vif)) + bcd(steps // divisor, size)
    head = bytes.fromhex(report.device)[::-1] + maker_bytes("NUA") + bytes((1, 4, access & 0xFF, 0, 0, 0))
    return long_frame(0x08, 1, 0x72, head + records)


def bcd(count: int, size: int) -> bytes:
    """Low byte first. A number that does not fit is a ValueError: a frame that says another number would make the ledger a liar."""
    if not 0 <= count < 100**size:
        raise ValueError(f"{count} does not fit into {size} bytes")
    return bytes.fromhex(f"{count:0{2 * size}d}")[::-1]


def cjt188_message(report: Report, serial: int = 0) -> bytes:
    """A heat meter's answer to 901FH. All six points must be there: the frame has no way to leave one out."""
    heat, volume, flow, power, supply, back = (report.values[name][1] for name in METER_POINTS)
    return cjt188.heat_reply(
        report.device, heat_100=heat * 100, settled_100=0, power_100=power * 10, flow_10000=flow * 10, volume_100=volume,
        supply_c100=supply, return_c100=back, hours=0, local=local(report.time_s), serial=serial & 0xFF,
    )  # fmt: skip
