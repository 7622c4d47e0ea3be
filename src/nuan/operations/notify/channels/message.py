"""What a channel hands over, in words and as data, and how it says that it could not."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from nuan.records.monitoring.models import Alarm
from nuan.telemetry.alarms.machine import Event
from nuan.terms.places import CHINA


class AddressError(ValueError):
    """An address that the channel cannot reach; the sentence is for people."""


class ChannelError(RuntimeError):
    """It was not handed over. `again`: trying later may help (a line that is down); else nobody needs to try (no such mailbox)."""

    def __init__(self, sentence: str, *, again: bool = True) -> None:
        self.again = again
        super().__init__(sentence)


@dataclass(frozen=True, slots=True)
class Message:
    """`key` stays the same in every attempt: a receiver that has seen it may drop the repetition."""

    key: str
    content: Mapping[str, Any]

    @property
    def subject(self) -> str:
        c = self.content
        words = "" if c["event"] == Event.RAISE else f"[{Event(c['event']).zh}]"
        return f"[{Alarm.Priority(c['priority']).label}]{words} {c['place']}：{c['words_zh']}"

    @property
    def text(self) -> str:
        c = self.content
        raised = datetime.fromisoformat(c["raised_at"]).astimezone(CHINA)
        return f"{self.subject}\n{c['words_en']}\n触发时间：{raised:%Y-%m-%d %H:%M}（北京时间）\n编号：{c['alarm']}\n"
