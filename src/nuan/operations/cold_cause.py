"""Why a home is cold: the facts around it, collected from the store and the records at a moment, for `buildings.cause`.

Reads only. Rooms are those of the same building and of a sample of the station's other buildings; the door of a neighbour never leaves here.
"""

from datetime import datetime, timedelta
from typing import Final

import numpy as np
import polars as pl
from django.db.models import Q
from numpy.typing import NDArray

from nuan.buildings.cause import Cause, ColdFacts, Interruption, Neighbours, causes
from nuan.buildings.control import SupplyCurve
from nuan.buildings.expected import expected_by_curve, expected_by_setpoint
from nuan.operations.judging_places import setpoint_hours
from nuan.operations.stored_readings import _turn, store
from nuan.records.emergency.models import Outage
from nuan.records.monitoring.models import StationFinding
from nuan.records.registry.models import Contract, Home
from nuan.records.supervision.models import CurrentJudgement, HomeSeason
from nuan.telemetry.rollups.station_hour import station_hours
from nuan.telemetry.series import SeriesKey
from nuan.telemetry.store import Store
from nuan.terms.places import DAY_S, HOUR_S, day_start, local_day

SAMPLE: Final = 60
"""Rooms of the station's other buildings that are looked at."""
MOST_STATIONS: Final = 12
BACK_D: Final = 8
CLAUSE: Final = "2.5.2"
BREACHED: Final = 2
"""Code of a day in `HomeSeason.days`; the first of them is the first day of the judged period."""
TAKES_HEAT: Final = ("fouling", "valve_stuck", "flow_loss")


def cold_moment(home: Home, season: HomeSeason | None, now: datetime) -> datetime:
    """Now while the home is cold; else the end of the last day on which it was too cold."""
    if season is None or season.threshold_c100 is None:
        return now
    if season.last_temp_c100 is not None and season.last_temp_c100 < season.threshold_c100:
        return now
    judged = CurrentJudgement.objects.filter(subject_level="home", subject=home.code, clause=CLAUSE)
    began = judged.order_by("-judgement__period_start").values_list("judgement__period_start", flat=True).first()
    if began is None:
        return now
    first = local_day(began)
    codes = [(byte >> shift) & 3 for byte in bytes(season.days) for shift in (0, 2, 4, 6)]
    ends = [day_start(first + number + 1) for number, code in enumerate(codes) if code == BREACHED]
    past = [end for end in ends if end <= int(now.timestamp())]
    return datetime.fromtimestamp(past[-1], now.tzinfo) if past else now


def cold_causes(home: Home, season: HomeSeason | None, at: datetime) -> list[Cause]:
    """Ranked causes at a moment; empty when the home is not cold then, or the law says no temperature for it (未载明)."""
    if season is None or season.threshold_c100 is None:
        return []
    return causes(facts_at(home, season, at))


def facts_at(home: Home, season: HomeSeason, at: datetime) -> ColdFacts:
    moment = int(at.timestamp())
    assert season.threshold_c100 is not None
    with _turn:
        opened = store()
        rooms = {} if opened is None else _rooms(opened, home, moment)
        own = rooms.pop(home.code, None)
        water = {} if opened is None else _water(opened, home, moment)
    beside = {code: float(np.mean(values)) for code, (_, values) in rooms.items()}
    building = {code: room for code, room in beside.items() if code.startswith(f"{home.building_id}-")}
    room_c = newest_h = coldest_c = None
    unchanged_h = jump = 0.0
    if own is not None:
        last_day = own[0] >= moment - DAY_S
        newest_h = (moment - int(own[0][-1])) / HOUR_S
        if last_day.any():
            room_c, coldest_c = float(np.mean(own[1][last_day])), float(np.min(own[1][last_day]))
            jump = float(np.diff(own[1][last_day]).min()) if last_day.sum() > 1 else 0.0
        moved = np.flatnonzero(own[1] != own[1][-1])
        unchanged_h = float(own[0][-1] - own[0][moved[-1]] if len(moved) else own[0][-1] - own[0][0]) / HOUR_S
    contract = Contract.objects.filter(home=home, season=season.season).first()
    return ColdFacts(
        room_c=room_c,
        limit_c=season.threshold_c100 / 100,
        coldest_c=coldest_c,
        newest_h=newest_h,
        unchanged_h=unchanged_h,
        lowest_jump_k=jump,
        neighbours=Neighbours(
            riser=[room for code, room in building.items() if _riser(code) == _riser(home.code)],
            building=list(building.values()),
            station=[room for code, room in beside.items() if code not in building],
        ),
        top_floor=home.floor is not None and home.floor == home.building.floors,
        stop_heat=bool(contract and contract.stop_heat),
        interruptions=_interruptions(home, at),
        station_faults=list(
            StationFinding.objects.filter(station_code=home.substation_id, state="open", kind__in=TAKES_HEAT, told_at__lte=at)
            .values_list("kind", flat=True)
        ),
        **water,
    )  # fmt: skip


def _riser(code: str) -> tuple[str, str]:
    """Entrance and place on the landing: `B0042-1-0301` → (`B0042-1`, `01`)."""
    before, _, door = code.rpartition("-")
    return before, door[-2:]


