"""The columns that the refund rules read. `UNKNOWN` stands for 未载明 or not taken; it is never a number to reckon with."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuan.terms.money import INT64_MAX

Int64 = NDArray[np.int64]
Bool = NDArray[np.bool_]
UNKNOWN = -(2**31)
CAUSES = ("source", "supplier", "user", "third_party", "force_majeure", "unknown")
PURPOSES = ("complaint", "retest", "dispute")


def ints(values: Any) -> Int64:
    return np.ascontiguousarray(values, dtype=np.int64)


def bools(values: Any) -> Bool:
    return np.ascontiguousarray(values, dtype=np.bool_)


@dataclass(frozen=True)
class Homes:
    """One row a home. Fees in fen; `meter_charge` is the metered charge of the failing days."""

    fee: Int64
    base_fee: Int64
    metered: Bool
    stop_heat: Bool
    area_m2_100: Int64
    meter_charge: Int64

    def __len__(self) -> int:
        return len(self.fee)

    @classmethod
    def of(
        cls,
        fee: Any,
        base_fee: Any = None,
        metered: Any = None,
        stop_heat: Any = None,
        area_m2_100: Any = None,
        meter_charge: Any = None,
    ) -> "Homes":
        fees = ints(fee)
        n = len(fees)
        unknown = np.full(n, UNKNOWN, dtype=np.int64)
        none = np.zeros(n, dtype=np.bool_)
        return cls(
            fees,
            unknown if base_fee is None else ints(base_fee),
            none if metered is None else bools(metered),
            none if stop_heat is None else bools(stop_heat),
            unknown if area_m2_100 is None else ints(area_m2_100),
            unknown if meter_charge is None else ints(meter_charge),
        )


@dataclass(frozen=True)
class Outages:
    """One row an outage of one home: `home` is the row of `Homes`; `end_s` UNKNOWN = still going; `cause` indexes CAUSES."""

    home: Int64
    start_s: Int64
    end_s: Int64
    cause: Int64
    attested: Bool

    def __len__(self) -> int:
        return len(self.home)

    @classmethod
    def of(cls, home: Any, start_s: Any, end_s: Any, cause: Any = None, attested: Any = None) -> "Outages":
        rows = ints(home)
        return cls(
            rows,
            ints(start_s),
            ints(end_s),
            np.zeros(len(rows), dtype=np.int64) if cause is None else ints(cause),
            np.ones(len(rows), dtype=np.bool_) if attested is None else bools(attested),
        )


@dataclass(frozen=True)
class Measurements:
    """One row a formal measurement. `temp_c100` UNKNOWN = not taken; `room` is any number a home's rooms are told apart by."""

    home: Int64
    room: Int64
    room_area_m2_100: Int64
    requested_s: Int64
    measured_s: Int64
    temp_c100: Int64
    signed_user: Bool
    signed_company: Bool
    user_refused: Bool
    company_absent: Bool
    no_record: Bool
    third_party: Bool
    purpose: Int64

    def __len__(self) -> int:
        return len(self.home)

    @property
    def time_s(self) -> Int64:
        """When it was measured; of a test that was not taken, when it was asked for."""
        if not len(self) or int(self.measured_s.min()) != UNKNOWN:
            return self.measured_s
        return np.where(self.measured_s == UNKNOWN, self.requested_s, self.measured_s)

    @classmethod
    def of(cls, home: Any, measured_s: Any, temp_c100: Any, **given: Any) -> "Measurements":
        """Columns left out: one room, requested when measured, both signed, nobody absent, a complaint."""
        rows, moments = ints(home), ints(measured_s)
        n = len(rows)
        no, yes, zero = np.zeros(n, np.bool_), np.ones(n, np.bool_), np.zeros(n, np.int64)
        fill: dict[str, Any] = {
            "room": zero,
            "room_area_m2_100": np.full(n, UNKNOWN, np.int64),
            "requested_s": moments,
            "signed_user": yes,
            "signed_company": yes,
            "user_refused": no,
            "company_absent": no,
            "no_record": no,
            "third_party": no,
            "purpose": zero,
        }
        for key, values in given.items():
            if key not in fill:
                raise TypeError(f"measurements have no column {key}")
            fill[key] = np.ascontiguousarray(values, dtype=fill[key].dtype)
        return cls(home=rows, measured_s=moments, temp_c100=ints(temp_c100), **fill)


@dataclass(frozen=True)
class Repairs:
    """Moments at which a home's heating was put right."""

    home: Int64 = field(default_factory=lambda: np.zeros(0, np.int64))
    repaired_s: Int64 = field(default_factory=lambda: np.zeros(0, np.int64))


class HeadroomError(ArithmeticError):
    """A product of money would not fit into 64 bits."""

    def __init__(self, base: int, numerator: int) -> None:
        super().__init__(f"{base} fen × {numerator} does not fit into 64 bits; judge fewer homes or check the units")


def share(base: Int64, numerator: Int64, denominator: Int64 | int) -> Int64:
    """`base × numerator ÷ denominator`, half up, for amounts that are not negative: `terms.money.mul_div` without signs.

    Twice the product must fit, which is asserted before it is formed.
    """
    if not len(base):
        return np.zeros(0, np.int64)
    top, times = int(base.max()), int(numerator.max())
    if min(int(base.min()), int(numerator.min())) < 0:
        raise ValueError("a share of money is reckoned from amounts that are not negative")
    if 2 * top * times + int(np.max(denominator)) > INT64_MAX:
        raise HeadroomError(top, times)
    product = base * numerator
    product += product
    product += denominator
    product //= 2 * denominator
    return product


def mark(n: int, homes: Int64) -> Bool:
    """A mask of `n` homes with the given rows set."""
    mask = np.zeros(n, np.bool_)
    mask[homes] = True
    return mask


def sum_by(home: Int64, weight: Int64, n: int) -> Int64:
    """Exact integer sums per home. Floats are used only where every sum stays below 2**53."""
    if not len(home):
        return np.zeros(n, np.int64)
    if int(np.abs(weight).max()) * len(weight) < 2**53:
        return np.bincount(home, weights=weight, minlength=n).astype(np.int64)
    total = np.zeros(n, np.int64)
    np.add.at(total, home, weight)
    return total


def by_home_and_time(home: Int64, time_s: Int64) -> Int64 | None:
    """The order that sorts rows by home, then time, stably; None where they are sorted already."""
    if len(home) < 2:
        return None
    first = int(time_s.min())
    width = int(time_s.max()) - first + 1
    if (int(home.max()) + 1) * width > INT64_MAX:
        return np.lexsort((time_s, home))
    key = home * width + (time_s - first)
    return None if bool((key[1:] >= key[:-1]).all()) else np.argsort(key, kind="stable")
