"""演练: what would happen if these were closed, this much were asked for, this cold came. Nothing is written but who asked what.

Whoever gets too little is told with how far below need he is and after how long his rooms fall below what he is owed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl

from nuan.buildings.control import SupplyCurve
from nuan.buildings.cooling import Cooling, typical_tau_h
from nuan.network.graph import Network
from nuan.network.graph.tables import KEYS
from nuan.network.steady import NotSettledError, State
from nuan.operations.acts import act
from nuan.operations.network_people import Behind, behind
from nuan.operations.network_run import settled
from nuan.operations.network_twin import Twin

TURNABLE = ("pipes", "valves", "sources", "pumps")
USUAL_ROOM_C = 20.0
LOAD_FACTORS = (0.1, 3.0)
OUTDOOR_C = (-45.0, 20.0)


class RehearsalError(ValueError):
    """What is asked for cannot be rehearsed; the sentence is Chinese / English."""


@dataclass(frozen=True)
class Scenario:
    """`closed`, `opened`: (table, name). `load_factor` on top of what the outdoor temperature asks for; None: as it is now."""

    closed: tuple[tuple[str, str], ...] = ()
    opened: tuple[tuple[str, str], ...] = ()
    load_factor: float = 1.0
    outdoor_c: float | None = None


@dataclass(frozen=True)
class Sufferer:
    """One station that gets too little. `share` of its need that still comes; `why` as in `State.substations`."""

    who: Behind
    need_kw: float
    short_kw: float
    share: float
    why: str
    dp_bar: float | None
    hours_until_owed: float | None
    after_6h_c: float
    after_24h_c: float


@dataclass(frozen=True)
class Rehearsal:
    scenario: Scenario
    sufferers: list[Sufferer]
    stations: int
    homes: int
    cold_homes: int
    missing_kw: float
    worst_dp_bar: float | None
    outdoor_c: float | None
    state: State | None
    why: str = ""


def rehearse(
    twin: Twin, state: State, scenario: Scenario, *, outdoor_now_c: float | None, actor: str, now: datetime
) -> Rehearsal:
    """Raises RehearsalError for names that the network does not have and numbers out of bounds."""
    _check(twin, scenario)
    with act("rehearse_network", actor=actor, subject=twin.company) as row:
        row.details = {
            "closed": [f"{table}:{name}" for table, name in scenario.closed],
            "opened": [f"{table}:{name}" for table, name in scenario.opened],
            "load_factor": scenario.load_factor, "outdoor_c": scenario.outdoor_c,
        }  # fmt: skip
        return _rehearsed(twin, state, scenario, outdoor_now_c, now)


def _check(twin: Twin, scenario: Scenario) -> None:
    for table, name in (*scenario.closed, *scenario.opened):
        if table not in TURNABLE or name not in set(twin.network.table(table)[KEYS[table]]):
            raise RehearsalError(f"管网里没有“{name}” / the network has no “{name}”")
    if not LOAD_FACTORS[0] <= scenario.load_factor <= LOAD_FACTORS[1]:
        raise RehearsalError("负荷系数应在 0.1 到 3 之间 / the load factor lies between 0.1 and 3")
    if scenario.outdoor_c is not None and not OUTDOOR_C[0] <= scenario.outdoor_c <= OUTDOOR_C[1]:
        raise RehearsalError("室外温度应在 −45 到 20 °C 之间 / the outdoor temperature lies between −45 and 20 °C")


def changed(network: Network, scenario: Scenario, factor: float) -> Network:
    """The network as the scenario has it, with its heat multiplied."""
    for is_open, names in ((False, scenario.closed), (True, scenario.opened)):
        for table in TURNABLE:
            if chosen := [name for each, name in names if each == table]:
                network = network.with_open(table, chosen, is_open)
    return network.with_table(
        "substations", network.substations.with_columns(heat_kw=pl.col("heat_kw") * factor)
    )  # fmt: skip


def _rehearsed(twin: Twin, state: State, scenario: Scenario, outdoor_now_c: float | None, now: datetime) -> Rehearsal:
    factor = scenario.load_factor * _weather(scenario.outdoor_c, outdoor_now_c)
    outdoor = scenario.outdoor_c if scenario.outdoor_c is not None else outdoor_now_c
    base = state.arrays.network.with_table(
        "valves", state.arrays.network.valves.with_columns(open=twin.network.valves["open"])
    )
    network = changed(base, scenario, factor)
    try:
        after = settled(network, outdoor)
    except NotSettledError as error:
        return Rehearsal(scenario, [], network.substations.height, 0, 0, 0.0, None, outdoor, None, str(error))
    table = after.substations().with_columns(need_kw=network.substations["heat_kw"].fill_null(0.0))
    bad = table.filter(~pl.col("met"))
    who = behind(twin, network.substations["substation"].to_list(), now)
    found = [_sufferer(row, who[row["substation"]], outdoor) for row in bad.iter_rows(named=True)]
    found.sort(key=lambda each: (-len(each.who.sites), each.share, -(each.who.homes or 0)))
    flowing = table.filter(pl.col("flow_kg_per_s") > 1e-3)["dp_bar"].drop_nulls()
    return Rehearsal(
        scenario, found, network.substations.height, sum(each.homes or 0 for each in who.values()),
        sum(each.who.homes or 0 for each in found), sum(each.short_kw for each in found),
        float(flowing.min()) if len(flowing) else None, outdoor, after,  # type: ignore[arg-type]
    )  # fmt: skip


def _weather(wanted_c: float | None, now_c: float | None) -> float:
    """How much more the wanted outdoor temperature asks for than the present one; 1 where one of them is not known."""
    if wanted_c is None or now_c is None:
        return 1.0
    wanted, present = SupplyCurve().load(np.array([wanted_c, now_c])).tolist()
    return float(wanted / present) if present > 0.02 else 1.0


def _sufferer(row: dict[str, object], who: Behind, outdoor_c: float | None) -> Sufferer:
    need, short = float(str(row["need_kw"])), float(str(row["short_kw"]))
    share = 1.0 if need <= 0 else max(1.0 - short / need, 0.0)
    rooms = Cooling(
        who.room_c or USUAL_ROOM_C, -10.0 if outdoor_c is None else outdoor_c, share, typical_tau_h(who.built_year)
    )
    dp = row["dp_bar"]
    return Sufferer(
        who, need, short, share, str(row["why"]), dp if isinstance(dp, float) else None,
        None if who.owed_c is None else rooms.hours_until(who.owed_c), rooms.after(6.0), rooms.after(24.0),
    )  # fmt: skip


def parse_names(asked: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """`pipes:P1` and the like, as forms send them."""
    pairs = (text.partition(":") for text in asked if ":" in text)
    return tuple(dict.fromkeys((table, name) for table, _, name in pairs if table in TURNABLE))
