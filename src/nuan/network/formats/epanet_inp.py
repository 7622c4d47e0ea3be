"""EPANET .inp, the hydraulic part (EPANET 2.2 user manual, app. C): junctions, reservoirs, tanks, pipes, valves, pumps, curves, demands.

Lengths and flows are converted from the file's units. Darcy–Weisbach roughness is taken over; of Hazen–Williams and Chezy–Manning
files, whose coefficients are no lengths, pipes get 0.1 mm and a finding says so. Tanks and reservoirs become fixed pressures.
"""

from collections.abc import Mapping

from nuan.network.graph.tables import Network
from nuan.terms.findings import Finding

FLOW_M3_PER_S: Mapping[str, float] = {
    "LPS": 1e-3, "LPM": 1e-3 / 60, "MLD": 1e3 / 86400, "CMH": 1 / 3600, "CMD": 1 / 86400, "CMS": 1.0,
    "CFS": 0.0283168466, "GPM": 6.30901964e-5, "MGD": 0.0438126364, "IMGD": 0.0526168042, "AFD": 0.0142764102,
}  # fmt: skip
FEET = 0.3048
DENSITY = 998.2
G = 9.81
ROUGHNESS_MM = 0.1


def read(text: str) -> tuple[Network, list[Finding]]:
    sections = _sections(text)
    options = {row[0].upper(): row[1].upper() for row in sections.get("OPTIONS", []) if len(row) > 1}
    units = options.get("UNITS", options.get("FLOW", "GPM"))
    findings: list[Finding] = []
    if units not in FLOW_M3_PER_S or not (sections.get("JUNCTIONS") or sections.get("RESERVOIRS")):
        return Network.of(), [
            Finding("network.inp", "not_epanet", "这不是能读的 EPANET 文件", f"no junctions or unknown units {units}", "用 EPANET 2.2 另存为 .inp")
        ]  # fmt: skip
    metric = units in {"LPS", "LPM", "MLD", "CMH", "CMD", "CMS"}
    length = 1.0 if metric else FEET
    bore = 1e-3 if metric else FEET / 12.0
    flow = FLOW_M3_PER_S[units] * DENSITY
    darcy = options.get("HEADLOSS", "H-W") == "D-W"
    if not darcy:
        findings.append(Finding(
            "network.inp", "roughness_not_a_length", "文件用海曾-威廉或谢才系数，粗糙度按 0.1 mm 计",
            "roughness is not a length; 0.1 mm is taken", "在 EPANET 里改用 D-W 公式", severity="warning",
        ))  # fmt: skip
    try:
        network = _network(sections, length, bore, flow, darcy, 1.0 if metric else FEET, findings)
    except (IndexError, ValueError, KeyError) as error:
        return Network.of(), [
            Finding("network.inp", "row_unreadable", "有一行读不懂", f"a row cannot be read: {error}", "用 EPANET 打开检查后再存一次")
        ]  # fmt: skip
    return network, findings


def _sections(text: str) -> dict[str, list[list[str]]]:
    sections: dict[str, list[list[str]]] = {}
    name = ""
    for line in text.splitlines():
        body = line.split(";", 1)[0].strip()
        if body.startswith("["):
            name = body.strip("[]").upper()
        elif body:
            sections.setdefault(name, []).append(body.split())
    return sections


def _network(
    sections: Mapping[str, list[list[str]]],
    length: float,
    bore: float,
    flow: float,
    darcy: bool,
    head: float,
    findings: list[Finding],
) -> Network:
    nodes: dict[str, list[object]] = {"node": [], "elevation_m": []}
    taps: dict[str, list[object]] = {"tap": [], "node": [], "flow_kg_per_s": []}
    heads: dict[str, list[object]] = {"head": [], "node": [], "pressure_bar": []}
    demands = {row[0] for row in sections.get("DEMANDS", [])}
    for row in sections.get("JUNCTIONS", []):
        nodes["node"].append(row[0])
        nodes["elevation_m"].append(float(row[1]) * head)
        if len(row) > 2 and row[0] not in demands and float(row[2]):
            _add(taps, (f"d{row[0]}", row[0], float(row[2]) * flow))
    for k, row in enumerate(sections.get("DEMANDS", [])):
        _add(taps, (f"d{k}-{row[0]}", row[0], float(row[1]) * flow))
    for row in sections.get("RESERVOIRS", []):
        _add(nodes, (row[0], float(row[1]) * head))
        _add(heads, (row[0], row[0], 0.0))
    for row in sections.get("TANKS", []):
        _add(nodes, (row[0], float(row[1]) * head))
        _add(heads, (row[0], row[0], float(row[2]) * head * DENSITY * G / 1e5))
    closed = {row[0] for row in sections.get("STATUS", []) if len(row) > 1 and row[1].upper() == "CLOSED"}
    return Network.of(
        nodes=nodes, taps=taps, heads=heads, pipes=_pipes(sections.get("PIPES", []), length, bore, darcy, closed),
        valves=_valves(sections.get("VALVES", []), bore, closed, findings), pumps=_pumps(sections, head, flow, findings),
    )  # fmt: skip


