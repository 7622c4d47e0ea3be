"""GeoJSON (RFC 7946): what maps draw and what a GIS exports. Points are nodes, sources and substations; lines are pipes, valves, pumps.

A feature's `properties.kind` names its table; the other properties are that table's columns. A pipe's line is straight between its nodes
unless the network came with one.
"""

import json
from collections.abc import Mapping
from typing import Any

import polars as pl

from nuan.network.graph.tables import ENDS, KEYS, TABLES, Network
from nuan.network.steady import State
from nuan.terms.findings import Finding

LINES = ("pipes", "valves", "pumps")
POINTS = ("sources", "substations")


def write(network: Network, state: State | None = None) -> str:
    """Everything whose place is known; with a state also pressures, temperatures and flows as properties."""
    at = {name: [x, y] for name, x, y in network.nodes.select("node", "longitude", "latitude").drop_nulls().iter_rows()}
    extra = _results(state)
    features = []
    for row in network.nodes.iter_rows(named=True):
        if row["node"] in at:
            features.append(
                _feature(
                    "Point", at[row["node"]], {"kind": "nodes", **_plain(row), **extra["nodes"].get(row["node"], {})}
                )
            )
    for table in LINES + POINTS:
        first, second = ENDS[table]
        for row in network.table(table).iter_rows(named=True):
            if row[first] in at and row[second] in at:
                properties = {"kind": table, **_plain(row), **extra[table].get(row[KEYS[table]], {})}
                shape: Any = (
                    [at[row[first]], at[row[second]]]
                    if table in LINES
                    else at[row[second if table == "sources" else first]]
                )
                features.append(_feature("LineString" if table in LINES else "Point", shape, properties))
    return json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False)


def _results(state: State | None) -> dict[str, dict[str, dict[str, Any]]]:
    extra: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in TABLES}
    if state is None:
        return extra
    frames = {"nodes": state.nodes(), "substations": state.substations(), "sources": state.sources()}
    frames |= {table: state.edges(table) for table in LINES}
    for table, frame in frames.items():
        key = frame.columns[0]
        for row in frame.iter_rows(named=True):
            extra[table][row[key]] = {
                name: round(value, 4) if isinstance(value, float) else value
                for name, value in row.items()
                if name != key
            }
    return extra


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if value is not None and name not in {"longitude", "latitude"}}


def _feature(kind: str, coordinates: Any, properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "geometry": {"type": kind, "coordinates": coordinates}, "properties": properties}


def read(text: str) -> tuple[Network, list[Finding]]:
    """A network from features with `kind`; features of other kinds are named in a finding."""
    try:
        features = json.loads(text)["features"]
        rows: dict[str, list[dict[str, Any]]] = {}
        strange = 0
        for feature in features:
            properties = dict(feature["properties"])
            kind = properties.pop("kind", None)
            if kind not in TABLES:
                strange += 1
                continue
            if kind == "nodes":
                properties["longitude"], properties["latitude"] = feature["geometry"]["coordinates"][:2]
            rows.setdefault(kind, []).append(
                {name: value for name, value in properties.items() if name in TABLES[kind]}
            )
        tables: dict[str, Any] = {kind: pl.DataFrame(part, infer_schema_length=None) for kind, part in rows.items()}
        network = Network.of(**tables)
    except (ValueError, KeyError, TypeError, pl.exceptions.PolarsError) as error:
        return Network.of(), [
            Finding("network.geojson", "not_geojson", "这不是能读的 GeoJSON", f"cannot be read: {error}", "每个要素要有 geometry 和 properties.kind")
        ]  # fmt: skip
    if not strange:
        return network, []
    return network, [
        Finding(
            "network.geojson", "kind_unknown", "有要素没有写明是什么", "features without a known kind",
            f"在 properties.kind 里写 {'、'.join(TABLES)} 之一", count=strange, severity="warning",
        )
    ]  # fmt: skip
