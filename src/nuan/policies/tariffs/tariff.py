"""A place's tariff over one season: each charge as dated stretches, whose prices are exact fractions and never sampled at the start.

A charge is area (or heat) × Σ price × days ÷ days of the season. The sum up to each change of price is one fraction for all homes, so
a home's charge is one multiplication and one rounding, however often the price changes. The days are the inclusive day count.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from math import prod
from typing import Any

from nuan.policies.tariffs.columns import CLASSES
from nuan.rules.pack import Pack
from nuan.rules.parameter import DatedValue
from nuan.terms.season import Season

PER_SEASON, PER_MONTH = "per_m2_season", "per_m2_month"
NO_CAP = "none"
FEN = 100


class TariffValueError(ValueError):
    """A pack says something that a tariff cannot be."""

    def __init__(self, key: str, value: object, allowed: str) -> None:
        self.key = key
        super().__init__(f"{key}：{value!r} 不能作为热价参数；应为{allowed} / {key}: {value!r} is not possible")


@dataclass(frozen=True, slots=True)
class Stretch:
    """Days `[first, last]` in which one price holds. `fen` is the exact share of the season's charge for one unit of quantity."""

    first: date
    last: date
    days: int
    answers: tuple[DatedValue, ...]
    fen: Fraction

    @property
    def price(self) -> DatedValue:
        return self.answers[0]

    @property
    def percent(self) -> DatedValue:
        """Of a charge that is a share of the area charge: the share."""
        return self.answers[-1]


@dataclass(frozen=True)
class Charge:
    """`key` is the parameter whose value is the price; `quantity_scale` what one unit of the price counts (100 for 0.01 m²)."""

    key: str
    unit: str
    stretches: tuple[Stretch, ...]

    @cached_property
    def sums(self) -> tuple[Fraction, ...]:
        """Fen for one unit of quantity up to the end of each stretch."""
        total, found = Fraction(0), []
        for stretch in self.stretches:
            total += stretch.fen
            found.append(total)
        return tuple(found)

    @property
    def whole(self) -> Fraction:
        return self.sums[-1]


@dataclass(frozen=True)
class ClassTariff:
    """What one class of users pays. A charge that is None is 未载明; its key stands in `missing` under the charge's name."""

    area: Charge | None
    basic: Charge | None
    metered: Charge | None
    stop: Charge | None
    cap: Charge | None
    capped: bool
    connection: Charge | None
    missing: dict[str, str]


@dataclass(frozen=True)
class Height:
    """A surcharge for high rooms: `percent` for each `step_mm` above `from_mm`; `begun` counts a step that is only begun."""

    from_mm: int
    step_mm: int
    percent: Fraction
    begun: bool
    said: DatedValue


@dataclass(frozen=True)
class Tariff:
    """`classes` by name (`home`, `other`); `heat_unit` is the unit that the law quotes its price in, `kWh` or `GJ`."""

    pack: str
    pack_version: str
    season: Season
    area_kind: str | None
    usable_ratio: Fraction | None
    heat_unit: str | None
    height: Height | None
    classes: dict[str, ClassTariff]
    base_share_broken: dict[str, str]


class _Reader:
    """Reads a pack over the days of a season, as known on a day."""

    def __init__(self, pack: Pack, season: Season, known_on: date | None) -> None:
        self.pack, self.season, self.known_on = pack, season, known_on
        self.days = (season.last_day - season.first_day).days + 1

    def over(self, *keys: str) -> list[tuple[date, date, list[DatedValue]]]:
        """The season cut wherever one of the parameters changes, with all their answers."""
        parameters = [self.pack.parameter(key) for key in keys]
        after = self.season.last_day + timedelta(days=1)
        inner = {day for each in parameters for day in each.changes() if self.season.first_day < day < after}
        edges = [self.season.first_day, *sorted(inner), after]
        return [
            (start, stop - timedelta(days=1), [each.at(start, self.known_on) for each in parameters])
            for start, stop in pairwise(edges)
        ]

    def fixed(self, key: str) -> DatedValue:
        """A parameter that may not change within a season; one that does is refused, not sampled."""
        answers = [said[0] for _, _, said in self.over(key)]
        values = {str(answer.value) for answer in answers}
        if len(values) > 1:
            raise TariffValueError(key, " → ".join(sorted(values)), "全季一致的值（季中变更请分季）")
        return answers[0]

    def charge(self, key: str, unit: str, scale: int, of: Callable[..., Fraction], *also: str) -> Charge | str:
        """The charge priced by `key` and the parameters `also`, or the key that is 未载明 on some day."""
        stretches: list[Stretch] = []
        for first, last, answers in self.over(key, *also):
            for name, answer in zip((key, *also), answers, strict=True):
                if answer.value is None:
                    return name
            days = (last - first).days + 1
            share = of(*(answer.value for answer in answers)) * days / (self.days * scale)
            said, known = tuple(answers), stretches[-1] if stretches else None
            if known is not None and known.answers == said:
                stretches[-1] = Stretch(known.first, last, known.days + days, said, known.fen + share)
            else:
                stretches.append(Stretch(first, last, days, said, share))
        return Charge(key, unit, tuple(stretches))


def exact(key: str, value: Any, *, low: int = 0) -> Fraction:
    """
    >>> exact("tariff.price_home", "38.32")
    Fraction(958, 25)
    """
    try:
        number = Fraction(str(value))
    except ValueError:
        raise TariffValueError(key, value, "数字") from None
    if number < low:
        raise TariffValueError(key, value, f"不小于 {low} 的数")
    return number


