"""怎么算的: one stored judgement made again from the readings and records, with the rule's trace on, and compared with what was posted."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl
from django.conf import settings

from nuan.operations.city_packs import CityPacks, season_of, signed_records
from nuan.operations.judging_basis import Basis, basis
from nuan.operations.judging_homes import groups, piece_room_sums, tables_of
from nuan.operations.judging_places import place_tables, room_means_of
from nuan.operations.recorded_facts import building_meters
from nuan.policies import catalogue
from nuan.records.registry.models import Banner, Home
from nuan.records.supervision.models import CurrentJudgement, Judgement, Run
from nuan.rules.clause import NoSuchJudgementError
from nuan.rules.trace import Explanation
from nuan.telemetry.store import Store

ROOMLESS = frozenset({"late_start", "early_stop"})
"""What is judged of a station by its own heat alone: the rooms of its homes need not be read to explain it."""


class NotJudgedError(LookupError):
    def __init__(self, subject: str, clause: str, item: str) -> None:
        what = " · ".join(part for part in (subject, clause, item) if part)
        super().__init__(f"没有这样的判定：{what}；先运行 nuan judge，或核对编号 / no judgement stands for {what}")


@dataclass(frozen=True)
class Working:
    """`explanation` is made anew; `posted_fen` and `posted_verdict` are what stands. `same`: they agree.

    They disagree only when readings, records or signed interpretations have changed since; the next judging then posts a new judgement.
    """

    judgement_id: int
    explanation: Explanation
    posted_verdict: str
    posted_fen: int | None
    same: bool

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def text(self) -> str:
        words = self.explanation.text()
        if self.same:
            return words
        note = {
            "zh": "注意：判定之后又有新的读数、记录或口径，上述结果与已登记的不同；请重新运行判定。",
            "en": "Note: readings, records or interpretations have changed since; judge again.",
        }
        return f"{note[self.explanation.language]}\n\n{words}"


def find_judgement(subject: str, clause: str, item: str = "", level: str = "") -> Judgement:
    """The current judgement of a clause on a subject; of several items the newest season's first by name. Raises NotJudgedError."""
    rows = CurrentJudgement.objects.filter(subject=subject, clause=clause)
    if item:
        rows = rows.filter(item=item)
    if level:
        rows = rows.filter(subject_level=level)
    found = rows.select_related("judgement__run").order_by("-season", "item").first()
    if found is None:
        raise NotJudgedError(subject, clause, item)
    return found.judgement


def explain_judgement(judgement: Judgement | int, language: str = "zh", *, store: Store | None = None) -> Working:
    """The working of one judgement, from the facts as of its run's moment. Raises NotJudgedError."""
    if isinstance(judgement, int):
        found = Judgement.objects.select_related("run").filter(pk=judgement).first()
        if found is None:
            raise NotJudgedError(str(judgement), "", "")
        judgement = found
    run = judgement.run
    item = "season" if judgement.item == run.season else judgement.item
    opened = store or Store(settings.READINGS_ROOT)
    try:
        stand = _stand(judgement, run, opened)
        clause = catalogue.clause(judgement.clause)
        book = stand.book(judgement.pack, _tables(judgement, stand, clause.reads, opened))
        explanation = clause.explain(book, stand.packs.packs[judgement.pack], judgement.subject, item, language)
    except NoSuchJudgementError:
        explanation = _no_longer(judgement, item, language)
    finally:
        if store is None:
            opened.close()
    same = (explanation.verdict, explanation.amount_fen) == (judgement.verdict, judgement.amount_fen)
    return Working(judgement.pk, explanation, judgement.verdict, judgement.amount_fen, same)


def _no_longer(judgement: Judgement, item: str, language: str) -> Explanation:
    words = {
        "zh": "按现有的读数和记录，不再得出这一判定。",
        "en": "From the readings and records as they are now this judgement no longer follows.",
    }
    return Explanation(
        judgement.clause, judgement.subject, item, language, "undecidable", None, words[language], (), judgement.pack,
        judgement.pack_version,
    )  # fmt: skip


def _stand(judgement: Judgement, run: Run, store: Store) -> Basis:
    """The run's basis, with the records of the subject only and the pack that decided."""
    pack = catalogue.pack(judgement.pack, signed_records())
    banners = Banner.objects.order_by("code").values_list("code", flat=True)
    packs = CityPacks(dict.fromkeys(banners, pack.name), {pack.name: pack}, {pack.name: season_of(pack, run.season)})
    codes: list[str] = []
    if judgement.subject_level == "home":
        codes = [judgement.subject]
    elif judgement.subject_level == "substation":
        codes = list(Home.objects.filter(substation=judgement.subject).values_list("code", flat=True))
    return basis(run.season, int(run.as_of.timestamp()), packs, store.manifest.buckets, codes)


def _tables(judgement: Judgement, stand: Basis, reads: Sequence[str], store: Store) -> dict[str, pl.DataFrame]:
    """The fact tables that a clause reads about the subject, and no others."""
    if judgement.subject_level == "home":
        return _home_tables(stand, reads, store)
    station = judgement.subject_level == "substation" and "station_day" in reads
    rooms = station and judgement.item not in ROOMLESS
    sums = [piece_room_sums(stand, piece, store) for piece in stand.pieces()] if rooms else []
    tables = place_tables(stand, judgement.pack, store, room_means_of(sums), [judgement.subject] if station else [])
    if "building_meter" in reads:
        tables["building_meter"] = building_meters(stand.season, stand.as_of_s, judgement.subject)
    return tables


def _home_tables(stand: Basis, reads: Sequence[str], store: Store) -> dict[str, pl.DataFrame]:
    for piece in stand.pieces():
        if "home_day" not in reads:
            return piece.tables()
        for pack, residential, _ in groups(stand, piece.homes):
            return tables_of(stand, piece, pack, residential, store)
    return {}
