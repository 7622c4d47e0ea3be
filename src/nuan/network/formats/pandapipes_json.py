"""pandapipes JSON (net.to_json, formats 0.2 to 0.16), without pandapipes. BSD-licensed program of Fraunhofer IEE and Uni Kassel.

Junctions become nodes `j<index>`, all else keeps its index with a letter. Read: pipes, valves, pumps with quadratic curves, external
grids, sinks, sources, circulation pumps of both kinds, heat consumers. What is not of hot-water networks (gas, compressors, pressure
controls …) becomes a finding.
"""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from nuan.network.fluid import FIRST_K, LAST_K, Fluid
from nuan.network.graph.tables import Network
from nuan.terms.findings import Finding

ZERO_C = 273.15
LEAST_VISCOSITY = 1e-5
DENSITY = 998.2
"""kg/m³ at 20 °C: pump curves are over m³/h."""
READ = {
    "junction", "pipe", "valve", "pump", "ext_grid", "sink", "source", "circ_pump_pressure", "circ_pump_mass", "heat_consumer",
}  # fmt: skip


def read(text: str) -> tuple[Network, list[Finding]]:
    """The network, and what of it was left out."""
    try:
        document = json.loads(text)["_object"]
    except (ValueError, KeyError, TypeError):
        return Network.of(), [
            _finding(
                "",
                "not_pandapipes",
                "这不是 pandapipes 的 JSON 文件",
                "this is no JSON of pandapipes",
                "用 pandapipes.to_json 导出",
            )
        ]
    frames = {name: _frame(part) for name, part in document.items() if _is_frame(part)}
    findings = [
        _finding(name, "not_taken", f"{name} 有 {frame.height} 行，没有接管", f"{frame.height} rows of {name} are not taken over", "改用管道、阀门、泵、换热站表达")
        for name, frame in frames.items()
        if frame.height and name not in READ and not name.startswith(("res_", "_")) and not name.endswith("geodata") and "junction" in " ".join(frame.columns)
    ]  # fmt: skip
    tables = {name: frames.get(name, pl.DataFrame()) for name in READ}
    network = Network.of(
        nodes=_nodes(tables["junction"]), pipes=_pipes(tables["pipe"]), valves=_valves(tables["valve"]),
        pumps=_pumps(tables["pump"], document), sources=_sources(tables["circ_pump_pressure"], tables["circ_pump_mass"]),
        substations=_substations(tables["heat_consumer"]), taps=_taps(tables["sink"], tables["source"]), heads=_heads(tables["ext_grid"]),
    )  # fmt: skip
    return network, findings


def read_fluid(text: str) -> Fluid | None:
    """The water that the file was calculated with, or None where it brings no density, viscosity and heat capacity of its own."""
    try:
        body = json.loads(text)["_object"]["fluid"]["_object"]
        parts = _opened(body)["all_properties"]
        tables = [_over_kelvin(_opened(parts[name]["_object"])) for name in ("density", "viscosity", "heat_capacity")]
        return Fluid.of("pandapipes", tables[0], np.maximum(tables[1], LEAST_VISCOSITY), tables[2])
    except (ValueError, KeyError, TypeError):
        return None


_KIND = {
    "junction": ("node", "j"), "pipe": ("pipe", "p"), "valve": ("valve", "v"), "pump": ("pump", "u"), "heat_consumer": ("substation", "c"),
    "circ_pump_pressure": ("source", "cp"), "circ_pump_mass": ("source", "cm"),
}  # fmt: skip


def names(text: str) -> dict[str, str]:
    """`kind:their name` → our name, for files of others that call things by the `name` column."""
    try:
        document = json.loads(text)["_object"]
    except (ValueError, KeyError, TypeError):
        return {}
    found: dict[str, str] = {}
    for table, (kind, letter) in _KIND.items():
        if table in document and _is_frame(document[table]):
            frame = _frame(document[table])
            if "name" in frame.columns:
                for index, name in frame.select("index", pl.col("name").cast(pl.String)).iter_rows():
                    if name:
                        found.setdefault(f"{kind}:{name}", f"{letter}{index}")
    return found


def _opened(body: Any) -> Any:
    return json.loads(body) if isinstance(body, str) else body


