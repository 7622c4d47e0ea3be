"""The network drawn by the server as SVG: pipes by colour and width, flow as arrows, stations and plants by shape. Reads without a script.

Plain north-up plane, 1 000 units wide. Each pipe and station is a link with its figures as a title.
"""

from dataclasses import dataclass
from math import atan2, cos, degrees, hypot, isfinite, radians
from urllib.parse import urlencode

import numpy as np
import polars as pl
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from nuan.network.graph import Network
from nuan.network.steady import State
from nuan.operations.network_twin import Twin
from nuan.web.network_scale import Scale
from nuan.web.wording import say

WIDE, EDGE = 1000.0, 40.0
LOWEST, HIGHEST = 320.0, 900.0
FEW_STATIONS, FEW_VALVES, CLOSEST = 60, 400, 90.0
LAYERS = {"pressure": ("压力", "bar"), "temp": ("水温", "°C"), "flow": ("流量", "t/h")}
SIDES = {"supply": "供水", "return": "回水"}
STILL_KG_PER_S = 1e-3


@dataclass(frozen=True)
class Picture:
    svg: SafeString
    scale: Scale
    unplaced: int
    """Pipes that cannot be drawn because their ends have no place."""


@dataclass(frozen=True)
class _Plane:
    """Longitude and latitude → units of the drawing."""

    left: float
    top: float
    per_degree: float
    squeeze: float
    width: float
    height: float

    @classmethod
    def of(cls, at: dict[str, tuple[float, float]]) -> "_Plane":
        xs, ys = [x for x, _ in at.values()], [y for _, y in at.values()]
        squeeze = cos(radians((min(ys) + max(ys)) / 2))
        east, north = (max(xs) - min(xs)) * squeeze, max(ys) - min(ys)
        room = WIDE - 2 * EDGE
        scale = min(room / max(east, 1e-6), (HIGHEST - 2 * EDGE) / max(north, 1e-6))
        height = max(LOWEST, north * scale + 2 * EDGE)
        left = min(xs) - (room / scale - east) / 2 / squeeze
        top = max(ys) + ((height - 2 * EDGE) / scale - north) / 2
        return cls(left, top, scale, squeeze, WIDE, height)

    def __call__(self, spot: tuple[float, float]) -> tuple[float, float]:
        return EDGE + (spot[0] - self.left) * self.squeeze * self.per_degree, EDGE + (
            self.top - spot[1]
        ) * self.per_degree


def draw(
    twin: Twin,
    state: State | None,
    *,
    layer: str,
    side: str,
    names: dict[str, str],
    measured: set[str],
    chosen: str = "",
    wet: frozenset[str] = frozenset(),
    hit: frozenset[str] = frozenset(),
    valves: frozenset[str] = frozenset(),
    base: str = "",
    part: str = "",
) -> Picture | None:
    """None where no node has a place. `part`: a plant; only what hangs together with it is in sight at first. `chosen`: in the middle and marked; `wet`, `hit`, `valves`: pipes, stations and valves to mark."""
    if not twin.at:
        return None
    plane = _Plane.of(twin.at)
    spot = {node: plane(at) for node, at in twin.at.items()}
    pipes = twin.network.pipes.filter((pl.col("side") == side) | (pl.col("side") == ""))
    figures = _figures(state, layer)
    scale = Scale.over(
        (abs(figures[name][0]) for name in pipes["pipe"] if name in figures and figures[name][0] is not None),
        LAYERS[layer][1],
    )  # type: ignore[arg-type, misc]
    parts, links = [], []
    unplaced, middle = 0, _Middle()
    for row in pipes.iter_rows(named=True):
        a, b = spot.get(row["from_node"]), spot.get(row["to_node"])
        if a is None or b is None:
            unplaced += 1
            continue
        value, flow, title = figures.get(row["pipe"], (None, None, say("没有计算")))
        marks = " ".join(word for word, yes in (("wet", row["pipe"] in wet), ("chosen", row["pipe"] == chosen)) if yes)
        parts.append(_pipe(row, a, b, scale.of(None if value is None else abs(value)), flow, title, marks, base))
        if row["pipe"] == chosen:
            middle.add(a, b)
    drawn, sides = twin.network.valves, dict(twin.network.nodes.select("node", "side").iter_rows())
    if drawn.height > FEW_VALVES:
        drawn = drawn.filter(pl.col("valve").is_in([*valves, chosen]) | ~pl.col("open"))
    for row in drawn.iter_rows(named=True):
        a, b = spot.get(row["from_node"]), spot.get(row["to_node"])
        marked = row["valve"] in valves or row["valve"] == chosen
        if (a or b) and (sides.get(row["from_node"], side) or side) == side:
            place = _between(a or b, b or a)  # type: ignore[arg-type]
            if a and b:
                links.append(f'<path class="pipe link" d="M{a[0]:.1f} {a[1]:.1f}L{b[0]:.1f} {b[1]:.1f}"/>')
            parts.append(_valve(row, place, marked, base))
            if marked:
                middle.add(place)
    _stations(parts, twin, state, spot, names, measured, hit, chosen, middle)
    for row in twin.network.sources.iter_rows(named=True):
        if place := spot.get(row["supply_node"]):
            parts.append(
                f'<g class="plant" transform="translate({place[0]:.1f} {place[1]:.1f})"><g class="symbol"><circle r="13"/><text y="4.5">{say("源")}</text>'
                f'<text class="label" y="-18">{escape(row["source"])}</text></g><title>{escape(row["source"])}</title></g>'
            )
            if row["source"] == chosen:
                middle.add(place)
    if part and not chosen:
        middle.add(*(spot[node] for node in parts_of(twin.network).get(part, set()) if node in spot))
    box = middle.box(plane) if chosen or part else (0.0, 0.0, plane.width, plane.height)
    svg = (
        f'<svg class="network" viewBox="{" ".join(f"{number:.1f}" for number in box)}" data-whole="0 0 {plane.width:.0f} {plane.height:.0f}" '
        f'style="--size:{box[2] / WIDE:.3f}" role="img" aria-label="{say("管网图")}" preserveAspectRatio="xMidYMid meet">'
        f"{''.join(links)}{''.join(parts)}</svg>"
    )
    return Picture(mark_safe(svg), scale, unplaced)


