"""2.5.4 巡检制度、监测预警、隐患及时消除: hazards past their deadline or left ungraded, patrols not walked, warnings nobody answered.

“及时” has no number in the text. A hazard is late against the deadline that was set for it; rounds of a patrol are the route's own plan; the
hours to grade a hazard and to answer a warning are 运行参数 of the place, and what has none is not counted, which the sentence says.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import polars as pl

from nuan.facts.book import FactBook
from nuan.policies.patrols.rounds import counts_in, round_of, rounds
from nuan.policies.support.verdicts import Found, as_of_day, frame_of
from nuan.rules.comparison import Comparison
from nuan.rules.pack import Pack
from nuan.rules.trace import Trace
from nuan.terms.places import HOUR_S, day_date, local_day

CLAUSE = "2.5.4"
BRANCHES = {
    "hazards_late": ("有隐患没有按期消除", "a hazard was not put right in time"),
    "hazards_ungraded": ("有隐患上报后没有及时定级派人", "a reported hazard was not graded in time"),
    "patrols_missed": ("有巡线没有按期走完", "a patrol was not walked in time"),
    "warnings_unanswered": ("有管网预警没有及时确认", "a warning was not answered in time"),
    "kept": ("隐患按期消除,巡线按期走完,预警及时确认", "hazards, patrols and warnings were all seen to in time"),
    "limit_unknown": ("有未处置的上报或预警,时限未载明", "something waits, and the time allowed is not stated"),
    "no_patrols": ("没有登记巡线线路", "no patrol routes are registered"),
}
TOLD = 10
"""So many of each kind are named in a judgement's facts; the pages have them all."""


@dataclass
class Faults:
    """What was found against one company in one banner: codes, by kind."""

    late: list[str] = field(default_factory=list)
    ungraded: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    """Not seen to yet, and no time is set for it."""
    unlimited: set[str] = field(default_factory=set)
    hazards: int = 0
    turns: int = 0
    warnings: int = 0

    @property
    def total(self) -> int:
        return len(self.late) + len(self.ungraded) + len(self.missed) + len(self.unanswered)


def judge(book: FactBook, pack: Pack, trace: Trace | None = None) -> pl.DataFrame:
    """One row for each company and banner (the item): `value` = hazards late or ungraded, rounds missed and warnings unanswered together."""
    return frame_of(_found(book, pack), "company", book, BRANCHES, trace)


def _found(book: FactBook, pack: Pack) -> Iterator[Found]:
    tables = [book[name].select("company", "banner") for name in ("sources", "hazard", "patrol_point", "warning")]
    for company, banner in pl.concat(tables).unique().sort("company", "banner").iter_rows():
        own = (pl.col("company") == company) & (pl.col("banner") == banner)
        faults = Faults()
        _hazards(book["hazard"].filter(own), book, pack, faults)
        points = book["patrol_point"].filter(own)
        _patrols(points, book["patrol_check"].filter(own), book, faults)
        _warnings(book["warning"].filter(own), book, pack, faults)
        yield _verdict(company, banner, faults, bool(points.height))


def _hazards(rows: pl.DataFrame, book: FactBook, pack: Pack, faults: Faults) -> None:
    """Those that were open in the season. A re-check takes the time it takes: late is who put it right late."""
    begins, now = book.season.interval.start, book.as_of_s
    for row in rows.iter_rows(named=True):
        if row["closed_s"] is not None and row["closed_s"] < begins:
            continue
        faults.hazards += 1
        done, due = row["rectified_s"], row["deadline_s"]
        if due is not None and (now if done is None else done) > due and (done is None or done >= begins):
            faults.late.append(row["hazard"])
        _timed(row["hazard"], row["reported_s"], row["graded_s"], "hazard.grade_h", now, pack, faults, faults.ungraded)


def _warnings(rows: pl.DataFrame, book: FactBook, pack: Pack, faults: Faults) -> None:
    season = book.season.interval
    for row in rows.filter(pl.col("raised_s").is_between(season.start, season.end - 1)).iter_rows(named=True):
        faults.warnings += 1
        _timed(
            row["warning"],
            row["raised_s"],
            row["answered_s"],
            "warning.answer_h",
            book.as_of_s,
            pack,
            faults,
            faults.unanswered,
        )


def _timed(
    name: str, start_s: int, end_s: int | None, key: str, now: int, pack: Pack, faults: Faults, late: list[str]
) -> None:
    """Against the hours that the place allows on the day it began; what still waits where none are stated is `waiting`."""
    allowed = pack.parameter(key).at(day_date(local_day(start_s)))
    if not allowed.is_known:
        faults.unlimited.add(key)
        if end_s is None:
            faults.waiting.append(name)
        return
    took_s = (now if end_s is None else end_s) - start_s
    if not Comparison(allowed.compare).holds(took_s, int(allowed.value * HOUR_S)):
        late.append(name)


