"""A year of hourly weather, and the same year laid on to real dates."""

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from nuan.terms.places import DAY_S, HOUR_S, day_date, day_start

FloatArray = NDArray[np.float64]
HOURS_OF_YEAR = 8760
_MONTH_STARTS = np.cumsum([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30])


@dataclass(frozen=True)
class WeatherYear:
    """A common year of local hours: index 0 is 1 January 00:00–01:00. °C, m/s, W/m² on the horizontal."""

    place: str
    outdoor_c: FloatArray
    wind_m_per_s: FloatArray
    solar_w_per_m2: FloatArray
    synthetic: bool = False

    def __post_init__(self) -> None:
        for name in ("outdoor_c", "wind_m_per_s", "solar_w_per_m2"):
            if getattr(self, name).shape != (HOURS_OF_YEAR,):
                raise ValueError(f"{name} must have {HOURS_OF_YEAR} hours, not {getattr(self, name).shape}")

    def month(self, month: int) -> slice:
        """The hours of a month (1–12), to index the arrays."""
        ends = [*_MONTH_STARTS[1:], 365]
        return slice(int(_MONTH_STARTS[month - 1]) * 24, int(ends[month - 1]) * 24)

    def over(self, first_day: int, last_day: int) -> "WeatherSpan":
        """The weather of the local days `first_day … last_day` (day numbers, inclusive). A 29 February repeats the 28th."""
        days = [_day_of_common_year(day_date(day)) for day in range(first_day, last_day + 1)]
        hours = (np.asarray(days)[:, None] * 24 + np.arange(24)).ravel()
        return WeatherSpan(
            start_s=day_start(first_day),
            outdoor_c=self.outdoor_c[hours],
            wind_m_per_s=self.wind_m_per_s[hours],
            solar_w_per_m2=self.solar_w_per_m2[hours],
        )


def _day_of_common_year(day: date) -> int:
    if (day.month, day.day) == (2, 29):
        return int(_MONTH_STARTS[1]) + 27
    return int(_MONTH_STARTS[day.month - 1]) + day.day - 1


@dataclass(frozen=True)
class WeatherSpan:
    """Consecutive hours from `start_s` (epoch seconds, a local midnight)."""

    start_s: int
    outdoor_c: FloatArray
    wind_m_per_s: FloatArray
    solar_w_per_m2: FloatArray

    @property
    def hours(self) -> int:
        return len(self.outdoor_c)

    @property
    def hour_s(self) -> NDArray[np.int64]:
        return self.start_s + HOUR_S * np.arange(self.hours, dtype=np.int64)

    def index(self, epoch_s: int) -> int:
        """Which hour a moment falls into."""
        return (epoch_s - self.start_s) // HOUR_S

    def daily_outdoor_c(self) -> FloatArray:
        return np.asarray(self.outdoor_c.reshape(-1, 24).mean(axis=1), dtype=np.float64)

    def coldest_days(self, days: int) -> tuple[int, int]:
        """Start and end (epoch s) of the coldest run of whole days.

        >>> cold = np.where(np.arange(10 * 24) // 24 == 6, -20.0, 0.0)
        >>> span = WeatherSpan(0, cold, cold, cold)
        >>> span.coldest_days(1)[0] // 86_400
        6
        """
        means = np.convolve(self.daily_outdoor_c(), np.ones(days) / days, mode="valid")
        first = int(np.argmin(means))
        return self.start_s + first * DAY_S, self.start_s + (first + days) * DAY_S
