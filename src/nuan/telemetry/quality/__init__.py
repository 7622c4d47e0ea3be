"""In: readings as their devices sent them. Out: what they say against themselves, as flags, events of counters and suggestions."""

from nuan.telemetry.quality.flags import flag, flag_series
from nuan.telemetry.quality.stream import StreamFlags

__all__ = ["StreamFlags", "flag", "flag_series"]
