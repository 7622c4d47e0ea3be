"""All that is wrong with a network, at once: so that a drawing of 2 000 pipes is mended in one go and not error by error."""

from collections.abc import Iterator

import numpy as np
import polars as pl
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from nuan.network.graph.tables import ENDS, KEYS, Network
from nuan.terms.findings import Finding

LONGEST_PIPE_M, SHORTEST_PIPE_M = 20_000.0, 0.05
BORES_M = (0.008, 2.0)


def findings(network: Network) -> list[Finding]:
    """Every fault: names twice, ends at no node, missing or impossible sizes, islands, dead ends, supply and return crossed."""
    found = [*_names(network), *_ends(network)]
    found += [*_sizes(network), *_stations(network)]
    if not any(finding.code == "end_unknown" for finding in found):
        found += [*_islands(network), *_dangling(network), *_crossed(network)]
    return found


def _rows(frame: pl.DataFrame, wrong: pl.Expr) -> Iterator[tuple[int, str]]:
    """Row as a person counts (header = 1) and name of the rows where `wrong` holds."""
    for row, name in frame.with_row_index("row").filter(wrong).select("row", frame.columns[0]).iter_rows():
        yield int(row) + 2, str(name)


def _names(network: Network) -> Iterator[Finding]:
    for table, key in KEYS.items():
        frame = network.table(table)
        for row, name in _rows(frame, pl.col(key).is_duplicated() & ~pl.col(key).is_first_distinct()):
            yield Finding(
                table,
                "name_twice",
                "编号重复",
                "the name is given twice",
                "给它另一个编号",
                row=row,
                field=key,
                value=name,
            )


def _ends(network: Network) -> Iterator[Finding]:
    nodes = network.nodes["node"]
    ends = {**ENDS, "taps": ("node",), "heads": ("node",)}
    for table, columns in ends.items():
        frame = network.table(table)
        for column in columns:
            for row, name in _rows(frame, ~pl.col(column).is_in(nodes.implode())):
                yield Finding(
                    table,
                    "end_unknown",
                    "连到一个不存在的节点",
                    "ends at a node that is not there",
                    "补上节点，或改正端点",
                    row=row,
                    field=column,
                    value=name,
                )
        if len(columns) == 2:
            for row, name in _rows(frame, pl.col(columns[0]) == pl.col(columns[1])):
                yield Finding(
                    table,
                    "both_ends_one_node",
                    "两端是同一个节点",
                    "both ends are one node",
                    "改正端点",
                    row=row,
                    value=name,
                )


def _sizes(network: Network) -> Iterator[Finding]:
    bounds = (
        ("pipes", "length_m", SHORTEST_PIPE_M, LONGEST_PIPE_M, "长度"),
        ("pipes", "inner_diameter_m", *BORES_M, "内径"),
        ("valves", "inner_diameter_m", *BORES_M, "内径"),
        ("pipes", "roughness_mm", 0.0, 20.0, "粗糙度"),
        ("pipes", "u_w_per_m2k", 0.0, 50.0, "传热系数"),
    )
    for table, column, low, high, word in bounds:
        frame = network.table(table)
        for row, name in _rows(frame, pl.col(column).is_null() | pl.col(column).is_nan()):
            yield Finding(
                table,
                f"{column}_missing",
                f"没有{word}",
                f"{column} is missing",
                f"补上{word}",
                row=row,
                field=column,
                value=name,
            )
        for row, name in _rows(frame, (pl.col(column) < low) | (pl.col(column) > high)):
            yield Finding(
                table, f"{column}_impossible", f"{word}不可能（应在 {low:g} 到 {high:g} 之间）", f"{column} is not between {low:g} and {high:g}",
                "查对单位：长度和管径都用米，粗糙度用毫米", row=row, field=column, value=name,
            )  # fmt: skip
    pipes = network.pipes
    for row, name in _rows(pipes, pl.col("outer_diameter_m") < pl.col("inner_diameter_m")):
        yield Finding(
            "pipes",
            "outer_below_inner",
            "外径小于内径",
            "the outer diameter is less than the inner one",
            "查对两个直径",
            row=row,
            value=name,
        )


def _stations(network: Network) -> Iterator[Finding]:
    frame = network.substations
    heat, flow = pl.col("heat_kw").is_not_null(), pl.col("flow_kg_per_s").is_not_null()
    temp = pl.col("return_temp_c").is_not_null() | pl.col("delta_t_k").is_not_null()
    enough = (heat & temp) | (flow & (heat | temp))
    for row, name in _rows(frame, ~enough):
        yield Finding(
            "substations", "demand_unclear", "需热量说不清", "heat with a return temperature or a cooling, or a flow with one of them, is needed",
            "给出热负荷和回水温度（或温差），或给出流量和其中一项", row=row, value=name,
        )  # fmt: skip
    for row, name in _rows(frame, pl.col("heat_kw") < 0):
        yield Finding(
            "substations",
            "heat_negative",
            "热负荷是负数",
            "the demand is negative",
            "查对正负号",
            row=row,
            field="heat_kw",
            value=name,
        )
    for row, name in _rows(network.sources, (pl.col("control") == "flow") & pl.col("flow_kg_per_s").is_null()):
        yield Finding(
            "sources",
            "flow_missing",
            "定流量的热源没有流量",
            "a source that holds a flow has none",
            "给出流量",
            row=row,
            value=name,
        )
    for row, name in _rows(network.sources, ~pl.col("control").is_in(["pressure", "lift", "flow"])):
        yield Finding(
            "sources",
            "control_unknown",
            "控制方式不认识",
            "the control is not known",
            "写 pressure、lift 或 flow",
            row=row,
            field="control",
            value=name,
        )