def _over_kelvin(body: Mapping[str, Any]) -> NDArray[np.float64]:
    """A property on whole kelvins, straight on beyond its ends as pandapipes does it."""
    kelvin = np.arange(FIRST_K, LAST_K + 1, dtype=np.float64)
    if "value" in body:
        return np.full(len(kelvin), float(body["value"]))
    x, y = (
        np.asarray(_opened(body[name])["_object"] if isinstance(body[name], dict) else body[name], np.float64)
        for name in ("x", "y")
    )
    inside = np.interp(kelvin, x, y)
    low, high = (
        y[0] + (kelvin - x[0]) * (y[1] - y[0]) / (x[1] - x[0]),
        y[-1] + (kelvin - x[-1]) * (y[-1] - y[-2]) / (x[-1] - x[-2]),
    )
    return np.where(kelvin < x[0], low, np.where(kelvin > x[-1], high, inside))


def _finding(where: str, code: str, zh: str, en: str, remedy: str) -> Finding:
    return Finding(where or "network.json", code, zh, en, remedy)


def _is_frame(part: Any) -> bool:
    return isinstance(part, dict) and part.get("_class") == "DataFrame"


def _frame(part: Mapping[str, Any]) -> pl.DataFrame:
    body = part["_object"]
    body = json.loads(body) if isinstance(body, str) else body
    columns = {str(name): [row[i] for row in body["data"]] for i, name in enumerate(body["columns"])}
    known = {
        name: values for name, values in columns.items() if not any(isinstance(value, list | dict) for value in values)
    }
    return pl.DataFrame({"index": body["index"], **known}, strict=False)


def _value(frame: pl.DataFrame, names: tuple[str, ...], default: Any) -> pl.Expr:
    """The first of the columns that is there (names changed between versions), nulls as the default."""
    found = [pl.col(name).cast(pl.Float64) for name in names if name in frame.columns]
    return pl.coalesce([*found, pl.lit(default, pl.Float64)])


def _on(frame: pl.DataFrame, name: str = "in_service") -> pl.Expr:
    return pl.col(name).cast(pl.Boolean).fill_null(True) if name in frame.columns else pl.lit(True)


def _id(letter: str, column: str = "index") -> pl.Expr:
    return pl.format(letter + "{}", pl.col(column).cast(pl.Int64))


def _nodes(frame: pl.DataFrame) -> pl.DataFrame:
    return (
        frame.select(node=_id("j"), elevation_m=_value(frame, ("height_m",), 0.0)) if frame.height else pl.DataFrame()
    )


def _ends(first: str = "from_junction", second: str = "to_junction") -> dict[str, pl.Expr]:
    return {"from_node": _id("j", first), "to_node": _id("j", second)}


def _bore(frame: pl.DataFrame) -> pl.Expr:
    millimetres = (
        [pl.col("inner_diameter_mm").cast(pl.Float64) / 1000.0] if "inner_diameter_mm" in frame.columns else []
    )
    metres = [pl.col("diameter_m").cast(pl.Float64)] if "diameter_m" in frame.columns else []
    return pl.coalesce([*millimetres, *metres])


def _pipes(frame: pl.DataFrame) -> pl.DataFrame:
    if not frame.height:
        return pl.DataFrame()
    ground = _value(frame, ("text_k",), None) - ZERO_C
    return frame.select(
        pipe=_id("p"), **_ends(), length_m=pl.col("length_km").cast(pl.Float64) * 1000.0, inner_diameter_m=_bore(frame),
        outer_diameter_m=_value(frame, ("outer_diameter_mm",), None) / 1000.0, roughness_mm=_value(frame, ("k_mm",), 0.1),
        zeta=_value(frame, ("loss_coefficient",), 0.0), u_w_per_m2k=_value(frame, ("u_w_per_m2k", "alpha_w_per_m2k"), 0.0),
        ground_temp_c=ground, open=_on(frame),
    )  # fmt: skip


def _valves(frame: pl.DataFrame) -> pl.DataFrame:
    if not frame.height:
        return pl.DataFrame()
    second = "to_junction" if "to_junction" in frame.columns else "element"
    first = "from_junction" if "from_junction" in frame.columns else "junction"
    return frame.select(
        valve=_id("v"), **_ends(first, second), inner_diameter_m=_bore(frame), zeta=_value(frame, ("loss_coefficient",), 0.0),
        open=_on(frame, "opened"),
    )  # fmt: skip


