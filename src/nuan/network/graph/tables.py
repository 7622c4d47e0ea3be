"""The network as tables: a row a thing, the unit in the name of each column. An edit makes a new network; the caller's stays.

Supply and return are pipes of their own (`side`), so that a leak, a valve or a flooded duct may be on one of them alone. A substation
joins a supply node to a return node, a source a return node to a supply node.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Self

import polars as pl

F, S, B = pl.Float64, pl.String, pl.Boolean


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its type, what stands there when nothing is said (`required`: nothing may be left out), and its words."""

    dtype: Any
    words: str
    default: Any = None
    required: bool = False


def _needed(dtype: Any, words: str) -> Column:
    return Column(dtype, words, required=True)


TABLES: Mapping[str, Mapping[str, Column]] = MappingProxyType({
    "nodes": {
        "node": _needed(S, "its name"),
        "side": Column(S, "supply, return or empty", ""),
        "elevation_m": Column(F, "above sea level", 0.0),
        "longitude": Column(F, "WGS 84"),
        "latitude": Column(F, "WGS 84"),
        "place": Column(S, "registry code of what stands there", ""),
    },
    "pipes": {
        "pipe": _needed(S, "its name"),
        "from_node": _needed(S, "where it begins; flow from here is positive"),
        "to_node": _needed(S, "where it ends"),
        "length_m": _needed(F, "along the pipe"),
        "inner_diameter_m": _needed(F, "clear width"),
        "outer_diameter_m": Column(F, "of the steel; the surface that u_w_per_m2k is about; empty: the inner one"),
        "roughness_mm": Column(F, "equivalent sand roughness", 0.1),
        "zeta": Column(F, "sum of local loss coefficients", 0.0),
        "u_w_per_m2k": Column(F, "heat lost per area of outer_diameter_m", 0.0),
        "ground_temp_c": Column(F, "around the pipe; empty: the ambient temperature of the calculation"),
        "wall_j_per_mk": Column(F, "heat capacity of the wall per metre; empty: steel between the two diameters"),
        "twin": Column(S, "the pipe beside it in the same duct", ""),
        "side": Column(S, "supply, return or empty", ""),
        "built_year": Column(pl.Int64, "year of laying"),
        "depth_m": Column(F, "of the cover"),
        "open": Column(B, "in service", True),
    },
    "valves": {
        "valve": _needed(S, "its name"),
        "from_node": _needed(S, "one end"),
        "to_node": _needed(S, "the other end"),
        "inner_diameter_m": _needed(F, "clear width"),
        "zeta": Column(F, "loss coefficient when open", 0.2),
        "open": Column(B, "whether it is open", True),
        "minutes_to_close": Column(F, "for a crew on the spot", 10.0),
    },
    "pumps": {
        "pump": _needed(S, "its name"),
        "from_node": _needed(S, "suction"),
        "to_node": _needed(S, "discharge"),
        "lift_bar": _needed(F, "at no flow, or always when slope and curve are 0"),
        "slope_bar_per_kgs": Column(F, "lift = lift_bar − slope · flow − curve · flow²", 0.0),
        "curve_bar_per_kgs2": Column(F, "see slope_bar_per_kgs", 0.0),
        "open": Column(B, "running", True),
    },
    "sources": {
        "source": _needed(S, "its name"),
        "return_node": _needed(S, "where water comes back"),
        "supply_node": _needed(S, "where it leaves"),
        "supply_temp_c": _needed(F, "of the water that leaves"),
        "control": Column(S, "holds: return_pressure_bar and lift_bar or worst_dp_bar (`pressure`), lift_bar (`lift`) or flow_kg_per_s (`flow`)", "pressure"),
        "return_pressure_bar": Column(F, "gauge, held by make-up (`pressure`)", 3.0),
        "lift_bar": Column(F, "of its circulation pumps (`pressure`, `lift`)", 4.0),
        "flow_kg_per_s": Column(F, "pumped (`flow`)"),
        "worst_dp_bar": Column(F, "lift is set so that the worst substation keeps this; empty: lift_bar stands"),
        "power_max_kw": Column(F, "what it can heat"),
        "open": Column(B, "in service", True),
    },
    "substations": {
        "substation": _needed(S, "its name"),
        "supply_node": _needed(S, "where it takes"),
        "return_node": _needed(S, "where it gives back"),
        "heat_kw": Column(F, "demand"),
        "return_temp_c": Column(F, "of the water that leaves; this or delta_t_k"),
        "delta_t_k": Column(F, "cooling of the water; this or return_temp_c"),
        "flow_kg_per_s": Column(F, "controlled flow; with heat_kw, delta_t_k or return_temp_c"),
        "kv_m3_per_h": Column(F, "of the open valve and exchanger: flow at 1 bar; empty: any flow passes"),
        "min_dp_bar": Column(F, "what it needs to work", 0.0),
        "bypass_kg_per_s": Column(F, "flow that never stops", 0.0),
        "max_flow_kg_per_s": Column(F, "what its valve lets through at most"),
        "place": Column(S, "registry code", ""),
        "protected": Column(B, "hospital, school, care home …", False),
        "open": Column(B, "in service", True),
    },
    "taps": {
        "tap": _needed(S, "a demand or leak at a node"),
        "node": _needed(S, "where"),
        "flow_kg_per_s": _needed(F, "taken out of the network"),
    },
    "heads": {
        "head": _needed(S, "a fixed pressure: tank, reservoir, neighbour's network"),
        "node": _needed(S, "where"),
        "pressure_bar": _needed(F, "gauge"),
        "temp_c": Column(F, "of what flows in", 20.0),
    },
})  # fmt: skip
ENDS: Mapping[str, tuple[str, str]] = MappingProxyType({
    "pipes": ("from_node", "to_node"), "valves": ("from_node", "to_node"), "pumps": ("from_node", "to_node"),
    "sources": ("return_node", "supply_node"), "substations": ("supply_node", "return_node"),
})  # fmt: skip
KEYS: Mapping[str, str] = MappingProxyType({name: next(iter(columns)) for name, columns in TABLES.items()})


