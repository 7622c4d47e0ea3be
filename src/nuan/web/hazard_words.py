"""Hazards and patrols in words: a row of the register, how long is left, what happened; telephone numbers in free text stand masked."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from nuan.operations.hazard_register import LEVEL_COLOURS, STATE_COLOURS, is_overdue
from nuan.operations.place_names import names_of
from nuan.records.hazards.models import Hazard, HazardChange, Photo
from nuan.records.hazards.states import TO_RECTIFY, Event, State
from nuan.web.live_words import duration
from nuan.web.wording import say

ADDRESSES = {"substation": "station", "building": "building"}
PHONE = re.compile(r"(?<!\d)(1\d{2})\d{4}(\d{4})(?!\d)")


def without_phones(text: str) -> str:
    """
    >>> without_phones("王女士 13912345678 说漏水")
    '王女士 139****5678 说漏水'
    """
    return PHONE.sub(r"\1****\2", text)


@dataclass(frozen=True)
class HazardRow:
    hazard: Hazard
    place: str
    place_page: str
    words: str
    level_colour: str
    level_word: str
    state_colour: str
    state_word: str
    overdue: bool
    time_left: str

    @property
    def mapped(self) -> bool:
        return self.hazard.longitude is not None and self.hazard.latitude is not None


def hazard_rows(hazards: Iterable[Hazard], now: datetime) -> list[HazardRow]:
    listed = list(hazards)
    names = names_of({(each.place_level, each.place_code) for each in listed if each.place_code})
    return [_row(each, names.get((each.place_level, each.place_code), ""), now) for each in listed]


def _row(hazard: Hazard, name: str, now: datetime) -> HazardRow:
    late = is_overdue(hazard, now)
    return HazardRow(
        hazard=hazard,
        place=" · ".join(part for part in (name, without_phones(hazard.place_words)) if part) or say("见坐标"),
        place_page=ADDRESSES.get(hazard.place_level, "") if hazard.place_code else "",
        words=without_phones(hazard.words),
        level_colour=LEVEL_COLOURS[hazard.level],
        level_word=hazard.get_level_display() if hazard.level else "未定级",
        state_colour="red" if late else STATE_COLOURS[State(hazard.state)],
        state_word=State(hazard.state).zh,
        overdue=late,
        time_left=_left(hazard, now),
    )


def _left(hazard: Hazard, now: datetime) -> str:
    """How long until the deadline, or how late; empty where none runs."""
    if hazard.state not in TO_RECTIFY or hazard.deadline is None:
        return ""
    seconds = (hazard.deadline - now).total_seconds()
    return say("还有 {t}", t=duration(seconds)) if seconds >= 0 else say("逾期 {t}", t=duration(-seconds))


@dataclass(frozen=True)
class ChangeRow:
    at: datetime
    who: str
    event: str
    state: str
    note: str
    details: list[str]
    photos: list[Photo]


def change_rows(hazard: Hazard) -> list[ChangeRow]:
    """The history, oldest first, with what each event set anew."""
    rows = []
    before: HazardChange | None = None
    for change in hazard.changes.select_related("responsible").prefetch_related("photos").order_by("id"):
        rows.append(_change_row(change, before))
        before = change
    return rows


def _change_row(change: HazardChange, before: HazardChange | None) -> ChangeRow:
    details = []
    if change.level and (before is None or before.level != change.level):
        details.append(say("级别:{what}", what=say(level_word(change.level))))
    if change.responsible is not None and (before is None or before.responsible_id != change.responsible_id):
        details.append(say("责任人:{what}", what=person(change.responsible)))
    if change.deadline and (before is None or before.deadline != change.deadline):
        details.append(say("期限:{what}", what=stamp(change.deadline)))
    note = without_phones(change.note)
    if change.event == Event.ESCALATE:
        note = say("上报旗区和市主管部门") if change.note == "city" else say("上报旗区主管部门")
    return ChangeRow(
        change.at, say("系统") if change.actor == "engine" else change.actor, Event(change.event).zh, State(change.state_to).zh, note,
        details, [] if change.event == Event.REPORT else list(change.photos.all()),
    )  # fmt: skip


def level_word(level: str) -> str:
    return {"general": "一般", "serious": "较大", "major": "重大"}.get(level, "未定级")


def person(user: object) -> str:
    return str(getattr(user, "display_name", "") or getattr(user, "username", "")) if user is not None else "—"


def stamp(moment: datetime) -> str:
    return timezone.localtime(moment).strftime("%Y-%m-%d %H:%M")
