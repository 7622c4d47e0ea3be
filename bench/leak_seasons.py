"""Weeks at a plant, with and without a leak: what the make-up meter and the other points show when the contents swell and shrink.

Flows come from pandapipes at some load states; temperatures travel from there by plug flow, followed along the volume that has passed
(written here, nothing of `nuan.network` is used). The make-up follows from the balance of mass,

    make-up = usual loss + leak + fill + d(mass in the pipes)/dt + d(mass in the vessel)/dt.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from bench.leak_networks import CP, GROUND_C, U_W_PER_M2K, LeakNetwork
from bench.leak_world import Operation, operation, physics
from numpy.typing import NDArray

from nuan.network.leaks.points import Point

Floats = NDArray[np.float64]
STEP_S = 600
WALL = 1.08
"""Steel walls hold 8 % of the water's heat: a front travels that much slower than the water."""
Hold = Literal["net", "relief", "held", "band", "tank"]
"""How pressure is held. net: what swells goes out through the same meter. relief: what swells is let off. held: a gas vessel takes what
swells, the make-up pump keeps the least pressure. band: a vessel between two pressures, the pump runs now and then. tank: the same by level."""


@dataclass(frozen=True)
class Season:
    """Truth at T moments, 10 minutes apart, without a leak. `with_leak` gives what is seen."""

    network: LeakNetwork
    run: Operation
    hold: Hold
    seed: int
    flow_kg_per_s: Floats
    back_c: Floats
    content_t: Floats
    usual_t_h: Floats
    fill_t_h: Floats
    fill_told: NDArray[np.bool_]
    set_bar: Floats
    compliance_t_per_bar: float
    band_bar: float
    pump_t_h: float


def season(network: LeakNetwork, days: float, seed: int, hold: Hold) -> Season:
    rng = np.random.default_rng([seed, network.seed, 9])
    time_s = np.arange(int(days * 86400 / STEP_S)) * float(STEP_S)
    run = _ramped(operation(network, rng, time_s), rng)
    shares, cooled = _shares(network, run, rng)
    flow = (run.heat_kw / (CP / 1000 * np.maximum(run.supply_c[:, None] - 1.5 - run.return_c, 5.0))).sum(1)
    content, back = _contents(network, run, flow, shares, cooled)
    usual = float(rng.uniform(0.4, 3.0)) * (
        1 + rng.uniform(-0.003, 0.008) * time_s / 86400 + 0.03 * _slow(rng, len(time_s))
    )
    fill, told = _fills(rng, time_s)
    set_bar = 3.0 + _steps(rng, time_s, 20.0, 0.15)
    compliance = float(rng.uniform(8, 25)) if hold in ("held", "band", "tank") else float(rng.uniform(0.3, 2.0))
    return Season(
        network, run, hold, seed, flow, back, content, usual, fill, told, set_bar, compliance, float(rng.uniform(0.08, 0.25)),
        float(rng.uniform(15, 40)),
    )  # fmt: skip


def _slow(rng: np.random.Generator, count: int) -> Floats:
    keep = np.exp(-STEP_S / (5 * 86400))
    found, last = np.empty(count), rng.normal()
    for i in range(count):
        last = keep * last + np.sqrt(1 - keep**2) * rng.normal()
        found[i] = last
    return found


def _steps(rng: np.random.Generator, time_s: Floats, every_d: float, size: float) -> Floats:
    """A level that a person changes now and then, over half an hour."""
    level = np.zeros(len(time_s))
    for start in time_s[0] + np.cumsum(rng.exponential(every_d * 86400, 50)):
        level += size * rng.normal() * np.clip((time_s - start) / 1800, 0, 1)
    return level


