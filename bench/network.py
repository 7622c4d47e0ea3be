"""The network solver against pandapipes and EPANET's engine, interleaved, one thread, equal results asserted.

python -m bench.network [--quick]     (`--quick`: no 10 000 consumers, 6 hours instead of 168)
"""

import argparse
import json
import logging
import os
import platform
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from bench.network_cases import GROUND_C, Case, nuan_network, pandapipes_network, pandapipes_water, street_case

from nuan.network.graph import Network
from nuan.network.isolation import sweep
from nuan.network.sensitivity import Linear
from nuan.network.solver.arrays import Arrays
from nuan.network.steady import solve
from nuan.network.transient import steady_series

RESULTS = Path(__file__).parent / "results" / "network.json"
KELVIN = GROUND_C + 273.15


def best(work: Callable[[], Any], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def pandapipes_solve(net: Any, **options: Any) -> Any:
    import pandapipes

    pandapipes.pipeflow(net, mode="bidirectional", ambient_temperature=KELVIN, **{"max_iter_bidirect": 100, **options})
    return net


def equality(consumers: int, loops: int) -> dict[str, float]:
    """Largest differences where more than 1e-3 kg/s flows, both solved tightly with the same water."""
    case = street_case(consumers, loops, seed=consumers)
    ours = solve(
        Arrays.of(nuan_network(case), ambient_temp_c=GROUND_C, fluid=pandapipes_water()), ambient_temp_c=GROUND_C,
        tol_flow_kg_per_s=1e-7, tol_temp_k=1e-6,
    ).edges("pipes")  # fmt: skip
    # pandapipes does not reach 1e-8 at 10 000 consumers: its own residual stays above
    tolerance = 1e-8 if consumers <= 1000 else 1e-6
    theirs = pandapipes_solve(
        pandapipes_network(case), tol_p=tolerance, tol_m=tolerance, tol_T=1e-5, tol_res=1e-4
    ).res_pipe
    flow = ours["flow_kg_per_s"].to_numpy()
    flows = np.abs(flow) > 1e-3
    dp = (theirs.p_from_bar - theirs.p_to_bar).to_numpy()
    first = np.where(flow >= 0, theirs.t_from_k, theirs.t_outlet_k) - 273.15
    return {
        "dp_bar": float(np.abs(ours["dp_bar"].to_numpy() - dp)[flows].max()),
        "temp_k": float(np.abs(ours["temp_from_c"].to_numpy() - first)[flows].max()),
    }


def speed(consumers: int, rounds: int) -> dict[str, float]:
    """Cold solve: no start values. From the tables means with reading the tables and the symbolic factorisation."""
    case = street_case(consumers, 0, seed=consumers)
    network, net = nuan_network(case), pandapipes_network(case)
    arrays = Arrays.of(network, ambient_temp_c=GROUND_C)
    solve(arrays, ambient_temp_c=GROUND_C)
    pandapipes_solve(net)
    ours, tables, theirs = [], [], []
    for _ in range(rounds):
        theirs.append(best(lambda: pandapipes_solve(net), 3))
        ours.append(best(lambda: solve(arrays, ambient_temp_c=GROUND_C), 3))
        tables.append(best(lambda: solve(network, ambient_temp_c=GROUND_C), 1))
    return {
        "nuan_ms": round(min(ours) * 1e3, 2), "nuan_from_tables_ms": round(min(tables) * 1e3, 2),
        "pandapipes_ms": round(min(theirs) * 1e3, 1), "ratio": round(min(theirs) / min(ours), 1),
        "ratio_from_tables": round(min(theirs) / min(tables), 1),
    }  # fmt: skip


def hard_cases() -> dict[str, Case]:
    base = street_case(1000, 0, seed=1)
    return {
        "base": base, "load 30 %": base.loaded(0.3), "load 10 %": base.loaded(0.1), "load 5 %": base.loaded(0.05),
        "20 % at zero": base.with_zeros(0.2), "54 loops": street_case(1000, 54, seed=1), "217 loops": street_case(1000, 217, seed=1),
        "244 loops": street_case(1000, 244, seed=1), "217 loops at 20 %": street_case(1000, 217, seed=1).loaded(0.2),
    }  # fmt: skip


def convergence() -> dict[str, Any]:
    def settles(work: Callable[[], Any]) -> bool:
        try:
            work()
        except Exception:
            return False
        return True

    counts = {"nuan": 0, "pandapipes": 0, "pandapipes_100_iterations": 0}
    for case in hard_cases().values():
        network = nuan_network(case)
        counts["nuan"] += settles(lambda network=network: solve(network, ambient_temp_c=GROUND_C))
        counts["pandapipes"] += settles(
            lambda case=case: pandapipes_solve(pandapipes_network(case), max_iter_bidirect=10)
        )
        counts["pandapipes_100_iterations"] += settles(lambda case=case: pandapipes_solve(pandapipes_network(case)))
    return {"cases": len(hard_cases()), **counts}


def hours(count: int) -> dict[str, float]:
    """A week of hourly loads over 1 000 consumers: our series against pandapipes' time series loop."""
    import pandas as pd
    from pandapipes.timeseries import run_timeseries
    from pandapower.control import ConstControl
    from pandapower.timeseries import DFData, OutputWriter

    case = street_case(1000, 0, seed=1000)
    profile = 0.75 + 0.25 * np.cos(np.arange(count) / 24 * 2 * np.pi)
    state = solve(nuan_network(case), ambient_temp_c=GROUND_C)
    heat = case.heat_w[None, :] / 1000 * profile[:, None]
    list(steady_series(state, heat[:2]))
    ours = best(lambda: list(steady_series(state, heat)), 3)
    net = pandapipes_network(case)
    names = [f"q{i}" for i in range(len(case.at))]
    source = DFData(pd.DataFrame(heat * 1000, columns=names))
    ConstControl(net, "heat_consumer", "qext_w", net.heat_consumer.index, names, source)
    steps = range(min(count, 24))
    with tempfile.TemporaryDirectory() as folder:
        OutputWriter(net, steps, output_path=folder, log_variables=[("res_junction", "p_bar")])
        theirs = best(
            lambda: run_timeseries(
                net, steps, mode="bidirectional", ambient_temperature=KELVIN, max_iter_bidirect=100, verbose=False
            ),
            1,
        )
    theirs *= count / len(steps)
    return {
        "hours": count,
        "nuan_s": round(ours, 3),
        "pandapipes_s_from_24_hours": round(theirs, 1),
        "ratio": round(theirs / ours, 1),
    }


def epanet_text(case: Case, flow: np.ndarray) -> str:
    """The supply side alone as EPANET has it: a reservoir at the plant, consumers as demands."""
    lines = ["[JUNCTIONS]"]
    demand = np.zeros(case.nodes)
    demand[case.at] = flow / 0.9982
    plant = int(case.a[0])
    lines += [f"n{i} {case.elevation[i]:.3f} {demand[i]:.6f}" for i in range(case.nodes) if i != plant]
    lines += ["[RESERVOIRS]", f"n{plant} 150", "[PIPES]"]
    lines += [
        f"p{k} n{a} n{b} {length:.3f} {d * 1000:.2f} 0.1 0 Open"
        for k, (a, b, length, d) in enumerate(zip(case.a, case.b, case.length, case.diameter, strict=True))
    ]
    return "\n".join(
        [
            *lines,
            "[OPTIONS]",
            "Units LPS",
            "Headloss D-W",
            "Accuracy 0.00001",
            "Trials 200",
            "[TIMES]",
            "Duration 0",
            "[END]",
        ]
    )


def epanet(consumers: int, loops: int, rounds: int) -> dict[str, float]:
    """Hydraulics alone, both from nothing: EPANET's initH + runH (its engine, in C) against our solve without heat."""
    from wntr.epanet.toolkit import ENepanet

    case = street_case(consumers, loops, seed=consumers)
    flow = case.heat_w / (4190 * 40)
    plant = int(case.a[0])
    network = Network.of(
        nodes={"node": [f"n{i}" for i in range(case.nodes)], "elevation_m": case.elevation},
        pipes={
            "pipe": [f"p{i}" for i in range(len(case.a))], "from_node": [f"n{i}" for i in case.a], "to_node": [f"n{i}" for i in case.b],
            "length_m": case.length, "inner_diameter_m": case.diameter,
        },
        taps={"tap": [f"t{i}" for i in range(len(flow))], "node": [f"n{i}" for i in case.at], "flow_kg_per_s": flow},
        heads={"head": ["r"], "node": [f"n{plant}"], "pressure_bar": [150 * 998.2 * 9.81 / 1e5]},
    )  # fmt: skip
    arrays = Arrays.of(network)
    # EPANET stops when the sum of changes is 1e-5 of the sum of flows; ours when the largest change is 1e-5 of the mean flow
    settled = 1e-5 * float(np.abs(solve(arrays, with_heat=False, temp_c=20.0).flow_kg_per_s).mean())
    run = lambda: solve(arrays, with_heat=False, temp_c=20.0, friction="swamee_jain", tol_flow_kg_per_s=settled)  # noqa: E731
    state = run()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.inp"
        path.write_text(epanet_text(case, flow))
        engine = ENepanet()
        engine.ENopen(str(path), str(path) + ".rpt", str(path) + ".bin")
        engine.ENopenH()

        def theirs() -> None:
            engine.ENinitH(10)
            engine.ENrunH()

        theirs()
        pairs = [(best(theirs, 3), best(run, 3)) for _ in range(rounds)]
        heads = np.array([engine.ENgetnodevalue(engine.ENgetnodeindex(f"n{i}"), 11) for i in case.at[:200]])
        engine.ENclose()
    ours = state.pressure_bar[case.at[:200]] / (998.2 * 9.81 / 1e5)
    a, b = min(first for first, _ in pairs), min(second for _, second in pairs)
    return {
        "epanet_ms": round(a * 1e3, 2), "nuan_ms": round(b * 1e3, 2), "ratio": round(a / b, 2),
        "largest_pressure_difference_m": round(float(np.abs(heads - ours).max()), 3),
    }  # fmt: skip


def sensitivities(consumers: int) -> float:
    """Seconds for the answer of 100 pressure sensors to a leak at every node: factorised once, a back-solve a sensor."""
    state = solve(nuan_network(street_case(consumers, consumers // 50, seed=1)), ambient_temp_c=GROUND_C)
    sensors = state.arrays.node_names[:100]
    Linear.of(state).to_taps(sensors)
    return round(best(lambda: Linear.of(state).to_taps(sensors), 3), 3)


def first_solve() -> float:
    """Seconds from the end of the imports to the first answer in a new process, kernels and Python's own files compiled before."""
    code = (
        "import time\nfrom bench.network_cases import nuan_network, street_case\nfrom nuan.network.steady import solve\n"
        "network = nuan_network(street_case(1000, 0, seed=1))\nstart = time.perf_counter()\nsolve(network)\nprint(time.perf_counter() - start)"
    )
    warm = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    runs = [
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=warm).stdout)
        for _ in range(4)
    ]
    return round(float(np.median(runs[1:])), 3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    sizes = (100, 1000) if quick else (100, 1000, 10_000)
    state = solve(nuan_network(street_case(1000, 54, seed=1000)), ambient_temp_c=GROUND_C)
    sweep(replace(state))
    result = {
        "equal": {str(size): equality(size, 0 if size > 1000 else size // 20) for size in sizes},
        "converges": convergence(),
        "cold_solve": {str(size): speed(size, 3 if size <= 1000 else 1) for size in sizes},
        "timeseries": hours(6 if quick else 168),
        "hydraulics_against_epanet": {str(size): epanet(size, size // 20, 3) for size in sizes},
        "100_sensors_to_all_nodes_s": sensitivities(sizes[-1]),
        "first_solve_s": first_solve(),
        "n_minus_1_over_1000_s": round(best(lambda: sweep(state), 1), 2),
        "machine": f"{platform.machine()}, Python {platform.python_version()}, numpy {np.__version__}",
    }
    print(json.dumps(result, indent=2))
    if not quick:
        RESULTS.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
