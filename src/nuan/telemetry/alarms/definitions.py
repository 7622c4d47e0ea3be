"""What is an alarm: a table of definitions by quantity and asset level. The shipped table (`definitions.yaml`) holds engineering defaults.

None of its numbers comes from law: they are 运行参数 that a company or the city sets as it needs, for all its points or for one place.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any, Self

import yaml

from nuan.terms.places import Level
from nuan.terms.quantities import QUANTITIES, QuantityTextError, from_fixed, to_fixed

GATEWAY = "gateway"
ANY = "*"
LEVELS = frozenset({Level.SOURCE, Level.SUBSTATION, Level.LOOP, Level.BUILDING, Level.HOME, GATEWAY})
ROLES = frozenset({"dispatch", "crew", "desk", "finance", "banner", "city"})


class Kind(StrEnum):
    """What is compared with the limits. `SILENT` is a whole station, source or gateway from which nothing comes any more."""

    HIGH = "high"
    LOW = "low"
    RATE = "rate"
    DEVIATION = "deviation"
    STALE = "stale"
    STUCK = "stuck"
    SILENT = "silent"

    @property
    def zh(self) -> str:
        return _KIND_ZH[self]

    @property
    def in_seconds(self) -> bool:
        """Limits are ages, not values of the quantity."""
        return self in {Kind.STALE, Kind.SILENT}


_KIND_ZH = {
    Kind.HIGH: "过高", Kind.LOW: "过低", Kind.RATE: "变化过快", Kind.DEVIATION: "偏离设定", Kind.STALE: "数据陈旧",
    Kind.STUCK: "卡死", Kind.SILENT: "通信中断",
}  # fmt: skip


class DefinitionError(ValueError):
    """A definition that cannot be watched; the sentence says why, in Chinese and English."""

    def __init__(self, code: str, zh: str, en: str) -> None:
        self.zh, self.en = zh, en
        super().__init__(f"{code}：{zh} / {en}")


@dataclass(frozen=True, slots=True)
class Definition:
    """`limit_on` raises, `limit_off` clears (hysteresis): fixed-point of the quantity (RATE: steps an hour), or seconds (STALE, SILENT).

    The condition has to last `delay_on_s` before it is raised, and to stay away for `delay_off_s` before it is cleared. `outage`: whatever
    hangs on the place is folded under this alarm. `recover_s`: what was folded and is still bad when the outage is over comes out only after
    this long; rooms warm slowly. `company` and `place` say for whom the definition was changed; empty: for all.
    """

    code: str
    kind: Kind
    level: str
    quantity: str
    limit_on: int
    limit_off: int
    zh: str
    en: str
    priority: int
    delay_on_s: int = 0
    delay_off_s: int = 0
    recover_s: int = 0
    position: str = ""
    against: str = ""
    outage: bool = False
    enabled: bool = True
    tell: tuple[str, ...] = ("dispatch",)
    escalate_min: int = 0
    escalate_to: tuple[str, ...] = ()
    company: str = ""
    place: str = ""

    def __post_init__(self) -> None:
        refusal = _refusal(self)
        if refusal is not None:
            raise DefinitionError(self.code, *refusal)

    def changed(self, **values: Any) -> Self:
        """The same with other limits, delays, words or listeners; raises DefinitionError."""
        return replace(self, **values)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"kind": str(self.kind), "tell": list(self.tell), "escalate_to": list(self.escalate_to)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        listed = {"tell": tuple(values["tell"]), "escalate_to": tuple(values["escalate_to"])}
        return cls(**{**values, **listed, "kind": Kind(values["kind"])})


def _refusal(d: Definition) -> tuple[str, str] | None:
    if d.level not in LEVELS or (d.level == GATEWAY and d.kind != Kind.SILENT):
        return f"不认识的层级“{d.level}”", f"unknown level “{d.level}”"
    if d.kind == Kind.SILENT and (d.quantity or d.level not in {Level.SOURCE, Level.SUBSTATION, GATEWAY}):
        return "通信中断针对整个热源、换热站或网关", "silent is said of a whole source, substation or gateway"
    if d.kind != Kind.SILENT and d.quantity not in QUANTITIES and not (d.quantity == ANY and _any_fits(d.kind)):
        return f"不认识的物理量“{d.quantity}”", f"unknown quantity “{d.quantity}”"
    if (d.kind == Kind.DEVIATION) != bool(d.against) or (d.against and not _same_unit(d.quantity, d.against)):
        return "偏离告警要写明与哪个同单位的量相比", "a deviation is from another quantity of the same unit"
    rising = d.kind != Kind.LOW
    if (d.limit_off > d.limit_on) if rising else (d.limit_off < d.limit_on):
        return "解除限值要比触发限值宽松（回差）", "the limit that clears lies on the safe side of the one that raises"
    if d.kind in {Kind.RATE, Kind.DEVIATION, Kind.STALE, Kind.SILENT} and d.limit_on <= 0:
        return "触发限值要大于零", "the limit is greater than zero"
    if d.priority not in {1, 2, 3, 4} or min(d.delay_on_s, d.delay_off_s, d.recover_s, d.escalate_min) < 0:
        return "优先级为 1 到 4，延时和升级时间不能为负", "priority is 1 to 4; delays and minutes are not negative"
    if set(d.tell) - ROLES or set(d.escalate_to) - ROLES or (d.escalate_to and not d.escalate_min):
        return "通知对象是角色；有升级对象就要写升级分钟数", "listeners are roles; escalation needs its minutes"
    if not d.zh.strip() or not d.en.strip():
        return "要写告警文字", "an alarm needs words"
    return None


def _any_fits(kind: Kind) -> bool:
    return kind in {Kind.STALE, Kind.STUCK}


def _same_unit(quantity: str, against: str) -> bool:
    return against in QUANTITIES and QUANTITIES[against].unit == QUANTITIES[quantity].unit


def to_limit(kind: Kind, quantity: str, text: str | int | float) -> int:
    """A limit as people write it (in the quantity's unit, or in seconds) as a whole number; raises QuantityTextError.

    >>> to_limit(Kind.LOW, "supply_temp", "30.5"), to_limit(Kind.STALE, "*", "7200")
    (3050, 7200)
    """
    if kind.in_seconds or kind == Kind.STUCK:
        try:
            return int(text)
        except ValueError:
            raise QuantityTextError(f"“{text}” 不是整秒数 / not a whole number of seconds") from None
    return to_fixed(quantity, str(text))


def limit_text(kind: Kind, quantity: str, limit: int) -> str:
    """The number alone, as a form shows it.

    >>> limit_text(Kind.LOW, "supply_temp", 3050), limit_text(Kind.SILENT, "", 1800)
    ('30.5', '1800')
    """
    if kind.in_seconds or kind == Kind.STUCK:
        return str(limit)
    return f"{from_fixed(quantity, limit).normalize():f}"


@cache
def shipped() -> Mapping[str, Definition]:
    """The table that comes with Nuan, by code, in its order: most urgent first."""
    rows = yaml.safe_load((files("nuan.telemetry.alarms") / "definitions.yaml").read_text(encoding="utf-8"))
    found = {}
    for code, row in rows.items():
        kind, quantity = Kind(row["kind"]), row.get("quantity", "")
        values: dict[str, Any] = {
            name: value for name, value in row.items() if name not in {"raise_at", "clear_at", "note"}
        }
        values |= {"code": code, "kind": kind, "quantity": quantity}
        values |= {name: tuple(row[name]) for name in ("tell", "escalate_to") if name in row}
        for name, short in (("limit_on", "raise_at"), ("limit_off", "clear_at")):
            values[name] = to_limit(kind, quantity, row.get(short, 0))
        found[code] = Definition(**values)
    return found


def in_force(changes: Iterable[Definition]) -> dict[str, list[Definition]]:
    """For each code what applies, widest first: the shipped or city's definition, those of companies, those of single places."""
    result = {code: [definition] for code, definition in shipped().items()}
    for change in sorted(changes, key=lambda d: (bool(d.place), bool(d.company), d.company, d.place)):
        if change.code not in result:
            continue  # a code that this edition does not ship any more watches nothing
        if not change.company and not change.place:
            result[change.code][0] = change
        else:
            result[change.code].append(change)
    return result
