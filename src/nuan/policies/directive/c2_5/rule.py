"""2.5 推迟供热、提前停热、人为限热、过量供热: each against the weather, for substations; over-heating for homes too."""

from typing import Any

import polars as pl

from nuan.facts.book import FactBook
from nuan.policies.directive.c2_5.home_item import warm_homes
from nuan.policies.directive.c2_5.item import Item
from nuan.policies.directive.c2_5.station_days import Measures, StationDays, station_days
from nuan.policies.directive.c2_5.station_items import early_stop, late_start, over_heating, throttling
from nuan.rules.day_grid import ended_days
from nuan.rules.judgement import SCHEMA, WHY
from nuan.rules.pack import Pack
from nuan.rules.threshold import Threshold
from nuan.rules.trace import Trace

NAMES = {
    "late_start": ("推迟供热", "a late start"),
    "early_stop": ("提前停热", "an early stop"),
    "throttling": ("人为限热", "throttling"),
    "over_heating": ("过量供热", "over-heating"),
}


def judge(book: FactBook, pack: Pack, trace: Trace | None = None) -> pl.DataFrame:
    """Items `late_start early_stop throttling over_heating` of each substation in `station_day`, `over_heating` of each home.

    `value` and `threshold` count days. Wasted heat stands in the facts: `wasted_kwh`, `wasted_gj_1000` (0.001 GJ) and `wasted_fen`, null
    where no price of heat is known. `amount_fen` stays empty, for nobody is owed that money.
    """
    days = ended_days(book)
    if not days:
        return pl.DataFrame(schema=SCHEMA)
    measures = Measures.of(pack, days)
    frames, told = [], None
    if book["station_day"].height:
        found = station_days(book, measures)
        items = [
            late_start(found, measures),
            early_stop(found, measures, len(days) == len(book.season.day_numbers)),
            throttling(found, measures),
            over_heating(found, measures),
        ]
        frames += [item.frame("substation", found.stations, book.season.interval) for item in items]
        if trace is not None:
            told = next((item for item in items if item.name == trace.item), None)
            _tell_station(trace, found)
    if book["home_day"].height:
        homes, item = warm_homes(book, measures, days)
        if homes:
            frames.append(item.frame("home", homes, book.season.interval))
            told = item if trace is not None and item.name == trace.item else told
    if trace is not None and told is not None:
        if told.name == "over_heating":
            measures.sensors.tell(trace)
        _tell(trace, told, measures)
    return pl.concat(frames, how="diagonal") if frames else pl.DataFrame(schema=SCHEMA)


def _tell_station(trace: Trace, found: StationDays) -> None:
    days, water, heat = len(found.days), int(found.trusted[0].sum()), int(found.heat_trusted[0].sum())
    weather, out = int(found.judgeable[0].sum()), int(found.in_outage[0].sum())
    trace.step(
        "站日数据",
        "station days",
        f"供热期已过 {days} 日：水温读数足够 {water} 日，热量读数足够 {heat} 日，可与天气对照 {weather} 日，停热事件 {out} 日",
        working_en=f"{days} days have ended: {water} with enough water temperatures, {heat} with enough heat readings, "
        f"{weather} to be held against the weather, {out} in an outage",
    )


def _numbers(item: str, measures: Measures) -> list[Threshold]:
    if item in {"late_start", "early_stop"}:
        return [measures.coverage, measures.on_heat]
    if item == "throttling":
        return [measures.coverage, measures.low_supply, measures.low_heat, measures.throttle_days]
    return [measures.coverage, measures.warm_room, measures.rooms_min, measures.warm_days, measures.heat_price]


def _tell(trace: Trace, item: Item, measures: Measures) -> None:
    for number in _numbers(item.name, measures):
        number.tell(trace)
    facts, verdict, value = item.facts[0], str(item.verdict[0]), int(item.value[0])
    counts = [(*_FACTS[key], _shown(key, each)) for key, each in facts.items()]
    trace.step(
        "计数",
        "counts",
        "；".join(f"{zh} {shown or '无'}" for zh, _, shown in counts),
        working_en="; ".join(f"{en} {shown or 'none'}" for _, en, shown in counts),
    )
    zh, en = NAMES[item.name]
    held = verdict == "breached"
    trace.branch(zh if held else "未认定", {zh: held, "未认定": not held}, {zh: en, "未认定": "not established"})
    if verdict == "undecidable":
        why_zh, why_en = WHY[str(item.why[0])]
        trace.sentence(f"是否{zh}，目前无法判定：{why_zh}。", f"Whether there was {en} cannot be decided: {why_en}.")
    elif verdict == "met":
        trace.sentence(f"没有发现{zh}。", f"No sign of {en} was found.")
    else:
        days = facts.get("throttled_days", facts.get("over_heated_days"))
        run_zh = "" if days is None else f"共 {days} 日，最长连续 "
        run_en = "" if days is None else f"{days} days in all, the longest run "
        trace.sentence(
            f"认定{zh}：{run_zh}{value} 日。{_waste(facts, 'zh')}",
            f"There was {en}: {run_en}{value} days.{_waste(facts, 'en')}",
        )


def _waste(facts: Any, language: str) -> str:
    if "wasted_gj_1000" not in facts:
        return ""
    gj, fen = facts["wasted_gj_1000"] / 1000, facts["wasted_fen"]
    if language == "zh":
        return f"多供热量 {gj:.3f} GJ，" + (
            "热量单价未载明，金额无法计算。" if fen is None else f"合 {fen / 100:.2f} 元。"
        )
    return f" {gj:.3f} GJ of heat was wasted" + (
        ", its price is not known." if fen is None else f", {fen / 100:.2f} yuan."
    )


_FACTS = {
    "idle_days": ("应供未供日数", "days without the heat that was due"),
    "in_outage_days": ("停热事件日数", "days in an outage"),
    "undecidable_days": ("无法判定日数", "undecidable days"),
    "throttled_days": ("限热日数", "throttled days"),
    "longest_days": ("最长连续日数", "longest run of days"),
    "first_day": ("首日", "first day"),
    "mean_below_expected_c100": ("平均低于应供水温", "mean below expected supply"),
    "rooms_mean_c100": ("期间户均室温", "mean of the rooms then"),
    "warmest_mean_c100": ("最高日均室温", "warmest mean of a day"),
    "days_decided": ("可判定日数", "days decided"),
    "over_heated_days": ("过热日数", "over-heated days"),
    "wasted_kwh": ("多供热量(kWh)", "heat beyond need (kWh)"),
    "wasted_gj_1000": ("多供热量(GJ)", "heat beyond need (GJ)"),
    "wasted_fen": ("多供金额(元)", "its price (yuan)"),
    "days_without_heat_reading": ("过热而无热量读数日数", "over-heated days without a heat reading"),
}


def _shown(key: str, value: Any) -> str:
    if value is None:
        return ""
    if key.endswith("_c100"):
        return f"{value / 100:.2f} °C"
    if key.endswith("_1000"):
        return f"{value / 1000:.3f}"
    return f"{value / 100:.2f}" if key.endswith("_fen") else str(value)
