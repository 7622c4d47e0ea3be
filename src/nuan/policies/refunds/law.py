"""A pack compiled for one season: plain integers for the kernels, and the open questions with their candidates."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuan.rules.interpretation import Interpretation
from nuan.rules.pack import Pack
from nuan.rules.parameter import DatedValue
from nuan.terms.places import DAY_S, HOUR_S, day_number, day_start, local_day, to_epoch
from nuan.terms.season import Season, SeasonRule


@dataclass(frozen=True, slots=True)
class Tier:
    """`low`/`high` in 0.01 °C, `None` = no edge; percent of the day fee."""

    low: int | None
    low_inclusive: bool
    high: int | None
    high_inclusive: bool
    percent: int
    quote: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """The season for the kernels: moments in epoch seconds, local day numbers, and the two possible denominators."""

    start_s: int
    end_s: int
    first_day: int
    last_day: int
    days_inclusive: int
    days_elapsed: int
    months: int

    @classmethod
    def of(cls, season: Season, days: int | None = None) -> "Span":
        """`days` overrides the denominator (a contract may name it)."""
        start_s, end_s = to_epoch(season.start), to_epoch(season.end)
        inclusive = (season.last_day - season.first_day).days + 1
        elapsed = (end_s - start_s) // DAY_S
        return cls(
            start_s,
            end_s,
            local_day(start_s),
            local_day(end_s - 1),
            days or inclusive,
            days or elapsed,
            season.months,
        )

    def days(self, option: str) -> int:
        return self.days_elapsed if option == "elapsed" else self.days_inclusive


@dataclass(frozen=True)
class RefundLaw:
    """What a pack says about refunds in one season; `None` = 未载明.

    The numbers hold from local day `since_day` on, to the next of `later` or the season's end. `later` is empty in the common
    season, in which nothing changes; rules that meet it judge each piece by its own numbers.
    """

    pack: Pack
    span: Span
    at: date
    known_on: date | None
    threshold_s: int | None
    threshold_inclusive: bool
    cumulative_s: int | None
    temperature_kind: str | None
    tiers: tuple[Tier, ...]
    persist_s: int
    persist_inclusive: bool
    min_temp_c100: int | None
    fails: int | None
    window_days: int | None
    months: int | None
    presumptions: Mapping[str, str | None]
    aggregate: str | None
    session_days: int
    session_slots: int
    session_hours: tuple[int, int]
    since_day: int
    later: tuple["RefundLaw", ...] = ()

    @property
    def pieces(self) -> tuple["RefundLaw", ...]:
        """One law for each stretch of the season, in order, none of which changes."""
        return (replace(self, later=()), *self.later) if self.later else (self,)

    def piece_of(self, time_s: NDArray[np.int64]) -> NDArray[np.int64]:
        """Which of `pieces` holds at each moment."""
        return np.searchsorted([day_start(each.since_day) for each in self.later], time_s, side="right").astype(
            np.int64
        )

    def on(self, time_s: int) -> "RefundLaw":
        """The piece that holds at a moment."""
        return self.pieces[int(self.piece_of(np.array([time_s]))[0])]

    def source(self, key: str) -> DatedValue:
        return self.pack.parameter(key).at(self.at, self.known_on)

    def question(self, key: str) -> Interpretation:
        return self.pack.interpretation(key, self.at, self.known_on)

    def candidates(self, key: str) -> tuple[str, ...]:
        """The options that may hold. A stated `overlap: undecidable` leaves both readings open."""
        found = self.question(key).candidates
        if key == "overlap":
            return tuple(option for option in found if option != "undecidable") or ("favour_user", "favour_company")
        return found


PRESUMPTIONS = (
    "measure.user_refuses",
    "measure.user_unsigned",
    "measure.company_absent",
    "measure.company_unsigned",
    "measure.company_no_record",
)

DATED = (
    "refund_outage.threshold_h",
    "refund_outage.cumulative_days",
    "refund_temperature.kind",
    "refund_temperature.tiers",
    "refund_temperature.persist_h",
    "temperature.bedroom_min",
    "refund_month.fails",
    "refund_month.window_days",
    "refund_month.months",
    *PRESUMPTIONS,
    "measure.aggregate",
    "measure.days",
    "measure.slots",
    "measure.hour_from",
    "measure.hour_to",
)
"""The numbers that a law is compiled from."""


def hundredths(value: Any) -> int:
    """0.01 °C from a YAML number: 16 → 1600, 17.5 → 1750, "17.99" → 1799."""
    from fractions import Fraction

    exact = Fraction(str(value)) * 100
    if exact.denominator != 1:
        raise ValueError(f"{value} °C has more than two decimals")
    return int(exact)


def season_rule(pack: Pack, at: date, known_on: date | None = None) -> SeasonRule | None:
    """The place's season, `None` where the pack does not say when it heats."""
    start, end = (pack.value(key, at, known_on) for key in ("season.start", "season.end"))
    if start is None or end is None:
        return None
    start_month, start_day = (int(part) for part in str(start).split("-"))
    end_month, end_day = (int(part) for part in str(end).split("-"))
    return SeasonRule(
        start_month,
        start_day,
        end_month,
        end_day,
        str(pack.value("season.start_time", at, known_on) or "00:00"),
        str(pack.value("season.end_time", at, known_on) or "24:00"),
    )


