"""The API, version 1: what the pages show, under the same rules of sight, and reports of hazards. Strangers' records answer 404."""

from typing import Annotated, Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import NinjaAPI, Query
from ninja.errors import AuthenticationError, HttpError
from ninja.openapi.docs import Swagger
from pydantic import Field

from nuan.api import shapes
from nuan.api.bearer import Bearer, scope_of_request
from nuan.api.hazards import router as hazards_router
from nuan.operations.explaining import explain_judgement
from nuan.operations.stored_readings import readings_of, series_of, store
from nuan.policies import catalogue
from nuan.records.registry.models import Home
from nuan.records.supervision.models import BoardCell, CurrentJudgement, HomeSeason, Judgement
from nuan.terms.quantities import QUANTITIES

Limit = Annotated[int, Query(100, ge=1, le=500)]
Offset = Annotated[int, Query(0, ge=0, le=10_000_000)]
EpochS = Annotated[int, Field(ge=0, le=2**40)]
MOST_SECONDS = 400 * 86_400

api = NinjaAPI(
    title="Nuan 暖",
    version="1",
    description="A city's heating, clause by clause. Times are UTC epoch seconds, money whole fen, temperatures 0.01 °C.",
    auth=Bearer(),
    docs=Swagger(),
    urls_namespace="api-1",
)
api.add_router("/hazards", hazards_router)


@api.exception_handler(AuthenticationError)
def not_signed_in(request: HttpRequest, error: AuthenticationError) -> Any:
    sentence = "请带上有效的令牌:Authorization: Bearer nuan_…  A valid token of your organisation is needed."
    return api.create_response(request, {"detail": sentence}, status=401)


@api.get("/clauses", response=list[shapes.ClauseOut], tags=["clauses"], summary="All clauses in the order of the text")
def clauses(request: HttpRequest) -> Any:
    return [_clause(each) for each in catalogue.CLAUSES]


@api.get("/clauses/{key}", response=shapes.ClauseOut, tags=["clauses"])
def clause(request: HttpRequest, key: str) -> Any:
    try:
        return _clause(catalogue.clause(key))
    except catalogue.NoSuchClauseError as error:
        raise HttpError(404, str(error)) from None


def _clause(found: Any) -> dict[str, Any]:
    return {
        "id": found.id,
        "title_zh": found.short_zh,
        "title_en": found.short_en,
        "kind": found.kind,
        "status": found.status,
        "quotation": found.quotation,
    }


@api.get("/board", response=list[shapes.CellOut], tags=["board"], summary="Clause × banner or company, as stored")
def board(request: HttpRequest, by: str = "banner") -> Any:
    cells = scope_of_request(request).cells(BoardCell.objects.all())
    return list(cells.filter(column_level=by).order_by("clause", "column"))


@api.get("/banners", response=shapes.Page[shapes.PlaceOut], tags=["places"])
def banners(request: HttpRequest, limit: Limit, offset: Offset) -> Any:
    return shapes.page_of(scope_of_request(request).banners().order_by("code"), limit, offset)


@api.get("/companies", response=shapes.Page[shapes.PlaceOut], tags=["places"])
def companies(request: HttpRequest, limit: Limit, offset: Offset) -> Any:
    return shapes.page_of(scope_of_request(request).companies().order_by("code"), limit, offset)


@api.get("/stations", response=shapes.Page[shapes.StationOut], tags=["places"])
def stations(request: HttpRequest, limit: Limit, offset: Offset) -> Any:
    answer = shapes.page_of(scope_of_request(request).stations().order_by("code"), limit, offset)
    answer["items"] = [_station(each) for each in answer["items"]]
    return answer


@api.get("/stations/{code}", response=shapes.StationOut, tags=["places"])
def station(request: HttpRequest, code: str) -> Any:
    return _station(get_object_or_404(scope_of_request(request).stations(), code=code))


@api.get("/stations/{code}/readings", response=list[shapes.SeriesOut], tags=["readings"])
def station_readings(request: HttpRequest, code: str, start: EpochS, end: EpochS) -> Any:
    found = get_object_or_404(scope_of_request(request).stations(), code=code)
    return _series(found.code, ("supply_temp", "return_temp", "flow", "outdoor_temp"), start, end)


