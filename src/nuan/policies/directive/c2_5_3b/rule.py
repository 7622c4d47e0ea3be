"""2.5.3b 30日内3次测温不达标，退还1个月的热费. A thin user of `policies.refunds.window`."""

import json

import numpy as np
import polars as pl

from nuan.facts.book import FactBook
from nuan.policies.refunds.columns import Bool, Int64
from nuan.policies.refunds.decision import decide
from nuan.policies.refunds.frames import Numbered, measurement_columns, numbered, outage_columns
from nuan.policies.refunds.law import RefundLaw, refund_law
from nuan.policies.refunds.outage import outage_refund
from nuan.policies.refunds.presumptions import FAILED
from nuan.policies.refunds.settlement import overlapping, settle
from nuan.policies.refunds.window import MonthRefund, month_refund
from nuan.policies.refunds.wording import moment, reason, why_code, yuan
from nuan.rules.judgement import SCHEMA
from nuan.rules.pack import Pack
from nuan.rules.trace import Trace
from nuan.terms.money import format_yuan
from nuan.terms.places import day_date

COLUMNS = (
    "subject_level", "subject", "item", "period_start", "period_end", "verdict", "why", "value", "threshold", "unit",
    "amount_fen", "branch", "facts",
)  # fmt: skip


def judge(book: FactBook, pack: Pack, trace: Trace | None = None) -> pl.DataFrame:
    """One row per refunded window (`item` = its first day), else one row a home that was tested (`item` season).

    No rows at all where the place has no such rule.

    `value` counts failing tests. Amounts are net of the outage refund where both do not stack or exceed the cap.
    """
    law = refund_law(pack, book.season)
    if all(piece.fails is None for piece in law.pieces):
        return pl.DataFrame(schema={name: SCHEMA[name] for name in COLUMNS})
    who = numbered(book["homes"])
    n = len(who.codes)
    tests, ids = measurement_columns(book["measurement"], who)
    outages, _ = outage_columns(book["outage_home"], book["outage"], who)
    month = month_refund(who.homes, tests, law, book.as_of_s)
    outage = outage_refund(who.homes, outages, law, book.as_of_s)
    windows = month.hits
    clash = overlapping(outage.counted, n, windows.home, windows.first_day, windows.last_day)
    nothing = decide({}, lambda _: np.zeros(n, np.int64))
    total = settle(who.homes, outage.decision, nothing, month.decision, clash, law)
    net = np.where(total.decided, total.amount - outage.decision.amount, month.decision.amount)
    undecided = ~month.decision.decided | (clash & ~total.decided)
    rows = _rows(who, month, law, np.asarray(net), undecided, ids, total.why)
    frame = pl.DataFrame(rows, schema={name: SCHEMA[name] for name in COLUMNS}, strict=False)
    if trace is not None:
        _tell(trace, month, who, law, int(net[0]), bool(undecided[0]), total.why(0))
    return frame


def _rows(
    who: Numbered, month: MonthRefund, law: RefundLaw, net: Int64, undecided: Bool, ids: list[str], why: object
) -> list[dict[str, object]]:
    assert callable(why)
    rows: list[dict[str, object]] = []
    windows, tests = month.hits, month.tests
    spent: dict[int, int] = {}
    fails = np.bincount(tests.home[tests.verdict == FAILED], minlength=len(who.codes))
    seen = {int(home) for home in windows.home}
    for i, home in enumerate(windows.home.tolist()):
        doubt = bool(undecided[home])
        fen = min(int(month.amounts[i]), int(net[home]) - spent.get(home, 0)) if not doubt else 0
        spent[home] = spent.get(home, 0) + fen
        own = slice(*np.searchsorted(tests.home, [home, home + 1]))
        inside = (tests.time_s[own] >= windows.first_s[i]) & (tests.time_s[own] <= windows.last_s[i])
        failing = tests.row[own][inside & (tests.verdict[own] == FAILED)]
        rows.append(
            _row(
                who.codes[home], day_date(int(windows.first_day[i])).isoformat(), law, doubt, why(home) if doubt else ()
            )
            | {
                "threshold": law.on(int(windows.last_s[i])).fails,
                "period_start": int(windows.first_s[i]),
                "period_end": int(windows.last_s[i]) + 1,
                "verdict": "undecidable" if doubt else "breached",
                "value": len(failing),
                "amount_fen": None if doubt else fen,
                "branch": "refund_one_month" if not who.homes.stop_heat[home] else "stop_heat",
                "facts": json.dumps({"measurements": [ids[row] for row in failing]}, ensure_ascii=False),
            }
        )
    for home in np.unique(tests.home).tolist():
        if home not in seen:
            doubt = bool(undecided[home])
            own = slice(*np.searchsorted(tests.home, [home, home + 1]))
            rows.append(
                _row(who.codes[home], "season", law, doubt, why(home) if doubt else ())
                | {
                    "period_start": law.span.start_s,
                    "period_end": law.span.end_s,
                    "verdict": "undecidable" if doubt else "met",
                    "value": int(fails[home]),
                    "amount_fen": None if doubt else 0,
                    "branch": "fewer_failures",
                    "facts": json.dumps({"measurements": [ids[row] for row in tests.row[own]]}, ensure_ascii=False),
                }
            )
    return rows


