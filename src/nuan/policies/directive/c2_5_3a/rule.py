"""2.5.3a 连续停热超过24小时，自停热之日起按日退还热费. A thin user of `policies.refunds.outage`."""

import json

import numpy as np
import polars as pl

from nuan.facts.book import FactBook
from nuan.policies.refunds.columns import UNKNOWN, Homes, Int64, share
from nuan.policies.refunds.frames import numbered, outage_columns
from nuan.policies.refunds.law import RefundLaw, refund_law
from nuan.policies.refunds.outage import OutageRefund, limit_unknown, outage_refund, payable_base
from nuan.policies.refunds.wording import duration, moment, reason, why_code, yuan
from nuan.rules.judgement import SCHEMA
from nuan.rules.pack import Pack
from nuan.rules.trace import Trace
from nuan.terms.money import format_yuan
from nuan.terms.places import DAY_S


def judge(book: FactBook, pack: Pack, trace: Trace | None = None) -> pl.DataFrame:
    """One row per merged outage of a home; `value` and `threshold` in seconds. Fen of a home's rows sum to its refund exactly."""
    law = refund_law(pack, book.season)
    who = numbered(book["homes"])
    outages, ids = outage_columns(book["outage_home"], book["outage"], who)
    found = outage_refund(who.homes, outages, law, book.as_of_s)
    merged = found.counted.merged
    n = len(merged.home)
    members: list[list[str]] = [[] for _ in range(n)]
    for row in np.flatnonzero(merged.member >= 0):
        name, group = ids[row], members[merged.member[row]]
        if name not in group:
            group.append(name)
    undecided = ~found.decision.decided[merged.home]
    limits = [piece.threshold_s for piece in law.pieces]
    limit_of = law.piece_of(merged.start_s)
    in_doubt = undecided & (found.counted.qualifies | limit_unknown(merged, law))
    stopped = who.homes.stop_heat[merged.home]
    paid = found.counted.qualifies & ~stopped
    amounts = item_amounts(who.homes, found, law)
    branches = np.where(stopped, "stop_heat", np.where(paid, "refund_by_day", "below_threshold"))
    whys = {home: found.decision.why(int(home)) for home in np.unique(merged.home[in_doubt])}
    rows = {
        "subject_level": ["home"] * n,
        "subject": [who.codes[home] for home in merged.home],
        "item": [_item(group) for group in members],
        "period_start": merged.start_s,
        "period_end": merged.end_s,
        "verdict": np.where(in_doubt, "undecidable", np.where(paid, "breached", "met")),
        "why": [why_code(whys[home]) if doubt else "" for home, doubt in zip(merged.home, in_doubt, strict=True)],
        "value": merged.end_s - merged.start_s,
        "threshold": [limits[piece] for piece in limit_of.tolist()],
        "unit": ["s"] * n,
        "amount_fen": [None if doubt else int(fen) for doubt, fen in zip(in_doubt, amounts, strict=True)],
        "branch": branches,
        "facts": [
            json.dumps(
                {
                    "outages": members[i],
                    "units": int(found.counted.units[i]),
                    "unit": "s" if found.counted.by_time else "day",
                    "season_days": law.span.days(law.candidates("season_days")[0]),
                    "still_going": bool(found.open_at_as_of[merged.home[i]] and merged.end_s[i] >= book.as_of_s),
                    **(
                        {
                            "open": list(whys[merged.home[i]]),
                            "low_fen": int(found.decision.low[merged.home[i]]),
                            "high_fen": int(found.decision.high[merged.home[i]]),
                        }
                        if in_doubt[i]
                        else {}
                    ),
                },
                ensure_ascii=False,
            )
            for i in range(n)
        ],
    }
    if trace is not None:
        _tell(trace, found, who.homes, law)
    return pl.DataFrame(rows, schema={name: SCHEMA[name] for name in rows}, strict=False)


def _item(group: list[str]) -> str:
    return "+".join(group) if len("+".join(group)) <= 60 else f"{group[0]}+{len(group) - 1}"


