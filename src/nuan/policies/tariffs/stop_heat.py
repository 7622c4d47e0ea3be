"""停热: may a home stop heat for a season, and what holds where nobody applied. Dates and grounds stand in the packs."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

from nuan.rules.pack import Pack
from nuan.terms.season import Season

GROUNDS: dict[str, tuple[str, str]] = {
    "first_season": ("新建建筑首个供热期（试供期）", "first season of a new building"),
    "shared_safety": ("可能危害其他用户用热或公共设施安全", "danger to others or to shared facilities"),
    "no_shutoff": ("不具备分户关闭条件", "the home cannot be shut off by itself"),
    "arrears": ("有欠费未清", "arrears"),
    "neighbours_cold": ("停热将使相邻住户室温不达标", "neighbours would fall below the minimum"),
}
CONTINUES = "last_year_continues_unless_paid_by_"
SUPPLIED = "heat_is_supplied"


@dataclass(frozen=True, slots=True)
class StopHeat:
    """`accepted` None: nobody can say, for what stands in `missing`. `grounds` forbid it; `last_day` is the last day to apply."""

    accepted: bool | None
    last_day: date | None
    late: bool
    grounds: tuple[str, ...]
    missing: tuple[str, ...]


def window_end(pack: Pack, season: Season, known_on: date | None = None) -> tuple[date | None, str]:
    """The last day on which an application is in time; else the parameter that is 未载明.

    A named date (10月15日前) is the one next to the season. 三十日前 counts back from its first day, which is not counted.
    """
    first = season.first_day
    named = pack.value("stop_heat.apply_by", first, known_on)
    if named is not None:
        return season.day_named(str(named)), ""
    before = pack.value("stop_heat.apply_days_before", first, known_on)
    if before is None:
        return None, "stop_heat.apply_days_before"
    return first - timedelta(days=int(before)), ""


def stop_heat(
    pack: Pack, season: Season, applied_on: date, facts: Collection[str], known_on: date | None = None
) -> StopHeat:
    """`facts`: the grounds that hold for the home, in the words of GROUNDS; only those that the place names forbid anything."""
    unknown = sorted(set(facts) - GROUNDS.keys())
    if unknown:
        raise ValueError(f"no such ground: {', '.join(unknown)}; known: {', '.join(GROUNDS)}")
    last_day, missing = window_end(pack, season, known_on)
    forbidden = pack.value("stop_heat.forbidden", season.first_day, known_on) or ()
    grounds = tuple(ground for ground in forbidden if ground in facts)
    late = last_day is not None and applied_on > last_day
    accepted = False if grounds or late else None if last_day is None else True
    return StopHeat(accepted, last_day, late, grounds, (missing,) if missing else ())


def on_silence(
    pack: Pack, season: Season, stopped_last_season: bool, paid_in_full_on: date | None, known_on: date | None = None
) -> bool | None:
    """Whether a home that said nothing is stopped this season; None where the place does not say what silence means."""
    rule = pack.value("stop_heat.on_silence", season.first_day, known_on)
    if rule is None:
        return None if stopped_last_season else False
    if rule == SUPPLIED:
        return False
    until = last_day_of_silence(pack, season, known_on)
    if until is None:
        raise ValueError(f"stop_heat.on_silence: {rule!r} is no rule")
    paid = paid_in_full_on is not None and paid_in_full_on <= until
    return stopped_last_season and not paid


def last_day_of_silence(pack: Pack, season: Season, known_on: date | None = None) -> date | None:
    """The last day on which paying in full brings a home back that was stopped before; None where the place has no such day."""
    rule = str(pack.value("stop_heat.on_silence", season.first_day, known_on))
    return season.day_named(rule.removeprefix(CONTINUES)) if rule.startswith(CONTINUES) else None
