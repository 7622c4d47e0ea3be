"""In: flagged readings. Out: the same, durable before they are acknowledged, in the order of series and time."""

from nuan.telemetry.store.errors import (
    StoreBusyError,
    StoreDamagedError,
    StoreError,
    StoreFullError,
    StoreReadOnlyError,
    UnknownSeriesError,
)
from nuan.telemetry.store.store import Store
from nuan.telemetry.store.tiles import HourTile

__all__ = [
    "HourTile",
    "Store",
    "StoreBusyError",
    "StoreDamagedError",
    "StoreError",
    "StoreFullError",
    "StoreReadOnlyError",
    "UnknownSeriesError",
]
