"""A storm in the small city: the first station of C01 stands still, its homes are cold under it, one home of another station is cold alone."""

from datetime import timedelta

from nuan.records.monitoring.models import Alarm, AlarmChange, LivePoint, LiveValue
from small_city import AS_OF


def stormy() -> Alarm:
    """The alarm of the station that stands still, raised a quarter of an hour before the city's `AS_OF`."""
    root = _alarm("station_flow_none", "substation", "H01-S01", "flow", 0, 500, 1)
    for door in (1, 2, 3):
        _alarm("home_cold", "home", f"B001-1-0{door}01", "room_temp", 1210, 1400, 2, parent=root)
    _alarm("home_cold", "home", "B002-1-0101", "room_temp", 1310, 1400, 2, station="H01-S02")
    return root


def _alarm(
    code: str, level: str, place: str, quantity: str, value: int, limit: int, priority: int, parent: Alarm | None = None,
    station: str = "H01-S01",
) -> Alarm:  # fmt: skip
    where = {"company_code": "C01", "banner_code": "150602", "source_code": "H01", "station_code": station}
    point, _ = LivePoint.objects.get_or_create(
        place=place, quantity=quantity, position="room", defaults=where | {"level": level}
    )
    now = int(AS_OF.timestamp())
    seen = {"time_s": now - 60, "arrival_s": now - 58, "value": value}
    LiveValue.objects.get_or_create(
        point=point, defaults=seen | {"any_time_s": now - 60, "any_arrival_s": now - 58, "any_value": value}
    )
    raised = AS_OF - timedelta(minutes=15)
    alarm = Alarm.objects.create(
        code=code, kind="low", priority=priority, words_zh="换热站循环停止" if level == "substation" else "室内温度很低",
        words_en="no flow in the substation" if level == "substation" else "very cold room", level=level, place=place,
        quantity=quantity, position="room", point=point, limit_on=limit, limit_off=2 * limit, value=value,
        since=raised - timedelta(minutes=5), raised_at=raised, told_at=None if parent else raised, parent=parent, **where,
    )  # fmt: skip
    for event in ("raise", *(["fold"] if parent else [])):
        AlarmChange.objects.create(
            alarm=alarm, at=raised, actor="engine", event=event, state_from="none" if event == "raise" else "raised",
            state_to="raised", value=value, note=str(parent.pk) if event == "fold" and parent else "",
        )  # fmt: skip
    return alarm
