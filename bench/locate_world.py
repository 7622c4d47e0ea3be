"""Leaks in snapshots, truth from pandapipes alone: a network whose drawing is wrong the way drawings are, sensors that are as sensors are.

What the drawing does not know: each pipe's roughness, a closed valve, gauges' offsets, meters' errors, clocks that are off, how loads swing.
"""

from dataclasses import dataclass, field, replace

import numpy as np
from bench.network_cases import Case, nuan_network, street_case
from numpy.typing import NDArray

from nuan.network.graph import Network

Floats = NDArray[np.float64]
CP = 4190.0


@dataclass(frozen=True)
class Faults:
    """How the truth differs from the drawing and the sensors from the truth."""

    roughness_spread: float = 0.5
    roughness_factor: float = 1.6
    closed_street: bool = False
    gauge_offset_bar: float = 0.05
    gauge_noise_bar: float = 0.005
    meter_gain: float = 0.01
    meter_noise: float = 0.01
    clock_hours: float = 0.1
    load_noise: float = 0.05
    liars: int = 1
    colder: float = 1.2


@dataclass
class Leak:
    pipe: str
    side: str
    t_h: float
    at: tuple[float, float]
    start: int


@dataclass
class World:
    """`true[T, ...]` of what could be measured, hour by hour; leaks have their own hours after each other."""

    case: Case
    network: Network
    xy: Floats
    hours: Floats
    supply_bar: Floats
    return_bar: Floats
    flow: Floats
    plant: Floats
    """[T, 5]: supply bar, return bar, flow out, flow back, make-up (kg/s)."""
    supply_c: Floats
    leak_of: NDArray[np.int64]
    leaks: list[Leak] = field(default_factory=list)
    roughness_mm: Floats = field(default_factory=lambda: np.zeros(0))
    closed: str = ""


