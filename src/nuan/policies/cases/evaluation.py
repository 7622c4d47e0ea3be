"""What the rules make of a situation: each refund with its working, and the clauses its facts can be judged by."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from importlib import import_module
from typing import Any

import numpy as np
import polars as pl

from nuan.facts.book import FactBook
from nuan.facts.schemas import TABLES
from nuan.policies.cases.situation import KINDS, Situation
from nuan.policies.directive.c2_5_2.days import home_days as home_days_judged
from nuan.policies.refunds.columns import CAUSES, PURPOSES, UNKNOWN, Homes, Measurements, Outages, Repairs, ints
from nuan.policies.refunds.decision import Decision
from nuan.policies.refunds.law import RefundLaw, refund_law
from nuan.policies.refunds.outage import OutageRefund, outage_refund
from nuan.policies.refunds.payout import payout
from nuan.policies.refunds.settlement import overlapping, settle
from nuan.policies.refunds.temperature import TemperatureRefund, counted_refund, temperature_refund
from nuan.policies.refunds.window import MonthRefund, month_refund
from nuan.policies.refunds.wording import duration, moment, reason, yuan
from nuan.rules.clause import Clause
from nuan.rules.trace import Trace
from nuan.terms.places import CHINA_OFFSET_S, DAY_S, HOUR_S, day_date, day_number, day_start

HOME = "CASE-1-0101"
LANGUAGES = ("zh", "en")


@dataclass(frozen=True)
class Result:
    """`amount_fen` None and verdict undecidable: nobody can say yet; `why` are the keys, `reasons` the sentences."""

    target: str
    verdict: str
    amount_fen: int | None
    why: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    low_fen: int | None = None
    high_fen: int | None = None
    value: int | None = None
    deadline: date | None = None
    working: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        return KINDS.get(self.target, f"条款 {self.target}")


def evaluate(situation: Situation, clauses: Sequence[str] | None = None) -> dict[str, Result]:
    """All refunds, and the named clauses (by default those that `expected` names or the facts speak of)."""
    law = refund_law(situation.pack, situation.season, days=situation.season_days, at=situation.law_date)
    homes = _homes(situation)
    outage = outage_refund(homes, _outages(situation), law, situation.as_of_s)
    tests = _tests(situation)
    temperature = temperature_refund(homes, tests, law, situation.as_of_s)
    decided_temperature = temperature.decision
    if situation.cold_days:
        rows = np.zeros(len(situation.cold_days), np.int64)
        decided_temperature = counted_refund(
            homes,
            rows,
            ints([each.temp_c100 for each in situation.cold_days]),
            ints([each.days for each in situation.cold_days]),
            law,
        )
    repairs = Repairs(np.zeros(len(situation.repairs), np.int64), ints(situation.repairs))
    month = month_refund(homes, tests, law, situation.as_of_s, repairs)
    windows, cold = month.hits, temperature.episodes
    paid = cold.days > 0
    clash = overlapping(outage.counted, 1, windows.home, windows.first_day, windows.last_day) | overlapping(
        outage.counted, 1, cold.home[paid], cold.first_day[paid], cold.end_day[paid] - 1
    )
    total = settle(homes, outage.decision, decided_temperature, month.decision, clash, law)
    found = {
        "outage_refund": _result("outage_refund", outage.decision, law, _outage_working(situation, outage, law)),
        "temperature_refund": _result(
            "temperature_refund", decided_temperature, law, _temperature_working(situation, temperature, law)
        ),
        "month_refund": _result("month_refund", month.decision, law, _month_working(situation, month, law)),
        "total_refund": _result("total_refund", total, law, ()),
    }
    if situation.paid_on is not None or any(each.target == "late_interest" for each in situation.expected):
        found["late_interest"] = _late_interest(situation, found["total_refund"], law)
    wanted = _clauses(situation) if clauses is None else clauses
    book = book_of(situation)
    for name in wanted:
        found[name] = judge_day(name, situation, book) if " " in name else judge_clause(name, situation, book)
    return found


def _clauses(situation: Situation) -> list[str]:
    named = [each.target for each in situation.expected if each.target not in KINDS]
    spoken = {
        "2.5.2": bool(situation.readings),
        "2.4.2a": situation.has_fuel,
        "2.6.1": situation.has_vehicles,
    }
    return sorted({*named, *(clause for clause, speaks in spoken.items() if speaks)})


def _result(target: str, decision: Decision, law: RefundLaw, working: tuple[str, ...]) -> Result:
    amount = int(decision.amount[0])
    keys = decision.why(0) if amount == UNKNOWN else ()
    # equal bounds of an open sum say only that no open question moves it: what else is missing bounds nothing
    bounded = amount != UNKNOWN or decision.low[0] < decision.high[0]
    return Result(
        target=target,
        verdict="undecidable" if amount == UNKNOWN else "breached" if amount else "met",
        amount_fen=None if amount == UNKNOWN else amount,
        why=keys,
        reasons=tuple(reason(key, law) for key in keys),
        low_fen=int(decision.low[0]) if bounded else None,
        high_fen=int(decision.high[0]) if bounded else None,
        working=working,
    )


def _late_interest(situation: Situation, total: Result, law: RefundLaw) -> Result:
    """`value` = days late; breached where interest is owed."""
    found = payout(
        situation.pack,
        situation.season,
        total.amount_fen,
        situation.paid_on,
        situation.late_rate,
        late_by_user=situation.late_by_user,
        at=situation.law_date,
    )
    fen = found.interest_fen
    lines = [] if found.deadline is None else [f"退费截止 {found.deadline}"]
    if found.days_late is not None:
        lines.append(f"{situation.paid_on} 支付，逾期 {found.days_late} 日")
    if fen and total.amount_fen is not None:
        lines.append(f"{yuan(total.amount_fen)} × {situation.late_rate}／日 × {found.days_late} 日 = {yuan(fen)}")
    return Result(
        "late_interest",
        "undecidable" if fen is None else "breached" if fen else "met",
        fen,
        found.why,
        tuple(reason(key, law) for key in found.why),
        value=found.days_late,
        deadline=found.deadline,
        working=tuple(lines),
    )


def _or_unknown(value: int | None) -> list[int]:
    return [UNKNOWN if value is None else value]


def _homes(situation: Situation) -> Homes:
    home = situation.home
    return Homes.of(
        _or_unknown(home.fee_fen),
        _or_unknown(home.base_fee_fen),
        [home.metered],
        [home.stop_heat],
        _or_unknown(home.area_m2_100),
        _or_unknown(home.meter_charge_fen),
    )


def _outages(situation: Situation) -> Outages:
    rows = situation.outages
    return Outages.of(
        [0] * len(rows),
        [row.start_s for row in rows],
        [UNKNOWN if row.end_s is None else row.end_s for row in rows],
        [CAUSES.index(row.cause) for row in rows],
        [row.attested for row in rows],
    )


def _tests(situation: Situation) -> Measurements:
    rows = situation.tests
    rooms = sorted({row.room for row in rows})
    flags = ("signed_user", "signed_company", "user_refused", "company_absent", "no_record", "third_party")
    return Measurements.of(
        [0] * len(rows),
        [row.measured_s for row in rows],
        [UNKNOWN if row.temp_c100 is None else row.temp_c100 for row in rows],
        room=[rooms.index(row.room) for row in rows],
        room_area_m2_100=[UNKNOWN if row.room_area_m2_100 is None else row.room_area_m2_100 for row in rows],
        requested_s=[row.requested_s for row in rows],
        purpose=[PURPOSES.index(row.purpose) for row in rows],
        **{flag: [getattr(row, flag) for row in rows] for flag in flags},
    )


def book_of(situation: Situation) -> FactBook:
    """The situation as fact tables, so that the clauses of the directive judge it as they judge a city."""
    home, places = situation.home, {"building": "CASE-B", "loop": "CASE-L", "substation": "CASE-S", "source": "CASE-H"}
    tables: dict[str, list[dict[str, Any]]] = {
        "homes": [
            {
                "home": HOME, **places, "company": "CASE-C", "banner": "CASE", "area_m2_100": home.area_m2_100 or 0,
                "home_class": home.home_class, "season_fee_fen": home.fee_fen, "stop_heat": home.stop_heat,
                "metered": home.metered, "base_fee_fen": home.base_fee_fen,
            }
        ],
        "outage": [
            {
                "outage_id": row.id, "level": "home", "code": HOME, "start_s": row.start_s, "end_s": row.end_s, "planned": False,
                "cause": row.cause, "attested_by": "情形给定" if row.attested else "",
            }
            for row in situation.outages
        ],
        "outage_home": [
            {"outage_id": row.id, "home": HOME, "start_s": row.start_s, "end_s": row.end_s, "cause": row.cause}
            for row in situation.outages
        ],
        "measurement": [
            {
                "measurement_id": row.id, "home": HOME, "room": row.room, "room_area_m2_100": row.room_area_m2_100,
                "requested_s": row.requested_s, "measured_s": row.measured_s, "temp_c100": row.temp_c100, "method": "",
                "signed_user": row.signed_user, "signed_company": row.signed_company, "user_refused": row.user_refused,
                "company_absent": row.company_absent, "no_record": row.no_record, "third_party": row.third_party, "purpose": row.purpose,
            }
            for row in situation.tests
        ],
        "home_day": home_days(situation),
        "fuel_day": [{"source": "CASE-H", **row} for row in situation.fuel],
        "vehicle": [{"vehicle_id": f"V{i}", "banner": "CASE", **row} for i, row in enumerate(situation.vehicles, 1)],
        "banners": [{"banner": "CASE", "name": "情形"}],
        "sources": [{"source": "CASE-H", "company": "CASE-C", "banner": "CASE", "fuel": "coal"}],
    }  # fmt: skip
    frames = {name: pl.DataFrame(rows, schema=TABLES[name].schema) for name, rows in tables.items()}
    return FactBook(situation.season, situation.as_of_s, frames)


def home_days(situation: Situation) -> list[dict[str, Any]]:
    """The days that the readings speak of, rolled up; an hour counts as covered when it has a value in the season."""
    season = situation.season
    days: dict[int, dict[int, int | None]] = {}
    for at, value in situation.readings:
        if at < situation.as_of_s:
            days.setdefault((at + CHINA_OFFSET_S) // DAY_S, {})[at] = value
    rows = []
    start_s, end_s = season.interval.start, season.interval.end
    for day, hours in sorted(days.items()):
        due = season.hours_due(day)
        if not due:
            continue
        law_day = situation.law_date or day_date(day)
        minimum = situation.pack.value("temperature.bedroom_min", law_day)
        above = situation.pack.value("temperature.overheat_above", law_day)
        values: list[int | None] = [
            hours.get(at) for at in range(day_start(day), day_start(day) + DAY_S, HOUR_S) if start_s <= at < end_s
        ]
        known = [value for value in values if value is not None]
        below = [value is not None and minimum is not None and value < int(minimum * 100) for value in values]
        longest = run = 0
        for cold in below:
            run = run + 1 if cold else 0
            longest = max(longest, run)
        rows.append(
            {
                "home": HOME,
                "day": day,
                "hours_due": due,
                "hours_covered": len(known),
                "min_c100": min(known) if known else None,
                "mean_c100": sum(known) // len(known) if known else None,
                "hours_below": sum(below),
                "longest_below_h": longest,
                "hours_above": sum(above is not None and value > int(above * 100) for value in known),
            }
        )
    return rows


def judge_clause(name: str, situation: Situation, book: FactBook) -> Result:
    """One clause on the situation. Several rows: breached if any is, else undecidable if any is; amounts are summed."""
    catalogue = import_module("nuan.policies.catalogue")
    try:
        clause: Clause = catalogue.clause(name)
    except LookupError:
        return Result(name, "undecidable", None, ("no_such_clause",), (f"没有条款 {name}",))
    frame = clause.judge(book, situation.pack).frame
    if not frame.height:
        return Result(name, "met", 0 if name.startswith("2.5.3") else None, working=("没有可判定的事实",))
    verdicts = frame["verdict"].to_list()
    verdict = next(word for word in ("breached", "undecidable", "met") if word in verdicts)
    why = tuple(sorted({word for word in frame["why"].to_list() if word}))
    amounts = frame["amount_fen"]
    undecided = amounts.null_count() > 0 and "undecidable" in verdicts
    value = frame.filter(pl.col("verdict") == verdict)["value"][0]
    trace = Trace()
    assert clause.rule is not None
    clause.rule(book, situation.pack, trace)
    lines = [f"{step.label_zh}：{step.working}{f'［{step.source}］' if step.source else ''}" for step in trace.steps]
    return Result(
        name,
        verdict,
        None if undecided or amounts.null_count() == frame.height else int(amounts.sum()),
        why,
        (trace.sentences["zh"],) if trace.sentences.get("zh") else (),
        value=value,
        working=tuple(lines),
    )


def judge_day(name: str, situation: Situation, book: FactBook) -> Result:
    """`2.5.2 2026-01-03`: the verdict of that one day from the room readings and formal measurements."""
    clause, _, text = name.partition(" ")
    if clause != "2.5.2":
        return Result(name, "undecidable", None, ("no_days",), (f"条款 {clause} 不按日判定",))
    grid = home_days_judged(book, situation.pack)
    day = day_number(date.fromisoformat(text))
    if day not in grid.days or not grid.codes.size:
        return Result(name, "undecidable", None, ("not_in_season",), ("这一天不在已过去的供热期内",))
    at = grid.days.index(day)
    verdict = ("met", "met", "breached", "undecidable")[int(grid.codes[0, at])]
    covered, due = int(grid.covered[0, at]), int(grid.due[0, at])
    return Result(name, verdict, None, working=(f"应供 {due} 小时，有效 {max(covered, 0)} 小时",))


def _season_line(law: RefundLaw) -> str:
    option = law.candidates("season_days")[0]
    return f"供热期 {moment(law.span.start_s)} 至 {moment(law.span.end_s)}，{law.span.days(option)} 日"


def _outage_working(situation: Situation, found: OutageRefund, law: RefundLaw) -> tuple[str, ...]:
    if not situation.outages:
        return ()
    lines = [_season_line(law)]
    merged, counted = found.counted.merged, found.counted
    for i in range(len(merged.home)):
        own = law.on(int(merged.start_s[i]))
        source = own.source("refund_outage.threshold_h")
        word = "≥" if own.threshold_inclusive else ">"
        worth = f"计 {duration(int(counted.units[i]))}" if counted.by_time else f"计 {counted.units[i]} 日"
        outcome = worth if counted.qualifies[i] else "不足，不计"
        lines.append(
            f"停热 {moment(int(merged.start_s[i]))} 至 {moment(int(merged.end_s[i]))}，连续 {duration(int(merged.end_s[i] - merged.start_s[i]))}，"
            f"{word} {duration(own.threshold_s or 0)}？{outcome}［{source.source}］"
        )
    units, fee = int(found.home_units[0]), situation.home.fee_fen
    amount = int(found.decision.amount[0])
    if units and fee is not None and amount != UNKNOWN:
        days = law.span.days(law.candidates("season_days")[0])
        shown = f"{units} 秒 ÷（{days} 日 × {DAY_S} 秒）" if counted.by_time else f"{units} 日 ÷ {days} 日"
        base = situation.home.base_fee_fen if _on_base(situation, law) else fee
        lines.append(f"{yuan(base or 0)} × {shown} = {yuan(amount)}")
    lines += [law.question(key).sentence() for key in ("outage_day", "causes", "cap")]
    return tuple(lines)


def _on_base(situation: Situation, law: RefundLaw) -> bool:
    return situation.home.metered and law.candidates("metered_outage") == ("base_fee",)


def _temperature_working(situation: Situation, found: TemperatureRefund, law: RefundLaw) -> tuple[str, ...]:
    if not situation.tests and not situation.cold_days:
        return ()
    lines = [_season_line(law)]
    source = law.source("refund_temperature.tiers").source
    for row in situation.cold_days:
        lines.append(f"{row.temp_c100 / 100:.2f} °C，{row.days} 日［{source}］")
    cold = found.episodes
    for i in range(len(cold.home)):
        first, last = (moment(day_start(int(day)))[:10] for day in (cold.first_day[i], cold.end_day[i] - 1))
        own = law.on(day_start(int(cold.first_day[i]))).source("refund_temperature.tiers")
        lines.append(f"不达标 {first} 至 {last}，计 {cold.days[i]} 日，退 {cold.percent[i]} %［{own.source}］")
    for tier in dict.fromkeys(tier for piece in law.pieces for tier in piece.tiers):
        lines.append(f"分档：{tier.quote or f'{tier.percent} %'}")
    names = ["overlap", "temperature_start", "temperature_end", "temperature_of_day", "temperature_base", "cap"]
    lines += [law.question(key).sentence() for key in names]
    return tuple(lines)


def _month_working(situation: Situation, found: MonthRefund, law: RefundLaw) -> tuple[str, ...]:
    if not situation.tests or all(piece.fails is None for piece in law.pieces):
        return ()
    lines = [_season_line(law)]
    windows = found.hits
    for i in range(len(windows.home)):
        own = law.on(int(windows.last_s[i]))
        lines.append(
            f"{moment(int(windows.first_s[i]))} 至 {moment(int(windows.last_s[i]))} 第 {own.fails} 次不达标，"
            f"退 {yuan(int(found.amounts[i]))}［{own.source('refund_month.fails').source}］"
        )
    names = (
        "window_days_apart",
        "window_kind",
        "same_day_fails",
        "repair_resets",
        "reset_after_refund",
        "month_fee",
        "cap",
    )
    lines += [law.question(key).sentence() for key in names]
    return tuple(re.sub(r"\s+$", "", line) for line in lines)
