"""In: flagged readings. Out: the same, durable before they are acknowledged, in the order of series and time."""

from nuan.telemetry.store.errors import (
    StoreBusyError,
    StoreDamagedError,
    StoreError,
    StoreFullError,
    StoreReadOnlyError,
    UnknownSeriesError,
)
from nuan.telemetry.store.lanes import DeadLetter, Lane
from nuan.telemetry.store.store import Store
from nuan.telemetry.store.tiles import HourTile

__all__ = [
    "DeadLetter",
    "HourTile",
    "Lane",
    "Store",
    "StoreBusyError",
    "StoreDamagedError",
    "StoreError",
    "StoreFullError",
    "StoreReadOnlyError",
    "UnknownSeriesError",
]
