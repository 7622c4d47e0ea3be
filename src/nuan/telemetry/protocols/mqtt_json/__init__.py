"""In: an MQTT topic and a JSON payload in one of the shapes that sensors send. Out: values of named points.

Shapes: flat, `{"ts": …, "values": {…}}`, one point an object, long rows, and arrays of all these; docs/protocols.md shows them.
"""

from nuan.telemetry.protocols.mqtt_json.reading import JsonShape, parse

__all__ = ["JsonShape", "parse"]