def city(
    seed: int, stations: int = 150, loops: int = 8, stretch: float = 3.0, homes_kw: float = 380.0
) -> tuple[Case, Floats]:
    """A grid of streets 180 to 420 m long, and where its nodes lie (m)."""
    case = street_case(stations, loops, seed=seed, homes_kw=homes_kw)
    case = replace(case, length=case.length * np.where(case.length < 45.0, 1.0, stretch), lift_bar=9.0)
    side = int(np.ceil(np.sqrt(max(stations / 3, 4))))
    crossings = side * side
    xy = np.zeros((case.nodes, 2))
    step = 100.0 * stretch
    xy[:crossings, 0], xy[:crossings, 1] = (np.arange(crossings) % side) * step, (np.arange(crossings) // side) * step
    xy[crossings] = xy[case.b[0]] + [step / 2, step / 2]
    for a, b in zip(case.a.tolist(), case.b.tolist(), strict=True):
        if b > crossings:
            xy[b] = xy[a] + [20.0, 15.0]
    return case, xy


def build(
    seed: int, *, stations_count: int = 150, loops: int = 8, learn_hours: int = 240, leaks: int = 24, leak_hours: int = 24, step_h: int = 2,
    sizes_t_h: tuple[float, ...] = (5.0, 10.0), faults: Faults = Faults(), use_numba: bool = True,
) -> World:  # fmt: skip
    """Run pandapipes (hydraulics) through the learning hours and through the hours of each leak."""
    import pandapipes

    rng = np.random.default_rng(seed + 1000)
    case, xy = city(seed, stations_count, loops)
    n, pipes = case.nodes, len(case.a)
    side = int(np.ceil(np.sqrt(max(len(case.at) / 3, 4))))
    service = case.b > side * side
    service[0] = False
    rough = 0.1 * faults.roughness_factor * rng.lognormal(0, faults.roughness_spread, 2 * pipes)
    streets = np.flatnonzero(~service)
    # by length, and only where the bore could feed such a leak
    weight = case.length * (case.diameter >= 0.05)
    weight = weight / weight.sum()
    chosen = rng.choice(pipes, leaks, p=weight)
    sides = rng.integers(0, 2, leaks)
    sizes = rng.choice(list(sizes_t_h), leaks)
    where = rng.uniform(0.0, 1.0, leaks)

    net = pandapipes.create_empty_network(fluid="water")
    heights = np.tile(case.elevation, 2)
    kelvin = np.repeat([90.0 + 273.15, 50.0 + 273.15], n)
    for i in range(2 * n):
        pandapipes.create_junction(net, pn_bar=5, tfluid_k=kelvin[i], height_m=heights[i])
    cut: dict[tuple[int, int], tuple[int, float]] = {}
    for k in range(leaks):
        key = (int(chosen[k]), int(sides[k]))
        if key not in cut:
            a, b = int(case.a[key[0]]), int(case.b[key[0]])
            height = (1 - where[k]) * case.elevation[a] + where[k] * case.elevation[b]
            cut[key] = (
                int(pandapipes.create_junction(net, pn_bar=5, tfluid_k=kelvin[n * key[1]], height_m=height)),
                float(where[k]),
            )
    closed = int(streets[-1 - rng.integers(0, 3)]) if faults.closed_street else -1
    for s in range(2):
        for e in range(pipes):
            a, b = int(case.a[e]) + s * n, int(case.b[e]) + s * n
            ends, shares = [a, b], [1.0]
            if (e, s) in cut:
                mid, share = cut[e, s]
                ends, shares = [a, mid, b], [share, 1.0 - share]
            for i, share in enumerate(shares):
                pandapipes.create_pipe_from_parameters(
                    net, ends[i], ends[i + 1], case.length[e] * max(share, 1e-3) / 1000, inner_diameter_mm=case.diameter[e] * 1000,
                    k_mm=float(rough[e + s * pipes]), in_service=not (e == closed and s == 0),
                )  # fmt: skip
    plant = int(case.a[0])
    # two held pressures are the plant: a circulation pump of pandapipes would allow no water to be lost
    pandapipes.create_ext_grid(net, plant, p_bar=12.0, t_k=363.15)
    pandapipes.create_ext_grid(net, plant + n, p_bar=3.0, t_k=323.15)
    pandapipes.create_heat_consumers(net, case.at, case.at + n, controlled_mdot_kg_per_s=1.0, qext_w=1.0)
    sink = int(pandapipes.create_sink(net, 0, mdot_kg_per_s=0.0))

    total = learn_hours // step_h + leaks * (leak_hours // step_h)
    stations = len(case.at)
    base = case.heat_w / (CP * 40.0)
    swing, phase = rng.uniform(0.02, 0.15, stations), rng.normal(0, 1.5, stations)
    hours = np.zeros(total)
    leak_of = np.full(total, -1)
    out = World(
        case,
        nuan_network(case),
        xy,
        hours,
        np.zeros((total, stations)),
        np.zeros((total, stations)),
        np.zeros((total, stations)),
        np.zeros((total, 5)),
        np.zeros(total),
        leak_of,
    )
    out.roughness_mm, out.closed = rough, f"S{closed}" if closed >= 0 else ""
    row, hour = 0, 0.0
    slow = rng.normal(0, 1, stations) * 0.03
    for k in range(-1, leaks):
        count = learn_hours // step_h if k < 0 else leak_hours // step_h
        if k >= 0:
            a, b = case.a[chosen[k]], case.b[chosen[k]]
            mid, share = cut[int(chosen[k]), int(sides[k])]
            at = (1 - share) * xy[a] + share * xy[b]
            out.leaks.append(
                Leak(
                    f"{'SR'[sides[k]]}{chosen[k]}",
                    ("supply", "return")[sides[k]],
                    float(sizes[k]),
                    (float(at[0]), float(at[1])),
                    row,
                )
            )
            net.sink.loc[sink, "junction"] = mid
            net.sink.loc[sink, "mdot_kg_per_s"] = sizes[k] / 3.6
            slow = 0.8 * slow + 0.6 * 0.03 * rng.normal(0, 1, stations)
        level = 1.0 if k < 0 else float(rng.uniform(0.75, faults.colder))
        jump = 0.0
        for _ in range(count):
            day = hour / 24
            cold = level * (0.7 + 0.12 * np.sin(day * 2 * np.pi / 5.3) + 0.08 * np.sin(day * 2 * np.pi / 1.9 + 1))
            shape = 1.0 + swing * np.sin((hour - 8 + phase) * 2 * np.pi / 24) + slow
            m = base * cold * shape * (1 + faults.load_noise * rng.normal(0, 1, stations))
            if rng.random() < 0.05:
                jump = float(rng.choice([0.0, 0.3, -0.3]))
            lift = 5.0 + 4.0 * cold**2 + jump
            net.heat_consumer["controlled_mdot_kg_per_s"] = m
            below = 3.0 + 0.05 * np.sin(hour)
            net.ext_grid["p_bar"] = [below + lift, below]
            pandapipes.pipeflow(net, mode="hydraulics", max_iter_hyd=100, use_numba=use_numba)
            p = net.res_junction.p_bar.to_numpy()
            out.supply_bar[row], out.return_bar[row], out.flow[row] = p[case.at], p[case.at + n], m
            leak = sizes[k] / 3.6 if k >= 0 else 0.0
            back = m.sum() - (leak if k >= 0 and sides[k] == 1 else 0.0)
            sent = m.sum() + (leak if k >= 0 and sides[k] == 0 else 0.0)
            out.plant[row] = [p[plant], p[plant + n], sent, back, leak]
            out.supply_c[row], hours[row], leak_of[row] = 90.0, hour, k
            row += 1
            hour += step_h
    return out


@dataclass(frozen=True)
class Sensed:
    columns: list[tuple[str, str, str, str, str, str]]
    """(column, quantity, unit, asset kind, asset, side) as `points.csv` has them."""
    time_s: NDArray[np.int64]
    values: Floats


def sense(world: World, share: float, seed: int, *, flows: str = "same", faults: Faults = Faults()) -> Sensed:
    """What a share of the stations tells: pressures on both sides and (`flows`: same | all | none) flow. The plant tells everything."""
    rng = np.random.default_rng(seed)
    stations = len(world.case.at)
    chosen = np.sort(rng.choice(stations, max(round(share * stations), 2), replace=False))
    columns: list[tuple[str, str, str, str, str, str]] = []
    parts: list[Floats] = []

    def clock(series: Floats) -> Floats:
        lag = rng.uniform(0, faults.clock_hours)
        return (1 - lag) * series + lag * np.concatenate([series[:1], series[:-1]])

    t = len(world.hours)
    lie = set(rng.choice(len(chosen), faults.liars, replace=False).tolist()) if faults.liars else set()
    for i, k in enumerate(chosen):
        for side, true in (("supply", world.supply_bar), ("return", world.return_bar)):
            seen = clock(true[:, k]) + rng.normal(0, faults.gauge_offset_bar) + rng.normal(0, faults.gauge_noise_bar, t)
            if i in lie and side == "supply":
                seen = seen + np.where(world.leak_of >= 0, rng.choice([-0.3, 0.3]), 0.0)
            parts.append(seen)
            columns.append((f"P{k}{side[0]}", "pressure", "bar", "substation", f"c{k}", side))
    metered = {"same": chosen, "all": np.arange(stations), "none": np.zeros(0, int)}[flows]
    for k in metered:
        gain = 1 + rng.normal(0, faults.meter_gain)
        parts.append(clock(world.flow[:, k]) * gain * (1 + rng.normal(0, faults.meter_noise, t)))
        columns.append((f"F{k}", "flow", "kg/s", "substation", f"c{k}", "supply"))
    for j, (name, quantity, side) in enumerate(
        (("Ps", "pressure", "supply"), ("Pr", "pressure", "return"), ("Fs", "flow", "supply"), ("Fr", "flow", "return"))
    ):
        true = world.plant[:, j]
        noise = (
            faults.gauge_noise_bar * rng.normal(0, 1, t)
            if quantity == "pressure"
            else 0.003 * true * rng.normal(0, 1, t)
        )
        gain = 1.0 if quantity == "pressure" else 1 + rng.normal(0, 0.005)
        parts.append(true * gain + noise)
        columns.append(
            (f"plant_{name}", quantity, "bar" if quantity == "pressure" else "kg/s", "source", "plant", side)
        )
    parts.append(world.plant[:, 4] * 3.6 + 0.3 * rng.normal(0, 1, t) + 1.0)
    columns.append(("plant_M", "make_up_flow", "t/h", "source", "plant", ""))
    for name, side, value in (("Ts", "supply", 90.0), ("Tr", "return", 50.0)):
        parts.append(np.full(t, value) + 0.2 * rng.normal(0, 1, t))
        columns.append((f"plant_{name}", "temperature", "C", "source", "plant", side))
    values = np.stack(parts, axis=1)
    values[rng.random(values.shape) < 0.01] = np.nan
    return Sensed(columns, (world.hours * 3600).astype(np.int64), values)
