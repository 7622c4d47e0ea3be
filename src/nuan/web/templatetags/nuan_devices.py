"""Tags of the pages of devices: clocks and the reasons of dead letters in words."""

from typing import Any

from django import template

from nuan.web.views.dead_letters import reason_words
from nuan.web.views.devices import place_shown
from nuan.web.wording import say

register = template.Library()


@register.filter
def clock(pulse: Any) -> str:
    """“快 40 秒 (±1)”; a dash where nobody could say."""
    if not pulse or pulse.clock_offset_s is None:
        return "—"
    offset, spread = round(pulse.clock_offset_s), round(pulse.clock_spread_s or 0)
    if abs(offset) <= max(1, spread):
        return say("准 (±{spread} 秒)", spread=max(1, spread))
    words = "快 {n} (±{spread} 秒)" if offset > 0 else "慢 {n} (±{spread} 秒)"
    return say(words, n=_long(abs(offset)), spread=spread)


def _long(seconds: int) -> str:
    if seconds < 120:
        return say("{n} 秒", n=seconds)
    if seconds < 2 * 3600:
        return say("{n} 分钟", n=seconds // 60)
    return say("{n} 小时", n=round(seconds / 3600)) if seconds < 2 * 86_400 else say("{n} 天", n=seconds // 86_400)


@register.filter
def words(chinese: str) -> str:
    """A label of the records in the language of the page."""
    return say(chinese)


@register.filter
def place_of(device: Any) -> str:
    return place_shown(device)


@register.simple_tag
def reason(code: str) -> str:
    return reason_words(code)
