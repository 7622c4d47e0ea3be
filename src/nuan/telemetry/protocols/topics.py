"""Topic templates: which part of an MQTT topic names the gateway, the device, the point."""

from dataclasses import dataclass
from typing import Self

FIELDS = ("gateway", "device", "point")


class TopicTemplateError(ValueError):
    def __init__(self, text: str, why: str) -> None:
        super().__init__(f"“{text}” is no topic template ({why}); e.g. nuan/{{gateway}}/{{device}}")


@dataclass(frozen=True, slots=True)
class TopicTemplate:
    """Levels of a topic: fixed words, `{gateway}`, `{device}`, `{point}`, `+` (any one level), and at the end `#` (any levels).

    >>> TopicTemplate.parse("nuan/{gateway}/{device}").match("nuan/G07/meter-1")
    {'gateway': 'G07', 'device': 'meter-1'}
    >>> TopicTemplate.parse("nuan/{gateway}/{device}").subscription
    'nuan/+/+'
    """

    levels: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        levels = tuple(text.split("/"))
        fields = [level[1:-1] for level in levels if level.startswith("{") and level.endswith("}")]
        if not text or any(name not in FIELDS for name in fields) or len(set(fields)) != len(fields):
            raise TopicTemplateError(text, f"each of {', '.join(FIELDS)} at most once")
        if "#" in levels[:-1] or any(set(level) & set("{}+#") and not _placeholder(level) for level in levels):
            raise TopicTemplateError(text, "a placeholder fills a whole level, # stands at the end")
        return cls(levels)

    @property
    def subscription(self) -> str:
        """The MQTT filter that asks for all topics of this template."""
        return "/".join("+" if level.startswith("{") else level for level in self.levels)

    def of_gateway(self, gateway: str) -> str:
        """The filter for one gateway: what its access rule should allow."""
        return "/".join(
            gateway if level == "{gateway}" else "+" if level.startswith("{") else level for level in self.levels
        )

    def match(self, topic: str) -> dict[str, str] | None:
        """The parts that the topic names; None when it does not fit."""
        parts = topic.split("/")
        levels = self.levels
        if levels[-1] == "#":
            levels = levels[:-1]
            if len(parts) < len(levels):
                return None
        elif len(parts) != len(levels):
            return None
        named: dict[str, str] = {}
        for level, part in zip(levels, parts, strict=False):
            if level.startswith("{"):
                if not part:
                    return None
                named[level[1:-1]] = part
            elif level not in ("+", part):
                return None
        return named


def _placeholder(level: str) -> bool:
    return level in ("+", "#") or (level.startswith("{") and level.endswith("}"))
