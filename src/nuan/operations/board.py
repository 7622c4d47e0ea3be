"""The clause board: clause × banner, company and city, coloured by current judgements. Computed once at the end of a run and stored."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.utils import timezone

from nuan.policies.catalogue import CLAUSES
from nuan.records.registry.models import Banner, Company
from nuan.records.supervision.models import BoardCell, Run
from nuan.rules.clause import Clause
from nuan.terms.money import format_yuan

CITY = "city"
RED_PERCENT = 5
"""Share of the decided homes from which a cell of a clause about homes is red; one breach makes a cell of anything else red."""
DOUBT_PERCENT = 20
"""Share of undecided subjects from which a cell without a breach is amber."""
_COUNTS = """
SELECT c.clause, c.subject_level, CASE WHEN c.clause IN ('2.5', '3.1', '3.2') THEN c.item ELSE '' END, c.company_code, c.banner_code, c.verdict,
       count(*), count(DISTINCT c.subject), coalesce(sum(c.amount_fen), 0)::bigint, min(j.value), max(j.unit)
FROM supervision_currentjudgement c JOIN supervision_judgement j ON j.id = c.judgement_id JOIN supervision_run r ON r.id = j.run_id
WHERE r.season = %s GROUP BY 1, 2, 3, 4, 5, 6
"""
ITEMS = {
    "late_start": "推迟供热", "early_stop": "提前停热", "throttling": "限热", "over_heating": "过量供热", "subsidy": "补贴拖欠",
    "plan": "方案或任务", "arrears": "欠账未清", "funding": "没有预算",
}  # fmt: skip
LEVEL_WORDS = {"home": "户", "substation": "站", "source": "处热源", "company": "家企业", "banner": "旗区"}


@dataclass(frozen=True)
class Count:
    """Current judgements of one clause, level, item, company, banner and verdict."""

    clause: str
    level: str
    item: str
    company: str
    banner: str
    verdict: str
    rows: int
    subjects: int
    amount_fen: int
    lowest: int | None
    unit: str


@dataclass
class Tally:
    """Judgements that fall into one cell."""

    counts: list[Count] = field(default_factory=list)

    def rows(self, verdict: str) -> int:
        return sum(each.rows for each in self.counts if each.verdict == verdict)

    def subjects(self, verdict: str) -> int:
        return sum(each.subjects for each in self.counts if each.verdict == verdict)

    @property
    def amount_fen(self) -> int:
        return sum(each.amount_fen for each in self.counts)

    @property
    def lowest(self) -> int | None:
        return min((each.lowest for each in self.counts if each.lowest is not None), default=None)

    def items(self, verdict: str) -> dict[tuple[str, str], int]:
        found: dict[tuple[str, str], int] = {}
        for each in self.counts:
            if each.verdict == verdict:
                key = (each.item, each.level)
                found[key] = found.get(key, 0) + each.subjects
        return found


def counts_of(season: str) -> list[Count]:
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, [season])
        return [Count(*row) for row in cursor.fetchall()]


def clause_counts(season: str) -> dict[str, dict[str, int]]:
    """Current verdicts and fen per clause: `{"2.5.2": {"met": …, "breached": …, "undecidable": …, "amount_fen": …}}`."""
    found: dict[str, dict[str, int]] = {}
    for each in counts_of(season):
        row = found.setdefault(each.clause, {"met": 0, "breached": 0, "undecidable": 0, "amount_fen": 0})
        row[each.verdict] += each.rows
        row["amount_fen"] += each.amount_fen
    return found


def compute_board(run: Run) -> None:
    """Write every cell anew, inside the transaction that ends the run."""
    columns = [(CITY, CITY)]
    columns += [("banner", code) for code in Banner.objects.order_by("code").values_list("code", flat=True)]
    columns += [("company", code) for code in Company.objects.order_by("code").values_list("code", flat=True)]
    by_cell: dict[tuple[str, str, str], Tally] = {}
    for count in counts_of(run.season):
        for level, code in ((CITY, CITY), ("banner", count.banner), ("company", count.company)):
            by_cell.setdefault((count.clause, level, code), Tally()).counts.append(count)
    now = timezone.now()
    cells = [
        _cell(clause, level, code, by_cell.get((clause.id, level, code), Tally()), run, now)
        for clause in CLAUSES
        for level, code in columns
    ]
    BoardCell.objects.all().delete()
    BoardCell.objects.bulk_create(cells)


def _cell(clause: Clause, level: str, column: str, tally: Tally, run: Run, now: Any) -> BoardCell:
    return BoardCell(
        clause=clause.id,
        column_level=level,
        column=column,
        colour=colour_of(tally),
        number=headline(clause, level, tally)[:60],
        met=tally.rows("met"),
        breached=tally.rows("breached"),
        undecidable=tally.rows("undecidable"),
        amount_fen=tally.amount_fen,
        computed_at=now,
        run=run,
    )


def colour_of(tally: Tally) -> str:
    """Grey where nothing is judged or nothing could be decided; what is undecided is never green by itself."""
    met, breached, undecided = (tally.subjects(verdict) for verdict in ("met", "breached", "undecidable"))
    if met + breached == 0:
        return BoardCell.Colour.GREY
    above_homes = any(each.level != "home" and each.verdict == "breached" for each in tally.counts)
    if above_homes or breached * 100 >= RED_PERCENT * (met + breached):
        return BoardCell.Colour.RED if breached else _doubt(met, undecided)
    return BoardCell.Colour.AMBER if breached else _doubt(met, undecided)


def _doubt(met: int, undecided: int) -> str:
    doubtful = undecided * 100 >= DOUBT_PERCENT * (met + undecided)
    return BoardCell.Colour.AMBER if doubtful and undecided else BoardCell.Colour.GREEN


def headline(clause: Clause, level: str, tally: Tally) -> str:
    """The cell's figure in Chinese words."""
    if clause.rule is None:
        return clause.status_zh
    if not tally.counts:
        return "按旗区判定" if level == "company" and clause.scope == "banner" else "暂无判定"
    if clause.id in _HEADLINES:
        return _HEADLINES[clause.id](tally)
    return _plain(tally)