def _station(found: Any) -> dict[str, Any]:
    return {
        "code": found.code,
        "name": found.name,
        "source": found.source_id,
        "company": found.company_id,
        "banner": found.banner_id,
        "longitude": found.longitude,
        "latitude": found.latitude,
    }


@api.get("/homes", response=shapes.Page[shapes.HomeOut], tags=["homes"])
def homes(request: HttpRequest, limit: Limit, offset: Offset, building: str = "", station: str = "") -> Any:
    rows = scope_of_request(request).homes().order_by("id")
    if building:
        rows = rows.filter(building_id=building)
    if station:
        rows = rows.filter(substation_id=station)
    answer = shapes.page_of(rows, limit, offset)
    answer["items"] = [shapes.home_out(each) for each in answer["items"]]
    return answer


@api.get("/homes/{home_id}", response=shapes.HomeDetailOut, tags=["homes"])
def home(request: HttpRequest, home_id: int) -> Any:
    found = get_object_or_404(scope_of_request(request).homes(), pk=home_id)
    seasons = list(HomeSeason.objects.filter(home=found).order_by("-season"))
    return shapes.home_out(found) | {"code": found.code, "seasons": seasons}


@api.get("/homes/{home_id}/readings", response=list[shapes.SeriesOut], tags=["readings"])
def home_readings(request: HttpRequest, home_id: int, start: EpochS, end: EpochS) -> Any:
    found = get_object_or_404(scope_of_request(request).homes(), pk=home_id)
    return _series(found.code, ("room_temp", "room_humidity"), start, end)


def _series(place: str, quantities: tuple[str, ...], start: int, end: int) -> list[dict[str, Any]]:
    """Flagged readings are in it with their flags; what is missing is not in it."""
    answer = []
    for quantity in quantities:
        for number, key in series_of(place, quantity):
            batch = readings_of(number, start, min(end, start + MOST_SECONDS))
            answer.append(
                {
                    "quantity": quantity,
                    "position": key.position,
                    "unit": f"{float(QUANTITIES[quantity].resolution):g} {QUANTITIES[quantity].unit}",
                    "time_s": batch.time_s.tolist(),
                    "value": batch.value.tolist(),
                    "flags": batch.flags.tolist(),
                }
            )
    return answer


@api.get("/judgements", response=shapes.Page[shapes.JudgementOut], tags=["judgements"], summary="The newest of each")
def judgements(
    request: HttpRequest, limit: Limit, offset: Offset, clause: str = "", verdict: str = "", station: str = ""
) -> Any:
    rows = scope_of_request(request).judgements(CurrentJudgement.objects.select_related("judgement"))
    for column, value in (("clause", clause), ("verdict", verdict)):
        if value:
            rows = rows.filter(**{column: value})
    if station:
        rows = rows.filter(subject_level="substation", subject=station)
    answer = shapes.page_of(rows.order_by("id"), limit, offset)
    found = [row.judgement for row in answer["items"]]
    numbers = _home_numbers(found)
    answer["items"] = [shapes.judgement_out(row, numbers) for row in found]
    return answer


@api.get("/judgements/{judgement_id}", response=shapes.JudgementOut, tags=["judgements"])
def judgement(request: HttpRequest, judgement_id: int) -> Any:
    found = get_object_or_404(scope_of_request(request).judgements(Judgement.objects.all()), pk=judgement_id)
    return shapes.judgement_out(found, _home_numbers([found]))


def _home_numbers(found: list[Judgement]) -> dict[str, int]:
    codes = [row.subject for row in found if row.subject_level == "home"]
    return dict(Home.objects.filter(code__in=codes).values_list("code", "pk"))


@api.get("/judgements/{judgement_id}/explanation", response=shapes.ExplanationOut, tags=["judgements"])
def explanation(request: HttpRequest, judgement_id: int) -> Any:
    found = get_object_or_404(scope_of_request(request).judgements(Judgement.objects.all()), pk=judgement_id)
    words = {language: explain_judgement(found, language, store=store()).text() for language in ("zh", "en")}
    return {"judgement": found.pk, **words}
