"""The plain half of JSON messages, read in a microsecond: one time, then names with numbers.

    {"ts": 1768003200000, "values": {"supply_temp": 45.2, "return_temp": 38.1}}      or the same without "values"

Nine messages of ten look like this. Whatever does not is left to `protocols.mqtt_json`, and what is read here it reads alike (held by
a test); only a number of more than fifteen digits may differ in its sixteenth.
"""

from collections.abc import Mapping
from datetime import UTC
from typing import Any

import orjson

from nuan.telemetry.protocols.mqtt_json import JsonShape
from nuan.telemetry.protocols.values import LARGEST, moment

_SHAPE = JsonShape()
_TIMES = frozenset(_SHAPE.time_keys)
_SPECIAL = frozenset((*_SHAPE.device_keys, *_SHAPE.value_groups, *_SHAPE.name_keys, *_SHAPE.time_keys))
_NUMBERS = {int, float}
_MOST_SHAPES = 10_000
_shapes: dict[tuple[str, ...], tuple[str | None, str | None] | None] = {}

Plain = tuple[int | None, Mapping[str, int | float], str | None]
"""(time, values, the key among them that is the time and no value)."""


def plain(payload: bytes) -> Plain | None:
    """None: not plain; ask the protocol.

    >>> plain(b'{"ts": 1768003200000, "t": 20.5}')
    (1768003200, {'ts': 1768003200000, 't': 20.5}, 'ts')
    """
    try:
        document = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return None
    if type(document) is not dict:
        return None
    keys = tuple(document)
    shape = _shapes.get(keys, ())
    if shape == ():
        shape = _remember(keys)
    if not shape:
        return None
    time_key, group = shape
    time_s = None
    if time_key is not None:
        time_s = _seconds(document[time_key])
        if time_s is None:
            return None
    values = document
    if group is not None:
        values = document[group]
        if type(values) is not dict or len(keys) != (1 if time_key is None else 2):
            return None
        inner = tuple(values)
        known = _shapes.get(inner, ())
        if known == ():
            known = _remember(inner)
        if known != (None, None):
            return None
        time_key = None
    for value in values.values():
        if type(value) not in _NUMBERS or not -LARGEST <= value <= LARGEST:
            return None
    return time_s, values, time_key


def _seconds(value: Any) -> int | None:
    if type(value) is int and 10**11 <= value < 10**13:
        return value // 1000
    return moment(value, UTC) if type(value) in _NUMBERS else None


def _remember(keys: tuple[str, ...]) -> tuple[str | None, str | None] | None:
    """Which key is the time, and which holds the values; None where the shape is not plain."""
    if len(_shapes) > _MOST_SHAPES:
        _shapes.clear()
    shape = _shapes[keys] = _shape_of(keys)
    return shape


def _shape_of(keys: tuple[str, ...]) -> tuple[str | None, str | None] | None:
    lower = [key.lower() for key in keys]
    if len(set(lower)) != len(keys):
        return None
    special = [key for key, word in zip(keys, lower, strict=True) if word in _SPECIAL]
    times = [key for key in special if key.lower() in _TIMES]
    groups = [key for key in special if key.lower() in _SHAPE.value_groups]
    if len(times) > 1 or len(groups) > 1 or len(times) + len(groups) != len(special):
        return None
    return times[0] if times else None, groups[0] if groups else None
