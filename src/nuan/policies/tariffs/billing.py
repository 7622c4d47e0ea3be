"""From homes and a tariff to bill lines, over columns of int64 fen; with a trace on, the same run on one home says how.

Order of a home's lines: area charge, or basic and metered charge; surcharge for high rooms; what the cap takes off; or, for a stopped
home, the basic fee alone; a connection fee. Each line of a charge is the charge up to the end of its stretch, rounded once half up,
less what the lines before it said: so the lines sum to the charge rounded once. The cap's limit is rounded down, for the user.
"""

from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from nuan.policies.tariffs.columns import ABSENT, CLASSES, GJ, KWH, BilledHomes, Bool, Int64
from nuan.policies.tariffs.tariff import Charge, ClassTariff, Tariff
from nuan.terms.money import MoneyOverflowError, Rounding, mul_div

AREA, BASIC, METERED, HEIGHT, CAP, STOP, CONNECTION = KINDS = (
    "area", "basic", "metered", "height", "cap", "stop", "connection",
)  # fmt: skip
KWH_PER_GJ = Fraction(2500, 9)
"""1 GJ = 10⁹ J, 1 kWh = 3.6 · 10⁶ J: exact, and used on the reading, never on the price."""


@dataclass(frozen=True)
class Lines:
    """Parallel columns, ordered by home, then as on the bill. `part` is the stretch of the charge; `quantity` what was multiplied:
    0.01 m², thousandths of the law's heat unit, steps of height, and 1 for a cap."""

    home: Int64
    kind: Int64
    part: Int64
    quantity: Int64
    amount_fen: Int64


@dataclass(frozen=True)
class Billed:
    """`why` says by reason code which homes cannot be billed; they have no lines. `total_fen` is 0 for them and for homes that owe nothing."""

    lines: Lines
    total_fen: Int64
    why: dict[str, Bool]
    height_unknown: Bool
    charges: dict[tuple[str, str], Charge] = field(default_factory=dict)

    @property
    def refused(self) -> Bool:
        masks = list(self.why.values())
        return np.logical_or.reduce(masks) if masks else np.zeros(len(self.total_fen), dtype=np.bool_)


class _Collected:
    def __init__(self, homes: int) -> None:
        self.rows: list[tuple[Int64, int, int, Int64, Int64]] = []
        self.total = np.zeros(homes, dtype=np.int64)

    def add(self, which: Int64, kind: str, part: int, quantity: Int64, amount: Int64) -> None:
        kept = amount != 0
        self.rows.append((which[kept], KINDS.index(kind), part, quantity[kept], amount[kept]))
        self.total[which] += amount

    def charge(self, which: Int64, kind: str, charge: Charge, quantity: Int64, factor: Fraction = Fraction(1)) -> Int64:
        """Lines of a charge, one a stretch; returns the charge's total by home of `which`."""
        before = np.zeros(len(which), dtype=np.int64)
        for part, whole in enumerate(charge.sums):
            upto = times(quantity, whole * factor)
            self.add(which, kind, part, quantity, upto - before)
            before = upto
        return before

    def lines(self) -> Lines:
        if not self.rows:
            none = np.empty(0, dtype=np.int64)
            return Lines(none, none, none, none, none)
        home = np.concatenate([row[0] for row in self.rows])
        kind = np.concatenate([np.full(len(row[0]), row[1], dtype=np.int64) for row in self.rows])
        part = np.concatenate([np.full(len(row[0]), row[2], dtype=np.int64) for row in self.rows])
        quantity = np.concatenate([row[3] for row in self.rows])
        amount = np.concatenate([row[4] for row in self.rows])
        order = np.argsort((home * len(KINDS) + kind) * 1000 + part, kind="stable")
        return Lines(home[order], kind[order], part[order], quantity[order], amount[order])


def times(quantity: Int64, share: Fraction, rounding: Rounding = Rounding.HALF_UP) -> Int64:
    return mul_div(quantity, share.numerator, share.denominator, rounding)


