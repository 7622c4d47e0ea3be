"""The room temperature that a home is owed, as stored with its season; never a number of our own."""

from nuan.records.supervision.models import HomeSeason
from nuan.web.wording import say


def degrees(c100: int) -> str:
    return f"{c100 / 100:g} °C"


def room_limit(season: HomeSeason | None) -> tuple[float, str] | None:
    """The dashed line of a home's chart; None where the law says nothing (未载明)."""
    if season is None or season.threshold_c100 is None:
        return None
    return season.threshold_c100 / 100, say("标准 {n} °C", n=f"{season.threshold_c100 / 100:g}")
