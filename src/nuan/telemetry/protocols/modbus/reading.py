"""What a gateway read → registers → points. Three ways to write registers down are known:

{"device": "S1", "ts": …, "start": 40001, "values": [651, 402, …]}
{"device": "S1", "ts": …, "registers": {"40001": 651, "40002": 402}}          or a list of these
device,time,register,value                                                    CSV with these columns (device and time may be missing)
"""

import csv
import io
from collections.abc import Iterator, Mapping
from datetime import tzinfo
from typing import Any, NamedTuple

from nuan.telemetry.protocols.details import said
from nuan.telemetry.protocols.modbus.registers import RegisterMap
from nuan.telemetry.protocols.mqtt_json.reading import read_json
from nuan.telemetry.protocols.parsed import PAYLOAD_LIMIT, Parsed, PointValue, Problem
from nuan.telemetry.protocols.values import moment
from nuan.terms.places import CHINA

DEVICE_KEYS, TIME_KEYS = ("device", "sn", "slave", "unit_id"), ("ts", "time", "timestamp")
MOST_REGISTERS = 20_000


class _Read(NamedTuple):
    device: str
    time_s: int | None
    registers: dict[int, int]


def parse(
    payload: bytes,
    registers: RegisterMap | Mapping[str, RegisterMap] | None = None,
    device: str | None = None,
    zone: tzinfo = CHINA,
) -> Parsed:
    """`registers`: the map of all devices, or of each. `device`: who it is when the payload does not say (from the topic)."""
    parsed = Parsed()
    reader = _Reader(payload, device, zone, parsed.problems)
    for read in reader.document():
        known = registers.get(read.device) if isinstance(registers, Mapping) else registers
        if known is None:
            points = ((f"r{number}", word, None) for number, word in read.registers.items())
            parsed.points += (PointValue(read.device, name, read.time_s, word, unit) for name, word, unit in points)
            continue
        for point in known.points:
            if all(number in read.registers for number in point.registers):
                value = point.value(read.registers)
                parsed.points.append(PointValue(read.device, point.name, read.time_s, value, point.unit))
            elif any(number in read.registers for number in point.registers):
                reader.problem("register", said("registers_part", point.name))
    return parsed


class _Reader:
    def __init__(self, payload: bytes, device: str | None, zone: tzinfo, problems: list[Problem]) -> None:
        self.payload = payload
        self.device = device
        self.zone = zone
        self.problems = problems

    def problem(self, code: str, detail: str, at: int | None = None) -> None:
        if len(self.problems) < 100:
            self.problems.append(Problem(code, detail[:300], at, self.payload[:PAYLOAD_LIMIT]))

    def document(self) -> Iterator[_Read]:
        if self.payload.lstrip()[:1] in (b"{", b"["):
            node = read_json(self.payload)
            if isinstance(node, Problem):
                self.problems.append(node)
                return
            for each in node if isinstance(node, list) else [node]:
                if isinstance(each, dict):
                    yield from self.one(each)
                else:
                    self.problem("wrong_shape", said("object", "[]"))
        else:
            yield from self.table()

    def one(self, node: Mapping[str, Any]) -> Iterator[_Read]:
        device = next((str(node[key]) for key in DEVICE_KEYS if isinstance(node.get(key), str | int)), self.device)
        if not device:
            self.problem("no_device", "")
            return
        time_s = None
        stamp = next((node[key] for key in TIME_KEYS if node.get(key) is not None), None)
        if stamp is not None:
            time_s = moment(stamp, self.zone)
            if time_s is None:
                self.problem("not_a_time", str(stamp)[:80])
                return
        words = self.words(node)
        if words is not None:
            yield _Read(device, time_s, words)

    def words(self, node: Mapping[str, Any]) -> dict[int, int] | None:
        named, start, values = node.get("registers"), _whole(node.get("start")), node.get("values")
        pairs: list[tuple[Any, Any]]
        if isinstance(named, dict):
            pairs = list(named.items())
        elif start is not None and isinstance(values, list):
            pairs = [(start + n, value) for n, value in enumerate(values)]
        else:
            self.problem("wrong_shape", said("registers_none"))
            return None
        words: dict[int, int] = {}
        for number, value in pairs[:MOST_REGISTERS]:
            self.word(words, number, value)
        return words

    def word(self, words: dict[int, int], number: Any, value: Any, row: int | None = None) -> None:
        register, word = _whole(number), _whole(value)
        if value is None:
            return
        if register is None or word is None or not -32_768 <= word <= 65_535:
            self.problem("register", f"{str(number)[:20]}: {str(value)[:20]}", row)
            return
        words[register] = word & 0xFFFF

    def table(self) -> Iterator[_Read]:
        try:
            text = self.payload.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            self.problem("not_text", said("utf8", error.start), error.start)
            return
        reads: dict[tuple[str, int | None], dict[int, int]] = {}
        try:
            rows = list(csv.DictReader(io.StringIO(text)))
        except csv.Error as error:
            self.problem("wrong_shape", said("csv", str(error)))
            return
        if not rows or not {"register", "value"} <= set(rows[0]):
            self.problem("empty" if not text.strip() else "wrong_shape", said("columns", "device,time,register,value"))
            return
        for number, row in enumerate(rows[:MOST_REGISTERS], 2):
            device = str(row.get("device") or self.device or "")
            stamp = row.get("time") or row.get("ts")
            time_s = moment(stamp, self.zone) if stamp else None
            if not device or (stamp and time_s is None):
                self.problem("not_a_time" if device else "no_device", str(stamp or "")[:80], number)
                continue
            self.word(reads.setdefault((device, time_s), {}), row["register"], row["value"] or None, number)
        for (device, time_s), words in reads.items():
            yield _Read(device, time_s, words)


def _whole(value: Any) -> int | None:
    """A whole number, also as text, also hexadecimal (0x1F)."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        return value
    if isinstance(value, str) and len(value) <= 12 and value.isascii():
        try:
            return int(value, 16) if value.lower().startswith("0x") else int(value)
        except ValueError:
            return None
    try:
        return int(value) if value is not None and value == int(value) else None
    except (TypeError, ValueError, OverflowError, ArithmeticError):
        return None
