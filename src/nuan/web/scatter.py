"""Points against a line that was fitted to them: heat against the outdoor temperature (能耗特征线), as SVG drawn here."""

from collections.abc import Sequence

from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

from nuan.web.charts import NARROW, WIDE
from nuan.web.wording import say

HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 240, 46, 12, 12, 34


def scatter(points: Sequence[Sequence[float]], line: tuple[float, float, float], up: str, along: str) -> SafeString:
    """`line`: level, slope and balance temperature of `buildings.expected.Signature`."""
    if not points:
        return format_html('<p class="empty">{}</p>', say("这段时间没有读数。"))
    return format_html(
        '<div class="wide-only">{}</div><div class="phone-only">{}</div>',
        _drawn(points, line, up, along, WIDE), _drawn(points, line, up, along, NARROW),
    )  # fmt: skip


def _drawn(
    points: Sequence[Sequence[float]], line: tuple[float, float, float], up: str, along: str, width: int
) -> SafeString:
    low, high = min(p[0] for p in points) - 1, max(p[0] for p in points) + 1
    most = max(p[1] for p in points) * 1.08 or 1.0

    def x(value: float) -> float:
        return LEFT + (value - low) / (high - low) * (width - LEFT - RIGHT)

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - value / most * (HEIGHT - TOP - BOTTOM)

    level, slope, balance = line
    knots = sorted({low, min(max(balance, low), high), high})
    path = " ".join(f"{x(t):.1f},{y(max(level + slope * max(balance - t, 0.0), 0.0)):.1f}" for t in knots)
    parts = [f'<circle class="lone-1" r="2" cx="{x(p[0]):.1f}" cy="{y(p[1]):.1f}"/>' for p in points]
    parts.append(f'<polyline class="line line-2" points="{path}"/>')
    step = 5 if high - low <= 40 else 10
    for tick in range(int(low // step + 1) * step, int(high) + 1, step):
        parts.append(
            f'<text class="tick" x="{x(tick):.1f}" y="{HEIGHT - BOTTOM + 14}" text-anchor="middle">{tick}</text>'
        )
    for share in (0.0, 0.5, 1.0):
        value = most / 1.08 * share
        parts.append(f'<text class="tick" x="{LEFT - 5}" y="{y(value) + 4:.1f}" text-anchor="end">{value:.0f}</text>')
    parts.append(f'<text class="tick" x="{width - RIGHT}" y="{HEIGHT - 4}" text-anchor="end">{escape(along)}</text>')
    parts.append(f'<text class="tick" x="2" y="{TOP - 2}">{escape(up)}</text>')
    return format_html(
        '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{} · {}">{}</svg>',
        width,
        HEIGHT,
        up,
        along,
        mark_safe("".join(parts)),
    )
