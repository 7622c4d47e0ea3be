"""Why a home is cold, from what is known: the way of the heat from the source to the radiator, and where along it the heat gets lost.

Whoever is cold together has the cause in common. A home alone in a warm building has it at home; a column of flats one above the other has it
in their riser; a building beside warm buildings gets too little of the secondary network's water; all homes of a station have it in the station
or before it. Each cause found carries its strength (0…1, an ordering, no probability) and the numbers that speak for it. What nobody measures
speaks for nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Final

WARM_ENOUGH_K: Final = 0.5
"""A neighbour that is so much warmer than the cold home is not cold for the same reason."""
STANDING_H: Final = 48.0
SHORT_K: Final = 2.5
"""运行参数: water that is so much colder than the weather asks for is short of heat."""
RECOVERY_D: Final = 7.0
"""After an interruption rooms need up to a week to come back to where they were."""
MANY: Final = 0.4
"""Share of cold neighbours from which they are cold together."""
FEWEST: Final = 3


@dataclass(frozen=True)
class Neighbours:
    """Rooms beside this home, °C, without it."""

    riser: Sequence[float] = ()
    building: Sequence[float] = ()
    station: Sequence[float] = ()


@dataclass(frozen=True)
class Interruption:
    """`level` and hours ago: when it began and when it ended (None: it goes on)."""

    level: str
    began_h: float
    ended_h: float | None
    planned: bool = False


@dataclass(frozen=True)
class ColdFacts:
    """All of the last 24 hours unless said otherwise; None: not known. `limit_c`: what the home is owed."""

    room_c: float | None
    limit_c: float
    coldest_c: float | None = None
    newest_h: float | None = None
    unchanged_h: float = 0.0
    lowest_jump_k: float = 0.0
    neighbours: Neighbours = field(default_factory=Neighbours)
    top_floor: bool = False
    stop_heat: bool = False
    interruptions: Sequence[Interruption] = ()
    inlet_c: float | None = None
    supply_c: float | None = None
    expected_supply_c: float | None = None
    flow_share: float | None = None
    stations_short: float | None = None
    """Share of the other stations of the same source whose supply is short of what the weather asks for."""
    source_stations: int = 0
    valve_percent: float | None = None
    station_faults: Sequence[str] = ()
    """Kinds of open findings of the station's health that take heat away (fouling, valve_stuck, flow_loss)."""


@dataclass(frozen=True)
class Cause:
    """`key` of `CAUSES`; evidence in sentences of both languages, each with its numbers."""

    key: str
    strength: float
    evidence: tuple[tuple[str, str], ...]

    @property
    def zh(self) -> str:
        return CAUSES[self.key][0]

    @property
    def en(self) -> str:
        return CAUSES[self.key][1]

    @property
    def remedy_zh(self) -> str:
        return CAUSES[self.key][2]

    @property
    def remedy_en(self) -> str:
        return CAUSES[self.key][3]


CAUSES: Final[dict[str, tuple[str, str, str, str]]] = {
    "interrupted": ("停热中", "heat is interrupted", "看停热记录的恢复时间;超过承诺时间要告知住户。", "See when heat comes back; tell the home when it takes longer."),
    "recovering": ("停热后还在升温", "warming up after an interruption", "一般几天内恢复;一周后仍冷再查。", "Rooms come back within days; look again after a week."),
    "stopped": ("本户已报停", "this home has stopped its heat", "核对报停登记。", "Check the register of stopped homes."),
    "source": ("热源供热不足", "the heat source gives too little", "请调度联系热源厂。", "Dispatch calls the heat source."),
    "station": ("换热站供水温度不足", "the substation's supply is too cold", "请调度检查换热站的阀门、换热器和设定。", "Check the station's valve, exchanger and set point."),
    "station_fault": ("换热站设备有异常", "the substation is not well", "见“换热站健康”的发现。", "See the findings on the station's health page."),
    "station_flow": ("换热站流量不足", "too little flow at the substation", "检查循环泵和除污器。", "Check pump and strainer."),
    "unbalance": ("二次网失调,本楼分到的水少", "the secondary network is unbalanced: too little reaches this building", "调本楼入口的平衡阀。", "Adjust the building's balancing valve."),
    "riser": ("本楼立管不热", "this riser does not get warm", "查立管阀门、排气。", "Check the riser's valves and vent it."),
    "home": ("本户的问题", "the cause is in this home", "入户看阀门、过滤网、排气、散热器和门窗。", "Look at valves, strainer, air, radiators and windows in the home."),
    "valve": ("本户阀门关着", "this home's valve is closed", "与住户核对阀门。", "Ask about the valve."),
    "window": ("可能开着窗", "a window may be open", "与住户核对。", "Ask the resident."),
    "sensor": ("测温传感器可疑", "the room sensor is doubtful", "用检定过的温度计入户测一次。", "Measure once with a verified thermometer."),
    "unknown": ("数据不够,说不清", "not enough is known", "入户测温。", "Measure in the home."),
}  # fmt: skip


