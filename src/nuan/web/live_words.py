"""Live values and alarms in words: a value with its unit, its age and what is known against it, a limit, a state."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from nuan.operations.network_alarms import PREFIX
from nuan.operations.place_names import names_of
from nuan.records.monitoring.models import Alarm, LivePoint, LiveValue
from nuan.records.registry.models import Home
from nuan.telemetry.alarms.definitions import Kind
from nuan.telemetry.alarms.machine import Event, State, state_of
from nuan.telemetry.live import stale_after_s
from nuan.telemetry.readings import UNTRUSTED, Flag
from nuan.terms.quantities import QUANTITIES, from_fixed
from nuan.web.journal import masked
from nuan.web.wording import pick, say

PRIORITY_COLOURS = {1: "red", 2: "amber", 3: "grey", 4: "grey"}
STATE_COLOURS = {State.RAISED: "red", State.STANDING: "amber", State.PASSED: "grey", State.CLOSED: "green"}
POSITION_WORDS = {"supply": "供水", "return": "回水", "primary": "一次侧", "secondary": "二次侧", "room": ""}


def amount(quantity: str, fixed: int) -> str:
    """
    >>> amount("supply_temp", 4510), amount("flow", 40000), amount("heat_power", 12345)
    ('45.1 °C', '40 m³/h', '1,234.5 kW')
    """
    what = QUANTITIES[quantity]
    number = round(from_fixed(quantity, fixed), 2).normalize()
    return f"{number:,f} {what.unit}"


def quantity_name(quantity: str) -> str:
    what = QUANTITIES.get(quantity)
    return pick(what.zh, what.en) if what else quantity


def duration(seconds: float) -> str:
    """How long something takes or has lasted, in the unit that says it shortest."""
    minutes = int(seconds // 60)
    if minutes < 1:
        return say("{n} 秒", n=int(seconds))
    if minutes < 120:
        return say("{n} 分钟", n=minutes)
    if minutes < 48 * 60:
        return say("{n} 小时", n=minutes // 60)
    return say("{n} 天", n=minutes // 1440)


def ago(moment_s: int, now: datetime) -> str:
    seconds = now.timestamp() - moment_s
    return say("刚刚") if seconds < 60 else say("{t}前", t=duration(seconds))


def flag_words(flags: int) -> str:
    """
    >>> flag_words(int(Flag.STUCK | Flag.LATE)), flag_words(0)
    ('卡死、迟到', '')
    """
    return "、".join(say(flag.zh) for flag in Flag if flag and flag & flags)


@dataclass(frozen=True)
class Shown:
    """One point as a page shows it. `value` is the newest trusted one; `doubt` what is known against a newer one that is not."""

    name: str
    position: str
    value: str
    age: str
    stale: bool
    flags: str
    doubt: str
    quantity: str


def shown(point: LivePoint, live: LiveValue, now: datetime) -> Shown:
    """Missing is never zero: without a trusted value there is a dash, and a stale one says for how long nothing came."""
    limit = stale_after_s(point.quantity)
    silence = now.timestamp() - (live.any_arrival_s if live.any_flags & Flag.FUTURE else live.any_time_s)
    value = "—" if live.value is None else amount(point.quantity, live.value)
    stale = live.time_s is None or now.timestamp() - live.time_s > limit
    if silence > limit:
        age = say("数据已陈旧:{t}没有来数", t=duration(silence))
    elif live.time_s is None:
        age = say("没有可信的数")
    elif stale:
        age = say("{t}没有可信的数", t=duration(now.timestamp() - live.time_s))
    else:
        age = ago(live.time_s, now)
    doubt = ""
    if live.any_flags & UNTRUSTED:
        doubt = flag_words(live.any_flags)
        if not live.any_flags & Flag.MISSING:
            doubt = f"{amount(point.quantity, live.any_value)} {doubt}"
    position = say(POSITION_WORDS.get(point.position, point.position)) if point.position else ""
    return Shown(
        quantity_name(point.quantity), position, value, age, stale, flag_words(live.flags), doubt, point.quantity
    )


def compared(kind: str, quantity: str, value: int | None) -> str:
    """A value or limit of an alarm: an age, a rate, or an amount."""
    if value is None:
        return "—"
    if Kind(kind).in_seconds:
        return duration(value)
    if kind == Kind.STUCK or not quantity:
        return ""
    text = amount(quantity, value)
    return f"{text}/h" if kind == Kind.RATE else text


@dataclass(frozen=True)
class AlarmRow:
    """An alarm as lists show it; places of homes without their door."""

    alarm: Alarm
    state: State
    state_colour: str
    state_words: str
    priority_colour: str
    words: str
    place: str
    what: str
    value: str
    limit: str
    now_value: str
    folded: int
    address: str


def alarm_rows(alarms: Iterable[Alarm]) -> list[AlarmRow]:
    """In the order given. Alarms may carry `folded` (how many stand under them); a few queries for all of them."""
    kept = list(alarms)
    names = place_words({(alarm.level, alarm.place) for alarm in kept})
    homes = dict(Home.objects.filter(code__in={a.place for a in kept if a.level == "home"}).values_list("code", "pk"))
    points = [alarm.point_id for alarm in kept if alarm.point_id]
    live = {row.point_id: row for row in LiveValue.objects.filter(point__in=points)}
    addresses = {code: f"/homes/{pk}/" for code, pk in homes.items()}
    return [
        _row(alarm, names[alarm.level, alarm.place], live.get(alarm.point_id), addresses.get(alarm.place, ""))
        for alarm in kept
    ]


def _row(alarm: Alarm, place: str, live: LiveValue | None, home: str) -> AlarmRow:
    state = state_of(alarm.active, alarm.acknowledged)
    current = ""
    if alarm.active and live is not None and live.value is not None and alarm.kind in {Kind.HIGH, Kind.LOW}:
        current = amount(alarm.quantity, live.value)
    sign = {"low": "<", "stuck": ""}.get(alarm.kind, ">")
    limit = compared(alarm.kind, alarm.quantity, alarm.limit_on)
    return AlarmRow(
        alarm,
        state,
        STATE_COLOURS[state],
        say(state.zh),
        PRIORITY_COLOURS[alarm.priority],
        pick(alarm.words_zh, alarm.words_en),
        place,
        quantity_name(alarm.quantity) if alarm.quantity else "",
        compared(alarm.kind, alarm.quantity, alarm.value),
        f"{sign} {limit}".strip(),
        current,
        getattr(alarm, "folded", 0),
        home or (f"/live/{alarm.station_code}/" if alarm.station_code else "") or _on_the_network(alarm),
    )


def _on_the_network(alarm: Alarm) -> str:
    """A pipe that may leak leads to what would have to be done about it."""
    if not alarm.code.startswith(PREFIX):
        return ""
    way = f"broken/?{urlencode({'pipe': alarm.place})}" if alarm.level == "pipe" else ""
    return f"/network/{alarm.company_code}/{way}"


def place_words(places: set[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Names of places; a home by building, entrance and floor."""
    homes = {code for level, code in places if level == "home"}
    names = names_of({place for place in places if place[0] != "home"})
    found = {home.code: masked(home) for home in Home.objects.filter(code__in=homes).select_related("building")}
    return names | {("home", code): found.get(code, say("住户")) for code in homes}


def event_words(event: str) -> str:
    return say(Event(event).zh)


def state_words(state: str) -> str:
    return say(State(state).zh)
