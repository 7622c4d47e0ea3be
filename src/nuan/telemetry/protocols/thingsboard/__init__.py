"""In: what an unmodified thingsboard-gateway publishes (v1/gateway/…, v1/devices/me/rpc/request/N). Out: values, notes, and the answers it waits for.

`v1/devices/me/telemetry` carries no device id behind a broker and is refused with that reason.
"""

from nuan.telemetry.protocols.thingsboard.gateway import SUBSCRIPTIONS, Limits, parse

__all__ = ["SUBSCRIPTIONS", "Limits", "parse"]
