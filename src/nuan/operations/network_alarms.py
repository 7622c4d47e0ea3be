"""What the network warns of, as a table. The engine of the points (`alarm_tick`) leaves alarms of these codes to `network_watch`."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

PREFIX: Final = "network_"


@dataclass(frozen=True)
class NetworkAlarm:
    """A kind of warning: which way the limit lies, of which quantity, its words, who is told."""

    code: str
    kind: str
    quantity: str
    priority: int
    zh: str
    en: str
    tell: tuple[str, ...] = ("dispatch",)
    escalate_min: int = 0
    escalate_to: tuple[str, ...] = ()


def _table(*rows: NetworkAlarm) -> Mapping[str, NetworkAlarm]:
    return MappingProxyType({row.code: row for row in rows})


NETWORK_ALARMS: Final = _table(
    NetworkAlarm("network_burst", "high", "make_up_flow", 1, "管网可能爆管", "the network may have burst", ("dispatch", "crew"), 5, ("city",)),
    NetworkAlarm("network_leak", "high", "make_up_flow", 2, "管网可能泄漏", "the network may leak", ("dispatch",), 30, ("city",)),
    NetworkAlarm("network_soaked", "high", "", 3, "管沟可能进水或保温受潮", "a duct may be flooded or its insulation wet"),
    NetworkAlarm("network_low_dp", "low", "pressure", 2, "站端压差不足", "too little pressure difference at the station", ("dispatch",), 30, ("city",)),
    NetworkAlarm("network_boiling", "low", "pressure", 1, "供水压力接近汽化", "supply pressure near boiling", ("dispatch",), 10, ("city",)),
    NetworkAlarm("network_air", "low", "pressure", 2, "压力过低，可能倒空吸气", "pressure so low that pipes may draw air"),
    NetworkAlarm("network_overpressure", "high", "pressure", 1, "管网超压", "pressure above what pipes are rated for", ("dispatch",), 10, ("city",)),
    NetworkAlarm("network_cold", "high", "heat_power", 2, "站端得不到所需的热量", "the station does not get the heat it asks for"),
)  # fmt: skip
LIMIT_CODES: Final = frozenset(
    {"network_low_dp", "network_boiling", "network_air", "network_overpressure", "network_cold"}
)
LEAK_CODES: Final = frozenset({"network_burst", "network_leak", "network_soaked"})
