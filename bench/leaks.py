"""Leaks on networks and seasons kept apart: false alarms, time to the alarm by size, place; a static threshold and two rules beside.

python -m bench.leaks [--quick] [--detection] [--location]

Truth comes from pandapipes and from `bench.leak_seasons`, never from our solver. Thresholds were tuned on TUNED_ON; what is scored has
networks, weather and configurations of its own (SCORED_ON, LOCATED_ON).
"""

import argparse
import copy
import json
import platform
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from bench.leak_networks import LeakNetwork, leak_network
from bench.leak_seasons import STEP_S, Hold, Season, Seen, make_up, season, seen
from bench.leak_world import Snapshots, history, leaking_pipes, look
from numpy.typing import NDArray

from nuan.network.leaks.locate import Locator
from nuan.network.leaks.stream import Watch

Floats = NDArray[np.float64]
RESULTS = Path(__file__).parent / "results" / "leaks.json"
TUNED_ON, SCORED_ON, LOCATED_ON = (11, 12, 101, 102), (*range(201, 207), *range(208, 214)), tuple(range(301, 309))
SIZES = {0.5: 72.0, 2.0: 12.0, 5.0: 12.0, 10.0: 1.0, 20.0: 1.0}
"""t/h and the hours within which the alarm is wanted (5 t/h: as 2)."""
HOLDS: tuple[Hold, ...] = ("net", "relief", "held", "band", "tank")
MONTH_D = 30.44
NEAR_M = 300.0
LEFT_OUT = {
    "pressure": ("plant_pr", "plant_ps"),
    "flow": ("plant_flow",),
    "temperatures": ("plant_ts", "plant_tr"),
    "told fills": ("filling",),
}


@dataclass
class Tally:
    months: float = 0.0
    false_alarms: int = 0
    delays_h: dict[float, list[float]] = field(default_factory=lambda: {size: [] for size in SIZES})
    sizes: dict[float, list[float]] = field(default_factory=lambda: {size: [] for size in SIZES})
    static_h: dict[float, list[float]] = field(default_factory=lambda: {size: [] for size in SIZES})
    static_t_h: list[float] = field(default_factory=list)
    by_hold: dict[str, list[int]] = field(default_factory=dict)
    rows: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Setup:
    """How a season is seen: drawn by its seed."""

    share: float
    step_s: int
    counter: bool
    without: tuple[str, ...]
    seed: int

    @classmethod
    def of(cls, seed: int) -> "Setup":
        rng = np.random.default_rng([seed, 21])
        without = [what for what, often in (("pressure", 0.2), ("flow", 0.2)) if rng.random() < often]
        return cls(
            float(rng.choice([0.0, 0.1, 0.3])),
            int(rng.choice([600, 600, 3600])),
            bool(rng.random() < 0.25),
            tuple(without),
            seed,
        )

    def see(self, what: Season, leak_t_h: Floats) -> Seen:
        shown = seen(what, leak_t_h, share=self.share, seed=self.seed, step_s=self.step_s, counter=self.counter)
        gone = {name for part in self.without for name in LEFT_OUT[part]}
        kept = [i for i, point in enumerate(shown.points) if point.column not in gone]
        return Seen(tuple(shown.points[i] for i in kept), shown.time_s, shown.values[:, kept])


def detect(what: Season, setup: Setup, leaks: int, tally: Tally) -> list[str]:
    """Replay the leak-free season; from copies of the state on its way, replay each leak. Says what was false."""
    known = what.network.known()
    dry = setup.see(what, np.zeros(len(what.run.time_s)))
    rng = np.random.default_rng([setup.seed, 22])
    rows = len(dry.time_s)
    first, last = int(10 * 86400 / setup.step_s), rows - int(76 * 3600 / setup.step_s)
    starts = np.sort(rng.integers(first, last, leaks))
    watch, copies, false = Watch(known, dry.points, locate=False), [], []
    begun = time.perf_counter()
    for k in range(rows):
        copies += [(k, copy.deepcopy(watch))] * int(np.sum(starts == k))
        false += [
            alarm
            for alarm in watch.push(float(dry.time_s[k]), dry.values[k])
            if alarm.kind in ("leak", "duct_wet", "duct_heat_loss")
        ]
    tally.seconds += time.perf_counter() - begun
    tally.rows += rows
    months = rows * setup.step_s / 86400 / MONTH_D
    tally.months += months
    tally.false_alarms += len(false)
    there = tally.by_hold.setdefault(what.hold, [0, 0])
    there[0] += len(false)
    there[1] += round(months * 100)
    limit = _static_limit(what)
    tally.static_t_h.append(limit)
    for size, wanted_h in SIZES.items():
        for k, before in copies:
            if before.event is not None:
                continue
            onset_s = float(dry.time_s[k])
            leak = np.where(what.run.time_s >= onset_s, size, 0.0)
            delay, said = _delay(copy.deepcopy(before), setup.see(what, leak), k, onset_s, wanted_h + 4.0, setup.step_s)
            tally.delays_h[size].append(delay)
            tally.sizes[size].append(said)
            tally.static_h[size].append(_static_delay(what, leak, onset_s, limit))
    return [
        f"{what.hold} network {what.network.seed} {setup} day {alarm.time_s / 86400:.2f} {alarm.found_by} {alarm.size_t_h:.1f}"
        for alarm in false
    ]