def causes(facts: ColdFacts) -> list[Cause]:
    """The strongest first; empty when the home is not cold. Never empty for a cold home or one that nobody measures."""
    coldest = facts.room_c if facts.coldest_c is None else facts.coldest_c
    if coldest is not None and coldest >= facts.limit_c and not facts.interruptions:
        return []
    found = [
        *_interrupted(facts), *_stopped(facts), *_sensor(facts), *_before_the_station(facts), *_station(facts),
        *_network(facts), *_home(facts),
    ]  # fmt: skip
    found.sort(key=lambda cause: -cause.strength)
    return found or [Cause("unknown", 0.1, (("附近没有可以比较的读数。", "There is nothing nearby to compare with."),))]


def _interrupted(facts: ColdFacts) -> list[Cause]:
    zh = {"source": "热源", "substation": "换热站", "loop": "环路", "building": "本楼", "home": "本户"}
    found = []
    for each in facts.interruptions:
        where = (zh.get(each.level, each.level), each.level)
        if each.ended_h is None or each.ended_h <= 0:
            kind = ("计划检修", "planned") if each.planned else ("停热", "outage")
            words = (
                f"{where[0]}{kind[0]},已 {each.began_h:.0f} 小时。",
                f"{kind[1]} of the {where[1]} for {each.began_h:.0f} hours.",
            )
            found.append(Cause("interrupted", 0.97, (words,)))
        elif each.ended_h < 24 * RECOVERY_D:
            length = each.began_h - each.ended_h
            words = (
                f"{where[0]}停过 {length:.0f} 小时,{each.ended_h:.0f} 小时前恢复。",
                f"The {where[1]} was off for {length:.0f} hours and came back {each.ended_h:.0f} hours ago.",
            )
            fading = 1 - each.ended_h / (24 * RECOVERY_D)
            found.append(Cause("recovering", 0.85 * fading * min(length / 12, 1.0), (words,)))
    return found


def _stopped(facts: ColdFacts) -> list[Cause]:
    return (
        [Cause("stopped", 0.95, (("本季合同登记为报停。", "The season's contract says: stopped."),))]
        if facts.stop_heat
        else []
    )


def _sensor(facts: ColdFacts) -> list[Cause]:
    beside = _beside(facts)
    if facts.room_c is None or (facts.newest_h is not None and facts.newest_h > 24):
        age = "" if facts.newest_h is None else f"{facts.newest_h:.0f} "
        words = (
            f"已有 {age}小时没有室温。" if age else "本户没有室温读数。",
            f"No room temperature for {age or 'ever: '}hours.",
        )
        return [Cause("sensor", 0.6, (words,))]
    if facts.unchanged_h >= STANDING_H:
        words = (
            f"室温 {facts.unchanged_h:.0f} 小时一直是 {facts.room_c:.1f} °C。",
            f"{facts.room_c:.1f} °C without a change for {facts.unchanged_h:.0f} hours.",
        )
        return [Cause("sensor", 0.9, (words,))]
    if facts.room_c < 8 and len(beside) >= FEWEST and median(beside) > 16:
        words = (
            f"本户 {facts.room_c:.1f} °C,邻居 {median(beside):.1f} °C。",
            f"{facts.room_c:.1f} °C here, {median(beside):.1f} °C beside.",
        )
        return [Cause("sensor", 0.7, (words,))]
    return []


def _short(facts: ColdFacts) -> float | None:
    if facts.supply_c is None or facts.expected_supply_c is None:
        return None
    return facts.expected_supply_c - facts.supply_c


def _supply_words(facts: ColdFacts) -> tuple[str, str]:
    return (
        f"换热站供水 {facts.supply_c:.1f} °C,按天气应有 {facts.expected_supply_c:.1f} °C。",
        f"The station supplies {facts.supply_c:.1f} °C; the weather asks for {facts.expected_supply_c:.1f} °C.",
    )


def _before_the_station(facts: ColdFacts) -> list[Cause]:
    short = _short(facts)
    if short is None or short < SHORT_K or facts.stations_short is None or facts.source_stations < 2:
        return []
    if facts.stations_short < 0.6:
        return []
    words = (
        f"同一热源的 {facts.source_stations} 个站里有 {100 * facts.stations_short:.0f} % 供水不足。",
        f"{100 * facts.stations_short:.0f} % of the source's {facts.source_stations} other stations are short too.",
    )
    return [Cause("source", min(0.6 + short / 20 + 0.2 * facts.stations_short, 0.93), (words, _supply_words(facts)))]


