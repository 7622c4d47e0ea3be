"""换热站健康, from the store: every station's last weeks walked through as `nuan health replay` does, findings kept until a person has dealt with them.

Machine state: the same readings give the same rows. Putting a finding away is an act, with a reason.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
from django.db import transaction
from django.db.models import Max
from numpy.typing import NDArray

from nuan.buildings.expected import fit_signature
from nuan.buildings.health.channels import CHANNELS, VECTOR
from nuan.buildings.health.hours import DAY_H, CityHours, counter_power, station_hours
from nuan.buildings.health.learning import SEASON_D, learn_city
from nuan.buildings.health.models import FIRST_DAYS, StationModel
from nuan.buildings.health.peers import Peers
from nuan.buildings.health.replay import Walk
from nuan.buildings.health.vectors import day_vector
from nuan.operations.acts import act
from nuan.records.monitoring.models import StationFinding, StationHealth
from nuan.records.registry.models import Substation
from nuan.telemetry.store import Store
from nuan.terms.places import CHINA, CHINA_OFFSET_S, HOUR_S
from nuan.terms.quantities import quantity

FloatArray = NDArray[np.float64]
WATCHED_D: Final = 60
"""运行参数: so many days are walked through each time; what lies before them is learned from."""
LEARNED_D: Final = 400
_TEMPERATURES: Final = {"supply_temp": "supply", "return_temp": "return"}
_PLAIN: Final = {"outdoor_temp": "outdoor", "setpoint_temp": "setpoint", "heat_power": "heat", "valve_opening": "valve"}
_PRIMARY: Final = ("primary", "一次", "prim")
READ: Final = (*_TEMPERATURES, *_PLAIN, "flow", "pressure", "heat_energy")


class HealthError(ValueError):
    """Why a finding cannot be put away, in one sentence."""


def channel_of(quantity_key: str, position: str) -> str:
    """What a point of a substation is. Without a position it is of the secondary side, which the homes get.

    >>> channel_of("supply_temp", "primary"), channel_of("flow", "")
    ('primary_supply', 'secondary_flow')
    """
    where = position.lower()
    side = "primary" if any(word in where for word in _PRIMARY) else "secondary"
    if quantity_key in _TEMPERATURES:
        return f"{side}_{_TEMPERATURES[quantity_key]}"
    if quantity_key == "flow":
        return f"{side}_flow"
    if quantity_key == "pressure":
        return f"{side}_{'return' if 'return' in where or '回' in where else 'supply'}_bar"
    return "energy" if quantity_key == "heat_energy" else _PLAIN[quantity_key]


def city_hours(store: Store, codes: Mapping[str, object], end_s: int, days: int) -> CityHours:
    """The hours of these substations up to the local midnight before `end_s`. Hours are of local time, so that days are."""
    first_h = (end_s + CHINA_OFFSET_S) // HOUR_S // DAY_H * DAY_H - days * DAY_H
    start_s = first_h * HOUR_S - CHINA_OFFSET_S
    found: dict[str, dict[str, FloatArray]] = {}
    for key in READ:
        step = float(quantity(key).resolution)
        for bucket in store.buckets_of(key):
            names = [(int(n), store.series.key(int(n))) for n in store.series.in_bucket(key, bucket)]
            wanted = [(number, name) for number, name in names if name.place in codes]
            if not wanted:
                continue
            series = np.array(sorted(number for number, _ in wanted), np.uint32)
            tile = store.dense_hours(key, bucket, start_s, days * DAY_H, reduce="mean", series=series)
            rows = {int(number): row for row, number in enumerate(tile.series)}
            for number, name in sorted(wanted, key=lambda pair: pair[1]):
                if number not in rows:
                    continue
                column = tile.hours[rows[number]]
                values = np.where(column == tile.gap, np.nan, column * step)
                channel = channel_of(key, name.position)
                if channel == "energy":
                    channel, values = "heat_counter", counter_power(values / 1000)
                found.setdefault(name.place, {}).setdefault(channel, values)
    stations = tuple(station_hours(code, found[code]) for code in sorted(found))
    return CityHours(first_h, days * DAY_H, stations)


def compute_health(store: Store, now: datetime) -> int:
    """Make models, days and findings anew; how many findings are open."""
    owners = {s.code: s for s in Substation.objects.all()}
    city = city_hours(store, owners, int(now.timestamp()), LEARNED_D)
    if not city.stations:
        return 0
    first = city.days - WATCHED_D
    models = {name: model for name, model in learn_city(city, 0, first).items() if model.days >= FIRST_DAYS}
    start = first if models else max(city.days - SEASON_D, 0)
    walk = Walk(city, models, start)
    told = list(walk.faults())
    open_now = walk.known()
    with transaction.atomic():
        for index, station in enumerate(city.stations):
            owner = owners[station.station]
            model = walk.model(index)
            StationHealth.objects.update_or_create(
                station_code=station.station,
                defaults={
                    "company_code": owner.company_id, "banner_code": owner.banner_id, "computed_at": now,
                    "model": None if model is None else model.to_json(), "learned_days": 0 if model is None else model.days,
                    "days": [] if model is None else _days(city, index, model, range(max(city.days - WATCHED_D, 0), city.days)),
                    "signature": _signature(city, index),
                },
            )  # fmt: skip
        for fault in told:
            owner = owners[fault.station]
            StationFinding.objects.update_or_create(
                station_code=fault.station, channel=fault.channel, kind=fault.kind, told_at=_moment(fault.hour),
                defaults={
                    "company_code": owner.company_id, "banner_code": owner.banner_id, "unit": fault.unit, "confidence": fault.confidence,
                    "size": None if fault.size != fault.size else fault.size, "since": _moment(fault.since), "seen_at": now,
                },
            )  # fmt: skip
        for row in StationFinding.objects.select_for_update().filter(state=StationFinding.State.OPEN):
            if (row.station_code, row.channel, row.kind) not in open_now:
                row.state = StationFinding.State.PASSED
                row.save(update_fields=["state"])
    return StationFinding.objects.filter(state=StationFinding.State.OPEN).count()


def health_due(now: datetime) -> bool:
    """Not yet made on this local day."""
    last = StationHealth.objects.aggregate(at=Max("computed_at"))["at"]
    return last is None or last.astimezone(CHINA).date() < now.astimezone(CHINA).date()


def _moment(hour: int) -> datetime:
    """The walk counts hours of local time."""
    return datetime.fromtimestamp(hour * HOUR_S - CHINA_OFFSET_S, UTC)


def _days(city: CityHours, index: int, model: StationModel, span: range) -> list[dict[str, Any]]:
    """Measured, expected and the usual spread of each channel, day by day; days without steady heat are left out."""
    peers = Peers(city, [model.limits if i == index else None for i in range(len(city.stations))])
    rows = []
    for day in span:
        vector = day_vector(peers, index, day, model.limits)
        options = [(way, model.residual(vector, way)) for way in range(len(model.ways))]
        known = [(way, found) for way, found in options if found is not None and np.isfinite(found[0]).any()]
        if not vector.steady_h or not known:
            continue
        _, (error, covariance) = min(known, key=lambda each: float(np.nansum(each[1][0] ** 2 / np.diag(each[1][1]))))
        rows.append(
            {
                "day_s": (city.start_h + day * DAY_H) * HOUR_S - CHINA_OFFSET_S,
                "channels": {
                    key: [
                        round(float(vector.x[i]), 2),
                        round(float(vector.x[i] - error[n]), 2),
                        round(float(np.sqrt(covariance[n, n])), 2),
                    ]
                    for n, (i, key) in enumerate(zip(model.channels, model.keys, strict=True))
                    if np.isfinite(error[n])
                },
            }
        )
    return rows


def _signature(city: CityHours, index: int) -> dict[str, Any]:
    """能耗特征线: daily means of heat against the outdoor temperature, the line, and the day after which it was another one, if any."""
    station = city.stations[index]
    heat, outdoor = station.values.get("heat"), station.values.get("outdoor")
    if heat is None or outdoor is None:
        return {}
    means = [_daily(column) for column in (outdoor, heat)]
    fitted = fit_signature(means[0], means[1])
    if fitted is None:
        return {}
    good = np.isfinite(means[0]) & np.isfinite(means[1]) & (means[1] > 0)
    changed = change_point(means[1] - fitted.at(means[0]), fitted.spread)
    points = [[round(float(t), 1), round(float(q), 1)] for t, q in zip(means[0][good], means[1][good], strict=True)]
    return {
        "points": points[-200:], "level": fitted.level, "slope": fitted.slope, "balance_c": fitted.balance_c, "spread": fitted.spread,
        "changed_s": None if changed is None else (city.start_h + changed * DAY_H) * HOUR_S - CHINA_OFFSET_S,
    }  # fmt: skip


def _daily(column: FloatArray) -> FloatArray:
    by_day = column.reshape(-1, DAY_H)
    known = np.isfinite(by_day).sum(axis=1)
    sums = np.where(np.isfinite(by_day), by_day, 0.0).sum(axis=1)
    return np.where(known >= 12, sums / np.maximum(known, 1), np.nan)


def change_point(residual: FloatArray, spread: float) -> int | None:
    """The day that splits the residuals best into two levels (cumulative sum test; Pettitt's idea with known scale); None below 5 spreads·√days.

    >>> change_point(np.array([0.0] * 30 + [3.0] * 30), 1.0)
    30
    """
    known = np.flatnonzero(np.isfinite(residual))
    if len(known) < 20 or spread <= 0:
        return None
    centred = np.clip(residual[known] - np.mean(residual[known]), -5 * spread, 5 * spread)
    sums = np.abs(np.cumsum(centred - centred.mean()))[:-1]
    at = int(np.argmax(sums))
    return int(known[at + 1]) if sums[at] > 5 * spread * np.sqrt(len(known)) / 2 else None


def dismiss_finding(pk: int, *, actor: str, why: str, now: datetime) -> bool:
    """已核对: it is put away with who and why. False: it was put away before."""
    if not why.strip():
        raise HealthError("请写明原因 / say why")
    with act("dismiss_station_finding", actor=actor, why=why) as row:
        found = StationFinding.objects.select_for_update().get(pk=pk)
        row.subject, row.details = found.station_code, {"kind": found.kind, "channel": found.channel}
        row.nothing_changed = found.state == StationFinding.State.DISMISSED
        if not row.nothing_changed:
            found.state, found.why = StationFinding.State.DISMISSED, why.strip()[:500]
            found.dismissed_by, found.dismissed_at = actor[:120], now
            found.save(update_fields=["state", "why", "dismissed_by", "dismissed_at"])
    return not row.nothing_changed


def unit_of(channel: str) -> str:
    return CHANNELS[channel].unit if channel in VECTOR else ""