def refund_law(
    pack: Pack, season: Season, known_on: date | None = None, days: int | None = None, at: date | None = None
) -> RefundLaw:
    """Compile `pack` for `season`. `days` overrides the season's day count.

    Each day has its own law; with `at` the law of that one day holds for the whole season.
    """
    span = Span.of(season, days)
    if at is not None:
        return _compiled(pack, span, at, known_on)
    changes = {day for key in DATED for day in pack.parameter(key).changes()}
    days_of_change = sorted(day for day in changes if season.first_day < day <= season.last_day)
    found = [_compiled(pack, span, season.first_day, known_on)]
    for day in days_of_change:
        piece = _compiled(pack, span, day, known_on)
        if _numbers(piece) != _numbers(found[-1]):
            found.append(piece)
    return replace(found[0], later=tuple(found[1:])) if len(found) > 1 else found[0]


def _numbers(law: RefundLaw) -> RefundLaw:
    """The law without the day from which it is asked, so that a new edition with the same numbers is no change."""
    return replace(law, at=date.min, since_day=0)


def _compiled(pack: Pack, span: Span, at: date, known_on: date | None) -> RefundLaw:
    def value(key: str) -> Any:
        return pack.value(key, at, known_on)

    def seconds(key: str, unit_s: int) -> int | None:
        number = value(key)
        return None if number is None else round(float(number) * unit_s)

    tiers = tuple(
        Tier(
            None if row.get("low") is None else hundredths(row["low"]),
            bool(row.get("low_inclusive", True)),
            None if row.get("high") is None else hundredths(row["high"]),
            bool(row.get("high_inclusive", False)),
            int(row["percent"]),
            str(row.get("quote", "")),
        )
        for row in value("refund_temperature.tiers") or ()
    )
    minimum = value("temperature.bedroom_min")
    return RefundLaw(
        pack=pack,
        span=span,
        at=at,
        known_on=known_on,
        threshold_s=seconds("refund_outage.threshold_h", HOUR_S),
        threshold_inclusive=pack.parameter("refund_outage.threshold_h").at(at, known_on).compare == ">=",
        cumulative_s=seconds("refund_outage.cumulative_days", DAY_S),
        temperature_kind=value("refund_temperature.kind"),
        tiers=tiers,
        persist_s=seconds("refund_temperature.persist_h", HOUR_S) or 0,
        persist_inclusive=pack.parameter("refund_temperature.persist_h").at(at, known_on).compare != ">",
        min_temp_c100=None if minimum is None else hundredths(minimum),
        fails=value("refund_month.fails"),
        window_days=value("refund_month.window_days"),
        months=value("refund_month.months"),
        presumptions={key: value(key) for key in PRESUMPTIONS},
        aggregate=value("measure.aggregate"),
        session_days=int(value("measure.days") or 1),
        session_slots=int(value("measure.slots") or 1),
        session_hours=(int(value("measure.hour_from") or 0), int(value("measure.hour_to") or 24)),
        since_day=max(day_number(at), span.first_day),
    )
