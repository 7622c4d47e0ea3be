"""Networks for the benchmarks, for every program from the same numbers: a street grid with supply and return, sized by its own flows."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuan.network.fluid import Fluid
from nuan.network.graph import Network

DN_M = np.array(
    [
        0.0285,
        0.0372,
        0.0431,
        0.0545,
        0.0703,
        0.0825,
        0.1071,
        0.1325,
        0.1603,
        0.2101,
        0.263,
        0.3127,
        0.3444,
        0.3938,
        0.4954,
        0.5958,
        0.6958,
        0.7954,
        0.9,
        1.0,
        1.2,
        1.4,
    ]
)
SUPPLY_C, RETURN_C, GROUND_C = 90.0, 50.0, 8.0


@dataclass(frozen=True)
class Case:
    """Streets: node i of the supply has its twin on the return. `a`, `b` ends of double pipes, `at` node of each consumer."""

    nodes: int
    a: NDArray[np.int64]
    b: NDArray[np.int64]
    length: NDArray[np.float64]
    diameter: NDArray[np.float64]
    at: NDArray[np.int64]
    heat_w: NDArray[np.float64]
    elevation: NDArray[np.float64]
    lift_bar: float

    def loaded(self, factor: float) -> "Case":
        return replace(self, heat_w=self.heat_w * factor)

    def with_zeros(self, share: float, seed: int = 0) -> "Case":
        idle = np.random.default_rng(seed).random(len(self.heat_w)) < share
        return replace(self, heat_w=np.where(idle, 0.0, self.heat_w))


def street_case(consumers: int, loops: int = 0, seed: int = 0, homes_kw: float = 120.0) -> Case:
    """A grid of crossings joined as a random tree plus `loops` closing streets; each consumer on a service pipe of its own."""
    rng = np.random.default_rng(seed)
    side = int(np.ceil(np.sqrt(max(consumers / 3, 4))))
    crossings = side * side
    edges = [(i, i + 1) for i in range(crossings) if (i + 1) % side] + [(i, i + side) for i in range(crossings - side)]
    weight = rng.random(len(edges))
    parent = list(range(crossings))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    tree, spare = [], []
    for e in np.argsort(weight):
        i, j = edges[e]
        ri, rj = root(i), root(j)
        if ri != rj:
            parent[ri] = rj
            tree.append((i, j))
        else:
            spare.append((i, j))
    extra = [spare[k] for k in rng.permutation(len(spare))[:loops]]
    plant = crossings
    street_of = rng.integers(0, crossings, consumers)
    heat = homes_kw * 1000 * rng.lognormal(0, 0.5, consumers)
    middle = (side // 2) * side + side // 2
    a = [plant, *[i for i, _ in tree], *street_of.tolist(), *[i for i, _ in extra]]
    b = [middle, *[j for _, j in tree], *(crossings + 1 + np.arange(consumers)).tolist(), *[j for _, j in extra]]
    length = np.concatenate(
        [[300.0], rng.uniform(60, 140, len(tree)), rng.uniform(8, 40, consumers), rng.uniform(60, 140, len(extra))]
    )
    n = crossings + 1 + consumers
    flow = _tree_flows(
        n,
        np.array(a[: 1 + len(tree) + consumers]),
        np.array(b[: 1 + len(tree) + consumers]),
        plant,
        crossings + 1 + np.arange(consumers),
        heat / (4190 * (SUPPLY_C - RETURN_C)),
    )
    flow = np.concatenate([flow, np.full(len(extra), np.median(flow[1 : 1 + len(tree)]) if tree else 1.0)])
    ideal = (flow / 970 / 0.785 / 1.2) ** 0.5 * 1.15
    diameter = DN_M[np.minimum(np.searchsorted(DN_M, ideal), len(DN_M) - 1)]
    elevation = np.concatenate([np.repeat(np.sin(np.arange(side) / side * 3) * 8, side), [0.0], np.zeros(consumers)])
    elevation[crossings + 1 :] = elevation[street_of]
    return Case(
        n, np.array(a), np.array(b), length, diameter, crossings + 1 + np.arange(consumers), heat, elevation, 12.0
    )


def _tree_flows(
    n: int, a: NDArray[np.int64], b: NDArray[np.int64], root: int, at: NDArray[np.int64], demand: NDArray[np.float64]
) -> NDArray[np.float64]:
    neighbours: list[list[tuple[int, int]]] = [[] for _ in range(n)]
    for e, (i, j) in enumerate(zip(a.tolist(), b.tolist(), strict=True)):
        neighbours[i].append((j, e))
        neighbours[j].append((i, e))
    order, up, via = [root], {root: -1}, {root: -1}
    for i in order:
        for j, e in neighbours[i]:
            if j not in up:
                up[j], via[j] = i, e
                order.append(j)
    total = np.zeros(n)
    total[at] += demand
    flow = np.zeros(len(a))
    for i in reversed(order[1:]):
        flow[via[i]] = total[i]
        total[up[i]] += total[i]
    return flow


def nuan_network(case: Case) -> Network:
    n = case.nodes
    supply, back = [f"s{i}" for i in range(n)], [f"r{i}" for i in range(n)]
    pipes = len(case.a)
    return Network.of(
        nodes={"node": supply + back, "elevation_m": np.tile(case.elevation, 2)},
        pipes={
            "pipe": [f"S{i}" for i in range(pipes)] + [f"R{i}" for i in range(pipes)],
            "from_node": [f"s{i}" for i in case.a] + [f"r{i}" for i in case.b],
            "to_node": [f"s{i}" for i in case.b] + [f"r{i}" for i in case.a],
            "length_m": np.tile(case.length, 2),
            "inner_diameter_m": np.tile(case.diameter, 2),
            "outer_diameter_m": np.tile(case.diameter, 2),
            "u_w_per_m2k": np.full(2 * pipes, 1.2),
        },
        sources={"source": ["plant"], "return_node": [f"r{case.a[0]}"], "supply_node": [f"s{case.a[0]}"], "supply_temp_c": [SUPPLY_C], "return_pressure_bar": [3.0], "lift_bar": [case.lift_bar]},
        substations={
            "substation": [f"c{i}" for i in range(len(case.at))],
            "supply_node": [f"s{i}" for i in case.at],
            "return_node": [f"r{i}" for i in case.at],
            "heat_kw": case.heat_w / 1000,
            "return_temp_c": np.full(len(case.at), RETURN_C),
        },
    )  # fmt: skip


def pandapipes_network(case: Case) -> Any:
    import pandapipes

    net = pandapipes.create_empty_network(fluid="water")
    n = case.nodes
    heights = np.tile(case.elevation, 2)
    pandapipes.create_junctions(net, 2 * n, pn_bar=5, tfluid_k=SUPPLY_C + 273.15, height_m=heights)
    pandapipes.create_pipes_from_parameters(
        net, np.concatenate([case.a, case.b + n]), np.concatenate([case.b, case.a + n]), np.tile(case.length, 2) / 1000,
        inner_diameter_mm=np.tile(case.diameter, 2) * 1000, outer_diameter_mm=np.tile(case.diameter, 2) * 1000, k_mm=0.1,
        u_w_per_m2k=1.2, text_k=GROUND_C + 273.15, sections=1,
    )  # fmt: skip
    pandapipes.create_circ_pump_const_pressure(
        net,
        int(case.a[0]) + n,
        int(case.a[0]),
        p_flow_bar=3.0 + case.lift_bar,
        plift_bar=case.lift_bar,
        t_flow_k=SUPPLY_C + 273.15,
    )
    pandapipes.create_heat_consumers(net, case.at, case.at + n, qext_w=case.heat_w, treturn_k=RETURN_C + 273.15)
    return net


def pandapipes_water() -> Fluid:
    """Water as pandapipes has it, on whole kelvins."""
    import pandapipes

    fluid = pandapipes.create_empty_network(fluid="water").fluid
    kelvin = np.arange(253, 474, dtype=float)
    return Fluid.of(
        "pandapipes water",
        fluid.get_density(kelvin),
        np.maximum(fluid.get_viscosity(kelvin), 1e-5),
        fluid.get_heat_capacity(kelvin),
    )
