"""The moment in which a demo city lives: the end of its readings, unless devices feed it."""

import json
from datetime import datetime

from django.conf import settings
from django.db.models import Max

from nuan.records.monitoring.models import LiveValue


def demo_now() -> datetime | None:
    """None in a real city, and in a demo city whose newest value came after the demo's time: then somebody plays devices, and now is now."""
    try:
        facts = json.loads((settings.NUAN_HOME / "demo.json").read_text(encoding="utf-8"))
        moment = datetime.fromisoformat(facts["as_of"])
    except (FileNotFoundError, KeyError, TypeError, ValueError):
        return None
    newest = LiveValue.objects.aggregate(newest=Max("any_arrival_s"))["newest"]
    return None if newest is not None and newest > moment.timestamp() else moment