def item_amounts(homes: Homes, found: OutageRefund, law: RefundLaw) -> Int64:
    """Each outage's part of the home's refund: the growth of the one rounded sum, so that parts add up to it."""
    merged, units = found.counted.merged, found.counted.units
    if not len(units):
        return units
    heads = np.ones(len(units), np.bool_)
    heads[1:] = merged.home[1:] != merged.home[:-1]
    running = np.cumsum(units)
    before = np.where(heads, running - units, 0)
    so_far = running - np.maximum.accumulate(before)
    base = np.maximum(payable_base(homes, law.candidates("metered_outage")[0]), 0)[merged.home]
    days = law.span.days(law.candidates("season_days")[0])
    stopped = homes.stop_heat[merged.home]
    due = share(base, np.where(stopped, 0, so_far), days * DAY_S if found.counted.by_time else days)
    if law.candidates("cap")[0] == "season_fee":
        due = np.minimum(due, np.maximum(homes.fee, 0)[merged.home])
    parts = due.copy()
    parts[1:] -= np.where(heads[1:], 0, due[:-1])
    return parts


def in_english(fen: int) -> str:
    return f"{format_yuan(fen)} yuan"


def _tell(trace: Trace, found: OutageRefund, homes: Homes, law: RefundLaw) -> None:
    """The working for one home; the book holds that home only."""
    merged = found.counted.merged
    source = law.source("refund_outage.threshold_h")
    tried: dict[str, bool] = {}
    english = {"按日退还热费": "the fee is refunded by the day", "未达到退费条件": "no outage reaches the threshold"}
    for i in range(len(merged.home)):
        length = int(merged.end_s[i] - merged.start_s[i])
        holds = bool(found.counted.qualifies[i])
        own = law.on(int(merged.start_s[i]))
        source = own.source("refund_outage.threshold_h")
        threshold = "未载明" if own.threshold_s is None else duration(own.threshold_s)
        threshold_en = "not stated" if own.threshold_s is None else duration(own.threshold_s, "en")
        word = "≥" if own.threshold_inclusive else ">"
        begin, end = moment(int(merged.start_s[i])), moment(int(merged.end_s[i]))
        span = f"{begin} 至 {end}"
        trace.step(
            "停热（供热期内，同户重叠合并）",
            "outage (within the season, overlaps merged)",
            f"{span}，连续 {duration(length)}，{'满足' if holds else '不满足'} {word} {threshold}",
            source.source,
            f"{begin} to {end}, {duration(length, 'en')} on end, {'' if holds else 'not '}{word} {threshold_en}",
        )
        tried[f"{span} 按日退还"] = holds
        english[f"{span} 按日退还"] = f"{begin} to {end} refunded by the day"
    for key in ("outage_day", "causes", "metered_outage", "cap"):
        if key != "metered_outage" or bool(homes.metered.any()):
            trace.step("解释口径", "interpretation", law.question(key).sentence(), "", law.question(key).sentence("en"))
    total = int(found.decision.amount[0])
    days = law.span.days(law.candidates("season_days")[0])
    units = int(found.home_units[0])
    trace.branch("按日退还热费" if units else "未达到退费条件", tried, english)
    if bool(homes.stop_heat[0]):
        trace.sentence(
            "本户本季办理了停热，不收全季热费，不退停热热费。",
            "This home had asked for no heat this season; nothing is refunded.",
        )
        return
    if total == UNKNOWN:
        keys = found.decision.why(0)
        zh = "；".join(reason(key, law) for key in keys)
        en = "; ".join(reason(key, law, "en") for key in keys)
        low, high = int(found.decision.low[0]), int(found.decision.high[0])
        if low < high:
            trace.step(
                "金额范围", "range", f"{yuan(low)} 至 {yuan(high)}", "", f"{in_english(low)} to {in_english(high)}"
            )
        trace.sentence(f"金额暂不能认定：{zh}。", f"The amount cannot be decided yet: {en}.")
        return
    if not units:
        trace.sentence("停热未达到退费条件，不退费。", "The outage does not reach the threshold; nothing is refunded.")
        return
    base = int(payable_base(homes, law.candidates("metered_outage")[0])[0])
    shown = f"{units} 秒 ÷（{days} 日 × {DAY_S} 秒）" if found.counted.by_time else f"{units} 日 ÷ {days} 日"
    shown_en = f"{units} s ÷ ({days} days × {DAY_S} s)" if found.counted.by_time else f"{units} days ÷ {days} days"
    trace.step(
        "怎么算的",
        "working",
        f"{yuan(base)} × {shown} = {yuan(total)}（四舍五入到分）",
        source.source,
        f"{in_english(base)} × {shown_en} = {in_english(total)} (rounded half up to the fen)",
    )
    counted = duration(units) if found.counted.by_time else f"{units} 日"
    counted_en = duration(units, "en") if found.counted.by_time else f"{units} days"
    trace.sentence(
        f"因停热 {counted}，应退 {yuan(total)}。", f"For {counted_en} without heat {in_english(total)} are refunded."
    )
