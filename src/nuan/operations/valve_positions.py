"""`set_valve`: somebody says that a valve is open or closed, since when and why. The drawing stays; what is known counts from now on."""

from datetime import datetime

from nuan.operations.acts import act
from nuan.operations.network_files import load
from nuan.operations.network_twin import positions_now, version_in_force
from nuan.records.twin.models import ValvePosition


class ValveError(ValueError):
    """What is said of a valve cannot be entered; the sentence is Chinese / English."""


def set_valve(
    company: str, valve: str, *, is_open: bool, since: datetime, reason: str, actor: str, now: datetime
) -> ValvePosition:
    """A new row even where the position stays: it was looked at. Raises ValveError."""
    from django.conf import settings

    version = version_in_force(company, now)
    if version is None:
        raise ValveError("这家企业还没有管网 / this company has no network yet")
    if valve not in set(load(settings.NUAN_HOME, version.digest).valves["valve"]):
        raise ValveError(f"管网里没有阀门“{valve}” / the network has no valve “{valve}”")
    if not reason.strip():
        raise ValveError("请写明原因 / a reason is needed")
    if since > now:
        raise ValveError("时间不能在将来 / the time lies in the future")
    before = positions_now(company, now).get(valve)
    if before is not None and before.since is not None and since < before.since:
        raise ValveError("比已登记的最新状态还早 / earlier than the newest position on record")
    with act("set_valve", actor=actor, subject=f"{company} {valve}", why=reason.strip()) as row:
        row.details = {"open": is_open, "since": since.isoformat()}
        return ValvePosition.objects.create(
            company_id=company, valve=valve, is_open=is_open, since=since, reason=reason.strip(), recorded_by=actor[:120], recorded_at=now
        )  # fmt: skip