def _ramped(run: Operation, rng: np.random.Generator) -> Operation:
    """Set-point ramps of 4 to 10 K within one to three hours, some for a night only; pumps switched."""
    time_s, supply = run.time_s, run.supply_c.copy()
    for start in np.cumsum(rng.exponential(4 * 86400, 60)):
        size, over, last = rng.uniform(4, 10) * rng.choice([-1, 1]), rng.uniform(1, 3) * 3600, rng.uniform(5, 60) * 3600
        supply += size * (np.clip((time_s - start) / over, 0, 1) - np.clip((time_s - start - last) / over, 0, 1))
    lift = run.lift_bar + _steps(rng, time_s, 3.0, 0.3)
    return replace(run, supply_c=np.clip(supply, 55, 115), lift_bar=lift)


def _fills(rng: np.random.Generator, time_s: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Sections refilled after work on them: tens of tonnes within hours, told by the operator (a state point)."""
    fill, told = np.zeros(len(time_s)), np.zeros(len(time_s), bool)
    for start in np.cumsum(rng.exponential(12 * 86400, 30)):
        rate, hours = rng.uniform(5, 25), rng.uniform(1, 5)
        here = (time_s >= start) & (time_s < start + hours * 3600)
        fill[here] += rate
        told |= (time_s >= start - 1200) & (time_s < start + hours * 3600 + 1200)
    return fill, told


def _shares(network: LeakNetwork, run: Operation, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Share of the plant's flow in each of the 2P pipes (signed, by pandapipes) and how far it cools there at that flow, W/K over cp."""
    rows = np.sort(rng.choice(len(run.time_s), 12, replace=False))
    what = physics(network, run.at(rows))
    share = np.median(what.pipe_kg_per_s / what.plant_flow_kg_per_s[:, :1], axis=0)
    area = np.tile(np.pi * network.bore * network.length, 2)
    return share, U_W_PER_M2K * area / CP


def _contents(
    network: LeakNetwork, run: Operation, flow: Floats, shares: Floats, cooled: Floats
) -> tuple[Floats, Floats]:
    """Tonnes in all pipes, and °C that comes back to the plant: plugs followed through the streets, downstream in order."""
    n, p = len(network.xy), len(network.a)
    content = np.zeros(len(flow))
    volume = np.tile(np.pi / 4 * network.bore**2 * network.length, 2)
    feeds = np.maximum(run.heat_kw / (CP / 1000 * np.maximum(run.supply_c[:, None] - 1.5 - run.return_c, 5.0)), 1e-6)
    passed = np.concatenate([[0.0], np.cumsum(0.5 * (flow[1:] + flow[:-1]) * STEP_S)]) / 970.0
    plant_back = np.zeros(len(flow))
    for side in range(2):
        ends = (network.a, network.b + 0) if side == 0 else (network.b, network.a)
        share = shares[side * p : (side + 1) * p]
        start, end = np.where(share >= 0, ends[0], ends[1]), np.where(share >= 0, ends[1], ends[0])
        carried = np.abs(share)
        heat, weight = np.zeros((n, len(flow))), np.zeros((n, len(flow)))
        if side == 0:
            heat[0], weight[0] = run.supply_c, 1.0
        else:
            for i, at in enumerate(network.at):
                heat[at], weight[at] = feeds[:, i] / flow * run.return_c[:, i], feeds[:, i] / flow
        for e in _downstream(start, end, carried, n):
            here = heat[start[e]] / np.maximum(weight[start[e]], 1e-12)
            tonnes, out = _through(
                here, passed * carried[e] / WALL, volume[side * p + e], float(cooled[side * p + e]), flow * carried[e]
            )
            content += tonnes
            heat[end[e]] += carried[e] * out
            weight[end[e]] += carried[e]
        if side == 1:
            plant_back = heat[0] / weight[0]
    return content, plant_back


def _downstream(start: NDArray[np.int64], end: NDArray[np.int64], carried: Floats, count: int) -> list[int]:
    """Pipes so that all that flows into a node comes before what leaves it; pipes that all but stand last."""
    waiting = np.bincount(end[carried > 1e-6], minlength=count)
    leaving: list[list[int]] = [[] for _ in range(count)]
    for e in np.flatnonzero(carried > 1e-6):
        leaving[start[e]].append(int(e))
    ready, order = [i for i in range(count) if waiting[i] == 0], []
    while ready:
        for e in leaving[ready.pop()]:
            order.append(e)
            waiting[end[e]] -= 1
            if waiting[end[e]] == 0:
                ready.append(int(end[e]))
    return order


def density(celsius: Floats) -> Floats:
    """kg/m³ of liquid water, 0 to 150 °C: IAPWS values at 1 bar or saturation, by cubic fit (within 0.03 %)."""
    known = np.polynomial.Polynomial.fit(
        [4, 20, 40, 60, 80, 100, 120, 150], [1000, 998.2, 992.2, 983.2, 971.8, 958.4, 943.1, 917.0], 4
    )
    return np.asarray(known(celsius))


def _through(inlet: Floats, passed: Floats, volume: float, cooling: float, flow: Floats) -> tuple[Floats, Floats]:
    """Tonnes in a pipe and °C at its end: what is there now went in between `passed − volume` and `passed`."""
    cold = np.exp(-cooling / np.maximum(flow, 1e-3))
    mean = GROUND_C + (inlet - GROUND_C) * np.sqrt(cold)
    run_in = np.concatenate([[0.0], np.cumsum(0.5 * (density(mean)[1:] + density(mean)[:-1]) * np.diff(passed))])
    before = np.interp(passed - volume, passed, run_in)
    early = np.minimum(passed - volume, 0.0) * density(mean[:1])
    out = np.interp(passed - volume, passed, inlet)
    return (run_in - before - early) / 1000.0, GROUND_C + (out - GROUND_C) * cold


@dataclass(frozen=True)
class Seen:
    """`time_s` and a column a point, as `series.csv` would hold them (NaN: missing)."""

    points: tuple[Point, ...]
    time_s: Floats
    values: Floats


def make_up(what: Season, leak_t_h: Floats) -> tuple[Floats, Floats, Floats]:
    """(make-up t/h, return pressure bar, level share) at every step, with the vessel's and the pump's own ways."""
    need = what.usual_t_h + leak_t_h + what.fill_t_h + np.gradient(what.content_t, STEP_S / 3600.0)
    step_h = STEP_S / 3600.0
    inflow, stored = np.zeros(len(need)), np.zeros(len(need))
    capacity = what.compliance_t_per_bar
    level = what.band_bar * capacity if what.hold in ("band", "tank") else 0.0
    pumping = False
    for i, wanted in enumerate(need.tolist()):
        target = (what.set_bar[i] - 3.0) * capacity
        if what.hold in ("net", "relief"):
            change = (what.set_bar[i] - what.set_bar[i - 1]) * capacity / step_h if i else 0.0
            inflow[i] = wanted + change if what.hold == "net" else max(wanted + change, 0.0)
            level = target
        elif what.hold == "held":
            short = target - (level - wanted * step_h)
            inflow[i] = min(max(short, 0.0) / step_h, what.pump_t_h * 3)
            level += (inflow[i] - wanted) * step_h
        else:
            pumping = level < target if not pumping else level < target + what.band_bar * capacity
            inflow[i] = what.pump_t_h if pumping else 0.0
            level += (inflow[i] - wanted) * step_h
        level = min(level, target + 0.8 * capacity)
        stored[i] = level
    tank = what.hold == "tank"
    pressure = what.set_bar if tank else 3.0 + stored / capacity
    return inflow, pressure, stored / capacity if tank else np.full(len(need), np.nan)


def seen(
    what: Season, leak_t_h: Floats, *, share: float, seed: int, step_s: int = STEP_S, counter: bool = False
) -> Seen:
    """The points' columns: plant, make-up, some stations' temperatures, each with its errors, gaps, and clock."""
    rng = np.random.default_rng([seed, what.seed, 11])
    run, count = what.run, len(what.run.time_s)
    inflow, pressure, level = make_up(what, leak_t_h)
    drift = 1 + rng.normal(0, 0.01) + rng.normal(0, 0.01) * run.time_s / (30 * 86400)
    grain = float(rng.choice([0.01, 0.05, 0.1]))
    meter = inflow * drift + rng.normal(0, 0.03, count) * np.sqrt(np.abs(inflow)) + rng.normal(0, 0.05)
    if what.hold != "net":
        meter = np.maximum(meter, 0.0)
    columns: list[tuple[Point, Floats]] = []

    def add(
        name: str,
        quantity: str,
        unit: str,
        kind: str,
        asset: str,
        side: str,
        values: Floats,
        noise: float,
        grain: float,
    ) -> None:
        shown = np.round((values + rng.normal(0, 1, count) * noise) / grain) * grain
        columns.append((Point(name, quantity, unit, kind, asset, side), _gaps(rng, shown)))

    if counter:
        total = np.floor(np.cumsum(np.maximum(meter, 0.0)) * STEP_S / 3600.0 / 0.1) * 0.1
        columns.append((Point("makeup_total", "make_up_total", "t", "source", "plant"), _gaps(rng, total)))
    else:
        add("makeup", "make_up_flow", "t/h", "source", "plant", "", meter, 0.0, grain)
    add("plant_ts", "temperature", "C", "source", "plant", "supply", run.supply_c + rng.normal(0, 0.3), 0.1, 0.1)
    add("plant_tr", "temperature", "C", "source", "plant", "return", what.back_c + rng.normal(0, 0.3), 0.1, 0.1)
    add(
        "plant_flow",
        "flow",
        "kg/s",
        "source",
        "plant",
        "supply",
        what.flow_kg_per_s * (1 + rng.normal(0, 0.012)),
        1.0,
        0.1,
    )
    add("plant_ps", "pressure", "bar", "source", "plant", "supply", pressure + run.lift_bar, 0.004, 0.001)
    add("plant_pr", "pressure", "bar", "source", "plant", "return", pressure, 0.004, 0.001)
    add("outdoor", "temperature", "C", "weather", "", "", run.outdoor_c, 0.2, 0.1)
    add("filling", "state", "", "source", "plant", "make_up", what.fill_told.astype(float), 0.0, 1.0)
    if what.hold == "tank":
        add("tank_level", "level", "m", "tank", "tank", "", 2.0 + level * 3, 0.01, 0.01)
    stations = rng.choice(len(what.network.at), round(share * len(what.network.at)), replace=False)
    for i in np.sort(stations):
        late = int(np.clip(np.round(rng.normal(0, 0.5)), -1, 1))
        moved = np.roll(run.return_c[:, i], late)
        add(f"c{i}_tr", "temperature", "C", "substation", f"c{i}", "return", moved + rng.normal(0, 0.4), 0.1, 0.1)
    every = step_s // STEP_S
    time_s = run.time_s[::every]
    values = np.stack([column for _, column in columns], 1)
    if every > 1:
        values = _thinned(values, every, [point.quantity for point, _ in columns], len(time_s))
    return Seen(tuple(point for point, _ in columns), time_s, values)


def _thinned(values: Floats, every: int, quantities: list[str], rows: int) -> Floats:
    """Hourly rows: flows as means of the hour that ends there, all else as it stands."""
    thin = values[::every].copy()
    hours = values[1 : (rows - 1) * every + 1].reshape(rows - 1, every, -1)
    there = np.isfinite(hours)
    count = there.sum(1)
    mean = np.where(count > 0, np.where(there, hours, 0.0).sum(1) / np.maximum(count, 1), np.nan)
    flows = [k for k, quantity in enumerate(quantities) if quantity == "make_up_flow"]
    thin[1:, flows] = mean[:, flows]
    return thin


def _gaps(rng: np.random.Generator, shown: Floats) -> Floats:
    """One reading in a hundred is lost, and now and then some hours."""
    shown = np.where(rng.random(len(shown)) < 0.01, np.nan, shown)
    for start in np.cumsum(rng.exponential(20 * 144, 20)):
        shown[int(start) : int(start) + int(rng.integers(6, 36))] = np.nan
    return shown
