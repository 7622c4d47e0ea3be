"""Numbers and times as senders write them in JSON and CSV: exact, bounded, and never an exception.

A number of astronomical size is no measurement, and would cost astronomical time as a fraction: it is refused here.
"""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal, InvalidOperation
from math import isfinite

from nuan.telemetry.protocols.parsed import Number
from nuan.terms.quantities import UNITS

LARGEST = 10**15
"""No quantity of a heating network comes near it."""
MISSING = frozenset({"", "-", "--", "—", "nan", "null", "none", "n/a", "na", "inf", "-inf", "缺测", "无"})
_NUMBER = re.compile(r"^([+-]?(?:\d{1,18}(?:\.\d{0,18})?|\.\d{1,18})(?:[eE][+-]?\d{1,2})?)\s*(\S{0,8})$")
_TIME = re.compile(
    r"^(\d{4})[-/.年]?(\d{1,2})[-/.月]?(\d{1,2})日?(?:[T\s_]?(\d{1,2})[:时]?(\d{2})分?(?::?(\d{2})秒?)?(?:[.,]\d{1,9})?)?\s*(Z|[+-]\d{2}:?\d{2})?$",
    re.IGNORECASE,
)
_WHOLE = re.compile(r"^[+-]?\d{1,20}(?:\.\d{0,9})?$")
_DIGITS = re.compile(r"^(19|20)\d{6}(\d{4}|\d{6})?$")
LATEST_S = 2**33
_EPOCH_UNITS = ((10**11, 1), (10**14, 10**3), (10**17, 10**6))


class ValueTextError(ValueError):
    """The text is neither a number nor a word for “missing”."""


def number(value: object) -> tuple[Number | None, str | None]:
    """(value, unit) of a JSON value. None: the sender has no value.

    >>> number("20.5 ℃")
    (Decimal('20.5'), '℃')
    >>> number(None)
    (None, None)
    """
    if value is None:
        return None, None
    if isinstance(value, bool):
        return int(value), None
    if isinstance(value, int):
        return _bounded(value), None
    if isinstance(value, float):
        return (_bounded(value), None) if isfinite(value) else (None, None)
    if isinstance(value, Decimal):
        return (_bounded(value), None) if value.is_finite() else (None, None)
    if not isinstance(value, str):
        raise ValueTextError(type(value).__name__)
    text = value.strip()
    if text.lower() in MISSING:
        return None, None
    match = _NUMBER.match(text)
    if match is None or (match[2] and match[2] not in UNITS):
        raise ValueTextError(text[:40])
    return _bounded(Decimal(match[1])), match[2] or None


def _bounded(value: int | float | Decimal) -> Number:
    if isinstance(value, Decimal) and value and not -30 < value.adjusted() < 16:
        raise ValueTextError(f"1E{value.adjusted()}")
    if not -LARGEST <= value <= LARGEST:
        raise ValueTextError("> 1E15")
    return value


def json_decimal(text: str) -> Decimal:
    """For `json.loads(parse_float=)`: 20.1 stays 20.1. What is too large for a decimal is not finite, thus missing or refused."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal("NaN")


def moment(value: object, zone: tzinfo) -> int | None:
    """UTC epoch seconds of an ISO text, or of epoch s, ms, µs, ns by their size; None when it is no time. `zone` is for texts without one.

    >>> moment("2026-01-10T08:00:00+08:00", UTC) == moment(1768003200000, UTC) == moment("1768003200", UTC)
    True
    """
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float | Decimal):
        return _epoch(value)
    if not isinstance(value, str):
        return None
    text = value.strip()
    if len(text) > 40:
        return None
    if _WHOLE.match(text) and not _DIGITS.match(text):
        return _epoch(Decimal(text))
    match = _TIME.match(text)
    if match is None:
        return None
    try:
        local = datetime(*(int(part or 0) for part in match.groups()[:6]), tzinfo=UTC)  # type: ignore[misc,arg-type]
    except ValueError:
        return None
    return _at(local, match[7], zone)


def _at(local: datetime, offset: str | None, zone: tzinfo) -> int | None:
    try:
        if offset is None:
            seconds = int(local.replace(tzinfo=zone).timestamp())
        else:
            minutes = 0 if offset in "Zz" else int(offset[1:3]) * 60 + int(offset[-2:])
            seconds = int((local - timedelta(minutes=minutes if offset[0] != "-" else -minutes)).timestamp())
    except (OverflowError, ValueError):
        return None
    return seconds if 0 <= seconds < LATEST_S else None


def _epoch(value: int | float | Decimal) -> int | None:
    if not isfinite(value) or not 0 <= value < 10**20:
        return None
    whole = int(value)
    unit = next((unit for limit, unit in _EPOCH_UNITS if whole < limit), 10**9)
    seconds = whole // unit
    return seconds if 10**8 <= seconds < LATEST_S else None
