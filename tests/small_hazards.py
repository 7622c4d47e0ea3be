"""Hazards and a patrol route of company C01 in the small city: one hazard with a photo, one route of three points that begins today."""

from datetime import datetime, timedelta
from io import BytesIO

from django.utils import timezone
from PIL import Image

from nuan.operations.hazards import report_hazard, step
from nuan.operations.photos import keep_photo
from nuan.records.accounts.models import Role, User
from nuan.records.hazards.models import Hazard, PatrolPoint, PatrolRoute

NEXT_WEEK = timedelta(days=7)


def picture(
    width: int = 320,
    height: int = 240,
    kind: str = "JPEG",
    colour: tuple[int, int, int] = (90, 110, 130),
    **more: object,
) -> bytes:
    out = BytesIO()
    Image.new("RGB", (width, height), colour).save(out, kind, **more)
    return out.getvalue()


def person(name: str) -> User:
    return User.objects.get(username=name)


def another_crew() -> User:
    """小赵: crew of C01 who has put nothing right."""
    found, _ = User.objects.get_or_create(
        username="小赵", defaults={"display_name": "小赵", "role": Role.CREW, "company_id": "C01"}
    )
    return found


def build_route(
    code: str = "XL-01", every_days: int = 7, starts_days_ago: int = 0, company: str = "C01"
) -> PatrolRoute:
    banner = {"C01": "150602", "C02": "150603"}[company]
    route, is_new = PatrolRoute.objects.get_or_create(
        code=code,
        defaults={
            "name": "城北东线", "company_id": company, "banner_id": banner, "every_days": every_days, "when": "year",
            "starts_on": timezone.localdate() - timedelta(days=starts_days_ago),
        },
    )  # fmt: skip
    if is_new:
        for number, (kind, place, name) in enumerate(
            (("substation", "H01-S01", "第1换热站"), ("chamber", "J-12", "12号井"), ("pipe", "P-7", "7号管段")), 1
        ):
            PatrolPoint.objects.create(
                route=route, number=number, kind=kind, place_code=place, name=name, look_at="积水、渗漏"
            )
    return route


def build_hazard(key: str = "a", by: str = "老张", now: datetime | None = None) -> Hazard:
    """Reported by 老张 at the first station of C01; the route is there too."""
    build_route()
    return report_hazard(
        source="patrol", key=key, words="补偿器滴漏,联系 13912345678", actor=by, by=person(by), now=now or timezone.now(), kind="leak",
        place_level="substation", place_code="H01-S01", photos=[keep_photo(picture())],
    ).hazard  # fmt: skip


def bring_to(
    hazard: Hazard, state: str, *, now: datetime | None = None, crew: str = "老张", dispatch: str = "陈调度"
) -> Hazard:
    """Along the straight way until `state`: confirmed, rectifying or rectified."""
    moment = now or timezone.now()
    way = (
        ("confirmed", "confirm", dispatch), ("rectifying", "start", crew), ("rectified", "rectify", crew),
    )  # fmt: skip
    for reached, event, who in way:
        step(
            hazard, event, by=person(who), now=moment, note="办", level="general", responsible=person(crew), deadline=moment + NEXT_WEEK
        )  # fmt: skip
        if reached == state:
            break
    return Hazard.objects.get(pk=hazard.pk)
