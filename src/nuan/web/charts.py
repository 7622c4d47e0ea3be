"""Charts drawn by the server as SVG: a curve whose gaps are gaps, and a season as a strip of days."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

from nuan.terms.places import CHINA
from nuan.web.wording import say

WIDE, NARROW, HEIGHT = 880, 420, 250
LEFT, RIGHT, TOP, BOTTOM = 44, 14, 14, 28
STEPS = (0.1, 0.2, 0.5, *(n * 10**power for power in range(7) for n in (1, 2, 5)))
DAY_WORDS = {0: "未到供暖", 1: "达标", 2: "不达标", 3: "无法判定"}


@dataclass(frozen=True)
class Line:
    """A measured line: (epoch seconds, °C) in time order; neighbours further apart than `step_s` × 1.5 are a gap."""

    name: str
    points: Sequence[tuple[int, float]]
    step_s: int = 3600


@dataclass
class Frame:
    start: int
    end: int
    low: float
    high: float
    width: int = WIDE
    parts: list[str] = field(default_factory=list)

    def x(self, time_s: float) -> float:
        return LEFT + (time_s - self.start) / max(self.end - self.start, 1) * (self.width - LEFT - RIGHT)

    def y(self, value: float) -> float:
        return TOP + (self.high - value) / max(self.high - self.low, 0.1) * (HEIGHT - TOP - BOTTOM)


def _pieces(line: Line) -> list[list[tuple[int, float]]]:
    pieces: list[list[tuple[int, float]]] = []
    for point in line.points:
        if pieces and point[0] - pieces[-1][-1][0] <= line.step_s * 1.5:
            pieces[-1].append(point)
        else:
            pieces.append([point])
    return pieces


def _gaps(frame: Frame, line: Line) -> None:
    pieces = _pieces(line)
    edges = [(frame.start, frame.start)] + [(piece[0][0], piece[-1][0]) for piece in pieces] + [(frame.end, frame.end)]
    for (_, before), (after, _) in pairwise(edges):
        if after - before > line.step_s * 1.5:
            x, width = frame.x(before), frame.x(after) - frame.x(before)
            frame.parts.append(
                f'<rect class="gap" fill="url(#gap-{frame.width})" x="{x:.1f}" y="{TOP}" width="{width:.1f}" height="{HEIGHT - TOP - BOTTOM}">'
                f"<title>{say('没有数据')}</title></rect>"
            )


def _grid(frame: Frame) -> None:
    span = frame.high - frame.low
    step = next(step for step in STEPS if span / step <= 7)
    value = -(-frame.low // step) * step
    while value <= frame.high:
        y = frame.y(value)
        frame.parts.append(
            f'<line class="grid" x1="{LEFT}" x2="{frame.width - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{round(value, 6) + 0.0:g}</text>'
        )
        value += step
    hours = (frame.end - frame.start) // 3600
    every = timedelta(hours=6 if hours <= 60 else 24 if hours <= 24 * 10 else 24 * 30)
    form = say("%d日%H时") if hours <= 60 else "%m-%d"
    moment = datetime.fromtimestamp(frame.start, CHINA).replace(hour=0, minute=0, second=0) + timedelta(hours=6)
    if hours > 60:
        moment = moment.replace(hour=0) + timedelta(days=1)
    if frame.width == NARROW:
        every *= 2
    while moment.timestamp() < frame.end:
        if moment.timestamp() >= frame.start:
            x = frame.x(moment.timestamp())
            frame.parts.append(
                f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{HEIGHT - BOTTOM}" y2="{HEIGHT - BOTTOM + 4}"/>'
                f'<text x="{x:.1f}" y="{HEIGHT - 8}" text-anchor="middle">{moment.strftime(form)}</text>'
            )
        moment += every


def curve(
    lines: Sequence[Line],
    start: int,
    end: int,
    title: str,
    limit: tuple[float, str] | None = None,
    width: int = WIDE,
    limits: Sequence[tuple[float, str]] = (),
    marks: Sequence[tuple[int, float, str]] = (),
) -> SafeString:
    """The lines as SVG; `limit` and `limits` are drawn dashed with their words, `marks` are readings that are not believed, with what is
    known against them. The first line's gaps are hatched. A wide drawing brings a narrow one along, so that its words can be read on a
    phone."""
    drawn = limits if limit is None else [limit, *limits]
    if width == WIDE:
        return format_html(
            '<div class="wide-only">{}</div><div class="phone-only">{}</div>',
            _drawn(lines, start, end, title, drawn, marks, WIDE),
            _drawn(lines, start, end, title, drawn, marks, NARROW),
        )
    return _drawn(lines, start, end, title, drawn, marks, width)


def _drawn(
    lines: Sequence[Line],
    start: int,
    end: int,
    title: str,
    limits: Sequence[tuple[float, str]],
    marks: Sequence[tuple[int, float, str]],
    width: int,
) -> SafeString:
    values = [value for line in lines for _, value in line.points] + [value for value, _ in limits]
    if not any(line.points for line in lines) and not marks:
        return format_html('<p class="empty">{}</p>', say("这段时间没有读数。"))
    values = values or [value for _, value, _ in marks]
    low, high = min(values), max(values)
    margin = max((high - low) * 0.08, 0.5)
    frame = Frame(start, end, low - margin, high + margin, width)
    _gaps(frame, lines[0])
    _grid(frame)
    for value, words in limits:
        y = frame.y(value)
        frame.parts.append(
            f'<line class="limit" x1="{LEFT}" x2="{frame.width - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text class="limit-text" x="{frame.width - RIGHT - 2}" y="{y - 5:.1f}" text-anchor="end">{escape(words)}</text>'
        )
    for number, line in enumerate(lines, 1):
        for piece in _pieces(line):
            if len(piece) == 1:
                frame.parts.append(
                    f'<circle class="lone-{number}" r="1.8" cx="{frame.x(piece[0][0]):.1f}" cy="{frame.y(piece[0][1]):.1f}"/>'
                )
            else:
                points = " ".join(f"{frame.x(time):.1f},{frame.y(value):.1f}" for time, value in piece)
                frame.parts.append(f'<polyline class="line line-{number}" points="{points}"/>')
    for time, value, words in marks:
        x, y = frame.x(time), frame.y(min(max(value, frame.low), frame.high))
        frame.parts.append(
            f'<path class="doubted" d="M{x - 3:.1f} {y - 3:.1f}l6 6M{x + 3:.1f} {y - 3:.1f}l-6 6"><title>{escape(words)}</title></path>'
        )
    return format_html(
        '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}"><defs><pattern id="gap-{}" width="7" height="7" '
        'patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><line class="gap-line" x1="0" y1="0" x2="0" y2="7"/>'
        "</pattern></defs>{}</svg>{}",
        width,
        HEIGHT,
        title,
        width,
        mark_safe("".join(frame.parts)),
        _legend(lines, width, bool(marks)),
    )


def _legend(lines: Sequence[Line], width: int, doubted: bool) -> SafeString:
    items = "".join(
        f'<li><svg class="chart" viewBox="0 0 28 10" aria-hidden="true"><path class="line line-{number}" d="M1 5h26"/></svg>{escape(line.name)}</li>'
        for number, line in enumerate(lines, 1)
    )
    if doubted:
        items += f'<li><svg class="chart" viewBox="0 0 28 10" aria-hidden="true"><path class="doubted" d="M11 2l6 6M17 2l-6 6"/></svg>{say("不可信的读数")}</li>'
    return mark_safe(
        f'<ul class="legend">{items}<li><svg class="chart" viewBox="0 0 28 10" aria-hidden="true"><rect class="gap" fill="url(#gap-{width})" width="28" height="10"/></svg>'
        f"{say('没有数据')}</li></ul>"
    )


def day_codes(days: bytes) -> list[int]:
    """Two bits a day, little-endian, first day first (`HomeSeason.days`).

    >>> day_codes(bytes([0b11_10_01_00]))
    [0, 1, 2, 3]
    """
    return [(byte >> shift) & 3 for byte in days for shift in (0, 2, 4, 6)]


def day_strip(days: bytes, season: str) -> SafeString:
    """The season as a strip of squares, seven to a column; breached days carry a stroke, undecidable ones a mark."""
    codes = day_codes(days)
    while codes and codes[-1] == 0:
        codes.pop()
    if not codes:
        return mark_safe("")
    size, columns = 13, -(-len(codes) // 7)
    parts = []
    for number, code in enumerate(codes):
        x, y = number // 7 * size, number % 7 * size
        parts.append(
            f'<rect class="d{code}" x="{x + 1}" y="{y + 1}" width="{size - 2}" height="{size - 2}" rx="2">'
            f"<title>{say('第 {n} 天', n=number + 1)}: {say(DAY_WORDS[code])}</title></rect>"
        )
        if code == 2:
            parts.append(f'<path class="mark-2" d="M{x + 4} {y + 4}l5 5M{x + 9} {y + 4}l-5 5"/>')
        elif code == 3:
            parts.append(f'<text class="mark-3" x="{x + 6.5}" y="{y + 10}">?</text>')
    counts = {code: codes.count(code) for code in (1, 2, 3)}
    label = " · ".join(f"{say(DAY_WORDS[code])} {say('{n} 天', n=count)}" for code, count in counts.items())
    return format_html(
        '<svg class="strip chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg><p class="small soft">{} {}</p>',
        max(columns * size, 27 * size),
        7 * size,
        f"{season}: {label}",
        mark_safe("".join(parts)),
        say("从左到右一周一列。"),
        label,
    )
