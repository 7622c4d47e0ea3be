"""What a plant and its stations would show, with and without a leak, at chosen hours: hydraulics and heat by pandapipes, never by our solver.

network = leak_network(seed=1)
for case in snapshots(network, [("S40", 10.0), ("R12", 5.0)], share=0.3, seed=2):
    locator = Locator(network.known(), case.points)
    locator.learn(case.learn_time_s, case.learn_values)
    ranking = locator.rank(case.time_s, case.values, case.make_up_t_h)
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from bench.leak_networks import CP, GROUND_C, LeakNetwork, leak_network
from numpy.typing import NDArray

from nuan.network.leaks.points import Point

Floats = NDArray[np.float64]
INSIDE_C, DESIGN_OUT_C = 18.0, -20.0


@dataclass(frozen=True)
class Operation:
    """How the plant and the stations are run at T moments: outdoor and supply °C, pressures held (bar), heat and return °C a station."""

    time_s: Floats
    outdoor_c: Floats
    supply_c: Floats
    return_bar: Floats
    lift_bar: Floats
    heat_kw: Floats
    """[T, S]"""
    return_c: Floats
    """[T, S]"""

    def at(self, rows: NDArray[np.int64]) -> "Operation":
        return Operation(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class Physics:
    """pandapipes' answer at T moments. Stations [T, S]; pipes [T, 2P] (supply then return), mean of inlet and outlet."""

    supply_bar: Floats
    back_bar: Floats
    flow_kg_per_s: Floats
    supply_c: Floats
    plant_flow_kg_per_s: Floats
    """[T, 2] leaving and coming back."""
    plant_back_c: Floats
    pipe_c: Floats
    pipe_kg_per_s: Floats


@dataclass(frozen=True)
class Snapshots:
    """A stretch without a leak to learn from, then one with it. Values are in canonical units, a column a point."""

    points: tuple[Point, ...]
    learn_time_s: Floats
    learn_values: Floats
    time_s: Floats
    values: Floats
    make_up_t_h: float
    """What the make-up shows above its usual: the leak, within 10 %."""
    pipe: str
    leak_t_h: float


def weather(rng: np.random.Generator, hours: Floats, mean_c: float = -6.0) -> Floats:
    """Outdoor °C over hours: fronts of days, a day's swing, a winter's trough."""
    step_h = float(hours[1] - hours[0])
    keep = np.exp(-step_h / 60.0)
    shocks = rng.normal(0, np.sqrt(1 - keep**2), len(hours))
    front = np.empty(len(hours))
    last = rng.normal()
    for i, shock in enumerate(shocks):
        last = keep * last + shock
        front[i] = last
    day = np.cos((hours - 15.0) / 24 * 2 * np.pi)
    season = -4.0 * np.sin(np.clip(hours / (150 * 24.0), 0, 1) * np.pi) + 2.0
    return np.asarray(mean_c + season + 4.0 * front + 4.0 * day)


def operation(network: LeakNetwork, rng: np.random.Generator, time_s: Floats) -> Operation:
    """An outdoor-reset curve, pumps that follow the load, stations that each go their own way a little."""
    hours = time_s / 3600.0
    outdoor = weather(rng, hours)
    load = np.clip((INSIDE_C - outdoor) / (INSIDE_C - DESIGN_OUT_C), 0.15, 1.0)
    stations = len(network.at)
    own = _wander(rng, hours, stations, 12.0) * 0.06
    morning = 1 + 0.08 * np.sin((hours[:, None] - rng.normal(4, 2, stations)[None, :]) / 24 * 2 * np.pi)
    heat = network.design_kw[None, :] * load[:, None] * morning * np.exp(own + rng.normal(0, 0.1, stations)[None, :])
    supply = 62.0 + 33.0 * load
    back = 34.0 + 14.0 * load[:, None] + rng.normal(0, 2, stations)[None, :] + _wander(rng, hours, stations, 6.0) * 0.8
    flow = heat.sum(1) / (CP / 1000 * (supply - back.mean(1)))
    design = network.drops / (CP / 1000 * 45.0)
    lift = 2.2 + 4.8 * np.minimum(flow / design, 1.2) ** 2
    return Operation(time_s, outdoor, supply, np.full(len(time_s), 3.0), np.round(lift, 2), heat, back)


def _wander(rng: np.random.Generator, hours: Floats, columns: int, memory_h: float) -> Floats:
    """Ornstein–Uhlenbeck of unit variance, a column a station."""
    keep = np.exp(-np.diff(hours, prepend=hours[0]) / memory_h)
    found = np.empty((len(hours), columns))
    last = rng.normal(0, 1, columns)
    for i in range(len(hours)):
        last = keep[i] * last + np.sqrt(1 - keep[i] ** 2) * rng.normal(0, 1, columns)
        found[i] = last
    return found