def parts_of(network: Network) -> dict[str, set[str]]:
    """For the first plant of each part that hangs together by pipes or valves (open or not), the supply nodes of that part."""
    names = network.nodes["node"].to_list()
    index = {name: i for i, name in enumerate(names)}
    ends = pl.concat([network.table(table).select("from_node", "to_node") for table in ("pipes", "valves", "pumps")])
    a, b = (np.array([index[name] for name in ends[column]], np.int64) for column in ("from_node", "to_node"))
    link = coo_array((np.ones(len(a)), (a, b)), shape=(len(names), len(names)))
    _, part = connected_components(link, directed=False)
    found: dict[int, str] = {}
    for source, node in network.sources.select("source", "supply_node").iter_rows():
        found.setdefault(int(part[index[node]]), source)
    return {source: {names[i] for i in np.flatnonzero(part == number)} for number, source in found.items()}


def _between(a: tuple[float, float], b: tuple[float, float]) -> tuple[float, float]:
    return (a[0] + b[0]) / 2, (a[1] + b[1]) / 2


class _Middle:
    """What has to be seen, and the piece of the drawing that shows it."""

    def __init__(self) -> None:
        self.spots: list[tuple[float, float]] = []

    def add(self, *spots: tuple[float, float]) -> None:
        self.spots += spots

    def box(self, plane: _Plane) -> tuple[float, float, float, float]:
        if not self.spots:
            return 0.0, 0.0, plane.width, plane.height
        xs, ys = [x for x, _ in self.spots], [y for _, y in self.spots]
        wide = max(max(xs) - min(xs), (max(ys) - min(ys)) / 0.6, CLOSEST) * 1.35 + CLOSEST
        x, y = (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2
        return x - wide / 2, y - wide * 0.3, wide, wide * 0.6


def _figures(state: State | None, layer: str) -> dict[str, tuple[float | None, float | None, str]]:
    """Pipe → (value of the layer, flow from first to second node, what the title says)."""
    if state is None:
        return {}
    edges = state.edges("pipes")
    here = state.arrays.edge_slice("pipes")
    start = state.pressure_bar[state.arrays.edges.a[here]].tolist()
    end = state.pressure_bar[state.arrays.edges.b[here]].tolist()
    found: dict[str, tuple[float | None, float | None, str]] = {}
    for row, p, q in zip(edges.iter_rows(named=True), start, end, strict=True):
        flow = row["flow_kg_per_s"]
        if flow is None or not isfinite(p):
            found[row["pipe"]] = (None, None, say("断水"))
            continue
        warm = row["temp_to_c"] if flow >= 0 else row["temp_from_c"]
        still = abs(flow) < STILL_KG_PER_S
        value = {"pressure": (p + q) / 2, "temp": None if still else warm, "flow": flow * 3.6}[layer]
        title = f"{p:.2f}→{q:.2f} bar · {warm:.1f} °C · {abs(flow) * 3.6:.1f} t/h"
        found[row["pipe"]] = (value, flow, f"{title} {say('静止')}" if still else title)
    return found


def _pipe(
    row: dict[str, object], a: tuple[float, float], b: tuple[float, float], step: int | None, flow: float | None, title: str, marks: str, base: str,
) -> str:  # fmt: skip
    name, width = str(row["pipe"]), 1.4 + 7.0 * float(str(row["inner_diameter_m"]))
    look = f"p{step}" if step is not None else "none"
    line = f'<path class="pipe {look} {marks}" stroke-width="{width:.1f}" d="M{a[0]:.1f} {a[1]:.1f}L{b[0]:.1f} {b[1]:.1f}"/>'
    arrow = ""
    long = hypot(b[0] - a[0], b[1] - a[1])
    if flow is not None and abs(flow) > STILL_KG_PER_S and long > 26:
        turn = degrees(atan2(b[1] - a[1], b[0] - a[0])) + (180 if flow < 0 else 0)
        arrow = (
            f'<g transform="translate({(a[0] + b[0]) / 2:.1f} {(a[1] + b[1]) / 2:.1f}) rotate({turn:.0f})">'
            '<path class="arrow symbol" d="M-4 -4.5L5 0L-4 4.5z"/></g>'
        )
    address = escape(f"{base}broken/?{urlencode({'pipe': name})}")
    return f'<a href="{address}">{line}{arrow}<title>{escape(name)} · {escape(title)}</title></a>'


def _valve(row: dict[str, object], at: tuple[float, float], marked: bool, base: str) -> str:
    name, closed = str(row["valve"]), not row["open"]
    word = say("关") if closed else say("开")
    shape = '<path d="M-5 -4L5 4V-4L-5 4z"/>' + ('<path class="bar" d="M0 -7V7"/>' if closed else "")
    look = f"valve{' shut' if closed else ''}{' marked' if marked else ''}"
    address = escape(f"{base}valve/?{urlencode({'valve': name})}")
    return (
        f'<a href="{address}"><g class="{look}" transform="translate({at[0]:.1f} {at[1]:.1f})"><g class="symbol">{shape}</g>'
        f"<title>{escape(name)} · {word}</title></g></a>"
    )


def _stations(
    parts: list[str], twin: Twin, state: State | None, spot: dict[str, tuple[float, float]], names: dict[str, str], measured: set[str],
    hit: frozenset[str], chosen: str, middle: _Middle,
) -> None:  # fmt: skip
    table = {} if state is None else {row["substation"]: row for row in state.substations().iter_rows(named=True)}
    few = twin.network.substations.height <= FEW_STATIONS
    for row in twin.network.substations.iter_rows(named=True):
        name, at = row["substation"], spot.get(row["supply_node"])
        if at is None:
            continue
        figures = table.get(name)
        look, word = ("grey", say("没有计算"))
        if figures is not None:
            look, word = ("good", say("够")) if figures["met"] else ("bad", say("不够"))
            if figures["met"] and figures["flow_kg_per_s"] < STILL_KG_PER_S:
                look, word = "grey", say("没有用热")
        if name in hit:
            look, word = "bad", say("受影响")
        dp = "" if figures is None or figures["dp_bar"] is None else f" · Δp {figures['dp_bar']:.2f} bar"
        marks = '<circle class="ring" r="11"/>' if name in measured else ""
        special = '<path class="special" d="M0 -4V4M-4 0H4"/>' if row["protected"] else ""
        label = f'<text class="label" y="19">{escape(name)}</text>' if few or name == chosen else ""
        look += " chosen" if name == chosen else ""
        body = f'{marks}<rect x="-6" y="-6" width="12" height="12" rx="2"/>{special}{label}'
        title = f"{names.get(name, name)} · {word}{dp}"
        parts.append(
            f'<a href="?{escape(urlencode({"q": name}))}"><g class="station {look}" transform="translate({at[0]:.1f} {at[1]:.1f})"><g class="symbol">{body}</g>'
            f"<title>{escape(title)}</title></g></a>"
        )
        if name == chosen or name in hit:
            middle.add(at)
