"""Networks in which leaks are hidden: drawn here, solved by pandapipes. What the operator knows of them is not quite what is in the ground.

`LeakNetwork.known` is the drawing (`nuan.network.Network`): nominal roughness, every valve open. `LeakNetwork.truth` builds the pandapipes
net: each pipe with its own roughness, perhaps a loop pipe shut that nobody knows of. Our own solver is not used anywhere here.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from nuan.network.graph import Network

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
DN_M = np.array(
    [0.05, 0.065, 0.08, 0.1, 0.125, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.4]
)
LONGITUDE, LATITUDE, M_PER_DEGREE = 109.8, 39.8, 111_320.0
DRAWN_ROUGHNESS_MM = 0.3
U_W_PER_M2K, GROUND_C, CP = 0.8, 4.0, 4190.0


@dataclass(frozen=True)
class LeakNetwork:
    """Double pipe k runs from street node a[k] to b[k] (downstream at full load); node n is `s<n>` on the supply, `r<n>` on the return.

    Node 0 is the plant. Station i stands at node `at[i]`. Pipe names are `S<k>` and `R<k>`.
    """

    seed: int
    xy: Floats
    elevation: Floats
    a: Ints
    b: Ints
    length: Floats
    bore: Floats
    at: Ints
    design_kw: Floats
    roughness_mm: Floats
    """[2, P]: what is in the ground, supply and return."""
    shut: int = -1
    """The double pipe whose valve is shut on both sides without anybody knowing, or -1."""
    route_m: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    """Along the streets between the middles of two double pipes."""

    @property
    def volume_m3(self) -> float:
        """Of all water in supply and return."""
        return float(2 * np.sum(np.pi / 4 * self.bore**2 * self.length))

    @property
    def drops(self) -> float:
        """kW of all stations at design."""
        return float(self.design_kw.sum())

    def known(self) -> Network:
        """The drawing, as `network.json` would hold it."""
        n, p = len(self.xy), len(self.a)
        supply, back = [f"s{i}" for i in range(n)], [f"r{i}" for i in range(n)]
        longitude = LONGITUDE + self.xy[:, 0] / (M_PER_DEGREE * np.cos(np.radians(LATITUDE)))
        latitude = LATITUDE + self.xy[:, 1] / M_PER_DEGREE
        return Network.of(
            name=f"leaks {self.seed}",
            nodes={
                "node": supply + back, "side": ["supply"] * n + ["return"] * n, "elevation_m": np.tile(self.elevation, 2),
                "longitude": np.tile(longitude, 2), "latitude": np.tile(latitude, 2),
            },
            pipes={
                "pipe": [f"S{k}" for k in range(p)] + [f"R{k}" for k in range(p)],
                "from_node": [f"s{i}" for i in self.a] + [f"r{i}" for i in self.b],
                "to_node": [f"s{i}" for i in self.b] + [f"r{i}" for i in self.a],
                "length_m": np.tile(self.length, 2), "inner_diameter_m": np.tile(self.bore, 2),
                "outer_diameter_m": np.tile(self.bore, 2), "roughness_mm": np.full(2 * p, DRAWN_ROUGHNESS_MM),
                "u_w_per_m2k": np.full(2 * p, U_W_PER_M2K), "ground_temp_c": np.full(2 * p, GROUND_C),
                "twin": [f"R{k}" for k in range(p)] + [f"S{k}" for k in range(p)], "side": ["supply"] * p + ["return"] * p,
            },
            sources={
                "source": ["plant"], "return_node": ["r0"], "supply_node": ["s0"], "supply_temp_c": [95.0],
                "return_pressure_bar": [3.0], "lift_bar": [7.0],
            },
            substations={
                "substation": [f"c{i}" for i in range(len(self.at))], "supply_node": [f"s{i}" for i in self.at],
                "return_node": [f"r{i}" for i in self.at], "heat_kw": self.design_kw, "return_temp_c": np.full(len(self.at), 50.0),
            },
        )  # fmt: skip

    def truth(self, leaks_at: tuple[str, ...] = ()) -> Any:
        """A pandapipes net. Each pipe of `leaks_at` is cut in its middle, where sink number i waits at 0 kg/s."""
        import pandapipes

        net = pandapipes.create_empty_network(fluid="water")
        n, p = len(self.xy), len(self.a)
        heights = np.tile(self.elevation, 2)
        for side, kelvin in enumerate((363.15, 323.15)):
            pandapipes.create_junctions(net, n, pn_bar=6, tfluid_k=kelvin, height_m=heights[side * n : (side + 1) * n])
        first, second = np.concatenate([self.a, self.b + n]), np.concatenate([self.b, self.a + n])
        length, is_open = np.tile(self.length, 2), np.ones(2 * p, bool)
        if self.shut >= 0:
            is_open[[self.shut, self.shut + p]] = False
        rough, bore = self.roughness_mm.reshape(-1), np.tile(self.bore, 2)
        cut = [int(name[1:]) + (p if name[0] == "R" else 0) for name in leaks_at]
        middles = {}
        for k in cut:
            if k not in middles:
                half = 0.5 * (heights[first[k]] + heights[second[k]])
                middles[k] = int(pandapipes.create_junction(net, 6, 363.15 if k < p else 323.15, height_m=float(half)))
        ends = second.copy()
        for k, middle in middles.items():
            ends[k], length[k] = middle, length[k] / 2

        def lay(start: Ints, end: Ints, which: Ints) -> None:
            pandapipes.create_pipes_from_parameters(
                net, start, end, length[which] / 1000, inner_diameter_mm=bore[which] * 1000, outer_diameter_mm=bore[which] * 1000,
                k_mm=rough[which], u_w_per_m2k=U_W_PER_M2K, text_k=GROUND_C + 273.15, sections=1, in_service=is_open[which],
            )  # fmt: skip

        lay(first, ends, np.arange(2 * p))
        if middles:
            which = np.array(list(middles))
            lay(np.array(list(middles.values())), second[which], which)
        # what leaks comes back as make-up at the plant's return, else the circulation pump of pandapipes does not settle
        pandapipes.create_circ_pump_const_pressure(net, n, 0, p_flow_bar=10.0, plift_bar=7.0, t_flow_k=95 + 273.15)
        pandapipes.create_source(net, n, 0.0)
        pandapipes.create_heat_consumers(net, self.at, self.at + n, controlled_mdot_kg_per_s=1.0, treturn_k=323.15)
        for k in cut:
            pandapipes.create_sink(net, middles[k], 0.0)
        return net

    def route(self, first: str, second: str) -> float:
        """Metres along the streets between the middles of two pipes, whichever side they are on."""
        return float(self.route_m[int(first[1:]), int(second[1:])])


def leak_network(
    seed: int, stations: int = 200, loops: int = 12, volume_m3: float = 3000.0, shut: bool = False
) -> LeakNetwork:
    """A town: streets in a crooked grid, a random tree of mains plus `loops` closing streets, each station on a branch of its own.

    Bores follow from flows; the stations' size is such that the contents are about `volume_m3`.
    """
    rng = np.random.default_rng([seed, 77])
    side = int(np.ceil(np.sqrt(stations / 2.5)))
    grid = np.stack(np.meshgrid(np.arange(side), np.arange(side), indexing="xy"), -1).reshape(-1, 2) * 240.0
    xy = np.vstack([[[rng.uniform(0, 200), -500.0]], grid + rng.uniform(-70, 70, grid.shape)])
    streets = [(i, i + 1) for i in range(1, side * side + 1) if i % side] + [
        (i, i + side) for i in range(1, side * side + 1 - side)
    ]
    tree, spare = _spanning(streets, side * side + 1, rng)
    entry = int(rng.integers(1, side + 1))
    street_of = rng.integers(1, side * side + 1, stations)
    at = side * side + 1 + np.arange(stations)
    angle = rng.uniform(0, 2 * np.pi, stations)
    branch = rng.uniform(20, 90, stations)
    xy = np.vstack([xy, xy[street_of] + branch[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1)])
    closing = [spare[int(k)] for k in rng.permutation(len(spare))[:loops]]
    ends = np.array([(0, entry), *tree, *zip(street_of.tolist(), at.tolist(), strict=True), *closing])
    share = rng.lognormal(0, 0.6, stations)
    a, b, flow = _oriented(ends, len(ends) - len(closing), at, share / share.sum(), len(xy), loops)
    length = np.linalg.norm(xy[a] - xy[b], axis=1) * rng.uniform(1.0, 1.15, len(a))
    kw = _sized(flow, length, volume_m3)
    bore = _bores(flow, kw)
    elevation = 6 * np.sin(xy[:, 0] / 700 + seed) + 5 * np.cos(xy[:, 1] / 900)
    rough = DRAWN_ROUGHNESS_MM * rng.lognormal(0.3, 0.7) * rng.lognormal(0, 0.5, (2, len(a)))
    shut_pipe = int(len(a) - 1 - rng.integers(len(closing))) if shut and closing else -1
    return LeakNetwork(
        seed, xy, elevation, a, b, length, bore, at, kw * share / share.sum(), np.clip(rough, 0.02, 5.0), shut_pipe,
        _routes(a, b, length, len(xy)),
    )  # fmt: skip


def _spanning(
    streets: list[tuple[int, int]], count: int, rng: np.random.Generator
) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    parent = list(range(count))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    tree, spare = [], []
    for k in rng.permutation(len(streets)):
        i, j = streets[int(k)]
        if root(i) != root(j):
            parent[root(i)] = root(j)
            tree.append((i, j))
        else:
            spare.append((i, j))
    return tree, spare


def _oriented(ends: Ints, tree: int, at: Ints, share: Floats, count: int, loops: int) -> tuple[Ints, Ints, Floats]:
    """Ends turned downstream, and the share of all flow in each; closing streets take the median main's."""
    near: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    for e, (i, j) in enumerate(ends[:tree].tolist()):
        near[i].append((j, e))
        near[j].append((i, e))
    order, up = [0], {0: (-1, -1)}
    for i in order:
        for j, e in near[i]:
            if j not in up:
                up[j] = (i, e)
                order.append(j)
    total = np.zeros(count)
    total[at] = share
    a, b, flow = ends[:, 0].copy(), ends[:, 1].copy(), np.zeros(len(ends))
    for i in reversed(order[1:]):
        above, e = up[i]
        a[e], b[e], flow[e] = above, i, total[i]
        total[above] += total[i]
    mains = flow[1 : tree - len(at)]
    flow[tree:] = np.median(mains) if loops else 0.0
    return a, b, flow


def _bores(flow: Floats, kw: float) -> Floats:
    kg_per_s = flow * kw * 1000 / (CP * 45.0)
    velocity = np.clip(0.6 + 0.35 * np.log10(np.maximum(kg_per_s, 1.0)), 0.6, 1.8)
    return DN_M[np.minimum(np.searchsorted(DN_M, np.sqrt(kg_per_s / 970 / velocity * 4 / np.pi)), len(DN_M) - 1)]


def _sized(flow: Floats, length: Floats, volume_m3: float) -> float:
    low, high = 1e3, 2e6
    for _ in range(40):
        middle = np.sqrt(low * high)
        water = 2 * np.sum(np.pi / 4 * _bores(flow, float(middle)) ** 2 * length)
        low, high = (middle, high) if water < volume_m3 else (low, middle)
    return float(high)


def _routes(a: Ints, b: Ints, length: Floats, count: int) -> Floats:
    p = len(a)
    middles = count + np.arange(p)
    rows, columns = np.concatenate([a, middles]), np.concatenate([middles, b])
    graph = coo_array((np.tile(length / 2, 2), (rows, columns)), shape=(count + p, count + p))
    return np.asarray(dijkstra(graph, directed=False, indices=middles)[:, count:])