def tariff(pack: Pack, season: Season, known_on: date | None = None) -> Tariff:
    """Raises TariffValueError where the pack says what no tariff can be."""
    read = _Reader(pack, season, known_on)
    unit = read.fixed("tariff.unit").value
    if unit not in {None, PER_SEASON, PER_MONTH}:
        raise TariffValueError("tariff.unit", unit, f" {PER_SEASON} 或 {PER_MONTH}")
    heat_unit = read.fixed("tariff.metered_unit").value
    if heat_unit not in {None, "kWh", "GJ"}:
        raise TariffValueError("tariff.metered_unit", heat_unit, " kWh 或 GJ")
    area_kind = read.fixed("tariff.area_kind").value
    if area_kind not in {None, "building", "inner", "usable"}:
        raise TariffValueError("tariff.area_kind", area_kind, " building、inner 或 usable")
    ratio = read.fixed("tariff.usable_ratio").value
    return Tariff(
        pack=pack.name,
        pack_version=pack.version,
        season=season,
        area_kind=area_kind,
        usable_ratio=None if ratio is None else exact("tariff.usable_ratio", ratio),
        heat_unit=heat_unit,
        height=_height(read),
        classes={name: _class(read, name, unit, heat_unit) for name in CLASSES},
        base_share_broken={name: said for name in CLASSES if (said := _base_share_broken(read, name, unit))},
    )


def _class(read: _Reader, name: str, unit: str | None, heat_unit: str | None) -> ClassTariff:
    missing: dict[str, str] = {}

    def kept(charge: str, found: Charge | str) -> Charge | None:
        if isinstance(found, str):
            missing[charge] = found
            return None
        return found

    key, *months = _price_keys(name, unit)
    per_m2 = "元/m²·月" if unit == PER_MONTH else "元/m²·季"

    def price(*values: Any) -> Fraction:
        """Fen for one m² and a whole season."""
        return _product((key, *months), values) * FEN

    def area_share(percent_key: str) -> Charge | str:
        """A percentage of the area charge, day by day."""

        def share(value: Any, *rest: Any) -> Fraction:
            return price(value, *rest[:-1]) * exact(percent_key, rest[-1]) / 100

        return read.charge(key, per_m2, 100, share, *months, percent_key)

    none = "tariff.unit" if unit is None else None
    area = kept("area", none or read.charge(key, per_m2, 100, price, *months))
    stop = kept("stop", none or area_share("stop_heat.base_fee_percent"))
    caps = {str(said[0].value) for _, _, said in read.over("tariff.metered_over_area_max")}
    capped = caps != {NO_CAP}
    if capped and NO_CAP in caps:
        raise TariffValueError("tariff.metered_over_area_max", " → ".join(sorted(caps)), "全季一致的“有上限”或“无上限”")
    cap = kept("cap", none or area_share("tariff.metered_over_area_max")) if capped else None
    base_key, meter_key = f"tariff.base_price_{name}", f"tariff.metered_price_{name}"
    basic = kept("basic", read.charge(base_key, "元/m²·季", 100, lambda value: exact(base_key, value) * FEN))
    per_heat = read.charge(meter_key, f"元/{heat_unit}", 1000, lambda value: exact(meter_key, value) * FEN)
    metered = kept("metered", per_heat if heat_unit else "tariff.metered_unit")
    fee_key = f"tariff.connection_fee_{name}"
    once = read.charge(fee_key, "元/m²", 100, lambda value: exact(fee_key, value) * FEN)
    if isinstance(once, Charge) and len(once.stretches) > 1:
        once = fee_key  # charged once, at a day that the season does not know: no price can be chosen
    connection = kept("connection", once)
    return ClassTariff(area, basic, metered, stop, cap, capped, connection, missing)


def _price_keys(name: str, unit: str | None) -> list[str]:
    return [f"tariff.price_{name}_month", "tariff.months"] if unit == PER_MONTH else [f"tariff.price_{name}"]


def _product(keys: Sequence[str], values: Sequence[Any]) -> Fraction:
    return prod((exact(key, value) for key, value in zip(keys, values, strict=True)), start=Fraction(1))


def _base_share_broken(read: _Reader, name: str, unit: str | None) -> str:
    """The words of a basic price above the share that the law allows, or empty; without a limit in the law nothing is broken."""
    base_key, prices = f"tariff.base_price_{name}", _price_keys(name, unit)
    for first, last, (limit, base, *price) in read.over("tariff.base_share_max", base_key, *prices):
        values = [answer.value for answer in price]
        if limit.value is None or base.value is None or None in values:
            continue
        whole = _product(prices, values)
        if exact(base_key, base.value) * 100 > whole * exact("tariff.base_share_max", limit.value):
            return f"{first} 至 {last}：基本热价 {base.value} 超过面积热价 {float(whole):g} 的 {limit.value} %（{limit.source}）"
    return ""


def _height(read: _Reader) -> Height | None:
    """None where the place names no surcharge: what has no ground is not charged."""
    percent = read.fixed("tariff.height_percent")
    if percent.value is None:
        return None
    start, step = (read.fixed(f"tariff.{key}").value for key in ("height_from_m", "height_step_m"))
    rounding = read.fixed("tariff.height_rounding").value
    if start is None or step is None or rounding not in {"whole", "begun"}:
        raise TariffValueError("tariff.height_percent", percent.value, "与起算层高、每档高度、不足一档的算法一并写明")
    millimetres = [exact("tariff.height_step_m", each) * 1000 for each in (start, step)]
    if any(each.denominator != 1 or each <= 0 for each in millimetres):
        raise TariffValueError("tariff.height_step_m", step, "以毫米为整数的正数")
    return Height(
        int(millimetres[0]), int(millimetres[1]), exact("tariff.height_percent", percent.value), rounding == "begun", percent
    )  # fmt: skip
