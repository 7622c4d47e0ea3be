"""Which points help to find a leak, and where they sit in the arrays: pressures at nodes, flows through pipes, what the plants tell."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nuan.network.estimation.sides import NEITHER, RETURN, SUPPLY, sides_of
from nuan.network.leaks.points import Point
from nuan.network.solver.arrays import Arrays

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
PRESSURE, DIFFERENCE, FLOW = 0, 1, 2


@dataclass(frozen=True)
class Sensor:
    """A measurement that the twin predicts. `plus`, `minus` node indices (−1: none); a flow is the sum of `edges` with their `signs`."""

    column: int
    kind: int
    side: int
    plus: int = -1
    minus: int = -1
    edges: tuple[int, ...] = ()
    signs: tuple[float, ...] = ()
    source: int = -1


@dataclass
class Inputs:
    """Columns (−1: not measured) of what the twin is driven by: per source `[K]`, per station `[J]`."""

    supply_bar: Ints
    return_bar: Ints
    lift_bar: Ints
    supply_c: Ints
    sent: Ints
    came_back: Ints
    station_flow: Ints
    station_heat: Ints
    station_in_c: Ints
    station_out_c: Ints


def place(arrays: Arrays, points: Sequence[Point]) -> tuple[list[Sensor], Inputs]:
    """Sensors and inputs among the points. What the locator has no use for is passed over, an unknown asset too."""
    network, edges = arrays.network, arrays.edges
    node = {name: i for i, name in enumerate(arrays.node_names)}
    index = {
        table: {name: i for i, name in enumerate(arrays.edge_names(table))}
        for table in ("pipes", "valves", "pumps", "sources", "substations")
    }
    side = sides_of(arrays)
    k, j = network.sources.height, network.substations.height
    none = np.full(k, -1), np.full(j, -1)
    inputs = Inputs(*(none[0].copy() for _ in range(6)), *(none[1].copy() for _ in range(4)))
    sources, stations = arrays.offsets["sources"], arrays.offsets["substations"]
    plant_at = {}
    for i in range(k):
        plant_at[int(edges.a[sources + i])] = (i, "return")
        plant_at[int(edges.b[sources + i])] = (i, "supply")
    sensors: list[Sensor] = []
    for column, point in enumerate(points):
        quantity, kind, on = point.quantity, point.asset_kind, point.side
        if (
            kind == "node"
            and point.asset in node
            and node[point.asset] in plant_at
            and quantity in ("pressure", "temperature")
        ):
            i, on = plant_at[node[point.asset]]
            kind, point_index = "source", i
        elif kind == "source" and point.asset in index["sources"]:
            point_index = index["sources"][point.asset]
        elif kind == "substation" and point.asset in index["substations"]:
            point_index = index["substations"][point.asset]
        elif kind == "node" and point.asset in node:
            if quantity == "pressure":
                at = node[point.asset]
                sensors.append(Sensor(column, PRESSURE, int(side[at]), at))
            continue
        elif kind in ("pipe", "valve", "pump") and quantity == "flow":
            table = kind + "s"
            if point.asset in index[table]:
                e = arrays.offsets[table] + index[table][point.asset]
                sensors.append(Sensor(column, FLOW, int(side[edges.a[e]]), edges=(e,), signs=(1.0,)))
            continue
        else:
            continue
        if kind == "source":
            _of_source(inputs, sensors, arrays, side, column, quantity, on, point_index)
        else:
            e = stations + point_index
            _of_station(inputs, sensors, column, quantity, on, point_index, int(edges.a[e]), int(edges.b[e]))
    return sensors, inputs


def _of_source(
    inputs: Inputs,
    sensors: list[Sensor],
    arrays: Arrays,
    side: NDArray[np.int8],
    column: int,
    quantity: str,
    on: str,
    i: int,
) -> None:
    edges = arrays.edges
    e = arrays.offsets["sources"] + i
    if quantity == "pressure":
        (inputs.return_bar if on == "return" else inputs.supply_bar)[i] = column
    elif quantity == "pressure_difference":
        inputs.lift_bar[i] = column
    elif quantity == "temperature" and on != "return":
        inputs.supply_c[i] = column
    elif quantity == "flow" and on != "make_up":
        back = on == "return"
        (inputs.came_back if back else inputs.sent)[i] = column
        at = int(edges.a[e] if back else edges.b[e])
        near = [int(x) for x in np.flatnonzero((edges.a == at) | (edges.b == at)) if x != e and edges.kind[x] <= 2]
        outward = [1.0 if edges.a[x] == at else -1.0 for x in near]
        signs = tuple(-s if back else s for s in outward)
        sensors.append(Sensor(column, FLOW, RETURN if back else SUPPLY, edges=tuple(near), signs=signs, source=i))


def _of_station(
    inputs: Inputs, sensors: list[Sensor], column: int, quantity: str, on: str, j: int, inlet: int, outlet: int
) -> None:
    if on == "secondary":
        return
    if quantity == "pressure":
        back = on == "return"
        sensors.append(Sensor(column, PRESSURE, RETURN if back else SUPPLY, outlet if back else inlet))
    elif quantity == "pressure_difference":
        sensors.append(Sensor(column, DIFFERENCE, NEITHER, inlet, outlet))
    elif quantity == "flow":
        if inputs.station_flow[j] < 0 or on != "return":
            inputs.station_flow[j] = column
    elif quantity == "heat":
        inputs.station_heat[j] = column
    elif quantity == "temperature":
        (inputs.station_out_c if on == "return" else inputs.station_in_c)[j] = column
