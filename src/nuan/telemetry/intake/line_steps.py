"""Values of resolved fields in whole steps of their quantity, exactly, in machine code: mantissa × 10^power × multiplier / divisor."""

from typing import Final

import numba as nb
import numpy as np

from nuan.telemetry.protocols.line_protocol.grammar import Kind

CODES: Final = (
    "", "slow", "ignored", "no_device", "unknown_device", "unknown_point", "cardinality", "not_a_number", "value_range",
    "clock_ahead", "clock_behind",
)  # fmt: skip
"""What the status of a field means; the codes from `no_device` on are reasons of dead letters. A target below −1 is a code, negated."""
OK, SLOW, IGNORED = 0, 1, 2
_NOT_A_NUMBER, _VALUE_RANGE = CODES.index("not_a_number"), CODES.index("value_range")
_AHEAD, _BEHIND = CODES.index("clock_ahead"), CODES.index("clock_behind")
_FLOAT, _UNSIGNED, _LONG = int(Kind.FLOAT), int(Kind.UNSIGNED), int(Kind.LONG)
_TENS = np.array([10**power for power in range(19)], np.int64)
_ROOM = 4.0e18
_NS = 1_000_000_000


@nb.njit(cache=True, nogil=True)
def place_fields(  # type: ignore[no-untyped-def]
    line,
    kind,
    mantissa,
    power,
    time_ns,
    timed,
    targets,
    points,
    arrival_s,
    oldest_s,
    newest_s,
    status,
    series,
    time_s,
    value,
):
    """Fills status, series, time (whole seconds, a part of a second cut off) and value for each field; returns how many are OK.

    `points` by target: number of the series, multiplier, summand, divisor (0: not for int64). SLOW: whoever calls reckons the value.
    """
    kept = 0
    for field in range(len(kind)):
        row, target = line[field], targets[field]
        moment = arrival_s
        if timed[row]:
            moment = time_ns[row] // _NS
        time_s[field] = moment
        value[field] = 0
        if target < 0:
            status[field] = -target
            series[field] = 0
            continue
        series[field] = points[0, target]
        if moment > newest_s:
            status[field] = _AHEAD
        elif moment < oldest_s:
            status[field] = _BEHIND
        elif kind[field] > _UNSIGNED and kind[field] != _LONG:
            status[field] = _NOT_A_NUMBER
        elif kind[field] == _LONG or points[3, target] == 0:
            status[field] = SLOW
        else:
            steps, status[field] = _steps(
                mantissa[field], power[field], points[1, target], points[2, target], points[3, target]
            )
            value[field] = steps
            kept += status[field] == OK
    return kept


@nb.njit(cache=True, nogil=True)
def _steps(mantissa, power, multiplier, summand, divisor):  # type: ignore[no-untyped-def]
    """(steps, status); a half is rounded away from zero."""
    upper, lower = np.int64(1), np.int64(1)
    if power > 0:
        upper = _TENS[power]
    else:
        lower = _TENS[-power]
    reach = abs(np.float64(mantissa)) * np.float64(upper) * abs(np.float64(multiplier))
    reach += abs(np.float64(summand)) * np.float64(lower)
    below = np.float64(divisor) * np.float64(lower)
    if reach > _ROOM / 2 or below > _ROOM / 2:
        return 0, SLOW
    above = mantissa * upper * multiplier + summand * lower
    under = divisor * lower
    whole = (2 * abs(above) + under) // (2 * under)
    if whole > 2**31 - 1:
        return 0, _VALUE_RANGE
    return (whole if above >= 0 else -whole), OK
