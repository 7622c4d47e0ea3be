"""Estimation against truth from pandapipes: the state at stations nobody measures, roughness, a shut valve, a lying gauge.

python -m bench.estimation [--quick]     (`--quick`: one network, nothing is written)
"""

import argparse
import json
import logging
import platform
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from bench.locate_world import Faults, World, build
from numpy.typing import NDArray

from nuan.network.estimation.calibration import calibrate, groups_of
from nuan.network.estimation.observability import sure
from nuan.network.estimation.state import estimate
from nuan.network.estimation.suspicions import closed_ways
from nuan.network.steady import solve

RESULTS = Path(__file__).parent / "results" / "estimation.json"
SEEDS = (31, 32, 33, 34)
SHARES = (0.1, 0.3)
GROUND_C = 8.0


def seen(world: World, hour: int, stations: NDArray[np.int64], seed: int, lie: float = 0.0) -> pl.DataFrame:
    """Gauges with 10 mbar of noise, meters with 1 %; the first gauge lies by `lie` bar."""
    rng = np.random.default_rng([seed, hour])
    rows: list[tuple[str, str, str, str, float, float]] = []
    for k in stations:
        for side, true in (("supply", world.supply_bar), ("return", world.return_bar)):
            rows.append(("pressure", "substation", f"c{k}", side, float(true[hour, k] + rng.normal(0, 0.01)), 0.01))
        flow = float(world.flow[hour, k])
        rows.append(("flow", "substation", f"c{k}", "", flow * (1 + rng.normal(0, 0.01)), 0.015 * flow))
    supply, back, sent, *_ = (float(value) for value in world.plant[hour])
    rows += [
        ("pressure", "source", "plant", "supply", supply, 0.005), ("pressure", "source", "plant", "return", back, 0.005),
        ("flow", "source", "plant", "supply", sent * (1 + rng.normal(0, 0.003)), 0.005 * sent),
    ]  # fmt: skip
    rows[0] = (*rows[0][:4], rows[0][4] + lie, rows[0][5])
    return pl.DataFrame(rows, schema=["quantity", "asset_kind", "asset", "side", "value", "sigma"], orient="row")


def errors(world: World, hour: int, state: Any, others: NDArray[np.int64]) -> NDArray[np.float64]:
    at = {name: i for i, name in enumerate(state.arrays.node_names)}
    supply = state.pressure_bar[[at[f"s{world.case.at[k]}"] for k in others]] - world.supply_bar[hour, others]
    back = state.pressure_bar[[at[f"r{world.case.at[k]}"] for k in others]] - world.return_bar[hour, others]
    return np.concatenate([supply, back])


def one(seed: int, share: float, open_world: World, shut_world: World, hour: int = 5) -> dict[str, Any]:
    rng = np.random.default_rng([seed, int(100 * share)])
    count = len(open_world.case.at)
    stations = np.sort(rng.choice(count, max(round(share * count), 2), replace=False))
    others = np.setdiff1d(np.arange(count), stations)
    table = seen(open_world, hour, stations, seed)
    estimate(open_world.network, table, ambient_temp_c=GROUND_C)
    start = time.perf_counter()
    found = estimate(open_world.network, table, ambient_temp_c=GROUND_C)
    seconds = time.perf_counter() - start
    mine = errors(open_world, hour, found.state, others)
    sigma = dict(sure(found)[0].select("node", "sigma_bar").iter_rows())
    said = np.array([sigma[f"{side}{open_world.case.at[k]}"] for side in "sr" for k in others])
    lied = estimate(open_world.network, seen(open_world, hour, stations, seed, 0.3), ambient_temp_c=GROUND_C)
    apart = lied.residuals.with_row_index().filter(~pl.col("believed"))["index"].to_list()
    hours = range(0, len(open_world.hours), 3)
    calibrated = calibrate(
        open_world.network, [seen(open_world, h, stations, seed) for h in hours], ambient_temp_c=GROUND_C
    )
    labels = np.array(groups_of(open_world.network))
    off = []
    for group, value, informed in calibrated.groups.select("group", "roughness_mm", "informed").iter_rows():
        if informed:
            truth = np.average(
                np.log(open_world.roughness_mm[labels == group]),
                weights=np.tile(open_world.case.length, 2)[labels == group],
            )
            off.append((abs(np.log(value) - truth), abs(np.log(0.1) - truth)))
    valve = closed_ways(
        shut_world.network, [seen(shut_world, h, stations, seed) for h in (2, 9)], ambient_temp_c=GROUND_C
    )
    quiet = closed_ways(
        open_world.network, [seen(open_world, h, stations, seed) for h in (2, 9)], ambient_temp_c=GROUND_C
    )
    names = valve["name"].to_list()
    return {
        "blind_rmse_bar": float(np.sqrt(np.mean(errors(open_world, hour, solve(open_world.network, ambient_temp_c=GROUND_C), others) ** 2))),
        "rmse_bar": float(np.sqrt(np.mean(mine**2))), "within_2_sigma": float(np.mean(np.abs(mine) <= 2 * said)), "seconds": seconds,
        "liar_found": apart == [0], "ln_roughness_off": float(np.mean([o for o, _ in off])) if off else None,
        "ln_roughness_off_as_drawn": float(np.mean([o for _, o in off])) if off else None,
        "shut_rank": names.index(shut_world.closed) if shut_world.closed in names else None, "false_suspicion": quiet["name"][0] != "",
    }  # fmt: skip


def summary(rows: dict[float, list[dict[str, Any]]]) -> dict[str, Any]:
    means = ("blind_rmse_bar", "rmse_bar", "within_2_sigma", "seconds", "ln_roughness_off", "ln_roughness_off_as_drawn")
    result: dict[str, Any] = {
        "machine": f"{platform.machine()}, Python {platform.python_version()}, numpy {np.__version__}"
    }
    for share, found in rows.items():
        shut = [row["shut_rank"] for row in found]
        result[f"{share:.0%} of 150 stations"] = {
            "networks": len(found),
            **{key: round(float(np.mean([row[key] for row in found if row[key] is not None])), 4) for key in means},
            "lying_gauge_found": f"{sum(row['liar_found'] for row in found)} of {len(found)}",
            "shut_pipe_first": f"{sum(rank == 0 for rank in shut)} of {len(found)}", "shut_pipe_ranks": shut,
            "false_suspicions": f"{sum(row['false_suspicion'] for row in found)} of {len(found)}",
        }  # fmt: skip
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one network, nothing is written")
    given = parser.parse_args()
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    rows: dict[float, list[dict[str, Any]]] = {share: [] for share in SHARES}
    for seed in SEEDS[:1] if given.quick else SEEDS:
        worlds = [
            build(seed, learn_hours=48, leaks=0, step_h=2, faults=Faults(closed_street=shut)) for shut in (False, True)
        ]
        for share in SHARES:
            rows[share].append(one(seed, share, *worlds))
            print(seed, share, rows[share][-1], flush=True)
        if not given.quick:
            RESULTS.write_text(json.dumps(summary(rows), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(json.dumps(summary(rows), indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
