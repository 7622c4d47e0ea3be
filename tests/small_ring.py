"""A network small enough to read: a plant, a ring of four double pipes with a valve at each end, three stations."""

from nuan.network.graph import Network

STATIONS = {"X1": "H01-S01", "X2": "H01-S02", "X3": ""}


def ring(*, scale: float = 1.0) -> Network:
    """Supply ring s0–s1–s2–s3 with a valve at each end of each pipe, the return likewise; the plant at s0/r0, stations at 1, 2 and 3."""
    at = {0: (109.90, 39.80), 1: (109.91, 39.805), 2: (109.92, 39.80), 3: (109.91, 39.795)}
    tables: dict[str, list[dict[str, object]]] = {"nodes": [], "pipes": [], "valves": [], "substations": []}
    for letter, side in (("G", "supply"), ("H", "return")):
        for i, (x, y) in at.items():
            tables["nodes"].append(
                {"node": f"n{i}-{letter}", "side": side, "elevation_m": 1300.0 + 3 * i, "longitude": x, "latitude": y}
            )
        for i, j in ((0, 1), (1, 2), (2, 3), (3, 0)):
            name, ends = f"P{i}{j}-{letter}", []
            for end, (near, far) in enumerate(((i, j), (j, i))):
                share = 0.1
                x, y = (at[near][k] + (at[far][k] - at[near][k]) * share for k in (0, 1))
                node = f"{name}{'ab'[end]}"
                tables["nodes"].append(
                    {"node": node, "side": side, "elevation_m": 1300.0 + 3 * near, "longitude": x, "latitude": y}
                )
                first, second = (f"n{near}-{letter}", node) if end == 0 else (node, f"n{near}-{letter}")
                tables["valves"].append(
                    {
                        "valve": f"V{i}{j}{'ab'[end]}-{letter}",
                        "from_node": first,
                        "to_node": second,
                        "inner_diameter_m": 0.15,
                    }
                )
                ends.append(node)
            tables["pipes"].append({
                "pipe": name, "from_node": ends[0], "to_node": ends[1], "length_m": 1000.0, "inner_diameter_m": 0.15, "outer_diameter_m": 0.164,
                "u_w_per_m2k": 1.2, "side": side, "twin": f"P{i}{j}-{'H' if letter == 'G' else 'G'}", "built_year": 2003,
            })  # fmt: skip
    for i, (name, place) in enumerate(STATIONS.items(), 1):
        tables["substations"].append({
            "substation": name, "supply_node": f"n{i}-G", "return_node": f"n{i}-H", "heat_kw": 900.0 * scale, "return_temp_c": 55.0,
            "kv_m3_per_h": 25.0, "min_dp_bar": 0.3, "place": place,
        })  # fmt: skip
    plant = {
        "source": ["H01"],
        "return_node": ["n0-H"],
        "supply_node": ["n0-G"],
        "supply_temp_c": [105.0],
        "lift_bar": [3.0],
        "return_pressure_bar": [2.5],
    }
    return Network.of(name="环网", sources=plant, **{table: _columns(rows) for table, rows in tables.items()})


def _columns(rows: list[dict[str, object]]) -> dict[str, list[object]]:
    return {key: [row[key] for row in rows] for key in rows[0]}
