"""2.5.2 室温达到18摄氏度以上: a home's season from its days, the first day from 00:00 and the last to 24:00 in full."""

import numpy as np
import polars as pl

from nuan.facts.book import FactBook
from nuan.policies.directive.c2_5_2.days import BREACHED, MET, NOT_DUE, UNDECIDABLE, HomeDays, home_days
from nuan.rules.branches import choose
from nuan.rules.day_grid import any_day, first_true
from nuan.rules.judgement import SCHEMA, WHY
from nuan.rules.pack import Pack
from nuan.rules.threshold import ABSENT, Mask, Matrix
from nuan.rules.trace import Trace
from nuan.terms.places import day_date

CLAUSE = "2.5.2"
BRANCHES = {
    "room_readings": ("按室温读数逐日判定", "room readings, day by day"),
    "no_number_in_law": ("这类用户的室温标准未载明", "no standard is stated for this class"),
    "sensors_unsigned": ("传感器能否作证据未签署", "nobody has signed whether sensors are evidence"),
    "sensors_only_warn": ("传感器仅作预警", "sensors only warn"),
}
_WORDS = np.array(["not_due", "met", "breached", "undecidable"])


def judge(book: FactBook, pack: Pack, trace: Trace | None = None) -> pl.DataFrame:
    """One row per home that is owed heat: `value` = days breached, `threshold` = 0 days. Days that have not ended are left out."""
    found = home_days(book, pack)
    homes, days = found.codes.shape
    if homes == 0 or days == 0:
        return pl.DataFrame(schema=SCHEMA)
    due = (found.codes != NOT_DUE).sum(axis=1)
    met, breached, undecided = ((found.codes == code).sum(axis=1) for code in (MET, BREACHED, UNDECIDABLE))
    share = found.season_share.last
    enough = (met * 100 >= share * due) if share is not None else (undecided == 0)
    verdict = np.where(breached > 0, "breached", np.where((met > 0) & enough, "met", "undecidable"))
    why, branch = _why(found, verdict == "undecidable"), _branch(found)
    interval = book.season.interval
    frame = pl.DataFrame(
        {
            "subject": found.homes["home"],
            "verdict": verdict,
            "why": why,
            "value": breached,
            "branch": branch,
        }
    ).with_columns(
        pl.lit("home").alias("subject_level"),
        pl.lit(interval.start).alias("period_start"),
        pl.lit(interval.end).alias("period_end"),
        pl.lit(0).alias("threshold"),
        pl.lit("day").alias("unit"),
        _facts(found, due, met, breached, undecided, book).alias("facts"),
    )
    if trace is not None:
        _tell(trace, found, frame.row(0, named=True), (due[0], met[0], breached[0], undecided[0]))
    return frame


def _branch(found: HomeDays) -> np.ndarray[tuple[int], np.dtype[np.str_]]:
    none = np.zeros(found.codes.shape[0], dtype=np.bool_)
    unknown = np.where(found.is_dwelling, ~found.dwelling.known.all(), ~found.other.known.all())
    barred = found.sensors.why_not("evidence", "sensor_not_evidence")
    exceptions = {
        "no_number_in_law": unknown,
        "sensors_unsigned": ~unknown if barred == "interpretation_unsigned" else none,
        "sensors_only_warn": ~unknown if barred == "sensor_not_evidence" else none,
    }
    return choose(CLAUSE, found.homes["home"].to_list(), ("room_readings", None), exceptions)


def _why(found: HomeDays, open_: Mask) -> np.ndarray[tuple[int], np.dtype[np.str_]]:
    """The most telling reason for each home that stays open."""
    unknown = np.where(found.is_dwelling, ~found.dwelling.known.all(), ~found.other.known.all())
    silent = ~(found.covered > 0).any(axis=1)
    why = np.full(len(open_), "undercovered", dtype="<U24")
    if not found.coverage.known.all():
        why[:] = "parameter_unknown"
    why[silent] = "no_readings"
    if barred := found.sensors.why_not("evidence", "sensor_not_evidence"):
        why[:] = barred
    why[unknown] = "parameter_unknown"
    return np.where(open_, why, "")


