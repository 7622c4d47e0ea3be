"""What the API answers. No names, phones or doors; a home in a list is its number, building and floor."""

from datetime import datetime
from typing import Any, Generic, TypeVar

from django.db.models import QuerySet
from ninja import Schema

from nuan.records.supervision.models import HomeSeason

T = TypeVar("T")


class Page(Schema, Generic[T]):
    count: int
    limit: int
    offset: int
    items: list[T]


class ClauseOut(Schema):
    id: str
    title_zh: str
    title_en: str
    kind: str
    status: str
    quotation: str


class CellOut(Schema):
    clause: str
    column_level: str
    column: str
    colour: str
    number: str
    met: int
    breached: int
    undecidable: int
    amount_fen: int
    computed_at: datetime


class PlaceOut(Schema):
    code: str
    name: str


class StationOut(PlaceOut):
    source: str
    company: str
    banner: str
    longitude: float | None
    latitude: float | None


class HomeOut(Schema):
    id: int
    building: str
    station: str
    company: str
    banner: str
    floor: int | None
    home_class: str


class SeasonOut(Schema):
    season: str
    days_met: int
    days_breached: int
    days_undecidable: int
    hours_below: int | None
    longest_below_h: int | None
    min_c100: int | None
    last_temp_c100: int | None
    last_time_s: int | None

    @staticmethod
    def resolve_hours_below(season: HomeSeason) -> int | None:
        return season.hours_below if season.has_readings else None

    @staticmethod
    def resolve_longest_below_h(season: HomeSeason) -> int | None:
        return season.longest_below_h if season.has_readings else None


class HomeDetailOut(HomeOut):
    code: str
    seasons: list[SeasonOut]


class SeriesOut(Schema):
    """Columns of one series: UTC epoch seconds, fixed-point values at the quantity's resolution, flags (0 = nothing against it)."""

    quantity: str
    position: str
    unit: str
    time_s: list[int]
    value: list[int]
    flags: list[int]


class JudgementOut(Schema):
    id: int
    clause: str
    subject_level: str
    subject: str
    company: str
    banner: str
    period_start: int
    period_end: int
    verdict: str
    why: str
    value: int | None
    threshold: int | None
    unit: str
    amount_fen: int | None
    branch: str
    pack: str
    pack_version: str
    run: int


class ExplanationOut(Schema):
    judgement: int
    zh: str
    en: str


def page_of(queryset: QuerySet[Any], limit: int, offset: int) -> dict[str, Any]:
    return {
        "count": queryset.count(),
        "limit": limit,
        "offset": offset,
        "items": list(queryset[offset : offset + limit]),
    }


def home_out(home: Any) -> dict[str, Any]:
    return {
        "id": home.pk,
        "building": home.building_id,
        "station": home.substation_id,
        "company": home.company_id,
        "banner": home.banner_id,
        "floor": home.floor,
        "home_class": home.home_class,
    }


def judgement_out(row: Any, home_numbers: dict[str, int]) -> dict[str, Any]:
    """A home as subject is given by its number, because its code contains the door."""
    subject = str(home_numbers.get(row.subject, "")) if row.subject_level == "home" else row.subject
    return {
        "id": row.pk,
        "clause": row.clause,
        "subject_level": row.subject_level,
        "subject": subject,
        "company": row.company_code,
        "banner": row.banner_code,
        "period_start": row.period_start,
        "period_end": row.period_end,
        "verdict": row.verdict,
        "why": row.why,
        "value": row.value,
        "threshold": row.threshold,
        "unit": row.unit,
        "amount_fen": row.amount_fen,
        "branch": row.branch,
        "pack": row.pack,
        "pack_version": row.pack_version,
        "run": row.run_id,
    }