def _undecided(tally: Tally) -> str:
    open_ = tally.subjects("undecidable")
    return f"，{_of_levels(tally, 'undecidable')}无法判定" if open_ else ""


def _of_levels(tally: Tally, verdict: str) -> str:
    numbers: dict[str, int] = {}
    for each in tally.counts:
        if each.verdict == verdict:
            numbers[each.level] = numbers.get(each.level, 0) + each.subjects
    return "、".join(f"{number:,} {LEVEL_WORDS.get(level, '')}" for level, number in numbers.items())


def _plain(tally: Tally) -> str:
    if tally.subjects("breached"):
        return f"{_of_levels(tally, 'breached')}不达标{_undecided(tally)}"
    if tally.subjects("met"):
        return f"均达标{_undecided(tally)}" if tally.subjects("undecidable") else "全部达标"
    return f"{_of_levels(tally, 'undecidable')}无法判定"


def _rooms(tally: Tally) -> str:
    met, breached = tally.subjects("met"), tally.subjects("breached")
    if not breached:
        return _plain(tally)
    return f"{breached:,} 户不达标（{_percent(breached, met + breached)}）{_undecided(tally)}"


def _percent(part: int, whole: int) -> str:
    tenths = (part * 2000 + whole) // (2 * whole)
    return f"{tenths // 10}.{tenths % 10}%"


def _refund(tally: Tally) -> str:
    if tally.amount_fen:
        return f"应退 {format_yuan(tally.amount_fen)} 元，{tally.subjects('breached'):,} 户{_undecided(tally)}"
    if tally.subjects("undecidable"):
        return f"{tally.subjects('undecidable'):,} 户金额无法判定"
    return "没有应退的户"


def _supply(tally: Tally) -> str:
    found = tally.items("breached")
    if not found:
        return _plain(tally)
    parts = [
        f"{ITEMS.get(item, item)} {number:,} {LEVEL_WORDS[level]}" for (item, level), number in sorted(found.items(), reverse=True)
    ]  # fmt: skip
    return "，".join(parts)


def _fuel(tally: Tally) -> str:
    units: Iterable[str] = (each.unit for each in tally.counts if each.unit)
    lowest = tally.lowest
    if lowest is None:
        return _plain(tally)
    days = f"{lowest / 10:.1f}" if next(iter(units), "") == "day_10" else f"{lowest}"
    return f"最低可用 {days} 天{'，' + _plain(tally) if tally.subjects('breached') else ''}"


def _vehicles(tally: Tally) -> str:
    short = tally.subjects("breached")
    return f"{short} 个旗区不足" if short else _plain(tally)


def _companies(tally: Tally) -> str:
    """A company that stands in two banners is one company."""
    breached = {each.company for each in tally.counts if each.verdict == "breached"}
    if not breached:
        return _plain(tally)
    return f"{len(breached)} 家企业不达标{_undecided(tally)}"


_HEADLINES = {
    "2.5.2": _rooms,
    "2.5.3a": _refund,
    "2.5.3b": _refund,
    "2.5": _supply,
    "2.4.2a": _fuel,
    "2.6.1": _vehicles,
    "2.7.3": _companies,
    "2.7.4": _companies,
    "3.1": _supply,
    "3.2": _supply,
}