def physics(network: LeakNetwork, run: Operation, net: Any = None, leak: tuple[int, float] = (-1, 0.0)) -> Physics:
    """pandapipes at every moment of `run`. `leak`: which sink of `net` takes how many kg/s."""
    net = network.truth() if net is None else net
    if len(net.sink):
        net.sink["mdot_kg_per_s"] = [leak[1] if i == leak[0] else 0.0 for i in range(len(net.sink))]
        net.source["mdot_kg_per_s"] = leak[1] if leak[0] >= 0 else 0.0
    n, p, at = len(network.xy), len(network.a), network.at
    parts: list[tuple[Any, ...]] = []
    arriving = np.full(len(at), np.nan)
    for i in range(len(run.time_s)):
        if not np.isfinite(arriving).all():
            arriving = np.full(len(at), run.supply_c[i] - 1.5)
        for _ in range(2 if i == 0 else 1):
            flow = run.heat_kw[i] / (CP / 1000 * np.maximum(arriving - run.return_c[i], 5.0))
            net.heat_consumer["controlled_mdot_kg_per_s"] = flow
            net.heat_consumer["treturn_k"] = run.return_c[i] + 273.15
            net.circ_pump_pressure["p_flow_bar"] = run.return_bar[i] + run.lift_bar[i]
            net.circ_pump_pressure["plift_bar"] = run.lift_bar[i]
            net.circ_pump_pressure["t_flow_k"] = run.supply_c[i] + 273.15
            _run(net)
            pressure = net.res_junction.p_bar.to_numpy()
            kelvin = net.res_junction.t_k.to_numpy()
            arriving = kelvin[at] - 273.15
        pipes = net.res_pipe
        middle = 0.5 * (pipes.t_from_k.to_numpy() + pipes.t_to_k.to_numpy()) - 273.15
        parts.append((
            pressure[at], pressure[at + n], flow, arriving.copy(), np.abs(pipes.mdot_from_kg_per_s.to_numpy()[[0, p]]),
            pipes.t_outlet_k.to_numpy()[p] - 273.15, middle[: 2 * p], pipes.mdot_from_kg_per_s.to_numpy()[: 2 * p],
        ))  # fmt: skip
    return Physics(*(np.array([part[k] for part in parts]) for k in range(8)))