def _pumps(frame: pl.DataFrame, document: Mapping[str, Any]) -> pl.DataFrame:
    if not frame.height:
        return pl.DataFrame()
    curves = {
        name: _curve(part)
        for name, part in (document.get("std_types") or document.get("std_type") or {}).get("pump", {}).items()
    }
    squared, linear, still = zip(*(curves[name] for name in frame["std_type"].to_list()), strict=True)
    per_kg = 3.6 / DENSITY * 1000.0
    return frame.select(
        pump=_id("u"), **_ends(), lift_bar=pl.Series(still, dtype=pl.Float64),
        slope_bar_per_kgs=-pl.Series(linear, dtype=pl.Float64) * per_kg,
        curve_bar_per_kgs2=-pl.Series(squared, dtype=pl.Float64) * per_kg**2, open=_on(frame),
    )  # fmt: skip


def _curve(part: Any) -> tuple[float, float, float]:
    """(b, a, c) of lift_bar = b q² + a q + c, q in m³/h."""
    body = part["_object"]
    body = json.loads(body) if isinstance(body, str) else body
    polynomial = body["reg_par"]
    numbers = [float(number) for number in (polynomial["_object"] if isinstance(polynomial, dict) else polynomial)]
    padded = [0.0] * (3 - len(numbers)) + numbers
    return padded[-3], padded[-2], padded[-1]


def _sources(pressure: pl.DataFrame, mass: pl.DataFrame) -> pl.DataFrame:
    parts = []
    if pressure.height:
        parts.append(pressure.select(
            source=_id("cp"), return_node=_id("j", "return_junction"), supply_node=_id("j", "flow_junction"),
            supply_temp_c=pl.col("t_flow_k") - ZERO_C, control=pl.lit("pressure"),
            return_pressure_bar=pl.col("p_flow_bar") - pl.col("plift_bar"), lift_bar=pl.col("plift_bar").cast(pl.Float64),
            flow_kg_per_s=pl.lit(None, pl.Float64), open=_on(pressure),
        ))  # fmt: skip
    if mass.height:
        parts.append(mass.select(
            source=_id("cm"), return_node=_id("j", "return_junction"), supply_node=_id("j", "flow_junction"),
            supply_temp_c=pl.col("t_flow_k") - ZERO_C, control=pl.lit("flow"), return_pressure_bar=pl.lit(None, pl.Float64),
            lift_bar=pl.lit(None, pl.Float64), flow_kg_per_s=pl.col("mdot_flow_kg_per_s").cast(pl.Float64), open=_on(mass),
        ))  # fmt: skip
    return pl.concat(parts) if parts else pl.DataFrame()


def _substations(frame: pl.DataFrame) -> pl.DataFrame:
    if not frame.height:
        return pl.DataFrame()
    return frame.select(
        substation=_id("c"), supply_node=_id("j", "from_junction"), return_node=_id("j", "to_junction"),
        heat_kw=_value(frame, ("qext_w",), None) / 1000.0, return_temp_c=_value(frame, ("treturn_k",), None) - ZERO_C,
        delta_t_k=_value(frame, ("deltat_k",), None), flow_kg_per_s=_value(frame, ("controlled_mdot_kg_per_s",), None), open=_on(frame),
    )  # fmt: skip


def _taps(sinks: pl.DataFrame, sources: pl.DataFrame) -> pl.DataFrame:
    parts = []
    for frame, letter, sign in ((sinks, "k", 1.0), (sources, "q", -1.0)):
        if frame.height:
            flow = (
                _value(frame, ("mdot_kg_per_s",), 0.0) * _value(frame, ("scaling",), 1.0) * _on(frame).cast(pl.Float64)
            )
            parts.append(frame.select(tap=_id(letter), node=_id("j", "junction"), flow_kg_per_s=flow * sign))
    return pl.concat(parts) if parts else pl.DataFrame()


def _heads(frame: pl.DataFrame) -> pl.DataFrame:
    if not frame.height:
        return pl.DataFrame()
    here = frame.filter(_on(frame))
    return here.select(
        head=_id("e"),
        node=_id("j", "junction"),
        pressure_bar=pl.col("p_bar").cast(pl.Float64),
        temp_c=pl.col("t_k") - ZERO_C,
    )
