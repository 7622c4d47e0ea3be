"""`compute_network`: the network of a company solved with the newest trusted readings, kept for the pages. Machine state: no audit row.

A station's heat is what it measures; where nothing fresh comes, its design heat by the weather. Plants and return temperatures likewise.
What was measured and not put in (pressures and temperatures at stations) is compared with what comes out: the residuals.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from django.conf import settings
from django.db import transaction

from nuan.buildings.control import SupplyCurve
from nuan.network.graph import Network
from nuan.network.solver.arrays import Arrays, UnknownNodeError
from nuan.network.steady import NotSettledError, State, solve
from nuan.operations.network_readings import RETURN, SUPPLY, Measured, measured_now
from nuan.operations.network_twin import Twin, twin_of, twin_of_version, with_open_flags
from nuan.records.twin.models import NetworkRun

KEPT_DAYS = 14
COARSE = 100.0
"""Where the solver does not come to rest to 1e-5 kg/s and 1e-4 K, 1e-3 kg/s and 0.01 K are asked for."""
_FILLED = ("heat_kw", "return_temp_c")


@dataclass(frozen=True)
class Loads:
    """What goes into a run: the network with the loads of the moment, and how many of them were measured."""

    network: Network
    measured: int
    modelled: int
    outdoor_c: float | None


def compute_network(company: str, now: datetime) -> NetworkRun | None:
    """None for a company without a network. A state that does not settle is a run too, with the reason and no arrays."""
    twin = twin_of(company, now)
    if twin is None:
        return None
    seen = measured_now(company, now)
    loads = with_loads(twin, seen)
    values: dict[str, Any] = {
        "version": twin.version, "computed_at": now, "outdoor_c": loads.outdoor_c, "measured": loads.measured, "modelled": loads.modelled,
    }  # fmt: skip
    try:
        state = settled(loads.network, loads.outdoor_c)
    except (NotSettledError, UnknownNodeError) as error:
        values |= {"settled": False, "why": str(error)}
        state = None
    if state is not None:
        values |= {"settled": True, "why": "", "residuals": residuals(twin, state, seen), **_figures(state)}
    at = now.replace(second=0, microsecond=0)
    with transaction.atomic():
        run, _ = NetworkRun.objects.update_or_create(company_id=company, at=at, defaults=values)
        if state is not None:
            _save(run, state)
    _let_go(company, now)
    return run


def settled(network: Network | Arrays, outdoor_c: float | None, start: State | None = None) -> State:
    """As exact as it goes; raises NotSettledError. The ground follows the outdoor temperature far behind: 5 °C at least."""
    ground = 5.0 if outdoor_c is None else max(5.0, outdoor_c / 2)
    try:
        return solve(network, ambient_temp_c=ground, start=start)
    except NotSettledError:
        return solve(network, ambient_temp_c=ground, tol_flow_kg_per_s=1e-5 * COARSE, tol_temp_k=1e-4 * COARSE)


def with_loads(twin: Twin, seen: Measured) -> Loads:
    """Heat, return temperatures and plants as measured, else by the weather, else as the file has them."""
    stations = twin.network.substations
    share = 1.0 if seen.outdoor_c is None else float(SupplyCurve().load(np.array([seen.outdoor_c]))[0])
    heat, back, measured = [], [], 0
    for name, design, drawn in stations.select("substation", "heat_kw", "return_temp_c").iter_rows():
        place = twin.places.get(name, ("", name))[1]
        own = seen.heat_kw(place)
        measured += own is not None
        heat.append(own if own is not None else None if design is None else design * share)
        warm = seen.get(place, "primary_return_temp")
        back.append(warm if warm is not None else drawn)
    network = twin.network.with_table(
        "substations",
        stations.with_columns(
            heat_kw=pl.Series(heat, dtype=pl.Float64), return_temp_c=pl.Series(back, dtype=pl.Float64)
        ),
    )
    network = network.with_table("sources", _plants(network.sources, seen))
    return Loads(network, measured, stations.height - measured, seen.outdoor_c)


def _plants(sources: pl.DataFrame, seen: Measured) -> pl.DataFrame:
    rows = []
    for row in sources.iter_rows(named=True):
        name = row["source"]
        warm = seen.get(name, "primary_supply_temp")
        back, out = seen.get(name, "pressure", RETURN), seen.get(name, "pressure", SUPPLY)
        if warm is not None:
            row["supply_temp_c"] = warm
        if back is not None:
            row["return_pressure_bar"] = back
        if back is not None and out is not None and out > back:
            row["lift_bar"] = out - back
        rows.append(row)
    return pl.DataFrame(rows, schema=sources.schema)


def residuals(twin: Twin, state: State, seen: Measured) -> list[dict[str, Any]]:
    """Measured minus computed at the stations, a row a point that was not put in."""
    table = state.substations()
    pressure = dict(zip(state.arrays.node_names, state.pressure_bar.tolist(), strict=True))
    found = []
    # standing water is as warm as the ground: nobody measures that at a station
    warm_in = table.select(pl.when(pl.col("flow_kg_per_s") > 1e-3).then("temp_in_c"))["temp_in_c"]
    rows = zip(
        state.arrays.network.substations.select("substation", "supply_node", "return_node").iter_rows(), warm_in, strict=True
    )  # fmt: skip
    for (name, supply, back), warm in rows:
        place = twin.places.get(name, ("", name))[1]
        pairs = (
            ("primary_supply_temp", "", seen.get(place, "primary_supply_temp"), warm),
            ("pressure", SUPPLY, seen.get(place, "pressure", SUPPLY), pressure[supply]),
            ("pressure", RETURN, seen.get(place, "pressure", RETURN), pressure[back]),
        )
        found += [
            {"substation": name, "quantity": quantity, "position": position, "measured": value, "computed": round(computed, 3)}
            for quantity, position, value, computed in pairs
            if value is not None and computed is not None and np.isfinite(computed)
        ]  # fmt: skip
    return found


def _figures(state: State) -> dict[str, Any]:
    stations, sources = state.substations(), state.sources()
    asked = stations.filter(pl.col("dp_bar").is_not_null() & (pl.col("flow_kg_per_s") > 1e-3))
    worst = asked.sort("dp_bar").head(1)
    return {
        "short": int((~stations["met"]).sum()), "worst_station": worst["substation"].to_list()[0] if worst.height else "",
        "worst_dp_bar": worst["dp_bar"].to_list()[0] if worst.height else None, "heat_kw": _total(sources["heat_kw"]),
        "make_up_kg_per_s": _total(sources["make_up_kg_per_s"]),
    }  # fmt: skip


def _total(column: pl.Series) -> float | None:
    return float(column.fill_nan(None).sum()) if len(column) else None


def _folder(company: str) -> Path:
    return Path(settings.NUAN_HOME) / "network" / "states" / company


def _file(run: NetworkRun) -> Path:
    return _folder(run.company_id) / f"{run.pk}.npz"


def _save(run: NetworkRun, state: State) -> None:
    path = _file(run)
    path.parent.mkdir(parents=True, exist_ok=True)
    network = state.arrays.network
    draft = path.with_suffix(".new.npz")
    np.savez(
        draft, pressure=state.pressure_bar, temp=state.temp_c, flow=state.flow_kg_per_s, outlet=state.outlet_c, limited=state.limited, answer=state.answer_k,
        ambient=np.float64(state.ambient_temp_c), steps=np.int64(state.steps), valves=network.valves["open"].to_numpy(),
        **{name: network.substations[name].cast(pl.Float64).fill_null(float("nan")).to_numpy() for name in _FILLED},
        **{f"source_{name}": network.sources[name].to_numpy() for name in ("supply_temp_c", "return_pressure_bar", "lift_bar")},
    )  # fmt: skip
    draft.replace(path)


def state_of(run: NetworkRun) -> State | None:
    """The state as it was computed, valves as they stood then; None where there is none or its file is gone."""
    if not run.settled or not _file(run).is_file():
        return None
    key = run.pk, run.computed_at
    if key not in _states:
        while len(_states) >= 16:
            _states.pop(next(iter(_states)))
        _states[key] = _read(run)
    return _states[key]


_states: dict[tuple[int, datetime], State] = {}


def _read(run: NetworkRun) -> State:
    network = twin_of_version(run.version, run.at).network
    with np.load(_file(run)) as kept:
        stations = network.substations.with_columns(**{name: pl.Series(kept[name]).fill_nan(None) for name in _FILLED})
        sources = network.sources.with_columns(
            **{name: pl.Series(kept[f"source_{name}"]) for name in ("supply_temp_c", "return_pressure_bar", "lift_bar")}
        )
        network = network.with_table("substations", stations).with_table("sources", sources)
        network = with_open_flags(network, "valves", kept["valves"])
        arrays = Arrays.of(network, ambient_temp_c=float(kept["ambient"]))
        return State(
            arrays, kept["pressure"], kept["temp"], kept["flow"], kept["outlet"], kept["limited"], kept["answer"],
            float(kept["ambient"]), int(kept["steps"]),
        )  # fmt: skip


def _let_go(company: str, now: datetime) -> None:
    """Runs older than two weeks go, and their files."""
    for run in NetworkRun.objects.filter(company=company, at__lt=now - timedelta(days=KEPT_DAYS)):
        _file(run).unlink(missing_ok=True)
        run.delete()


def newest_run(company: str, *, settled_only: bool = True) -> NetworkRun | None:
    rows = NetworkRun.objects.filter(company=company)
    return (rows.filter(settled=True) if settled_only else rows).select_related("version").order_by("-at").first()
