"""Places of the supply tree, and the local day.

Local time is China Standard Time, UTC+8 without daylight saving; a day number counts days since 1970-01-01 there.
"""

from datetime import UTC, date, datetime, timedelta, timezone
from enum import StrEnum
from typing import overload

import numpy as np
from numpy.typing import NDArray

CHINA_OFFSET_S = 8 * 3600
CHINA = timezone(timedelta(seconds=CHINA_OFFSET_S), "CST")
DAY_S = 86_400
HOUR_S = 3_600
_EPOCH = date(1970, 1, 1)


class Level(StrEnum):
    """The levels of the tree, top first."""

    CITY = "city"
    BANNER = "banner"
    COMPANY = "company"
    SOURCE = "source"
    SUBSTATION = "substation"
    LOOP = "loop"
    BUILDING = "building"
    HOME = "home"

    @property
    def zh(self) -> str:
        return _LEVEL_ZH[self]


_LEVEL_ZH = {
    Level.CITY: "全市",
    Level.BANNER: "旗区",
    Level.COMPANY: "供热企业",
    Level.SOURCE: "热源",
    Level.SUBSTATION: "换热站",
    Level.LOOP: "环路",
    Level.BUILDING: "楼栋",
    Level.HOME: "热用户",
}


@overload
def local_day(epoch_s: int) -> int: ...
@overload
def local_day(epoch_s: NDArray[np.int64]) -> NDArray[np.int64]: ...
def local_day(epoch_s: int | NDArray[np.int64]) -> int | NDArray[np.int64]:
    """The local day number that a moment falls on."""
    return (epoch_s + CHINA_OFFSET_S) // DAY_S


def day_start(day: int) -> int:
    """Epoch seconds of 00:00 local time."""
    return day * DAY_S - CHINA_OFFSET_S


def day_number(day: date) -> int:
    """
    >>> day_number(date(1970, 1, 2))
    1
    """
    return (day - _EPOCH).days


def day_date(day: int) -> date:
    return _EPOCH + timedelta(days=int(day))


def to_epoch(moment: datetime) -> int:
    """Whole epoch seconds of an aware datetime; a naive one is refused."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone")
    return int(moment.timestamp())


def local_time(epoch_s: int) -> datetime:
    return datetime.fromtimestamp(epoch_s, UTC).astimezone(CHINA)
