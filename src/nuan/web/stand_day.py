"""The day as of which the money pages speak: what the address asks for, in a synthetic city the day its data end, else today."""

from datetime import date

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from nuan.records.registry.models import Contract
from nuan.web.context import latest_run


def stand_day(request: HttpRequest) -> date:
    """`?at=2026-01-15`; a date that cannot be read is not asked for."""
    try:
        return date.fromisoformat(request.GET.get("at", ""))
    except ValueError:
        run = latest_run() if (settings.NUAN_HOME / "demo.json").is_file() else None
        return run.as_of.date() if run else timezone.localdate()


def season_asked(request: HttpRequest) -> str:
    """`?season=2025-2026`, if there are contracts for it; else the newest judged, else the newest with contracts."""
    asked = request.GET.get("season", "")
    if asked and Contract.objects.filter(season=asked).exists():
        return asked
    run = latest_run()
    if run is not None:
        return run.season
    return Contract.objects.order_by("-season").values_list("season", flat=True).first() or ""