def _rooms(opened: Store, home: Home, moment: int) -> dict[str, tuple[NDArray[np.int64], NDArray[np.float64]]]:
    """Trusted room temperatures of the last three days by home: this one's over all of them, the others' over the last day."""
    others = Home.objects.filter(substation_id=home.substation_id).exclude(building_id=home.building_id)
    step = max(others.count() // SAMPLE, 1)
    codes = [
        *Home.objects.filter(building_id=home.building_id).values_list("code", flat=True),
        *others.order_by("code").values_list("code", flat=True)[::step][:SAMPLE],
    ]
    series: dict[int, str] = {}
    for code in codes:
        for number, _ in opened.series.find(code, "room_temp")[:1]:
            series[number] = code
    if not series:
        return {}
    batch = opened.read_many(np.array(sorted(series), np.uint32), moment - 3 * DAY_S, moment)
    found = {}
    for number, code in series.items():
        low, high = np.searchsorted(batch.series, [number, number + 1])
        part = slice(int(low), int(high))
        good = batch.trusted[part] | ((batch.flags[part] & 2) > 0 if code == home.code else False)
        times, values = batch.time_s[part][good], batch.value[part][good] / 100
        if code != home.code:
            day = times >= moment - DAY_S
            times, values = times[day], values[day]
        if len(times):
            found[code] = (times, values)
    return found


def _water(opened: Store, home: Home, moment: int) -> dict[str, float | int | None]:
    """Supply of the station and of the source's others beside what the weather asks for, the station's flow, the building's inlet."""
    station = home.substation
    codes = [
        station.code,
        *type(station)
        .objects.filter(source_id=station.source_id)
        .exclude(code=station.code)
        .order_by("code")
        .values_list("code", flat=True)[:MOST_STATIONS],
    ]
    start = (moment // HOUR_S - 24 * BACK_D) * HOUR_S
    hours = station_hours(opened, start, 24 * BACK_D, only=codes)
    setpoints = setpoint_hours(opened, start, 24 * BACK_D, codes)
    steered = pl.col("substation").is_in(setpoints["substation"].unique().to_list())
    nothing = pl.DataFrame(schema={"substation": pl.String, "design_kw": pl.Float64})
    asked = pl.concat(
        [
            expected_by_setpoint(hours.filter(steered), setpoints),
            expected_by_curve(hours.filter(~steered), nothing, SupplyCurve()),
        ]
    )
    last = hours.join(asked, on=["substation", "hour_s"]).filter(pl.col("hour_s") >= moment - DAY_S)
    means = {
        row["substation"]: row
        for row in last.drop_nulls(["supply_c100", "expected_supply_c100"])
        .group_by("substation")
        .agg(pl.col("supply_c100", "expected_supply_c100").mean())
        .to_dicts()
    }
    found: dict[str, float | int | None] = {}
    if (mine := means.pop(station.code, None)) is not None:
        found |= {"supply_c": mine["supply_c100"] / 100, "expected_supply_c": mine["expected_supply_c100"] / 100}
    if means:
        short = [row["expected_supply_c100"] - row["supply_c100"] > 250 for row in means.values()]
        found |= {"stations_short": sum(short) / len(short), "source_stations": len(short)}
    flow = hours.filter((pl.col("substation") == station.code) & pl.col("flow_m3h_1000").is_not_null())
    before = flow.filter(pl.col("hour_s") < moment - DAY_S)["flow_m3h_1000"].median()
    now = flow.filter(pl.col("hour_s") >= moment - DAY_S)["flow_m3h_1000"].median()
    if isinstance(before, float) and isinstance(now, float) and before > 0:
        found["flow_share"] = now / before
    for number, _ in opened.series.find(home.building_id, "supply_temp")[:1]:
        batch = opened.read(number, moment - DAY_S, moment)
        if batch.trusted.any():
            found["inlet_c"] = float(np.mean(batch.value[batch.trusted])) / 100
    for key in (SeriesKey(home.code, "valve_opening"),):
        for number, _ in opened.series.find(key.place, key.quantity)[:1]:
            batch = opened.read(number, moment - DAY_S, moment)
            if batch.trusted.any():
                found["valve_percent"] = float(batch.value[batch.trusted][-1]) / 10
    return found


def _interruptions(home: Home, at: datetime) -> list[Interruption]:
    places = {
        "source": home.substation.source_id, "substation": home.substation_id, "loop": home.building.loop_id,
        "building": home.building_id, "home": home.code,
    }  # fmt: skip
    either = Q()
    for level, code in places.items():
        either |= Q(level=level, place=code)
    since = at - timedelta(days=7)
    rows = Outage.objects.filter(either, started_at__lte=at).filter(Q(ended_at=None) | Q(ended_at__gt=since))

    def ago(moment: datetime) -> float:
        return (at - moment).total_seconds() / HOUR_S

    return [
        Interruption(
            row.level,
            ago(row.started_at),
            None if row.ended_at is None or row.ended_at > at else ago(row.ended_at),
            row.planned,
        )
        for row in rows
    ]
