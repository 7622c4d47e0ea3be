"""The steps of dunning and which of them are due. The channels are messages and visits: a step that cuts off cannot be written."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.resources import files
from typing import Any

import yaml

CHANNELS: dict[str, tuple[str, str]] = {
    "sms": ("短信", "text message"),
    "letter": ("书面催告", "letter"),
    "phone": ("电话", "call"),
    "visit": ("上门", "visit"),
}


class DunningStepError(ValueError):
    def __init__(self, key: object, said: str) -> None:
        super().__init__(f"催缴步骤 {key}：{said}")


@dataclass(frozen=True, slots=True)
class Step:
    key: str
    after_days: int
    channel: str
    zh: str
    en: str


def steps(text: str | None = None) -> tuple[Step, ...]:
    """The steps in order of days; the shipped ones when no text is given. Raises DunningStepError.

    >>> [step.key for step in steps()]
    ['reminder', 'written', 'visit', 'people']
    """
    content = text or (files("nuan.policies.dunning") / "steps.yaml").read_text(encoding="utf-8")
    found = [_step(each) for each in yaml.safe_load(content) or []]
    if len({each.key for each in found}) < len(found):
        raise DunningStepError("*", "名称重复")
    return tuple(sorted(found, key=lambda each: each.after_days))


def _step(said: dict[str, Any]) -> Step:
    key = said.get("key")
    if set(said) != {"key", "after_days", "channel", "zh", "en"}:
        raise DunningStepError(key, "只能有 key、after_days、channel、zh、en")
    if said["channel"] not in CHANNELS:
        raise DunningStepError(key, f"方式 {said['channel']!r} 不是 {'、'.join(CHANNELS)} 之一；停供不是催缴步骤")
    if not isinstance(said["after_days"], int) or said["after_days"] < 1:
        raise DunningStepError(key, "after_days 应为截止日后的正整数天")
    return Step(**said)


def steps_due(all_steps: Collection[Step], due: date, today: date, taken: Collection[str], held: bool) -> list[Step]:
    """Steps whose day has come and that were not taken; none while a case about the bill is open."""
    if held:
        return []
    return [step for step in all_steps if step.key not in taken and due + timedelta(days=step.after_days) <= today]
