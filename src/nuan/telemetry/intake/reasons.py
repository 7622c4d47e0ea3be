"""Why a message went to the dead letters: what the intake itself refuses. What a protocol cannot read stands in `protocols.parsed`."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from nuan.telemetry.protocols.parsed import PROBLEMS

REFUSALS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType({
    "unknown_gateway": ("没有这个网关", "no such gateway, or it is closed"),
    "unknown_device": ("设备未在此网关登记", "the device is not registered behind this gateway"),
    "unknown_point": ("设备模板里没有这个测点", "the device's profile has no such point"),
    "line": ("不符合行协议语法", "not a line of the line protocol"),
    "cardinality": ("超过网关的测点数上限", "more series than the gateway's limit allows"),
    "wrong_unit": ("单位与测点不符", "the unit does not fit the point"),
    "value_range": ("数值无法存储", "the value cannot be stored"),
    "clock_ahead": ("设备时钟超前过多", "the device's clock is too far ahead"),
    "clock_behind": ("设备时钟落后过多", "the device's clock is too far behind"),
    "rate": ("超过网关的速率上限", "more readings than the gateway's limit allows"),
    "too_large": ("报文超过大小上限", "the message is larger than allowed"),
    "flood": ("同类死信过多，已合并", "too many of this kind within a minute: counted in one"),
    "parser": ("解析程序出错", "the parser itself failed"),
})  # fmt: skip
REASONS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType({**PROBLEMS, **REFUSALS})
"""code → words for a person (中文, English)."""
