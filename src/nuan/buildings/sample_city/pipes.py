"""The sample city's primary network as tables: for each company streets from its plants to its stations, with valves, loops and ties.

Columns are those of `nuan.network.graph.TABLES`; this room does not know that room, so the tables leave it as they are. Around a plant the
junctions at the stations are joined by the shortest tree, closed by a few loops, and sized to lose 60 Pa/m on the design day. Between
plants of one district lies a tie with a closed valve. Supply and return lie in one duct (`twin`).
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse.csgraph import minimum_spanning_tree

from nuan.buildings.expected import design_kw
from nuan.buildings.sample_city.dice import uniform
from nuan.buildings.sample_city.plan import CityPlan, IntArray
from nuan.buildings.sample_city.registry import station_areas_m2, station_positions

FloatArray = NDArray[np.float64]
SUPPLY_C, RETURN_C = 110.0, 60.0
FRICTION, LOSS_PA_PER_M = 0.03, 60.0
HEAT_J_PER_KGK, KG_PER_M3 = 4200.0, 970.0
BORES_M = np.array([0.05, 0.065, 0.08, 0.1, 0.125, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
WALL_M = 0.007
RETURN_PRESSURE_BAR, LEAST_DP_BAR, SPARE_LIFT_BAR = 2.5, 0.5, 1.2
STATIONS_PER_LOOP = 6
LONGEST_WAY_BAR = 3.0
_M_PER_DEGREE = 111_320.0
_SIDES = (("G", "supply"), ("H", "return"))


@dataclass
class _Rows:
    """Tables that grow row by row."""

    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def add(self, table: str, **row: Any) -> None:
        self.tables.setdefault(table, []).append(row)

    def frames(self) -> dict[str, pl.DataFrame]:
        return {table: pl.DataFrame(rows, infer_schema_length=None) for table, rows in self.tables.items()}


@dataclass(frozen=True)
class _Street:
    """One double pipe: its number, the junctions that it joins, the points where it bends, and its bore."""

    name: str
    a: str
    b: str
    at_a: tuple[float, float]
    at_b: tuple[float, float]
    bore_m: float
    built_year: int
    closed: bool = False
    both_valves: bool = False


def company_network(plan: CityPlan, seed: int, company: int) -> dict[str, pl.DataFrame]:
    """All plants of a company with their streets; the same arguments give the same tables to the last bit."""
    rows = _Rows()
    plants = np.flatnonzero(plan.source_company == company)
    hubs = {int(plant): _plant(plan, seed, int(plant), rows) for plant in plants}
    for first, second in zip(plants[:-1].tolist(), plants[1:].tolist(), strict=True):
        if plan.source_banner[first] == plan.source_banner[second]:
            name = f"{plan.source_codes[first]}-{plan.source_codes[second]}-联络"
            a, b = hubs[first], hubs[second]
            street = _Street(name, a[0], b[0], a[1], b[1], 0.3, 2012, closed=True, both_valves=True)
            _lay(rows, street)
    return rows.frames()


def _plant(plan: CityPlan, seed: int, plant: int, rows: _Rows) -> tuple[str, tuple[float, float]]:
    """The streets of one plant; gives back its main junction and where that lies."""
    code, stations = plan.source_codes[plant], np.flatnonzero(plan.station_source == plant)
    longitude, latitude = (column[stations] for column in station_positions(plan))
    x = np.concatenate([[longitude.mean() + 0.004], longitude + 0.0007])
    y = np.concatenate([[latitude.mean() + 0.003], latitude + 0.0005])
    heat_kw = np.array([design_kw(area) for area in station_areas_m2(plan, seed)[stations]])
    flow = heat_kw * 1000 / (HEAT_J_PER_KGK * (SUPPLY_C - RETURN_C))
    length = _distances_m(x, y)
    tree, loops = _streets(length)
    carried = _carried(tree, flow)
    used = np.concatenate([carried, np.full(len(loops), np.median(carried))])
    bores = _bore_m(used, _loss_pa_per_m(tree, length))
    year = 1996 + np.floor(26 * uniform(seed, f"pipe year {code}", np.arange(len(used)))).astype(np.int64)
    names = [f"{code}-J{i:02d}" for i in range(len(x))]
    for n, (a, b) in enumerate([*tree, *loops]):
        where = (float(x[a]), float(y[a])), (float(x[b]), float(y[b]))
        street = _Street(
            f"{code}-{n + 1:02d}", names[a], names[b], *where, float(bores[n]), int(year[n]), both_valves=n >= len(tree)
        )
        _lay(rows, street)
    for name, at_x, at_y in zip(names, x.tolist(), y.tolist(), strict=True):
        _junction(rows, name, at_x, at_y)
    _stations(rows, plan, stations, names[1:], longitude, latitude, heat_kw, flow, seed)
    lift = _lift_bar(tree, length, carried, bores[: len(tree)])
    _source(rows, code, names[0], (float(x[0]), float(y[0])), lift, float(heat_kw.sum()))
    return names[0], (float(x[0]), float(y[0]))


def _distances_m(x: FloatArray, y: FloatArray) -> FloatArray:
    east = (x[:, None] - x[None, :]) * _M_PER_DEGREE * np.cos(np.deg2rad(y.mean()))
    north = (y[:, None] - y[None, :]) * _M_PER_DEGREE
    return np.asarray(np.hypot(east, north), np.float64)


def _streets(length: FloatArray) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """The shortest tree from junction 0 outward, and the shortest further streets that close a loop between ends of it."""
    found = minimum_spanning_tree(length).toarray()
    links = [(int(a), int(b)) for a, b in np.argwhere(found + found.T > 0) if a < b]
    outward, seen = [], [0]
    for at in seen:
        for a, b in links:
            if at in (a, b) and (other := b if at == a else a) not in seen:
                outward.append((at, other))
                seen.append(other)
    ends = [node for node in range(1, len(length)) if sum(node in link for link in links) == 1]
    pairs = sorted((float(length[a, b]), a, b) for i, a in enumerate(ends) for b in ends[i + 1 :])
    loops: list[tuple[int, int]] = []
    for _, a, b in pairs:
        if len(loops) < max(1, len(length) // STATIONS_PER_LOOP) and not any({a, b} & set(loop) for loop in loops):
            loops.append((a, b))
    return outward, loops


def _carried(tree: list[tuple[int, int]], flow: FloatArray) -> FloatArray:
    """kg/s in each street of the tree; `flow[i]` is taken at junction i + 1."""
    below = np.concatenate([[0.0], flow])
    for a, b in reversed(tree):
        below[a] += below[b]
    return np.array([below[b] for _, b in tree])


def _loss_pa_per_m(tree: list[tuple[int, int]], length: FloatArray) -> float:
    """60 Pa/m, or less where the way is so long that its pumps would have to lift more than 3 bar."""
    metres = {0: 0.0}
    for a, b in tree:
        metres[b] = metres[a] + float(length[a, b])
    return min(LOSS_PA_PER_M, LONGEST_WAY_BAR * 1e5 / (2 * max(metres.values())))


def _bore_m(flow: FloatArray, loss_pa_per_m: float = LOSS_PA_PER_M) -> FloatArray:
    ideal = (8 * FRICTION * np.maximum(flow, 0.1) ** 2 / (np.pi**2 * KG_PER_M3 * loss_pa_per_m)) ** 0.2
    return np.asarray(BORES_M[np.minimum(np.searchsorted(BORES_M, ideal), len(BORES_M) - 1)], np.float64)


def _lift_bar(tree: list[tuple[int, int]], length: FloatArray, flow: FloatArray, bore: FloatArray) -> float:
    """What the longest way out and back loses on the design day, and some to spare."""
    lost = {0: 0.0}
    for (a, b), kg_per_s, wide in zip(tree, flow.tolist(), bore.tolist(), strict=True):
        speed = kg_per_s / KG_PER_M3 / (np.pi / 4 * wide**2)
        lost[b] = lost[a] + FRICTION / wide * KG_PER_M3 / 2 * speed**2 * float(length[a, b]) / 1e5
    return round(2 * max(lost.values()) * 1.25 + LEAST_DP_BAR + SPARE_LIFT_BAR, 1)


def _height_m(x: float, y: float) -> float:
    """A gently rolling ground."""
    return round(1310 + 9 * float(np.sin(x * 260)) + 7 * float(np.cos(y * 310)), 1)


def _node(rows: _Rows, name: str, side: str, x: float, y: float, place: str = "") -> str:
    rows.add(
        "nodes", node=name, side=side, elevation_m=_height_m(x, y), longitude=round(x, 6), latitude=round(y, 6), place=place
    )  # fmt: skip
    return name


def _junction(rows: _Rows, name: str, x: float, y: float) -> None:
    for letter, side in _SIDES:
        _node(rows, f"{name}-{letter}", side, x, y)


def _lay(rows: _Rows, street: _Street) -> None:
    """A double pipe with a valve where it begins (of a loop or tie: at both ends)."""
    (ax, ay), (bx, by) = street.at_a, street.at_b
    metres = float(_distances_m(np.array([ax, bx]), np.array([ay, by]))[0, 1])
    for letter, side in _SIDES:
        ends = [f"{street.a}-{letter}", f"{street.b}-{letter}"]
        for end, share in enumerate((0.06, 0.94) if street.both_valves else (0.06,)):
            valve = f"V{street.name}{'ab'[end] if street.both_valves else ''}-{letter}"
            x, y = ax + (bx - ax) * share, ay + (by - ay) * share
            inner = _node(rows, f"{valve}-n", side, x, y)
            first, second = (ends[0], inner) if end == 0 else (inner, ends[1])
            rows.add(
                "valves", valve=valve, from_node=first, to_node=second, inner_diameter_m=street.bore_m, open=not street.closed or end == 0,
                minutes_to_close=round(8 + street.bore_m * 40),
            )  # fmt: skip
            ends[end] = inner
        a, b = ends if side == "supply" else reversed(ends)
        _pipe(rows, f"{street.name}-{letter}", a, b, metres, street.bore_m, side, street.built_year)


def _pipe(rows: _Rows, name: str, a: str, b: str, metres: float, bore_m: float, side: str, year: int) -> None:
    twin = name[:-1] + ("H" if name.endswith("G") else "G")
    rows.add(
        "pipes", pipe=name, from_node=a, to_node=b, length_m=round(max(metres, 5.0), 1), inner_diameter_m=bore_m,
        outer_diameter_m=round(bore_m + 2 * WALL_M, 3), roughness_mm=0.5, u_w_per_m2k=1.1 if year >= 2010 else 1.6, twin=twin, side=side,
        built_year=year, depth_m=1.4,
    )  # fmt: skip


def _stations(
    rows: _Rows, plan: CityPlan, stations: IntArray, junctions: list[str], x: FloatArray, y: FloatArray, heat_kw: FloatArray,
    flow: FloatArray, seed: int,
) -> None:  # fmt: skip
    bores = _bore_m(flow * 1.2)
    year = 1998 + np.floor(24 * uniform(seed, "service year", stations)).astype(np.int64)
    for i, station in enumerate(stations.tolist()):
        code = plan.station_codes[station]
        at = float(x[i]), float(y[i])
        for letter, side in _SIDES:
            _node(rows, f"{code}-{letter}", side, *at, place=code)
        corner = float(x[i]) + 0.0007, float(y[i]) + 0.0005
        street = _Street(f"{code}-入站", junctions[i], code, corner, at, float(bores[i]), int(year[i]))
        _lay(rows, street)
        rows.add(
            "substations", substation=code, supply_node=f"{code}-G", return_node=f"{code}-H", heat_kw=round(float(heat_kw[i]), 1),
            return_temp_c=RETURN_C, kv_m3_per_h=round(float(flow[i]) * 3.6 * 2.2, 1), min_dp_bar=LEAST_DP_BAR, place=code,
        )  # fmt: skip


def _source(
    rows: _Rows, code: str, junction: str, at: tuple[float, float], lift_bar: float, design_total_kw: float
) -> None:
    rows.add(
        "sources", source=code, return_node=f"{junction}-H", supply_node=f"{junction}-G", supply_temp_c=SUPPLY_C, control="pressure",
        return_pressure_bar=RETURN_PRESSURE_BAR, lift_bar=lift_bar, power_max_kw=round(1.25 * design_total_kw),
    )  # fmt: skip