def bill(homes: BilledHomes, by: Tariff) -> Billed:
    """The lines of every home that can be billed, and the reason for every other: nothing unknown is taken as zero.

    A home whose figures are so large that its money does not fit into 64 bits (a slip of the decimal point) is refused alone.
    """
    absurd = np.zeros(len(homes), dtype=np.bool_)
    try:
        return _bill(homes, by, absurd)
    except MoneyOverflowError:
        absurd[_overflowing(homes, by, np.arange(len(homes), dtype=np.int64))] = True
        return _bill(homes.without_figures(absurd), by, absurd)


def _overflowing(homes: BilledHomes, by: Tariff, rows: Int64) -> list[int]:
    """Those of the rows that overflow by themselves, found by halves: what does not overflow alone does not together."""
    try:
        _bill(homes.take(rows), by, np.zeros(len(rows), dtype=np.bool_))
    except MoneyOverflowError:
        if len(rows) == 1:
            return [int(rows[0])]
        half = len(rows) // 2
        return _overflowing(homes, by, rows[:half]) + _overflowing(homes, by, rows[half:])
    return []


def _bill(homes: BilledHomes, by: Tariff, absurd: Bool) -> Billed:
    n = len(homes)
    out, why = _Collected(n), _Reasons(n)
    why.add("value_absurd", absurd)
    area, converted = _areas(homes, by, why)
    charges: dict[tuple[str, str], Charge] = {}
    height_unknown = np.zeros(n, dtype=np.bool_)
    for name in CLASSES:
        tariff = by.classes[name]
        of_class = homes.is_dwelling if name == "home" else ~homes.is_dwelling
        charges |= {(name, kind): found for kind in KINDS if (found := _charge_of(tariff, kind)) is not None}
        _refuse(homes, by, name, of_class, why)
        for by_ratio in (False, True):
            if by_ratio and by.usable_ratio is None:
                continue
            factor = 1 / by.usable_ratio if by_ratio and by.usable_ratio else Fraction(1)
            group = of_class & ~why.any & (converted == by_ratio)
            running = group & ~homes.stopped
            _area_homes(homes, by, tariff, np.flatnonzero(running & ~homes.metered), area, factor, out)
            _two_part_homes(homes, by, tariff, np.flatnonzero(running & homes.metered), area, factor, out)
            if tariff.stop is not None:
                which = np.flatnonzero(group & homes.stopped)
                out.charge(which, STOP, tariff.stop, area[which], factor)
        if tariff.connection is not None:
            which = np.flatnonzero(of_class & ~why.any & (homes.connection_m2_100 > 0))
            out.charge(which, CONNECTION, tariff.connection, homes.connection_m2_100[which])
    if by.height is not None:
        height_unknown = (homes.ceiling_mm == ABSENT) & ~homes.stopped & ~why.any
    return Billed(out.lines(), out.total, why.found(), height_unknown, charges)


def _charge_of(tariff: ClassTariff, kind: str) -> Charge | None:
    found = getattr(tariff, {HEIGHT: "area"}.get(kind, kind))
    return found if isinstance(found, Charge) else None


class _Reasons:
    def __init__(self, homes: int) -> None:
        self.any = np.zeros(homes, dtype=np.bool_)
        self._masks: dict[str, Bool] = {}

    def add(self, code: str, mask: Bool) -> None:
        """A home keeps the first reason that was found."""
        fresh = mask & ~self.any
        if fresh.any():
            self._masks[code] = self._masks.get(code, np.zeros_like(mask)) | fresh
            self.any |= fresh

    def found(self) -> dict[str, Bool]:
        return self._masks


def _areas(homes: BilledHomes, by: Tariff, why: _Reasons) -> tuple[Int64, Bool]:
    """The area to be billed in 0.01 m², and where it is a usable area that the law's ratio turns into building area."""
    area = homes.area_m2_100.copy()
    converted = np.zeros(len(homes), dtype=np.bool_)
    if by.area_kind is None:
        why.add("tariff.area_kind", np.ones(len(homes), dtype=np.bool_))
        return area, converted
    measured = homes.measured(by.area_kind)
    area = np.where(measured != ABSENT, measured, area)
    if by.area_kind == "building" and by.usable_ratio is not None:
        converted = (measured == ABSENT) & (homes.area_m2_100 == ABSENT) & (homes.usable_m2_100 != ABSENT)
        area = np.where(converted, homes.usable_m2_100, area)
    why.add("area_unknown", area == ABSENT)
    why.add("area_not_positive", area <= 0)
    return np.ascontiguousarray(area), converted