def _facts(found: HomeDays, due: Matrix, met: Matrix, breached: Matrix, undecided: Matrix, book: FactBook) -> pl.Series:
    """Figures of each home as JSON. `last_day` is null until the season's last day has ended; hours are null where none was read."""
    low = np.where(found.minimum == ABSENT, -ABSENT, found.minimum).min(axis=1)
    below, longest = (np.where(each == ABSENT, 0, each) for each in (found.below, found.longest))
    seen = any_day(found.covered > 0)
    first = first_true(found.codes == BREACHED)
    over = len(found.days) == len(book.season.day_numbers)
    limit = np.where(found.is_dwelling, _number(found.dwelling.last), _number(found.other.last))
    columns = pl.DataFrame(
        {
            "days_due": due,
            "days_met": met,
            "days_breached": breached,
            "days_undecidable": undecided,
            "hours_below": _where(seen, below.sum(axis=1)),
            "longest_below_h": _where(seen, longest.max(axis=1)),
            "min_c100": pl.Series(low).replace(-ABSENT, None),
            "threshold_c100": pl.Series(limit).replace(ABSENT, None),
            "measured_below": found.measured_below.sum(axis=1),
            "first_breached_day": [None if at == ABSENT else str(day_date(found.days[int(at)])) for at in first],
            "first_day": _WORDS[found.codes[:, 0]],
            "last_day": _WORDS[found.codes[:, -1]] if over else [None] * len(due),
        }
    )
    return columns.select(pl.struct(pl.all()).struct.json_encode()).to_series()


def _where(seen: Mask, figures: Matrix) -> pl.Series:
    return pl.Series([int(figure) if has else None for figure, has in zip(figures, seen, strict=True)], dtype=pl.Int64)


def _number(value: int | None) -> int:
    return ABSENT if value is None else value


def _tell(trace: Trace, found: HomeDays, row: dict[str, object], counts: tuple[int, int, int, int]) -> None:
    due, met, breached, undecided = (int(count) for count in counts)
    found.threshold(0).tell(trace)
    found.coverage.tell(trace)
    found.sensors.tell(trace)
    trace.step(
        "逐日判定",
        "day by day",
        f"应供 {due} 日 = 达标 {met} 日 + 不达标 {breached} 日 + 无法判定 {undecided} 日",
        "供热期首日0:00至末日24:00",
        f"{due} days owed = {met} met + {breached} breached + {undecided} undecidable",
    )
    worst = None
    if (found.minimum[0] != ABSENT).any():
        column = int(np.where(found.minimum[0] == ABSENT, -ABSENT, found.minimum[0]).argmin())
        worst = found.minimum[0, column]
        shown = f"{day_date(found.days[column])}: {worst / 100:.2f} °C"
        trace.step("最低室温", "lowest room temperature", shown)
    if found.measured_below.any():
        dates = "、".join(str(day_date(found.days[int(i)])) for i in np.flatnonzero(found.measured_below[0]))
        trace.step("入户测温低于标准", "formal measurements below the standard", dates)
    if undecided:
        found.season_share.tell(trace)
    trace.branch(
        BRANCHES[str(row["branch"])][0],
        {zh: key == row["branch"] for key, (zh, _) in BRANCHES.items()},
        dict(BRANCHES.values()),
    )
    if row["verdict"] == "breached":
        coldest = "" if worst is None else f"，最低 {worst / 100:.2f} °C"
        trace.sentence(
            f"本采暖季您家应供 {due} 日，其中 {breached} 日室温低于标准{coldest}；另有 {undecided} 日读数不足，不作判定。",
            f"Of {due} days owed, {breached} fell below the standard; {undecided} have too few readings to decide.",
        )
    elif row["verdict"] == "met":
        trace.sentence(
            f"本采暖季您家应供 {due} 日，已判定的 {met} 日室温都达到标准；{undecided} 日读数不足，不作判定。",
            f"All {met} decided days of {due} owed reached the standard; {undecided} have too few readings to decide.",
        )
    else:
        zh, en = WHY[str(row["why"])]
        trace.sentence(
            f"您家本采暖季的室温是否达标，目前无法判定：{zh}。",
            f"It cannot be decided whether your home met the standard: {en}.",
        )
