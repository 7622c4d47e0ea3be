"""One home's bill, written a second time and slowly: exact fractions, day by day, no columns, nothing shared with nuan.policies.tariffs.

Prices are looked up anew for every single day of the season. Rounding is by Decimal.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from typing import Any

from nuan.rules.pack import Pack


@dataclass
class SlowHome:
    dwelling: bool = True
    area: int | None = None
    building: int | None = None
    inner: int | None = None
    usable: int | None = None
    ceiling_mm: int | None = None
    heat_1000: int | None = None
    unit: str = "kWh"
    metered: bool = False
    stopped: bool = False
    new_area: int | None = None


def fen(value: Fraction, mode: str = ROUND_HALF_UP) -> int:
    with localcontext() as context:
        context.prec = 200
        return int((Decimal(value.numerator) / Decimal(value.denominator)).quantize(Decimal(1), rounding=mode))


def slow_bill(pack: Pack, first: date, last: date, home: SlowHome) -> dict[str, Any]:
    """`{"total": fen, "by_kind": {...}}` or `{"why": True}`."""
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    suffix = "home" if home.dwelling else "other"

    def daily(key: str) -> list[Any]:
        return [pack.parameter(key).at(day).value for day in days]

    def mean(values: list[Fraction]) -> Fraction:
        return sum(values, Fraction(0)) / len(days)

    def prices_of_days() -> list[Fraction | None]:
        """Fen for a m² and season, by each day's price; None where that day has none."""
        unit = daily("tariff.unit")[0]
        monthly = unit == "per_m2_month"
        prices = daily(f"tariff.price_{suffix}{'_month' if monthly else ''}")
        months = daily("tariff.months") if monthly else [1] * len(days)
        return [
            None if unit is None or None in (price, month) else Fraction(str(price)) * Fraction(str(month)) * 100
            for price, month in zip(prices, months, strict=True)
        ]  # fmt: skip

    def price_of_area() -> list[Fraction] | None:
        prices = prices_of_days()
        return None if None in prices else [price for price in prices if price is not None]

    kind = daily("tariff.area_kind")[0]
    if kind is None:
        return {"why": True}
    measured = {"building": home.building, "inner": home.inner, "usable": home.usable}[kind]
    ratio = daily("tariff.usable_ratio")[0]
    if measured is not None:
        m2 = Fraction(measured, 100)
    elif home.area is not None:
        m2 = Fraction(home.area, 100)
    elif kind == "building" and ratio is not None and home.usable is not None:
        m2 = Fraction(home.usable, 100) / Fraction(str(ratio))
    else:
        return {"why": True}
    if m2 <= 0:
        return {"why": True}
    percent = daily("tariff.height_percent")[0]
    steps = 0
    if percent is not None and home.ceiling_mm is not None:
        over = Fraction(home.ceiling_mm, 1000) - Fraction(str(daily("tariff.height_from_m")[0]))
        exact_steps = over / Fraction(str(daily("tariff.height_step_m")[0]))
        if exact_steps > 0:
            steps = int(exact_steps)
            if exact_steps != steps and daily("tariff.height_rounding")[0] == "begun":
                steps += 1
    extra = Fraction(str(percent or 0)) * steps / 100
    found: dict[str, int] = {}
    prices = price_of_area()
    if home.stopped:
        shares = daily("stop_heat.base_fee_percent")
        if prices is None or None in shares:
            return {"why": True}
        found["stop"] = fen(m2 * mean([p * Fraction(str(s)) / 100 for p, s in zip(prices, shares, strict=True)]))
    elif not home.metered:
        if prices is None:
            return {"why": True}
        found["area"], found["height"] = fen(m2 * mean(prices)), fen(m2 * mean(prices) * extra)
    else:
        basic, heat = daily(f"tariff.base_price_{suffix}"), daily(f"tariff.metered_price_{suffix}")
        law_unit, caps, limits = (
            daily("tariff.metered_unit")[0],
            daily("tariff.metered_over_area_max"),
            daily("tariff.base_share_max"),
        )
        if None in basic or None in heat or law_unit is None or home.heat_1000 is None or home.heat_1000 < 0:
            return {"why": True}
        capped = caps[0] != "none"
        if capped and (None in caps or prices is None):
            return {"why": True}
        if any(
            None not in (limit, price) and Fraction(str(b)) * 100 * 100 > price * Fraction(str(limit))
            for limit, b, price in zip(limits, basic, prices_of_days(), strict=True)
        ):
            return {"why": True}
        base = mean([Fraction(str(b)) * 100 for b in basic])
        used = Fraction(home.heat_1000, 1000)
        if home.unit != law_unit:
            used *= Fraction(10**9, 3_600_000) if home.unit == "GJ" else Fraction(3_600_000, 10**9)
        found["basic"], found["height"] = fen(m2 * base), fen(m2 * base * extra)
        found["metered"] = fen(used * mean([Fraction(str(h)) * 100 for h in heat]))
        if capped and prices is not None:
            area_bill = fen(m2 * mean(prices)) + fen(m2 * mean(prices) * extra)
            over = m2 * (1 + extra) * mean([p * Fraction(str(c)) / 100 for p, c in zip(prices, caps, strict=True)])
            found["cap"] = -max(sum(found.values()) - area_bill - fen(over, ROUND_DOWN), 0)
    if home.new_area:
        fees = set(daily(f"tariff.connection_fee_{suffix}"))
        if None in fees or len(fees) > 1:
            return {"why": True}
        found["connection"] = fen(Fraction(home.new_area, 100) * Fraction(str(fees.pop())) * 100)
    return {"total": sum(found.values()), "by_kind": {k: v for k, v in found.items() if v}}
