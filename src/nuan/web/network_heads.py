"""The pressure profile as SVG: supply and return heads over the ground, the static line, the boiling limit; words at the lines."""

from math import ceil, floor

import numpy as np
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from nuan.network.profile import Profile, Way
from nuan.web.wording import say

SIZES = ((880, 420, "wide-only"), (400, 360, "phone-only"))
LEFT, RIGHT, TOP, BOTTOM = 50, 92, 18, 34
STEPS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)


def heads(drawn: Profile) -> SafeString:
    """Wide for the desk, narrow for the phone."""
    parts = [format_html('<div class="{}">{}</div>', look, _drawing(drawn, wide, high)) for wide, high, look in SIZES]
    return mark_safe("".join(parts))


def _drawing(drawn: Profile, wide: int, high: int) -> SafeString:
    right = RIGHT if wide > 500 else 108
    boiling = drawn.supply.boiling_m
    ground = np.concatenate([drawn.supply.elevation_m, drawn.back.elevation_m])
    every = np.concatenate([ground, drawn.supply.head_m, drawn.back.head_m, boiling, [drawn.static_m]])
    low, top = floor(float(np.nanmin(every)) / 10) * 10 - 5, ceil(float(np.nanmax(every)) / 10) * 10 + 5
    longest = max(float(drawn.supply.metres[-1]), float(drawn.back.metres[-1]), 1.0)

    def x(metres: float) -> float:
        return LEFT + metres / longest * (wide - LEFT - right)

    def y(head: float) -> float:
        return TOP + (top - head) / (top - low) * (high - TOP - BOTTOM)

    def line(way: Way, values: np.ndarray) -> str:
        return " ".join(f"{x(float(m)):.1f},{y(float(v)):.1f}" for m, v in zip(way.metres, values, strict=True))

    parts = _grid(low, top, longest, x, y, wide, high, right)
    base = f"{x(float(drawn.supply.metres[-1])):.1f},{y(low):.1f} {x(0):.1f},{y(low):.1f}"
    parts.append(f'<polygon class="ground" points="{line(drawn.supply, drawn.supply.elevation_m)} {base}"/>')
    parts.append(f'<polyline class="boiling" points="{line(drawn.supply, boiling)}"/>')
    parts.append(
        f'<line class="static" x1="{x(0):.1f}" x2="{x(longest):.1f}" y1="{y(drawn.static_m):.1f}" y2="{y(drawn.static_m):.1f}"/>'
    )
    parts.append(f'<polyline class="supply" points="{line(drawn.supply, drawn.supply.head_m)}"/>')
    parts.append(f'<polyline class="return" points="{line(drawn.back, drawn.back.head_m)}"/>')
    ends = [
        (float(drawn.supply.head_m[-1]), say("供水")), (float(drawn.back.head_m[-1]), say("回水")), (drawn.static_m, say("静水压线")),
        (float(boiling[-1]), say("汽化线")), (float(drawn.supply.elevation_m[-1]), say("地面")),
    ]  # fmt: skip
    parts += _labels(ends, y, wide - right + 6)
    parts.append(f'<text class="strong" x="{x(0):.1f}" y="{TOP - 5}">{drawn.source}</text>')
    label = say("水压图:{a} 到 {b},资用压头 {dp} bar", a=drawn.source, b=drawn.substation, dp=f"{drawn.dp_bar:.2f}")
    return format_html(
        '<svg class="chart heads" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>', wide, high, label, mark_safe("".join(parts))
    )  # fmt: skip


def _labels(ends: list[tuple[float, str]], y, at: float) -> list[str]:  # type: ignore[no-untyped-def]
    """Words beside the lines' ends, pushed apart so that none covers another."""
    placed, last = [], -100.0
    for head, words in sorted(ends, key=lambda each: -each[0]):
        here = max(y(head) + 4, last + 13)
        placed.append(f'<text x="{at:.1f}" y="{here:.1f}">{words} {head:.0f}</text>')
        last = here
    return placed


def _grid(low: float, top: float, longest: float, x, y, wide: int, high: int, right: int) -> list[str]:  # type: ignore[no-untyped-def]
    parts = []
    step = next(step for step in STEPS if (top - low) / step <= 8)
    head = ceil(low / step) * step
    while head <= top:
        parts.append(
            f'<line class="grid" x1="{LEFT}" x2="{wide - right}" y1="{y(head):.1f}" y2="{y(head):.1f}"/>'
            f'<text x="{LEFT - 6}" y="{y(head) + 4:.1f}" text-anchor="end">{head:g}</text>'
        )
        head += step
    step = next(step for step in STEPS if longest / step <= (6 if wide > 500 else 3))
    for metres in range(0, int(longest) + 1, step):
        parts.append(
            f'<line class="grid" x1="{x(metres):.1f}" x2="{x(metres):.1f}" y1="{TOP}" y2="{high - BOTTOM}"/>'
            f'<text x="{x(metres):.1f}" y="{high - BOTTOM + 15}" text-anchor="middle">{metres}</text>'
        )
    parts.append(f'<text x="{wide - right}" y="{high - 4}" text-anchor="end">{say("沿管长度 m")}</text>')
    parts.append(f'<text x="4" y="{TOP - 5}">{say("水头 m")}</text>')
    return parts
