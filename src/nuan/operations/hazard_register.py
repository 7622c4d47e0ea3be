"""The register as lists and figures: what is overdue, how far a hazard has gone up, how each company stands."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Case, Count, F, IntegerField, Q, QuerySet, Value, When

from nuan.operations.hazards import hours_setting
from nuan.operations.patrol_rounds import RouteState
from nuan.records.hazards.models import Hazard, Level
from nuan.records.hazards.states import OPEN, TO_RECTIFY, State
from nuan.records.registry.models import Company

LEVEL_COLOURS = {Level.GENERAL: "grey", Level.SERIOUS: "amber", Level.MAJOR: "red", "": "grey"}
STATE_COLOURS = {
    State.REPORTED: "amber", State.CONFIRMED: "amber", State.RECTIFYING: "amber", State.RECTIFIED: "amber", State.CLOSED: "green",
    State.REJECTED: "grey",
}  # fmt: skip


def overdue(now: datetime) -> Q:
    """Not put right, and the deadline is past. What waits for its re-check has been put right."""
    return Q(state__in=TO_RECTIFY, deadline__lt=now)


def is_overdue(hazard: Hazard, now: datetime) -> bool:
    return hazard.state in TO_RECTIFY and hazard.deadline is not None and hazard.deadline < now


def most_urgent_first(rows: QuerySet[Hazard], now: datetime) -> QuerySet[Hazard]:
    """Overdue first, then by deadline; what is not graded stands before what has time, what has ended last and newest first."""
    rank = Case(
        When(overdue(now), then=Value(0)),
        When(state=State.REPORTED, then=Value(1)),
        When(state__in=TO_RECTIFY, then=Value(2)),
        When(state=State.RECTIFIED, then=Value(3)),
        default=Value(4),
        output_field=IntegerField(),
    )
    return rows.annotate(rank=rank).order_by(
        "rank", F("ended_at").desc(nulls_first=True), "deadline", "-reported_at", "-pk"
    )


def goes_up_to(hazard: Hazard, now: datetime) -> str:
    """How far up it has to be told by now: `city`, `banner`, or empty. 重大 goes to both at once; overdue to the banner, and after the
    place's own hours (`hazard.escalate_city_h`) to the city; what nobody grades in time (`hazard.grade_h`) to the banner."""
    if hazard.state not in OPEN:
        return ""
    if hazard.state == State.REPORTED:
        allowed = hours_setting(hazard.banner.pack, "hazard.grade_h", now)
        return "banner" if allowed is not None and now - hazard.reported_at > timedelta(hours=float(allowed)) else ""
    if hazard.level == Level.MAJOR:
        return "city"
    if not is_overdue(hazard, now) or hazard.deadline is None:
        return ""
    hours = hours_setting(hazard.banner.pack, "hazard.escalate_city_h", now)
    return "city" if hours is not None and now - hazard.deadline > timedelta(hours=float(hours)) else "banner"


@dataclass(frozen=True, slots=True)
class CompanyFigures:
    """One company's hazards and patrols. `coverage`: share of the points that were looked at in the rounds that are over."""

    company: Company
    open: int
    ungraded: int
    general: int
    serious: int
    major: int
    waiting: int
    overdue: int
    closed: int
    routes: int
    rounds: int
    rounds_missed: int
    points_due: int
    points_seen: int

    @property
    def coverage(self) -> float | None:
        return self.points_seen / self.points_due if self.points_due else None


def company_figures(
    companies: Iterable[Company], hazards: QuerySet[Hazard], states: Iterable[RouteState], now: datetime
) -> list[CompanyFigures]:
    """`hazards` and `states` are what the reader may see; the worst company first."""
    is_open = Q(state__in=OPEN)
    counts = {
        row["company"]: row
        for row in hazards.order_by().values("company").annotate(
            open=Count("pk", filter=is_open),
            ungraded=Count("pk", filter=Q(state=State.REPORTED)),
            general=Count("pk", filter=is_open & Q(level=Level.GENERAL)),
            serious=Count("pk", filter=is_open & Q(level=Level.SERIOUS)),
            major=Count("pk", filter=is_open & Q(level=Level.MAJOR)),
            waiting=Count("pk", filter=Q(state=State.RECTIFIED)),
            overdue=Count("pk", filter=overdue(now)),
            closed=Count("pk", filter=Q(state=State.CLOSED)),
        )
    }  # fmt: skip
    of_company: dict[str, list[RouteState]] = {}
    for state in states:
        of_company.setdefault(state.route.company_id, []).append(state)
    figures = []
    for company in companies:
        found, routes = counts.get(company.code, {}), of_company.get(company.code, [])
        numbers = {
            name: int(found.get(name, 0))
            for name in ("open", "ungraded", "general", "serious", "major", "waiting", "overdue", "closed")
        }
        figures.append(
            CompanyFigures(
                company, **numbers, routes=len(routes), rounds=sum(len(each.past) for each in routes),
                rounds_missed=sum(len(each.missed) for each in routes), points_due=sum(each.due for each in routes),
                points_seen=sum(each.seen for each in routes),
            )
        )  # fmt: skip
    return sorted(figures, key=lambda each: (-each.overdue, -each.major, -each.rounds_missed, each.company.code))
