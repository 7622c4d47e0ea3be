"""The door through which the network warns: findings of whoever watches pressures or leaks become alarms, and those that are gone clear.

`watch_network(company, found, now, codes=…)` is all that a detector needs: it says which codes it speaks for and what it finds now; an open
alarm of these codes that is not found any more is cleared. Codes begin with `network_`, so the engine of the points leaves them alone
(docs/alarms.md). Limits are the network's own (`min_dp_bar`) or 运行参数 of engineering, none from law.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl
from django.db import transaction

from nuan.network.profile import AIR_BAR, saturation_bar
from nuan.network.steady import State
from nuan.operations.alarm_ledger import ENGINE, Ledger
from nuan.operations.network_alarms import NETWORK_ALARMS
from nuan.operations.network_twin import Twin
from nuan.records.monitoring.models import Alarm
from nuan.records.registry.models import HeatSource, Substation
from nuan.telemetry.alarms.machine import Event
from nuan.terms.quantities import to_fixed

BOILING_MARGIN_BAR, LEAST_PRESSURE_BAR, MOST_PRESSURE_BAR = 0.3, 0.5, 16.0
"""运行参数: kept above boiling, above air in the pipe, and below the usual rated pressure of district heating pipes (PN 16)."""


@dataclass(frozen=True)
class Warned:
    """One finding. `place`: a pipe, or a registry code of `level`; `value` and `limit` in the quantity's unit; `note` for the log."""

    code: str
    level: str
    place: str
    value: float | None = None
    limit: float = 0.0
    position: str = ""
    station: str = ""
    note: str = ""


@dataclass(frozen=True)
class WatchReport:
    raised: int
    cleared: int
    open: int


class UnknownNetworkAlarmError(KeyError):
    def __init__(self, code: str) -> None:
        super().__init__(f"no network alarm “{code}”; known: {', '.join(NETWORK_ALARMS)}")


def watch_network(
    company: str, found: Iterable[Warned], now: datetime, *, codes: Iterable[str] = NETWORK_ALARMS
) -> WatchReport:
    """Raise what is new, clear what is gone, escalate what nobody has acknowledged; one transaction. Again with the same changes nothing.

    `codes`: those that the caller speaks for; findings of others are refused with UnknownNetworkAlarmError.
    """
    spoken = set(codes)
    wanted: dict[tuple[str, str, str, str], Warned] = {}
    for each in found:
        if each.code not in NETWORK_ALARMS or each.code not in spoken:
            raise UnknownNetworkAlarmError(each.code)
        wanted[each.code, each.place[:48], NETWORK_ALARMS[each.code].quantity, each.position[:24]] = each
    with transaction.atomic():
        rows = Alarm.objects.select_for_update().filter(company_code=company, code__in=spoken, closed_at=None)
        there = {(row.code, row.place, row.quantity, row.position): row for row in rows.order_by("pk")}
        ledger = Ledger(now, ENGINE)
        raised = _raise(ledger, company, wanted, there, now)
        cleared = _clear(ledger, [row for key, row in there.items() if key not in wanted and row.active], now)
        _grow_old(ledger, there.values(), now)
        ledger.write()
    return WatchReport(
        raised, cleared, Alarm.objects.filter(company_code=company, code__in=spoken, closed_at=None).count()
    )


def _raise(
    ledger: Ledger,
    company: str,
    wanted: Mapping[tuple[str, str, str, str], Warned],
    there: Mapping[tuple[str, str, str, str], Alarm],
    now: datetime,
) -> int:
    lies = _where({each.station for each in wanted.values() if each.station}, company)
    count = 0
    for key, each in wanted.items():
        alarm = there.get(key)
        if alarm is not None and alarm.active:
            continue
        about = NETWORK_ALARMS[each.code]
        if alarm is None:
            banner, source = lies.get(each.station, lies[""])
            alarm = Alarm(
                code=each.code, kind=about.kind, priority=about.priority, words_zh=about.zh, words_en=about.en, level=each.level,
                place=key[1], quantity=about.quantity, position=key[3], company_code=company, banner_code=banner, source_code=source,
                station_code=each.station,
            )  # fmt: skip
        alarm.limit_on = alarm.limit_off = _fixed(about.quantity, each.limit)
        alarm.value = None if each.value is None else _fixed(about.quantity, each.value)
        alarm.since = alarm.raised_at = now
        alarm.cleared_at, alarm.escalation_step, alarm.escalated_to = None, 0, ""
        count += ledger.apply(
            alarm,
            Event.RAISE,
            value=alarm.value,
            note=each.note,
            hushed=alarm.shelved_until is not None,
            roles=about.tell,
        )
    return count