def _run(net: Any) -> None:
    """Flow and heat together where pandapipes settles so, else flow at the junctions' given temperatures and heat after it."""
    import pandapipes
    from pandapipes.pf.pipeflow_setup import PipeflowNotConverged

    ways: list[dict[str, Any]] = [
        {"mode": "bidirectional", "max_iter_bidirect": 60},
        {"mode": "sequential", "max_iter_hyd": 100, "max_iter_therm": 100},
        {"mode": "sequential", "max_iter_hyd": 300, "max_iter_therm": 300, "nonlinear_method": "automatic"},
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for way in ways:
            try:
                return pandapipes.pipeflow(net, ambient_temperature=GROUND_C + 273.15, **way)
            except PipeflowNotConverged:
                continue
    raise ArithmeticError("pandapipes settles in none of three ways")


@dataclass(frozen=True)
class Sensors:
    """Points of a share of the stations and of the plant, each with its own lasting error. `read` looks at the physics through them."""

    points: tuple[Point, ...]
    chosen: NDArray[np.int64]
    bias: Floats
    gain: Floats
    noise: Floats
    grain: Floats

    def read(self, rng: np.random.Generator, run: Operation, what: Physics, make_up_t_h: Floats) -> Floats:
        """[T, points] in canonical units, with bias, gain, noise and grain."""
        chosen = self.chosen
        rows = [
            run.return_bar + run.lift_bar, run.return_bar, what.plant_flow_kg_per_s[:, 0], what.plant_flow_kg_per_s[:, 1], run.supply_c,
            what.plant_back_c, make_up_t_h, run.outdoor_c,
        ]  # fmt: skip
        plant = np.stack(rows, 1)
        stations = np.stack([
            what.supply_bar[:, chosen], what.back_bar[:, chosen], what.flow_kg_per_s[:, chosen], what.supply_c[:, chosen],
            run.return_c[:, chosen],
        ], 2).reshape(len(plant), -1)  # fmt: skip
        exact = np.hstack([plant, stations])
        shown = exact * self.gain + self.bias + rng.normal(0, 1, exact.shape) * self.noise
        return np.asarray(np.round(shown / self.grain) * self.grain)


def sensors(network: LeakNetwork, rng: np.random.Generator, share: float) -> Sensors:
    count = max(round(share * len(network.at)), 1)
    chosen = np.sort(rng.choice(len(network.at), count, replace=False))
    plant = [
        ("pressure", "bar", "supply"), ("pressure", "bar", "return"), ("flow", "kg/s", "supply"), ("flow", "kg/s", "return"),
        ("temperature", "C", "supply"), ("temperature", "C", "return"), ("make_up_flow", "t/h", ""),
    ]  # fmt: skip
    station = [
        ("pressure", "bar", "supply"), ("pressure", "bar", "return"), ("flow", "kg/s", "supply"), ("temperature", "C", "supply"),
        ("temperature", "C", "return"),
    ]  # fmt: skip
    points = [
        Point(f"plant_{quantity}_{side}".rstrip("_"), quantity, unit, "source", "plant", side)
        for quantity, unit, side in plant
    ]
    points.append(Point("outdoor", "temperature", "C", "weather", ""))
    for i in chosen:
        points += [
            Point(f"c{i}_{quantity}_{side}", quantity, unit, "substation", f"c{i}", side)
            for quantity, unit, side in station
        ]
    # lasting error, error of the span, noise of a reading, grain
    about = {
        "pressure": (0.03, 0.0, 0.004, 0.001), "flow": (0.0, 0.012, 0.0, 0.01), "temperature": (0.3, 0.0, 0.1, 0.1),
        "make_up_flow": (0.0, 0.01, 0.05, 0.01),
    }  # fmt: skip
    bias, span, noise, grain = np.array([about[point.quantity] for point in points]).T
    flows = np.array([point.quantity == "flow" for point in points])
    usual = np.array([1.0] * 8 + [v for i in chosen for v in (0, 0, network.design_kw[i] / (CP / 1000 * 45), 0, 0)])
    usual[2:4] = network.drops / (CP / 1000 * 45)
    return Sensors(
        tuple(points), chosen, rng.normal(0, 1, len(points)) * bias, 1 + rng.normal(0, 1, len(points)) * span,
        np.where(flows, 0.004 * usual, noise), grain,
    )  # fmt: skip


@dataclass(frozen=True)
class History:
    """pandapipes' leak-free past of a network, and for each leak the same later hours with it."""

    network: LeakNetwork
    leaks: tuple[tuple[str, float], ...]
    past: tuple[Operation, Physics]
    now: Operation
    leaking: tuple[Physics, ...]
    every_s: float


def history(
    network: LeakNetwork,
    leaks: Sequence[tuple[str, float]],
    *,
    seed: int = 0,
    learn_hours: int = 48,
    hours: int = 24,
    every_h: int = 2,
) -> History:
    """A state of the network every `every_h` hours."""
    rng = np.random.default_rng([seed, network.seed, 5])
    states = (learn_hours + hours) // every_h
    run = operation(network, rng, np.arange(states) * every_h * 3600.0)
    split = learn_hours // every_h
    past, now = run.at(np.arange(split)), run.at(np.arange(split, states))
    net = network.truth(tuple(pipe for pipe, _ in leaks))
    leaking = tuple(physics(network, now, net, (i, t_h / 3.6)) for i, (_, t_h) in enumerate(leaks))
    return History(network, tuple(leaks), (past, physics(network, past, net)), now, leaking, every_h * 3600.0)


def look(past: History, *, share: float, seed: int, readings: int = 6) -> list[Snapshots]:
    """What a share of the stations shows of it, each state read `readings` times; one case a leak."""
    rng = np.random.default_rng([seed, past.network.seed, 6])
    eyes = sensors(past.network, rng, share)

    def repeat(time_s: Floats) -> Floats:
        return np.repeat(time_s, readings) + np.tile(np.arange(readings) * past.every_s / readings, len(time_s))

    def seen(run: Operation, what: Physics, lost_t_h: float) -> Floats:
        reads = [eyes.read(rng, run, what, np.full(len(run.time_s), 2.0 + lost_t_h)) for _ in range(readings)]
        return np.stack(reads, 1).reshape(len(run.time_s) * readings, -1)

    before = seen(*past.past, 0.0)
    times = repeat(past.past[0].time_s), repeat(past.now.time_s)
    return [
        Snapshots(
            eyes.points,
            times[0],
            before,
            times[1],
            seen(past.now, what, t_h),
            t_h * float(rng.normal(1, 0.05)),
            pipe,
            t_h,
        )
        for (pipe, t_h), what in zip(past.leaks, past.leaking, strict=True)
    ]


def snapshots(
    network: LeakNetwork,
    leaks: Sequence[tuple[str, float]],
    *,
    share: float = 1.0,
    seed: int = 0,
    readings: int = 6,
    **hours: int,
) -> list[Snapshots]:
    """One case a leak (pipe, t/h); all share the leak-free past. `hours`: learn_hours, hours, every_h of `history`."""
    return look(history(network, leaks, seed=seed, **hours), share=share, seed=seed, readings=readings)


def leaking_pipes(network: LeakNetwork, rng: np.random.Generator, count: int) -> list[str]:
    """Where leaks happen: by length, on either side, never on the shut street."""
    weight = network.length.copy()
    if network.shut >= 0:
        weight[network.shut] = 0.0
    which = rng.choice(len(weight), count, p=weight / weight.sum())
    return [f"{'SR'[int(rng.integers(2))]}{k}" for k in which]


__all__ = ["LeakNetwork", "Snapshots", "leak_network", "leaking_pipes", "operation", "physics", "sensors", "snapshots"]