def _patrols(points: pl.DataFrame, checks: pl.DataFrame, book: FactBook, faults: Faults) -> None:
    """Rounds of the season that are over: each point of a round needs a check-in on one of its days."""
    season = book.season.day_numbers
    ended = min(as_of_day(book), season.stop - 1)
    if book.as_of_s < book.season.interval.end:
        ended = min(ended, local_day(book.as_of_s) - 1)
    seen: dict[str, list[tuple[int, int]]] = {}
    for route, number, day in checks.select("route", "number", "day").iter_rows():
        seen.setdefault(route, []).append((number, day))
    for (name,), own in points.group_by(["route"], maintain_order=True):
        route, rows = str(name), own.to_dicts()
        first, last, every = rows[0]["from_day"], rows[0]["to_day"], rows[0]["every_days"]
        if rows[0]["season_only"]:
            first, last = max(first, season.start), season.stop - 1 if last is None else min(last, season.stop - 1)
        here: dict[int, set[int]] = {}
        for number, day in seen.get(route, ()):
            if (turn := round_of(first, last, every, day)) is not None:
                here.setdefault(turn.first, set()).add(number)
        for turn in rounds(first, last, every, ended):
            if turn.last > ended or turn.last < season.start:
                continue
            due = {row["number"] for row in rows if counts_in(turn, row["since_day"], row["until_day"])}
            faults.turns += bool(due)
            if due - here.get(turn.first, set()):
                faults.missed.append(f"{route} {day_date(turn.first)}")


def _verdict(company: str, banner: str, faults: Faults, has_routes: bool) -> Found:
    kinds = {
        "hazards_late": faults.late, "hazards_ungraded": faults.ungraded, "patrols_missed": faults.missed,
        "warnings_unanswered": faults.unanswered,
    }  # fmt: skip
    branch = next((name for name, found in kinds.items() if found), "")
    verdict, why = "breached", ""
    if not branch:
        verdict, why, branch = "met", "", "kept"
        if faults.waiting:
            verdict, why, branch = "undecidable", "parameter_unknown", "limit_unknown"
        elif not has_routes:
            verdict, why, branch = "undecidable", "fact_missing", "no_patrols"
    return Found(
        company,
        banner,
        branch,
        verdict,
        why=why,
        value=faults.total,
        threshold=0,
        unit="项",
        facts={
            "hazards": faults.hazards,
            "hazards_late": len(faults.late),
            "hazards_ungraded": len(faults.ungraded),
            "rounds": faults.turns,
            "rounds_missed": len(faults.missed),
            "warnings": faults.warnings,
            "warnings_unanswered": len(faults.unanswered),
            "late": faults.late[:TOLD],
            "ungraded": faults.ungraded[:TOLD],
            "missed": faults.missed[:TOLD],
            "unanswered": faults.unanswered[:TOLD],
        },
        steps=list(_steps(faults, has_routes)),
        sentence=_sentence(branch, faults),
    )


def _steps(faults: Faults, has_routes: bool) -> Iterator[tuple[str, str, str, str]]:
    late, ungraded = len(faults.late), len(faults.ungraded)
    zh = f"本季在册 {faults.hazards} 项,逾期 {late} 项,未及时定级 {ungraded} 项"
    en = f"{faults.hazards} in the season, {late} late, {ungraded} not graded in time"
    yield "隐患", "hazards", zh + _named(faults.late), en + _named(faults.late)
    zh = f"已到期 {faults.turns} 轮,没有走完 {len(faults.missed)} 轮" if has_routes else "没有登记线路"
    en = f"{faults.turns} rounds ended, {len(faults.missed)} not walked in full" if has_routes else "no routes"
    yield "巡线", "patrols", zh + _named(faults.missed), en + _named(faults.missed)
    zh = f"本季 {faults.warnings} 条,未及时确认 {len(faults.unanswered)} 条"
    en = f"{faults.warnings} in the season, {len(faults.unanswered)} not answered in time"
    yield "管网预警", "warnings", zh + _named(faults.unanswered), en + _named(faults.unanswered)
    for key in sorted(faults.unlimited):
        name = {"hazard.grade_h": ("定级时限", "hours to grade"), "warning.answer_h": ("确认时限", "hours to answer")}[
            key
        ]
        yield name[0], name[1], "未载明,不计", "not stated, not counted"


def _named(codes: list[str]) -> str:
    return f" ({', '.join(codes[:TOLD])})" if codes else ""


def _sentence(branch: str, faults: Faults) -> tuple[str, str]:
    if branch == "kept":
        return (
            f"本季 {faults.hazards} 项隐患、{faults.turns} 轮巡线、{faults.warnings} 条管网预警都按期处置。",
            f"{faults.hazards} hazards, {faults.turns} rounds and {faults.warnings} warnings of the season were all seen to in time.",
        )
    if branch == "no_patrols":
        return "没有登记巡线线路,巡检制度无从判定。", "No patrol routes are registered, so patrols cannot be judged."
    if branch == "limit_unknown":
        n = len(faults.waiting)
        return f"有 {n} 项上报或预警还没有处置,时限未载明。", f"{n} reports or warnings wait, and no time is stated."
    parts = [
        (len(faults.late), "项隐患逾期", "hazards late"),
        (len(faults.ungraded), "项隐患没有及时定级", "hazards not graded in time"),
        (len(faults.missed), "轮巡线没有走完", "patrol rounds not walked"),
        (len(faults.unanswered), "条预警没有及时确认", "warnings not answered in time"),
    ]
    zh = ",".join(f"{n} {words}" for n, words, _ in parts if n)
    en = ", ".join(f"{n} {words}" for n, _, words in parts if n)
    return f"本季{zh}。", f"In this season: {en}."
