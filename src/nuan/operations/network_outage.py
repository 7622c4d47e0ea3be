"""`open_outages`: stations that a broken pipe has cut off become outages, so that judging, refunds and telling take their course."""

from collections.abc import Sequence
from datetime import datetime

from nuan.operations.acts import act
from nuan.operations.network_people import Behind
from nuan.records.emergency.models import Outage


def open_outages(
    lost: Sequence[Behind],
    *,
    pipe: str,
    company: str,
    started_at: datetime,
    actor: str,
    now: datetime,
    cause: str = Outage.Cause.UNKNOWN,
) -> list[Outage]:
    """One outage for each registered place that has none going on; places that the registry does not know are passed over."""
    asked = [each for each in lost if each.level]
    with act("record_outage", actor=actor, subject=company, clause="2.5.3a", why=f"管道 {pipe} 损坏") as row:
        going = set(
            Outage.objects.filter(place__in=[each.code for each in asked], ended_at=None).values_list(
                "place", flat=True
            )
        )
        stamp = now.strftime("%y%m%d%H%M%S")
        made = [
            Outage(
                code=f"GW-{stamp}-{number:03d}", level=each.level, place=each.code, started_at=started_at, cause=cause,
                attested_by=actor[:120], note=f"管网：{pipe} 损坏，关阀隔离",
            )
            for number, each in enumerate((each for each in asked if each.code not in going), 1)
        ]  # fmt: skip
        Outage.objects.bulk_create(made)
        row.details = {"pipe": pipe, "outages": [each.code for each in made], "already_going": sorted(going)}
        row.nothing_changed = not made
    return made