def _refuse(homes: BilledHomes, by: Tariff, name: str, of_class: Bool, why: _Reasons) -> None:
    """Reasons that the tariff of a class gives, each to the homes that would need what is missing."""
    tariff = by.classes[name]
    running, two_part = of_class & ~homes.stopped, of_class & ~homes.stopped & homes.metered
    needs = {
        "area": running & ~homes.metered, "basic": two_part, "metered": two_part, "stop": of_class & homes.stopped,
        "connection": of_class & (homes.connection_m2_100 > 0),
    }  # fmt: skip
    if tariff.capped:
        needs["cap"] = two_part
    for charge, mask in needs.items():
        if charge in tariff.missing:
            why.add(tariff.missing[charge], mask)
    why.add("heat_unknown", two_part & (homes.heat_1000 == ABSENT))
    why.add("heat_negative", two_part & (homes.heat_1000 < 0))
    why.add("base_share_exceeded", two_part & (name in by.base_share_broken))


def _area_homes(
    homes: BilledHomes, by: Tariff, tariff: ClassTariff, which: Int64, area: Int64, factor: Fraction, out: _Collected
) -> None:
    if tariff.area is not None and len(which):
        out.charge(which, AREA, tariff.area, area[which], factor)
        _height_line(homes, by, which, area[which], tariff.area.whole * factor, out)


def _height_line(
    homes: BilledHomes, by: Tariff, which: Int64, area: Int64, whole: Fraction, out: _Collected | None
) -> Int64:
    """The surcharge on a charge of `area × whole`, rounded once; a ceiling that nobody measured bears none."""
    if by.height is None:
        return np.zeros(len(which), dtype=np.int64)
    steps = height_steps(homes.ceiling_mm[which], by)
    amount = times(mul_div(area, steps, 1), whole * by.height.percent / 100)
    if out is not None:
        out.add(which, HEIGHT, 0, steps, amount)
    return amount


def height_steps(ceiling_mm: Int64, by: Tariff) -> Int64:
    if by.height is None:
        return np.zeros(len(ceiling_mm), dtype=np.int64)
    over = np.maximum(ceiling_mm - by.height.from_mm, 0)
    return (over + (by.height.step_mm - 1 if by.height.begun else 0)) // by.height.step_mm


def _two_part_homes(
    homes: BilledHomes, by: Tariff, tariff: ClassTariff, which: Int64, area: Int64, factor: Fraction, out: _Collected
) -> None:
    """Basic charge by area, metered charge by heat, and what exceeds the cap over the area bill taken off again."""
    if tariff.basic is None or tariff.metered is None or not len(which):
        return
    square = area[which]
    total = out.charge(which, BASIC, tariff.basic, square, factor)
    total = total + _height_line(homes, by, which, square, tariff.basic.whole * factor, out)
    for unit in (KWH, GJ):
        mine = np.flatnonzero(homes.heat_unit[which] == unit)
        heat = homes.heat_1000[which[mine]]
        total[mine] += out.charge(which[mine], METERED, tariff.metered, heat, heat_factor(unit, by))
    if tariff.capped and tariff.cap is not None and tariff.area is not None:
        allowed = times(square, tariff.area.whole * factor)
        allowed += _height_line(homes, by, which, square, tariff.area.whole * factor, None)
        steps = height_steps(homes.ceiling_mm[which], by)
        percent = by.height.percent if by.height is not None else Fraction(0)
        excess = tariff.cap.whole * factor
        # the cap counts on the whole area bill, its surcharge included: 1 + steps × percent, over a common denominator
        weight = mul_div(square, percent.denominator * 100 + steps * percent.numerator, 1)
        allowed += times(weight, excess / (percent.denominator * 100), Rounding.DOWN)
        over = np.maximum(total - allowed, 0)
        out.add(which, CAP, 0, np.ones(len(which), dtype=np.int64), -over)


def heat_factor(unit: int, by: Tariff) -> Fraction:
    """What one unit of the meter is in the unit that the law quotes."""
    if by.heat_unit == "kWh":
        return KWH_PER_GJ if unit == GJ else Fraction(1)
    return 1 / KWH_PER_GJ if unit == KWH else Fraction(1)
