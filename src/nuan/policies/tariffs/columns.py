"""Homes to be billed, as columns. What nobody knows is ABSENT, never zero."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Int64 = NDArray[np.int64]
Bool = NDArray[np.bool_]
ABSENT = -1
KWH, GJ = 0, 1
"""Codes of `heat_unit`, the unit that the meter reads."""
CLASSES = ("home", "other")
"""Tariff classes: dwellings, and everything else (居民、非居民)."""


@dataclass(frozen=True)
class BilledHomes:
    """int64 columns unless said: `area_m2_100` the contract's billed area; `building_`, `inner_`, `usable_m2_100` measured areas;
    `ceiling_mm`; `heat_1000` consumption of the season in thousandths of `heat_unit`; `connection_m2_100` newly connected area."""

    area_m2_100: Int64
    building_m2_100: Int64
    inner_m2_100: Int64
    usable_m2_100: Int64
    ceiling_mm: Int64
    heat_1000: Int64
    heat_unit: Int64
    connection_m2_100: Int64
    is_dwelling: Bool
    metered: Bool
    stopped: Bool

    def __len__(self) -> int:
        return len(self.area_m2_100)

    @classmethod
    def of(cls, homes: int, **given: Any) -> "BilledHomes":
        """Columns that are not given are ABSENT, dwellings, not metered and not stopped.

        >>> BilledHomes.of(2, area_m2_100=[9050, 10000]).ceiling_mm.tolist()
        [-1, -1]
        """
        columns: dict[str, Any] = {}
        for name in cls.__dataclass_fields__:
            is_flag = name in {"is_dwelling", "metered", "stopped"}
            value = given.get(name, name == "is_dwelling" if is_flag else KWH if name == "heat_unit" else ABSENT)
            kind = np.bool_ if is_flag else np.int64
            columns[name] = np.ascontiguousarray(np.broadcast_to(np.asarray(value, dtype=kind), (homes,)))
        return cls(**columns)

    def take(self, rows: Int64) -> "BilledHomes":
        return BilledHomes(**{name: getattr(self, name)[rows] for name in self.__dataclass_fields__})

    def without_figures(self, mask: Bool) -> "BilledHomes":
        """The same homes, with nothing known of those in the mask."""
        kept = {"is_dwelling", "metered", "stopped", "heat_unit"}
        figures = {name: getattr(self, name) for name in self.__dataclass_fields__ if name not in kept}
        return replace(self, **{name: np.where(mask, ABSENT, column) for name, column in figures.items()})

    def measured(self, kind: str) -> Int64:
        """The measured area of a kind that a law names: `building`, `inner` or `usable`."""
        column: Int64 = getattr(self, f"{kind}_m2_100")
        return column