def _add(table: dict[str, list[object]], values: tuple[object, ...]) -> None:
    for column, value in zip(table.values(), values, strict=True):
        column.append(value)


def _pipes(rows: list[list[str]], length: float, bore: float, darcy: bool, closed: set[str]) -> dict[str, list[object]]:
    table: dict[str, list[object]] = {
        name: []
        for name in ("pipe", "from_node", "to_node", "length_m", "inner_diameter_m", "roughness_mm", "zeta", "open")
    }
    rough = 1.0 if bore == 1e-3 else FEET
    for row in rows:
        is_open = not (len(row) > 7 and row[7].upper() == "CLOSED") and row[0] not in closed
        _add(table, (
            row[0], row[1], row[2], float(row[3]) * length, float(row[4]) * bore,
            float(row[5]) * rough if darcy else ROUGHNESS_MM, float(row[6]) if len(row) > 6 else 0.0, is_open,
        ))  # fmt: skip
    return table


def _valves(rows: list[list[str]], bore: float, closed: set[str], findings: list[Finding]) -> dict[str, list[object]]:
    table: dict[str, list[object]] = {
        name: [] for name in ("valve", "from_node", "to_node", "inner_diameter_m", "zeta", "open")
    }
    for row in rows:
        if row[4].upper() != "TCV":
            findings.append(Finding(
                "network.inp", "valve_kind", "调节阀按全开的阀门计", "a control valve is taken as an open valve", "需要时在平台上改", value=f"{row[0]} {row[4]}", severity="warning",
            ))  # fmt: skip
        zeta = float(row[5]) if row[4].upper() == "TCV" else float(row[6]) if len(row) > 6 else 0.0
        _add(table, (row[0], row[1], row[2], float(row[3]) * bore, zeta, row[0] not in closed))
    return table


def _pumps(
    sections: Mapping[str, list[list[str]]], head: float, flow: float, findings: list[Finding]
) -> dict[str, list[object]]:
    table: dict[str, list[object]] = {
        name: [] for name in ("pump", "from_node", "to_node", "lift_bar", "curve_bar_per_kgs2")
    }
    curves: dict[str, list[tuple[float, float]]] = {}
    for row in sections.get("CURVES", []):
        curves.setdefault(row[0], []).append((float(row[1]) * flow, float(row[2]) * head * DENSITY * G / 1e5))
    for row in sections.get("PUMPS", []):
        words = [word.upper() for word in row]
        if "HEAD" not in words:
            findings.append(Finding(
                "network.inp", "pump_by_power", "没有扬程曲线的水泵没有接管", "a pump without a head curve is not taken over", "给水泵一条曲线", value=row[0],
            ))  # fmt: skip
            continue
        points = curves[row[words.index("HEAD") + 1]]
        lift, curve = _through(points)
        _add(table, (row[0], row[1], row[2], lift, curve))
    return table


def _through(points: list[tuple[float, float]]) -> tuple[float, float]:
    """(lift at rest, curve) of lift − curve · flow²; from one point EPANET's rule: a third more at rest."""
    if len(points) == 1:
        flow, lift = points[0]
        return lift * 4.0 / 3.0, lift / 3.0 / (flow * flow)
    (f0, l0), (f1, l1) = points[0], points[-1]
    curve = (l0 - l1) / (f1 * f1 - f0 * f0)
    return l0 + curve * f0 * f0, curve
