"""Hazards over the API: the register for reading, a door for machines that report, and steps that no token may take.

A token stands for an organisation. It may tell that something was seen; grading, putting right and re-checking are done by persons.
"""

from datetime import datetime
from typing import Annotated, Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Query, Router, Schema, Status
from ninja.errors import HttpError
from pydantic import Field

from nuan.api import shapes
from nuan.api.bearer import Caller, scope_of_request
from nuan.operations.hazards import HazardError, owner_of, report_hazard, step
from nuan.records.accounts.visibility import WATCHERS
from nuan.records.hazards.models import Hazard

router = Router(tags=["hazards"])
Limit = Annotated[int, Query(100, ge=1, le=500)]
Offset = Annotated[int, Query(0, ge=0, le=10_000_000)]


class HazardIn(Schema):
    """`key`: the same report sent again is the same hazard. `place_level` source, substation, loop or building with a code of the registry;
    for pipe and chamber, and without a place, `company` and `banner` are needed."""

    key: Annotated[str, Field(min_length=1, max_length=60)]
    source: str = "staff"
    kind: str = "other"
    words: Annotated[str, Field(min_length=1, max_length=500)]
    place_level: Annotated[str, Field(max_length=12)] = ""
    place_code: Annotated[str, Field(max_length=48)] = ""
    place_words: Annotated[str, Field(max_length=200)] = ""
    company: Annotated[str, Field(max_length=24)] = ""
    banner: Annotated[str, Field(max_length=12)] = ""
    longitude: Annotated[float, Field(ge=-180, le=180)] | None = None
    latitude: Annotated[float, Field(ge=-90, le=90)] | None = None
    found_at: datetime | None = None


class StepIn(Schema):
    event: str
    note: str = ""


class HazardOut(Schema):
    code: str
    company: str
    banner: str
    kind: str
    state: str
    level: str
    source: str
    place_level: str
    place_code: str
    longitude: float | None
    latitude: float | None
    reported_at: datetime
    deadline: datetime | None
    rectified_at: datetime | None
    ended_at: datetime | None
    escalated_to: str


def _out(found: Hazard) -> dict[str, Any]:
    """No free words and no persons: telephone numbers and names stand in both."""
    names = [name for name in HazardOut.model_fields if name not in {"company", "banner"}]
    return {name: getattr(found, name) for name in names} | {"company": found.company_id, "banner": found.banner_id}


def _seen(request: HttpRequest) -> QuerySet[Hazard]:
    if _caller(request).token.role not in WATCHERS:
        raise Http404
    return scope_of_request(request).of_places(Hazard.objects.all())


def _caller(request: HttpRequest) -> Caller:
    caller: Caller = request.auth  # type: ignore[attr-defined]
    return caller


@router.get("", response=shapes.Page[HazardOut], summary="The register")
def hazards(
    request: HttpRequest, limit: Limit, offset: Offset, state: str = "", level: str = "", place: str = ""
) -> Any:
    rows = _seen(request)
    for column, value in (("state", state), ("level", level), ("place_code", place)):
        if value:
            rows = rows.filter(**{column: value})
    answer = shapes.page_of(rows.order_by("-pk"), limit, offset)
    answer["items"] = [_out(each) for each in answer["items"]]
    return answer


@router.post("", response={200: HazardOut, 201: HazardOut}, summary="Report a hazard; once for each key")
def report(request: HttpRequest, given: HazardIn) -> Any:
    """201 where it is new, 200 where it is there already. A place outside the token's sight is answered like one that does not exist."""
    rows, scope, token = _seen(request), scope_of_request(request), _caller(request).token
    company, banner = owner_of(given.place_level, given.place_code) or (given.company, given.banner)
    if not (scope.companies().filter(code=company).exists() and scope.banners().filter(code=banner).exists()):
        raise HttpError(404, "没有这样的地点、企业或旗区 / no such place, company or banner")
    organisation = company if scope.kind == "company" else scope.code or "city"
    try:
        done = report_hazard(
            **given.model_dump(exclude={"key", "company", "banner"}), company=company, banner=banner, key=f"api:{organisation}:{given.key}",
            actor=f"接口 {token.name}", now=timezone.now(),
        )  # fmt: skip
    except HazardError as error:
        raise HttpError(422, str(error)) from None
    return Status(201 if done.is_new else 200, _out(rows.get(pk=done.hazard.pk)))


@router.get("/{code}", response=HazardOut)
def hazard(request: HttpRequest, code: str) -> Any:
    return _out(get_object_or_404(_seen(request), code=code))


@router.post("/{code}/steps", response={403: dict[str, str]}, summary="Refused: a person has to do this")
def hazard_step(request: HttpRequest, code: str, given: StepIn) -> Any:
    """Grading, putting right and re-checking ask for a person who signs in; a token is told so."""
    found = get_object_or_404(_seen(request), code=code)
    try:
        step(found, given.event, by=_caller(request).token, note=given.note, now=timezone.now())
    except HazardError as error:
        return Status(403, {"detail": str(error)})
    raise HttpError(500, "a token took a step of a hazard")