class TableError(ValueError):
    def __init__(self, table: str, why: str) -> None:
        super().__init__(f"table “{table}”: {why}")


def _whole(name: str, given: pl.DataFrame | Mapping[str, Any] | None) -> pl.DataFrame:
    """A table with all its columns, in order, of the right type."""
    columns = TABLES[name]
    frame = pl.DataFrame() if given is None else pl.DataFrame(given)
    unknown = [column for column in frame.columns if column not in columns]
    if unknown:
        raise TableError(name, f"unknown columns {', '.join(unknown)}; known: {', '.join(columns)}")
    missing = [column for column, about in columns.items() if about.required and column not in frame.columns]
    if missing and frame.height:
        raise TableError(name, f"columns {', '.join(missing)} are missing")
    parts = []
    for column, about in columns.items():
        if column in frame.columns:
            part = pl.col(column).cast(about.dtype)
            parts.append(part if about.default is None else part.fill_null(about.default))
        else:
            parts.append(pl.lit(about.default, about.dtype).alias(column))
    if not frame.height:
        return pl.DataFrame(schema={column: about.dtype for column, about in columns.items()})
    return frame.select(parts)


@dataclass(frozen=True)
class Network:
    """All tables of `TABLES`, whole. Build with `Network.of(nodes=…, pipes=…)` from frames or columns."""

    nodes: pl.DataFrame
    pipes: pl.DataFrame
    valves: pl.DataFrame
    pumps: pl.DataFrame
    sources: pl.DataFrame
    substations: pl.DataFrame
    taps: pl.DataFrame
    heads: pl.DataFrame
    name: str = field(default="")

    @classmethod
    def of(cls, *, name: str = "", **tables: pl.DataFrame | Mapping[str, Any]) -> Self:
        """
        >>> two = Network.of(nodes={"node": ["a", "b"]}, heads={"head": ["h"], "node": ["a"], "pressure_bar": [2.0]},
        ...     pipes={"pipe": ["p"], "from_node": ["a"], "to_node": ["b"], "length_m": [10.0], "inner_diameter_m": [0.1]})
        >>> two.pipes["roughness_mm"].to_list()
        [0.1]
        """
        strange = set(tables) - set(TABLES)
        if strange:
            raise TableError(", ".join(sorted(strange)), f"is no table; known: {', '.join(TABLES)}")
        return cls(**{table: _whole(table, tables.get(table)) for table in TABLES}, name=name)

    def table(self, name: str) -> pl.DataFrame:
        frame = getattr(self, name)
        assert isinstance(frame, pl.DataFrame)
        return frame

    def with_table(self, name: str, frame: pl.DataFrame) -> Self:
        """The network with one table replaced."""
        whole: dict[str, Any] = {name: _whole(name, frame)}
        return replace(self, **whole)

    def with_open(self, table: str, names: "list[str] | pl.Series", is_open: bool) -> Self:
        """The network with pipes, valves, pumps, sources or substations opened or closed."""
        frame = self.table(table)
        chosen = pl.col(KEYS[table]).is_in(list(names))
        return self.with_table(table, frame.with_columns(open=pl.when(chosen).then(is_open).otherwise(pl.col("open"))))