def _station(facts: ColdFacts) -> list[Cause]:
    found = []
    together = _cold_share(facts.neighbours.station, facts.limit_c)
    short = _short(facts)
    if short is not None and short >= SHORT_K:
        words = [_supply_words(facts)]
        if together is not None:
            words.append(
                _share_words("本站其他住户", "of the station's other homes", together, len(facts.neighbours.station))
            )
        found.append(Cause("station", min(0.5 + short / 20 + 0.2 * (together or 0.0), 0.92), tuple(words)))
    if facts.flow_share is not None and facts.flow_share < 0.8:
        words_flow = (
            f"流量只有平时的 {100 * facts.flow_share:.0f} %。",
            f"Flow is {100 * facts.flow_share:.0f} % of what is usual.",
        )
        found.append(Cause("station_flow", min(0.45 + (0.8 - facts.flow_share), 0.9), (words_flow,)))
    if facts.station_faults:
        words_fault = (
            f"换热站健康有 {len(facts.station_faults)} 处未处理的发现。",
            f"{len(facts.station_faults)} open findings of the station's health.",
        )
        found.append(Cause("station_fault", 0.55, (words_fault,)))
    return found


def _network(facts: ColdFacts) -> list[Cause]:
    beside, station = facts.neighbours.building, facts.neighbours.station
    house, all_homes = _cold_share(beside, facts.limit_c), _cold_share(station, facts.limit_c)
    found = []
    if house is not None and house >= MANY and all_homes is not None and all_homes < house / 2:
        apart = median(station) - median(beside)
        words = (
            f"本楼邻居中位 {median(beside):.1f} °C,同站别的楼 {median(station):.1f} °C。",
            f"Median in this building {median(beside):.1f} °C, in the station's others {median(station):.1f} °C.",
        )
        lines = [words, _share_words("本楼邻居", "of the building's neighbours", house, len(beside))]
        if facts.inlet_c is not None and facts.supply_c is not None:
            lines.append(
                (
                    f"楼栋入口 {facts.inlet_c:.1f} °C,站供水 {facts.supply_c:.1f} °C。",
                    f"Inlet {facts.inlet_c:.1f} °C, station {facts.supply_c:.1f} °C.",
                )
            )
        found.append(Cause("unbalance", min(0.5 + 0.12 * max(apart, 0.0), 0.9), tuple(lines)))
    column = _cold_share(facts.neighbours.riser, facts.limit_c)
    if column is not None and column >= 0.6 and (house is None or house < column - 0.2):
        found.append(
            Cause(
                "riser",
                0.55 + 0.3 * column,
                (_share_words("同一立管上下邻居", "of the homes on this riser", column, len(facts.neighbours.riser)),),
            )
        )
    return found


def _home(facts: ColdFacts) -> list[Cause]:
    found = []
    if facts.valve_percent is not None and facts.valve_percent < 5:
        found.append(
            Cause(
                "valve",
                0.85,
                ((f"户阀开度 {facts.valve_percent:.0f} %。", f"Valve {facts.valve_percent:.0f} % open."),),
            )
        )
    if facts.lowest_jump_k <= -2.0:
        found.append(
            Cause(
                "window",
                0.4,
                (
                    (
                        f"一小时内降了 {-facts.lowest_jump_k:.1f} K。",
                        f"Fell by {-facts.lowest_jump_k:.1f} K within an hour.",
                    ),
                ),
            )
        )
    beside = _beside(facts)
    share = _cold_share(beside, facts.limit_c)
    if (
        facts.room_c is not None
        and share is not None
        and share < MANY
        and median(beside) >= facts.room_c + WARM_ENOUGH_K
    ):
        apart = median(beside) - facts.room_c
        words = [
            (
                f"本户 {facts.room_c:.1f} °C,邻居中位 {median(beside):.1f} °C。",
                f"{facts.room_c:.1f} °C here, neighbours' median {median(beside):.1f} °C.",
            )
        ]
        if facts.top_floor:
            words.append(("本户在顶层,散热大。", "It is on the top floor and loses more heat."))
        found.append(Cause("home", min(0.45 + 0.12 * apart, 0.85), tuple(words)))
    return found


def _beside(facts: ColdFacts) -> list[float]:
    near = [*facts.neighbours.building] or [*facts.neighbours.station]
    return near if len(near) >= FEWEST else []


def _cold_share(rooms: Sequence[float], limit_c: float) -> float | None:
    """Share of cold rooms; None with too few to say."""
    return None if len(rooms) < FEWEST else sum(room < limit_c for room in rooms) / len(rooms)


def _share_words(zh: str, en: str, share: float, number: int) -> tuple[str, str]:
    return f"{zh} {number} 户里 {100 * share:.0f} % 也冷。", f"{100 * share:.0f} % {en} ({number}) are cold too."
