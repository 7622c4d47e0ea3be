"""Dates and times of EN 13757-3 Annex A: types F (4 bytes), G (2), I (6), J (3) → UTC epoch seconds."""

from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache


@lru_cache(maxsize=4096)
def epoch(data: bytes, zone: tzinfo) -> int | None:
    """None: invalid, or not a moment (type J is a time of day, a yearly date no year). A date alone means the end of that day.

    Type F:

    >>> epoch(bytes.fromhex("002c553b"), UTC) == int(datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp())
    True
    """
    local: datetime | None = None
    fold = 0
    if len(data) == 4 and not data[0] & 0x80:
        century = data[1] >> 5 & 3
        local = _local(_year(data[2], data[3], century), data[3] & 15, data[2] & 31, data[1] & 31, data[0] & 63, 0)
        fold = 0 if data[1] & 0x80 else 1
    elif len(data) == 2:
        day = _local(_year(data[0], data[1], 0), data[1] & 15, data[0] & 31, 0, 0, 0)
        local = None if day is None else day + timedelta(days=1)
    elif len(data) == 6 and not data[1] & 0x80:
        local = _local(_year(data[3], data[4], 0), data[4] & 15, data[3] & 31, data[2] & 31, data[1] & 63, data[0] & 63)
        fold = 0 if data[0] & 0x80 else 1
    if local is None:
        return None
    return int(local.replace(tzinfo=zone, fold=fold).timestamp())


def _year(low: int, high: int, century: int) -> int | None:
    """Two digits spread over two bytes; without a century 81…99 are of the last one (EN 13757-3, type F)."""
    year = (low >> 5) | (high >> 4 << 3)
    if year > 99:
        return None
    return 1900 + 100 * century + year if century else year + (1900 if year > 80 else 2000)


def _local(year: int | None, month: int, day: int, hour: int, minute: int, second: int) -> datetime | None:
    if year is None:
        return None
    try:
        # the zone is put on by the caller, who knows in which of two equal hours the clock stood
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None


def type_f(local: datetime) -> bytes:
    """For simulators and tests: the local clock as it stands."""
    year = local.year % 100
    return bytes((
        local.minute,
        local.hour | (0x20 if local.year >= 2000 else 0),
        local.day | (year & 7) << 5,
        local.month | (year >> 3) << 4,
    ))  # fmt: skip