def _fixed(quantity: str, value: float) -> int:
    return to_fixed(quantity, round(value, 3)) if quantity else round(value)


def _where(stations: set[str], company: str) -> dict[str, tuple[str, str]]:
    """Banner and source of stations; under the empty name, of the company's first plant."""
    rows = Substation.objects.filter(code__in=stations).values_list("code", "banner_id", "source_id")
    first = HeatSource.objects.filter(company=company).order_by("code").values_list("banner_id", "code").first()
    return {"": first or ("", "")} | {code: (banner, source) for code, banner, source in rows}


def _clear(ledger: Ledger, gone: Sequence[Alarm], now: datetime) -> int:
    for alarm in gone:
        alarm.cleared_at = now
        ledger.apply(alarm, Event.CLEAR)
    return len(gone)


def _grow_old(ledger: Ledger, alarms: Iterable[Alarm], now: datetime) -> None:
    """Shelves end; what nobody has acknowledged in its minutes is told one role further."""
    for alarm in alarms:
        about = NETWORK_ALARMS[alarm.code]
        if alarm.closed_at is None and alarm.shelved_until is not None and alarm.shelved_until <= now:
            alarm.shelved_until, alarm.shelved_by, alarm.shelved_why = None, "", ""
            ledger.apply(alarm, Event.SHELF_ENDS, roles=about.tell)
        waiting = alarm.active and not alarm.acknowledged and alarm.shelved_until is None and alarm.told_at is not None
        if (
            waiting
            and alarm.escalation_step < len(about.escalate_to)
            and now - alarm.told_at >= timedelta(minutes=about.escalate_min)
        ):
            alarm.escalated_to = about.escalate_to[alarm.escalation_step]
            alarm.escalation_step += 1
            ledger.apply(alarm, Event.ESCALATE, note=alarm.escalated_to, roles=(alarm.escalated_to,))


def limit_warnings(twin: Twin, state: State) -> list[Warned]:
    """What a computed state says of pressures and heat at the stations."""
    found: list[Warned] = []
    pressure = dict(zip(state.arrays.node_names, state.pressure_bar.tolist(), strict=True))
    asked = state.arrays.network.substations
    table = state.substations().with_columns(
        asked["supply_node"], asked["return_node"], asked["min_dp_bar"], need_kw=asked["heat_kw"]
    )
    for row in table.filter(pl.col("dp_bar").is_not_null()).iter_rows(named=True):
        level, place = twin.places.get(row["substation"], ("station", row["substation"]))
        station = place if level == "substation" else ""
        out, back = pressure[row["supply_node"]], pressure[row["return_node"]]
        boils = max(saturation_bar(row["temp_in_c"]) - AIR_BAR, 0.0) + BOILING_MARGIN_BAR
        said = {"level": level, "place": place, "station": station}
        if row["why"] == "pressure":
            found.append(Warned("network_low_dp", value=row["dp_bar"], limit=row["min_dp_bar"], **said))
        elif row["why"]:
            found.append(Warned("network_cold", value=row["short_kw"], limit=0.0, **said))
        if out < boils:
            found.append(Warned("network_boiling", value=out, limit=boils, position="supply", **said))
        if back < LEAST_PRESSURE_BAR:
            found.append(Warned("network_air", value=back, limit=LEAST_PRESSURE_BAR, position="return", **said))
        if out > MOST_PRESSURE_BAR:
            found.append(Warned("network_overpressure", value=out, limit=MOST_PRESSURE_BAR, position="supply", **said))
    return found
