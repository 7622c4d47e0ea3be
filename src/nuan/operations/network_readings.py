"""What the network's stations and plants measure now: newest trusted values that are not stale, by place, quantity and position."""

from dataclasses import dataclass
from datetime import datetime
from statistics import median

from nuan.records.monitoring.models import LiveValue
from nuan.telemetry.live import stale_after_s
from nuan.terms.quantities import from_fixed

QUANTITIES = (
    "heat_power",
    "primary_supply_temp",
    "primary_return_temp",
    "pressure",
    "outdoor_temp",
    "make_up_flow",
    "flow",
)
SUPPLY, RETURN, PRIMARY = "supply", "return", "primary"


@dataclass(frozen=True)
class Measured:
    """`values[place, quantity, position]` in the quantity's unit with the epoch second it was measured at. Missing is not in it."""

    values: dict[tuple[str, str, str], tuple[float, int]]
    outdoor_c: float | None

    def get(self, place: str, quantity: str, *positions: str) -> float | None:
        """At the first of the positions that is there; without positions, at any."""
        if positions:
            found = (self.values.get((place, quantity, position)) for position in positions)
            return next((pair[0] for pair in found if pair is not None), None)
        return next((pair[0] for key, pair in self.values.items() if key[:2] == (place, quantity)), None)

    def heat_kw(self, place: str) -> float | None:
        """The primary side where both are measured."""
        found = self.get(place, "heat_power", PRIMARY)
        return self._any_heat.get(place) if found is None else found

    @property
    def _any_heat(self) -> dict[str, float]:
        return {place: pair[0] for (place, quantity, _), pair in self.values.items() if quantity == "heat_power"}


def measured_now(company: str, now: datetime) -> Measured:
    """One query. The outdoor temperature is the median of the company's own; without any, of the whole city's."""
    now_s = int(now.timestamp())
    rows = LiveValue.objects.filter(
        point__company_code=company, point__quantity__in=QUANTITIES, point__level__in=["source", "substation", "building", "home"]
    )  # fmt: skip
    values, outdoor = {}, []
    for place, quantity, position, value, time_s in rows.values_list(
        "point__place", "point__quantity", "point__position", "value", "time_s"
    ):
        if value is None or time_s is None or not 0 <= now_s - time_s <= stale_after_s(quantity):
            continue
        number = float(from_fixed(quantity, value))
        values[place, quantity, position] = (number, time_s)
        if quantity == "outdoor_temp":
            outdoor.append(number)
    return Measured(values, median(outdoor) if outdoor else _city_outdoor(now_s))


def _city_outdoor(now_s: int) -> float | None:
    fresh = LiveValue.objects.filter(
        point__quantity="outdoor_temp", time_s__gte=now_s - stale_after_s("outdoor_temp"), time_s__lte=now_s, value__isnull=False
    )  # fmt: skip
    found = [float(from_fixed("outdoor_temp", value)) for value in fresh.values_list("value", flat=True)]
    return median(found) if found else None
