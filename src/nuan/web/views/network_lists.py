"""The network as lists, for print, for a phone, and for whoever has no map: stations worst first, pipes, valves, plants."""

from collections.abc import Sequence
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render

from nuan.web.guard import Visit
from nuan.web.network_stage import WHY_WORDS, Stage, stage
from nuan.web.tables import csv_answer
from nuan.web.wording import say

PER_PAGE = 60
TABS = {"stations": "热力站", "pipes": "管道", "valves": "阀门", "sources": "热源"}


def _pressure(found: Stage) -> dict[str, float]:
    return (
        {}
        if found.state is None
        else dict(found.state.nodes().drop_nulls("pressure_bar").select("node", "pressure_bar").iter_rows())
    )


def rows_of(found: Stage, tab: str) -> list[dict[str, Any]]:
    """The rows of a tab, in its order."""
    makers = {"stations": _stations, "pipes": _pipes, "valves": _valves, "sources": _sources}
    return makers[tab](found)


def _stations(found: Stage) -> list[dict[str, Any]]:
    gauges: dict[str, dict[tuple[str, str], float]] = {}
    for each in [] if found.run is None else found.run.residuals:
        gauges.setdefault(each["substation"], {})[each["quantity"], each["position"]] = each["measured"]
    if found.state is None:
        rows = found.twin.network.substations.iter_rows(named=True)
        return [
            {"name": row["substation"], "known": found.name(row["substation"]), "protected": row["protected"]}
            for row in rows
        ]
    table = found.stations.sort(["met", "dp_bar"], nulls_last=False)
    return [
        row | {
            "name": row["substation"], "known": found.name(row["substation"]), "why": WHY_WORDS[row["why"]],
            "gauge_supply": gauges.get(row["substation"], {}).get(("pressure", "supply")),
            "gauge_return": gauges.get(row["substation"], {}).get(("pressure", "return")),
            "gauge_temp": gauges.get(row["substation"], {}).get(("primary_supply_temp", "")),
        }
        for row in table.iter_rows(named=True)
    ]  # fmt: skip


def _pipes(found: Stage) -> list[dict[str, Any]]:
    table = found.twin.network.pipes
    if found.state is not None:
        table = table.join(found.state.edges("pipes"), on="pipe", how="left", maintain_order="left")
    pressure = _pressure(found)
    rows = []
    for row in table.iter_rows(named=True):
        flow, bore = row.get("flow_kg_per_s"), row["inner_diameter_m"]
        speed = None if flow is None else abs(flow) / 970.0 / (3.14159265 / 4 * bore**2)
        rows.append(
            row
            | {
                "name": row["pipe"],
                "bar": pressure.get(row["from_node"]),
                "m_per_s": speed,
                "t_per_h": None if flow is None else abs(flow) * 3.6,
                "dn": round(bore * 1000),
            }
        )
    return rows


def _valves(found: Stage) -> list[dict[str, Any]]:
    rows = found.twin.network.valves.sort("open", maintain_order=True).iter_rows(named=True)
    return [
        row
        | {
            "name": row["valve"],
            "position": found.twin.positions[row["valve"]],
            "dn": round(row["inner_diameter_m"] * 1000),
        }
        for row in rows
    ]


def _sources(found: Stage) -> list[dict[str, Any]]:
    table = found.twin.network.sources.select("source", "control", "power_max_kw", "open")
    if found.state is not None:
        table = table.join(found.state.sources(), on="source", how="left", maintain_order="left")
    return [row | {"name": row["source"]} for row in table.iter_rows(named=True)]


def _asked(request: Visit, found: Stage) -> tuple[str, str, list[dict[str, Any]]]:
    tab = request.GET.get("tab", "stations")
    tab = tab if tab in TABS else "stations"
    words = request.GET.get("q", "").strip()[:80]
    rows = rows_of(found, tab)
    if words:
        rows = [row for row in rows if words.lower() in row["name"].lower() or words in str(row.get("known", ""))]
    return tab, words, rows


def network_list(request: Visit, company: str) -> HttpResponse:
    found = stage(request, company)
    tab, words, rows = _asked(request, found)
    pages = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "web/network/list.html", found.context("list", tab=tab, tabs=TABS, q=words, pages=pages))


def network_list_csv(request: Visit, company: str) -> StreamingHttpResponse:
    found = stage(request, company)
    tab, _, rows = _asked(request, found)
    heads, keys = _columns(tab)
    lines: Sequence[Sequence[Any]] = [[_cell(row.get(key)) for key in keys] for row in rows]
    return csv_answer(f"network-{company}-{tab}.csv", heads, lines)


def _columns(tab: str) -> tuple[list[str], list[str]]:
    if tab == "pipes":
        heads = [
            "管道",
            "起点",
            "终点",
            "长度(m)",
            "管径 DN",
            "敷设年份",
            "流量(t/h)",
            "流速(m/s)",
            "起点压力(bar)",
            "起点水温(°C)",
            "终点水温(°C)",
        ]
        return heads, [
            "name",
            "from_node",
            "to_node",
            "length_m",
            "dn",
            "built_year",
            "t_per_h",
            "m_per_s",
            "bar",
            "temp_from_c",
            "temp_to_c",
        ]
    if tab == "valves":
        heads = ["阀门", "起点", "终点", "管径 DN", "开着", "关闭要(分钟)"]
        return heads, ["name", "from_node", "to_node", "dn", "open", "minutes_to_close"]
    if tab == "sources":
        heads = [
            "热源",
            "流量(kg/s)",
            "扬程(bar)",
            "供热(kW)",
            "供水温度(°C)",
            "回水温度(°C)",
            "补水(kg/s)",
            "最大(kW)",
        ]
        return heads, [
            "name",
            "flow_kg_per_s",
            "lift_bar",
            "heat_kw",
            "temp_supply_c",
            "temp_return_c",
            "make_up_kg_per_s",
            "power_max_kw",
        ]
    heads = [
        "热力站",
        "名称",
        "供水压力(bar)",
        "回水压力(bar)",
        "压差(bar)",
        "供水温度(°C)",
        "流量(kg/s)",
        "供热(kW)",
        "缺(kW)",
        "原因",
        "实测供水压力(bar)",
        "实测回水压力(bar)",
    ]
    return heads, [
        "name",
        "known",
        "supply_bar",
        "return_bar",
        "dp_bar",
        "temp_in_c",
        "flow_kg_per_s",
        "heat_kw",
        "short_kw",
        "why",
        "gauge_supply",
        "gauge_return",
    ]


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return say("是") if value else say("否")
    return round(value, 3) if isinstance(value, float) else value
