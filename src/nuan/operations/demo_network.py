"""The sample city's networks: drawn by `buildings.sample_city.pipes`, imported and turned by the same acts as any, and computed."""

from datetime import datetime, timedelta

import numpy as np

from nuan.buildings.sample_city import City
from nuan.buildings.sample_city.dice import bell, uniform
from nuan.buildings.sample_city.pipes import company_network
from nuan.buildings.sample_city.plan import COMPANIES
from nuan.network.graph import Network
from nuan.network.graph.checks import findings
from nuan.network.steady import State
from nuan.operations.live import push_live
from nuan.operations.network_import import keep_network
from nuan.operations.network_run import compute_network, state_of
from nuan.operations.network_tick import network_tick
from nuan.operations.protected_sites import record_site
from nuan.operations.valve_positions import set_valve
from nuan.records.registry.models import Building, Company
from nuan.records.twin.models import NetworkVersion, ProtectedSite, ValvePosition
from nuan.telemetry.live import LiveTable
from nuan.telemetry.series import SeriesKey, SeriesTable
from nuan.terms.quantities import to_fixed

SITES = (
    ("hospital", "示例医院", 420.0, True),
    ("school", "示例小学", 260.0, False),
    ("care_home", "示例养老院", 150.0, False),
)
ONE_IN = 4
MEASURED_SHARE = 0.4
_ON_THE_WAY_S = 20


def build_networks(city: City, as_of: datetime, *, actor: str) -> dict[str, int]:
    """Everything once; a build that was killed goes on where nothing was done. How many pipes, and stations that measure pressure."""
    for number, (code, name) in enumerate(COMPANIES):
        if not Company.objects.filter(code=code).exists() or NetworkVersion.objects.filter(company=code).exists():
            continue
        network = Network.of(name=f"{name}一次网", **company_network(city.plan, city.seed, number))
        laid = datetime.combine(city.season.first_day, datetime.min.time(), as_of.tzinfo)
        keep_network(
            network, findings(network), source="示例城市", company=code, actor=actor, now=min(laid, as_of)
        ).required()  # fmt: skip
    _sites(actor)
    _repair(as_of, actor)
    heard = sum(
        _measure(city, code, as_of) for code, _ in COMPANIES if NetworkVersion.objects.filter(company=code).exists()
    )
    runs = network_tick(as_of)
    return {
        "networks": len(runs), "pipes": sum(run.version.pipes for run in runs), "heard": heard,
        "unsettled": sum(not run.settled for run in runs),
    }  # fmt: skip


def _sites(actor: str) -> None:
    """A hospital, a school or a care home in every fourth station's first building."""
    if ProtectedSite.objects.exists():
        return
    first: dict[str, str] = {}
    for station, code in Building.objects.order_by("code").values_list("loop__substation", "code"):
        first.setdefault(station, code)
    for number, building in enumerate(code for _, code in sorted(first.items())[::ONE_IN]):
        kind, name, heat_kw, own = SITES[number % len(SITES)]
        record_site(
            f"TB{number + 1:03d}", name=f"{name}{number + 1}", kind=kind, building=building, heat_kw=heat_kw, own_heat=own, actor=actor
        )  # fmt: skip


def _repair(as_of: datetime, actor: str) -> None:
    """A valve of the first company was closed for a repair three days ago and is open again; another was looked at."""
    version = NetworkVersion.objects.filter(company=COMPANIES[0][0]).first()
    if version is None or ValvePosition.objects.exists():
        return
    company, valve = version.company_id, "VH01-01-G"
    for days, is_open, why in ((3.0, False, "更换补偿器，停 5 小时"), (2.8, True, "补偿器换好，恢复供热")):
        since = as_of - timedelta(days=days)
        set_valve(company, valve, is_open=is_open, since=since, reason=why, actor="陈调度", now=since)
    seen = as_of - timedelta(days=1)
    set_valve(company, "VH01-02-H", is_open=True, since=seen, reason="巡检确认在开", actor="老张", now=seen)


def _measure(city: City, company: str, as_of: datetime) -> int:
    """Four stations in ten have gauges on the primary side: they show what a first solution has, with a gauge's noise."""
    run = compute_network(company, as_of)
    state = None if run is None else state_of(run)
    if state is None:
        return 0
    keys, values = _gauges(city, state)
    if not keys:
        return 0
    names, at = SeriesTable(), int(as_of.timestamp()) - 60
    names.add(keys)
    table = LiveTable(len(names))
    series = np.array([names.get(key) for key in keys], np.uint32)
    table.update(
        series, np.full(len(keys), at), np.array(values, np.int32), np.zeros(len(keys), np.uint8), np.full(len(keys), at + _ON_THE_WAY_S)
    )  # fmt: skip
    push_live(table.changed_since(0), names)
    return len(keys) // 3


def _gauges(city: City, state: State) -> tuple[list[SeriesKey], list[int]]:
    keys: list[SeriesKey] = []
    values: list[int] = []
    pressure = dict(zip(state.arrays.node_names, state.pressure_bar.tolist(), strict=True))
    stations = state.arrays.network.substations
    has = uniform(city.seed, "gauges", np.arange(stations.height)) < MEASURED_SHARE
    noise = bell(city.seed, "gauge noise", np.arange(stations.height * 3)).reshape(-1, 3)
    rows = zip(
        stations.iter_rows(named=True), state.substations()["temp_in_c"], has.tolist(), noise.tolist(), strict=True
    )
    for row, warm, there, (a, b, c) in rows:
        if (
            not there
            or warm is None
            or row["supply_node"] not in pressure
            or not np.isfinite(pressure[row["supply_node"]])
        ):
            continue
        for quantity, position, value in (
            ("pressure", "supply", pressure[row["supply_node"]] + 0.04 * a),
            ("pressure", "return", pressure[row["return_node"]] + 0.04 * b),
            ("primary_supply_temp", "primary", warm + 0.3 * c),
        ):
            keys.append(SeriesKey(row["place"], quantity, position))
            values.append(to_fixed(quantity, round(max(value, 0.0), 3)))
    return keys, values