def _delay(watch: Watch, shown: Seen, first: int, onset_s: float, most_h: float, step_s: int) -> tuple[float, float]:
    for k in range(first, min(len(shown.time_s), first + int(most_h * 3600 / step_s) + 2)):
        for alarm in watch.push(float(shown.time_s[k]), shown.values[k]):
            if alarm.kind == "leak":
                return (alarm.time_s - onset_s) / 3600.0, alarm.size_t_h
    return float("inf"), float("nan")


def _static_limit(what: Season) -> float:
    """The lowest constant limit on the hour's mean make-up with at most 0.5 false alarms a month on this very season: more than fair."""
    hourly = _hourly(make_up(what, np.zeros(len(what.run.time_s)))[0] - what.fill_t_h)
    allowed = int(0.5 * len(hourly) / 24 / MONTH_D)
    for limit in np.arange(0.5, 80.0, 0.25):
        above = hourly > limit
        if int(np.sum(above[1:] & ~above[:-1])) + int(above[0]) <= allowed:
            return float(limit)
    return 80.0


def _static_delay(what: Season, leak: Floats, onset_s: float, limit: float) -> float:
    inflow = make_up(what, leak)[0] - what.fill_t_h
    start = int(onset_s / STEP_S)
    hour = 3600 // STEP_S
    sums = np.concatenate([[0.0], np.cumsum(inflow)])
    for k in range(start + 1, min(start + 76 * hour, len(inflow))):
        if (sums[k + 1] - sums[max(k + 1 - hour, 0)]) / hour > limit:
            return (k - start) * STEP_S / 3600.0
    return float("inf")


