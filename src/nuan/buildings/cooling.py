"""How fast homes grow cold when their station gets too little: the model of `thermal` for a whole building, in closed form.

With a constant outdoor temperature and a constant share s of the heat that holds the room at T₀, one capacity and one loss give
T(t) = T_e + (T₀ − T_e)·e^(−t/τ) with T_e = T_out + g + s·(T₀ − T_out − g): the radiators' own feedback, which slows the fall, is left out,
so the hours are the shorter ones. τ and g as in `thermal`; τ by the year of building, until a fitted one is known.
"""

from dataclasses import dataclass
from math import exp, log

GAIN_K = 3.0
"""People, cooking and sun, as above outdoors; the same as `control.SupplyCurve.free_gain_k`."""
TAU_OLD_H, TAU_NEW_H = 90.0, 124.0
"""Of masonry buildings of 1994 and insulated ones of 2022; between them by the year."""


@dataclass(frozen=True)
class Cooling:
    """A building's rooms from now on. `share` of the heat that would hold them at `start_c` still comes."""

    start_c: float
    outdoor_c: float
    share: float
    tau_h: float
    gain_k: float = GAIN_K

    @property
    def end_c(self) -> float:
        """Where the rooms come to rest."""
        free = self.outdoor_c + self.gain_k
        return free + min(max(self.share, 0.0), 1.0) * max(self.start_c - free, 0.0)

    def after(self, hours: float) -> float:
        """°C after so many hours.

        >>> round(Cooling(20.0, -10.0, 0.0, 100.0).after(10.0), 1)
        17.4
        """
        return self.end_c + (self.start_c - self.end_c) * exp(-hours / self.tau_h)

    def hours_until(self, limit_c: float) -> float | None:
        """None: they stay at least so warm.

        >>> round(Cooling(20.0, -10.0, 0.0, 100.0).hours_until(18.0) or 0, 1), Cooling(20.0, -10.0, 0.95, 100.0).hours_until(18.0)
        (7.7, None)
        """
        if self.start_c < limit_c:
            return 0.0
        if self.end_c >= limit_c:
            return None
        return self.tau_h * log((self.start_c - self.end_c) / (limit_c - self.end_c))


def typical_tau_h(built_year: int | None) -> float:
    """Hours; an unknown year counts as old, so that nobody is thought warmer than he is.

    >>> typical_tau_h(None), typical_tau_h(2022)
    (90.0, 124.0)
    """
    age = 0.0 if built_year is None else min(max((built_year - 1994) / 28, 0.0), 1.0)
    return TAU_OLD_H + (TAU_NEW_H - TAU_OLD_H) * age
