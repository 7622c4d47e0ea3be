"""What every protocol but the line protocol returns: values of named points, notes on devices, problems, answers to send."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import NamedTuple

Number = Fraction | Decimal | int | float
PAYLOAD_LIMIT = 256 << 10
"""A problem keeps at most so many bytes of what could not be read: as much as a message may have."""


class PointValue(NamedTuple):
    """One value as the device said it. A named tuple, because a core makes half a million of them a second.

    `device` is the name that the device goes by in its protocol (serial number, address), `name` the point's name there.
    `time_s`: UTC epoch seconds; None when the device gave no time, and the arrival stands in.
    `value`: exact where the wire is exact; None when the device said that it has none (missing, never zero).
    `unit`: a key of `terms.quantities.UNITS` when the frame itself names the unit, else None and the point's scale counts.
    `status`: codes of `STATUS` that the device reported together with the value.
    """

    device: str
    name: str
    time_s: int | None
    value: Number | None
    unit: str | None = None
    status: tuple[str, ...] = ()


class Problem(NamedTuple):
    """What could not be read: `code` of `PROBLEMS`, `at` the byte, line or element where it was seen, and the bytes themselves."""

    code: str
    detail: str
    at: int | None = None
    payload: bytes = b""


class DeviceNote(NamedTuple):
    """Something said about a device that is no measurement: `kind` is connect, disconnect, attributes or identity."""

    device: str
    kind: str
    facts: Mapping[str, str] = MappingProxyType({})


class Reply(NamedTuple):
    """A message that the protocol wants sent back. Not a reading, so it may go out before anything is on disk."""

    topic: str
    payload: bytes


@dataclass(slots=True)
class Parsed:
    """A message read as far as it can be read: good points stand beside the problems of the others."""

    points: list[PointValue] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    notes: list[DeviceNote] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)

    @classmethod
    def refused(cls, code: str, detail: str, payload: bytes, at: int | None = None) -> "Parsed":
        """Nothing of it could be read."""
        return cls(problems=[Problem(code, detail, at, payload[:PAYLOAD_LIMIT])])

    def add(self, other: "Parsed") -> None:
        self.points += other.points
        self.problems += other.problems
        self.notes += other.notes
        self.replies += other.replies


PROBLEMS: Mapping[str, tuple[str, str]] = MappingProxyType({
    "empty": ("空报文", "the message is empty"),
    "too_long": ("报文过长", "the message is too long"),
    "not_text": ("不是 UTF-8 文本", "not UTF-8 text"),
    "not_json": ("不是 JSON", "not JSON"),
    "wrong_shape": ("结构不对", "not a shape that this protocol knows"),
    "wrong_topic": ("主题不符合模板", "the topic does not fit the template"),
    "no_device": ("没有写明是哪台设备", "no device is named"),
    "not_a_number": ("不是数", "not a number"),
    "not_a_time": ("不是时间", "not a time"),
    "no_frame": ("找不到帧", "no frame was found"),
    "junk": ("帧外多余的字节", "bytes that belong to no frame"),
    "cut": ("报文不完整", "the frame is cut short"),
    "length": ("长度字节不一致", "the length does not fit"),
    "checksum": ("校验和错误", "the checksum is wrong"),
    "end_byte": ("没有结束符", "the end byte is missing"),
    "address": ("地址不是十进制数", "the address is not decimal"),
    "control": ("控制码不认识", "the control code is not known"),
    "encrypted": ("报文已加密，未提供密钥解密", "the frame is encrypted; Nuan reads unencrypted frames only"),
    "unknown_frame": ("帧类型不认识", "this kind of frame is not known"),
    "record": ("数据记录读不出来", "a data record cannot be read"),
    "bcd": ("不是 BCD 数字", "not a number in BCD"),
    "unit": ("单位代码不认识", "the unit code is not known"),
    "device_error": ("设备报告错误", "the device answers with an error"),
    "register": ("寄存器读不出来", "a register cannot be read"),
})  # fmt: skip
"""code → what happened, in words for a person (中文, English)."""

STATUS: Mapping[str, tuple[str, str]] = MappingProxyType({
    "busy": ("设备忙", "busy"),
    "any_error": ("设备报告错误", "the device reports an error"),
    "abnormal": ("异常", "abnormal condition"),
    "low_battery": ("电池电量低", "battery low"),
    "permanent_error": ("永久故障", "permanent error"),
    "temporary_error": ("暂时故障", "temporary error"),
    "specific_1": ("厂家状态位 1", "manufacturer's status bit 1"),
    "specific_2": ("厂家状态位 2", "manufacturer's status bit 2"),
    "specific_3": ("厂家状态位 3", "manufacturer's status bit 3"),
    "error_state": ("故障期间的值", "value during an error state"),
    "overflow": ("超出显示范围", "the value does not fit the display"),
    "valve_closed": ("阀门关闭", "valve closed"),
    "valve_fault": ("阀门异常", "valve faulty"),
    "sensor_fault": ("传感器故障", "sensor faulty"),
    "empty_pipe": ("空管", "pipe without water"),
})  # fmt: skip
"""code → what the device said about itself (中文, English)."""