def _hourly(flow: Floats) -> Floats:
    hour = 3600 // STEP_S
    return np.asarray(flow[: len(flow) // hour * hour].reshape(-1, hour).mean(1))


def detection(networks: tuple[int, ...], days: float, leaks: int, per_network: int = 1) -> dict[str, Any]:
    tally = Tally()
    for n, network_seed in enumerate(networks):
        network = leak_network(network_seed, loops=8 + network_seed % 8, shut=bool(network_seed % 2))
        for k in range(per_network):
            seed = network_seed * 10 + k
            what = season(network, days, seed, HOLDS[(n * per_network + k) % len(HOLDS)])
            for sentence in detect(what, Setup.of(seed), leaks, tally):
                print("false:", sentence, file=sys.stderr, flush=True)
        print(
            f"{n + 1}/{len(networks)} networks, {tally.false_alarms} false in {tally.months:.1f} months",
            file=sys.stderr,
            flush=True,
        )
    return {
        "networks": list(networks), "months_without_leak": round(tally.months, 1), "false_alarms": tally.false_alarms,
        "false_alarms_a_month": round(tally.false_alarms / tally.months, 3),
        "false_alarms_by_pressure_hold": {hold: {"alarms": a, "months": m / 100} for hold, (a, m) in tally.by_hold.items()},
        "sizes_t_h": {str(size): _summary(tally, size, within) for size, within in SIZES.items()},
        "static_threshold_t_h": {"median": float(np.median(tally.static_t_h)), "least": min(tally.static_t_h), "most": max(tally.static_t_h)},
        "rows_a_second_without_location": round(tally.rows / max(tally.seconds, 1e-9)),
    }  # fmt: skip


def _summary(tally: Tally, size: float, within_h: float) -> dict[str, Any]:
    delays, static = np.array(tally.delays_h[size]), np.array(tally.static_h[size])
    said = np.array(tally.sizes[size])[np.isfinite(delays)]
    return {
        "leaks": len(delays), "wanted_within_h": within_h, "found_within": round(float(np.mean(delays <= within_h + 1e-6)), 3),
        "median_h": round(float(np.median(delays)), 2), "size_error_median_percent": round(100 * float(np.median(np.abs(said - size))) / size, 1) if len(said) else None,
        "static_threshold_found_within": round(float(np.mean(static <= within_h + 1e-6)), 3),
    }  # fmt: skip


def location(networks: tuple[int, ...], leaks_each: int) -> dict[str, Any]:
    """For each share of stations and size: how often the first pipe is within 300 m of the leak after a day, by street and as the crow flies."""
    shares, sizes = (1.0, 0.3, 0.1), (5.0, 10.0)
    found: dict[tuple[float, float], list[tuple[bool, bool, bool, bool, float]]] = {
        (share, size): [] for share in shares for size in sizes
    }
    for n, seed in enumerate(networks):
        network = leak_network(seed, loops=8 + seed % 8, shut=bool(seed % 2))
        pipes = leaking_pipes(network, np.random.default_rng([seed, 31]), leaks_each)
        past = history(network, [(pipe, size) for pipe in pipes for size in sizes], seed=seed)
        chance = float(np.average((network.route_m < NEAR_M).mean(1), weights=network.length))
        for share in shares:
            cases = look(past, share=share, seed=seed)
            locator = Locator(network.known(), cases[0].points)
            locator.learn(cases[0].learn_time_s.astype(np.int64), cases[0].learn_values)
            for case in cases:
                ranking = copy.deepcopy(locator).rank(case.time_s.astype(np.int64), case.values, case.make_up_t_h)
                first = ranking.pipes[0][0]
                rule = _largest_drop(network, case)
                found[share, case.leak_t_h].append((
                    network.route(first, case.pipe) <= NEAR_M, _crow(network, first, case.pipe) <= NEAR_M, ranking.side[:1].upper() == case.pipe[0],
                    rule is not None and network.route(rule, case.pipe) <= NEAR_M, chance,
                ))  # fmt: skip
        print(
            f"{n + 1}/{len(networks)} located",
            {f"{k}": round(float(np.mean([one[0] for one in v])), 2) for k, v in found.items()},
            file=sys.stderr,
            flush=True,
        )
    return {
        f"{share:.0%} of stations, {size:g} t/h": {
            "leaks": len(rows), "within_300_m_by_street": _mean(rows, 0), "within_300_m_straight": _mean(rows, 1), "side_right": _mean(rows, 2),
            "largest_dp_rule": _mean(rows, 3), "chance": _mean(rows, 4),
        }
        for (share, size), rows in found.items()
    }  # fmt: skip


def _mean(rows: list[tuple[bool, bool, bool, bool, float]], k: int) -> float:
    return round(float(np.mean([row[k] for row in rows])), 3)


def _crow(network: LeakNetwork, first: str, second: str) -> float:
    middles = [
        0.5 * (network.xy[network.a[int(name[1:])]] + network.xy[network.b[int(name[1:])]]) for name in (first, second)
    ]
    return float(np.linalg.norm(middles[0] - middles[1]))


def _largest_drop(network: LeakNetwork, case: Snapshots) -> str | None:
    """The rule of thumb: the station whose differential pressure fell most against what the plant's flow and lift let expect."""
    index = {point.column: i for i, point in enumerate(case.points)}

    def inputs(values: Floats) -> Floats:
        lift = values[:, index["plant_pressure_supply"]] - values[:, index["plant_pressure_return"]]
        flow = values[:, index["plant_flow_supply"]]
        return np.stack([np.ones(len(values)), lift, flow, flow**2], 1)

    most, rule = 0.0, None
    for i, at in enumerate(network.at):
        if f"c{i}_pressure_supply" not in index:
            continue
        columns = index[f"c{i}_pressure_supply"], index[f"c{i}_pressure_return"]
        learnt = np.linalg.lstsq(
            inputs(case.learn_values), case.learn_values[:, columns[0]] - case.learn_values[:, columns[1]], rcond=None
        )[0]
        drop = float(np.mean(inputs(case.values) @ learnt - (case.values[:, columns[0]] - case.values[:, columns[1]])))
        if drop > most:
            most, rule = drop, f"S{int(np.flatnonzero(network.b == at)[0])}"
    return rule


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="two networks, three weeks; nothing is written")
    parser.add_argument("--detection", action="store_true", help="only this part")
    parser.add_argument("--location", action="store_true", help="only this part")
    parser.add_argument("--tune", action="store_true", help="on the networks for tuning; nothing is written")
    given = parser.parse_args()
    both = given.detection == given.location
    result: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    networks = TUNED_ON if given.tune else SCORED_ON
    if both or given.detection:
        result["detection"] = detection(networks[:2], 21, 3) if given.quick else detection(networks, 45, 9)
    if both or given.location:
        result["location"] = location(LOCATED_ON[:1], 2) if given.quick else location(LOCATED_ON, 5)
    result["tuned_on"], result["scored_on"], result["located_on"] = TUNED_ON, SCORED_ON, LOCATED_ON
    result["machine"] = f"{platform.machine()}, Python {platform.python_version()}, numpy {np.__version__}"
    print(json.dumps(result, indent=2, ensure_ascii=False))
    if not given.quick and not given.tune:
        RESULTS.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