def _row(home: str, item: str, law: RefundLaw, doubt: bool, why: tuple[str, ...]) -> dict[str, object]:
    return {
        "subject_level": "home",
        "subject": home,
        "item": item,
        "why": why_code(why) if doubt else "",
        "threshold": law.fails,
        "unit": "tests",
    }


def _tell(
    trace: Trace, month: MonthRefund, who: Numbered, whole: RefundLaw, net: int, undecided: bool, why: tuple[str, ...]
) -> None:
    law = whole
    tests = month.tests
    windows = month.hits
    if len(windows.home):
        law = law.on(int(windows.last_s[-1]))
    source = law.source("refund_month.fails").source
    for i in range(len(tests)):
        shown = f"{tests.temp_sum[i] / tests.temp_n[i] / 100:.2f} °C" if tests.temp_n[i] else "未测得温度"
        shown_en = f"{tests.temp_sum[i] / tests.temp_n[i] / 100:.2f} °C" if tests.temp_n[i] else "no temperature taken"
        verdict_en = ("met", "presumed met", "failed", "cannot be established")[int(tests.verdict[i])]
        verdict = ("达标", "推定达标", "不达标", "无法认定")[int(tests.verdict[i])]
        trace.step(
            "测温",
            "test",
            f"{moment(int(tests.time_s[i]))}：{shown}，{verdict}",
            whole.on(int(tests.time_s[i])).source("temperature.bedroom_min").source,
            f"{moment(int(tests.time_s[i]))}: {shown_en}, {verdict_en}",
        )
    for key in (
        "window_days_apart",
        "window_kind",
        "same_day_fails",
        "repair_resets",
        "reset_after_refund",
        "month_fee",
        "stacking",
        "cap",
    ):
        trace.step("解释口径", "interpretation", law.question(key).sentence(), "", law.question(key).sentence("en"))
    hit = len(month.hits.home) > 0
    counted = f"{law.window_days}日内{law.fails}次不达标"
    english = {
        "退还一个月热费": "one month's fee is refunded",
        "次数不足": "too few failing tests",
        counted: f"{law.fails} failing tests within {law.window_days} days",
    }
    trace.branch("退还一个月热费" if hit else "次数不足", {counted: hit}, english)
    if undecided:
        trace.sentence(
            f"金额暂不能认定：{'；'.join(reason(key, law) for key in why)}。",
            f"The amount cannot be decided yet: {'; '.join(reason(key, law, 'en') for key in why)}.",
        )
        return
    if not hit:
        trace.sentence(
            "不达标次数未达到退费条件，不退费。", "Too few failing tests in the window; nothing is refunded."
        )
        return
    months = len(month.hits.home)
    trace.step(
        "怎么算的",
        "working",
        f"全季热费 {yuan(int(who.homes.fee[0]))}，{law.question('month_fee').label()}，{months} 个窗口：{yuan(int(month.amounts.sum()))}；实退 {yuan(net)}",
        source,
        f"season fee {format_yuan(int(who.homes.fee[0]))} yuan, {law.question('month_fee').label('en')}, {months} windows:"
        f" {format_yuan(int(month.amounts.sum()))} yuan; refunded {format_yuan(net)} yuan",
    )
    trace.sentence(
        f"{law.window_days}日内{law.fails}次测温不达标，应退 {yuan(net)}。",
        f"Repeated failing tests within the window: {format_yuan(net)} yuan are refunded.",
    )
