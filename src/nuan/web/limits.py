"""The room temperature that the law asks for, as stored with the judgements; never a number of our own."""

from nuan.records.supervision.models import Judgement
from nuan.web.wording import say

ROOM_CLAUSE = "2.5.2"


def room_threshold_c100() -> int | None:
    """The threshold of the newest judgement of 2.5.2, in 0.01 °C; None where nothing was judged or the pack says nothing."""
    newest = Judgement.objects.filter(clause=ROOM_CLAUSE, unit="0.01 °C", threshold__isnull=False).order_by("-id")
    return newest.values_list("threshold", flat=True).first()


def room_limit() -> tuple[float, str] | None:
    threshold = room_threshold_c100()
    if threshold is None:
        return None
    return threshold / 100, say("标准 {n} °C", n=f"{threshold / 100:g}")