def _links(network: Network, tables: tuple[str, ...]) -> tuple[list[str], np.ndarray, np.ndarray]:
    names = network.nodes["node"].to_list()
    index = {name: i for i, name in enumerate(names)}
    a: list[int] = []
    b: list[int] = []
    for table in tables:
        frame = network.table(table)
        if "open" in frame.columns:
            frame = frame.filter("open")
        first, second = ENDS[table]
        a += [index[name] for name in frame[first]]
        b += [index[name] for name in frame[second]]
    return names, np.array(a, np.int64), np.array(b, np.int64)


def _islands(network: Network) -> Iterator[Finding]:
    """Parts that no open pipe joins to a source or a fixed pressure."""
    names, a, b = _links(network, ("pipes", "valves", "pumps", "sources"))
    if not names:
        return
    size = len(names)
    _, part = connected_components(coo_array((np.ones(len(a)), (a, b)), shape=(size, size)), directed=False)
    index = {name: i for i, name in enumerate(names)}
    held = {index[name] for name in network.heads["node"]}
    for back, out in (
        network.sources.filter(pl.col("control") == "pressure").select("return_node", "supply_node").iter_rows()
    ):
        held |= {index[back], index[out]}
    fed = {int(part[i]) for i in held}
    for island in sorted(set(part.tolist()) - fed):
        members = [names[i] for i in np.flatnonzero(part == island)]
        yield Finding(
            "nodes", "island", "这一片没有热源或定压点", "nothing holds the pressure of this part", "接到热源，或打开阀门，或删去这一片",
            value="、".join(members[:5]) + ("…" if len(members) > 5 else ""), count=len(members),
        )  # fmt: skip


def _dangling(network: Network) -> Iterator[Finding]:
    """Pipes that end where nothing takes and nothing goes on."""
    names, a, b = _links(network, ("pipes", "valves", "pumps", "sources", "substations"))
    degree = np.bincount(np.concatenate([a, b]), minlength=len(names))
    used = set(network.taps["node"]) | set(network.heads["node"])
    ends = {name for i, name in enumerate(names) if degree[i] == 1 and name not in used}
    frame = network.pipes
    for row, name in _rows(frame, pl.col("from_node").is_in(list(ends)) | pl.col("to_node").is_in(list(ends))):
        yield Finding(
            "pipes",
            "dangling",
            "管道一端悬空",
            "one end of the pipe leads nowhere",
            "接上用户或删去；确是预留的可不管",
            row=row,
            value=name,
            severity="warning",
        )


def _crossed(network: Network) -> Iterator[Finding]:
    """Supply and return joined by a pipe or valve, or a substation or source the wrong way round, by the sides that nodes name or
    that follow from the sources."""
    names, a, b = _links(network, ("pipes", "valves", "pumps"))
    if not len(network.sources):
        return
    size = len(names)
    _, part = connected_components(coo_array((np.ones(len(a)), (a, b)), shape=(size, size)), directed=False)
    index = {name: i for i, name in enumerate(names)}
    sides = dict(network.nodes.select("node", "side").iter_rows())
    for table in ("pipes", "valves", "pumps"):
        for row, (name, first, second) in enumerate(
            network.table(table).select(KEYS[table], *ENDS[table]).iter_rows(), 2
        ):
            if {sides[first], sides[second]} == {"supply", "return"}:
                yield Finding(
                    table,
                    "sides_crossed",
                    "把供水和回水接在了一起",
                    "joins supply and return",
                    "改正端点；旁通请用阀门并写明",
                    row=row,
                    value=name,
                )
    out = {int(part[index[name]]) for name in network.sources["supply_node"]}
    back = {int(part[index[name]]) for name in network.sources["return_node"]}
    if out & back:
        yield Finding(
            "sources",
            "sides_joined",
            "供水管网和回水管网连通了",
            "the supply network and the return network are one",
            "查找接错的管道或打开的旁通",
        )
        return
    for row, (name, supply, ret) in enumerate(
        network.substations.select("substation", "supply_node", "return_node").iter_rows(), 2
    ):
        if int(part[index[supply]]) in back and int(part[index[ret]]) in out:
            yield Finding(
                "substations",
                "station_reversed",
                "供回水接反",
                "supply and return are swapped",
                "对调两端",
                row=row,
                value=name,
            )
