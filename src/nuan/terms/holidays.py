"""Public holidays and make-up working days (放假、调休) as the State Council's General Office announces them each year.

One entry per year, with its notice. A new year is added as a whole when its notice is out, never guessed before.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class HolidayYear:
    """`holidays`: (name, first day, last day), both included. `make_up`: weekend days on which people work."""

    notice: str
    holidays: tuple[tuple[str, date, date], ...]
    make_up: tuple[date, ...]


def _year(
    year: int, notice: str, holidays: dict[str, tuple[tuple[int, int], tuple[int, int]]], make_up: list[tuple[int, int]]
) -> HolidayYear:
    return HolidayYear(
        notice,
        tuple((name, date(year, *first), date(year, *last)) for name, (first, last) in holidays.items()),
        tuple(date(year, *day) for day in make_up),
    )


HOLIDAYS: Mapping[int, HolidayYear] = MappingProxyType({
    2024: _year(2024, "国办发明电〔2023〕7号", {
        "元旦": ((1, 1), (1, 1)), "春节": ((2, 10), (2, 17)), "清明节": ((4, 4), (4, 6)), "劳动节": ((5, 1), (5, 5)),
        "端午节": ((6, 10), (6, 10)), "中秋节": ((9, 15), (9, 17)), "国庆节": ((10, 1), (10, 7)),
    }, [(2, 4), (2, 18), (4, 7), (4, 28), (5, 11), (9, 14), (9, 29), (10, 12)]),
    2025: _year(2025, "国办发明电〔2024〕12号", {
        "元旦": ((1, 1), (1, 1)), "春节": ((1, 28), (2, 4)), "清明节": ((4, 4), (4, 6)), "劳动节": ((5, 1), (5, 5)),
        "端午节": ((5, 31), (6, 2)), "国庆节、中秋节": ((10, 1), (10, 8)),
    }, [(1, 26), (2, 8), (4, 27), (9, 28), (10, 11)]),
    2026: _year(2026, "国办发明电〔2025〕7号", {
        "元旦": ((1, 1), (1, 3)), "春节": ((2, 15), (2, 23)), "清明节": ((4, 4), (4, 6)), "劳动节": ((5, 1), (5, 5)),
        "端午节": ((6, 19), (6, 21)), "中秋节": ((9, 25), (9, 27)), "国庆节": ((10, 1), (10, 7)),
    }, [(1, 4), (2, 14), (2, 28), (5, 9), (9, 20), (10, 10)]),
})  # fmt: skip
