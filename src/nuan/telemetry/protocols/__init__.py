"""In: a message of a device or gateway: topic, bytes, time zone. Out: values of named points, notes on devices, problems with their bytes.

One folder a protocol; to add one, copy a folder (docs/protocols.md).
"""

from nuan.telemetry.protocols.parsed import DeviceNote, Parsed, PointValue, Problem, Reply

__all__ = ["DeviceNote", "Parsed", "PointValue", "Problem", "Reply"]
