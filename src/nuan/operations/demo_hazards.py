"""Hazards and patrols of the demo city: one of every state for the cast's company, patrols walked all season, and three planted faults.

Through the same acts as everywhere, dated in the demo's own time. A build that was killed goes on: reports and steps know their keys.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO

from PIL import Image, ImageDraw

from nuan.operations.acts import act
from nuan.operations.demo_accounts import COMPANY
from nuan.operations.demo_findings import Found
from nuan.operations.hazard_escalation import escalate_hazards
from nuan.operations.hazards import report_hazard, step
from nuan.operations.patrol_rounds import route_states
from nuan.operations.photos import Kept, keep_photo
from nuan.records.accounts.models import Role, User
from nuan.records.hazards.models import CheckIn, PatrolPoint, PatrolRoute, PatrolWalk
from nuan.records.registry.models import Substation
from nuan.records.supervision.models import CurrentJudgement
from nuan.terms.places import CHINA, local_time
from nuan.terms.season import Season

CLAUSE = "2.5.4"
EVERY_DAYS, MOST_STATIONS, CHAMBERS = 7, 6, 2
LOOK_AT = {"substation": "压力、渗漏、积水、消防通道", "chamber": "井盖、井内积水、阀门、补偿器"}


@dataclass(frozen=True, slots=True)
class Pair:
    company: str
    banner: str


@dataclass(frozen=True, slots=True)
class Told:
    """One hazard: hours before the demo's moment of its report and of each step."""

    key: str
    source: str
    kind: str
    words: str
    hours: float
    steps: tuple[tuple[str, float, str], ...] = ()
    level: str = "general"
    due_h: float = 0
    """Hours after the demo's moment (negative: before) of the deadline."""
    photo: bool = False


HAZARDS = (
    Told("late", "patrol", "leak", "一次网补偿器处滴漏,井内有积水", 240, (("confirm", 228, "派抢修班处理"), ("start", 200, "")), "general", -96, True),
    Told("major", "leak_warning", "break", "补水量持续增大约 6 t/h,定位在一次网东支线", 20, (("confirm", 19, "按重大隐患处置"), ("start", 18, "已到场,开挖查漏")), "major", 4),
    Told("waiting", "inspection", "soaked", "管沟被污水浸泡,保温层泡水", 60, (("confirm", 58, "抽水并查污水来源"), ("start", 50, ""), ("rectify", 26, "污水已截断,管沟抽干,更换保温 12 米")), "serious", 10, True),
    Told("closed", "resident", "cover", "井盖破损,夜里有人险些踩空", 400, (("confirm", 399, "今晚换盖"), ("start", 398.5, ""), ("rectify", 397, "已换新井盖并固定"), ("pass", 390, "到场看过,井盖牢固")), "serious", -340, True),
    Told("failed", "staff", "valve", "分段阀关不严", 120, (("confirm", 118, "检修阀门"), ("start", 110, ""), ("rectify", 60, "更换填料"), ("fail", 48, "仍有渗水,须更换阀芯")), "general", 30),
    Told("waits", "patrol", "insulation", "架空管保温脱落约 5 米", 30, (("confirm", 26, "排入本周检修"),), "general", 100),
    Told("fresh", "resident", "leak", "楼前绿化带冒热气,雪化了一片", 3),
    Told("none", "resident", "other", "楼道有水声", 70, (("reject", 65, "到场查看,是自来水表井放水,不属供热"),)),
)  # fmt: skip
ELSEWHERE = (
    Told("done", "patrol", "leak", "换热站一次侧法兰渗水", 300, (("confirm", 295, "紧固法兰"), ("start", 290, ""), ("rectify", 280, "更换垫片"), ("pass", 270, "无渗漏")), "general", -140),
    Told("ungraded", "resident", "leak", "小区门口路面渗水结冰", 50),
)  # fmt: skip


def pairs() -> list[Pair]:
    """Every company in every banner in which it has stations; the cast's company first."""
    rows = Substation.objects.order_by().values_list("company_id", "banner_id").distinct()
    return sorted((Pair(*row) for row in rows), key=lambda each: (each.company != COMPANY, each.company, each.banner))


def build_hazards(season: Season, as_of: datetime, *, actor: str) -> dict[str, int]:
    """Routes, rounds and hazards up to `as_of`; how many there are then."""
    now = as_of.astimezone(CHINA)
    for pair in pairs():
        _crew(pair.company, actor)
        _route(pair, season, now, actor)
    here, there = pairs()[0], pairs()[-1]
    for each in HAZARDS:
        _tell(here, each, now)
    if there != here:
        for each in ELSEWHERE:
            _tell(there, each, now)
    escalate_hazards(now)
    return {"routes": PatrolRoute.objects.count(), "check_ins": CheckIn.objects.count()}


def _crew(company: str, actor: str) -> None:
    """People of every company who can answer for something and look again; only the cast can sign in."""
    wanted = [
        (f"{company.lower()}-{role}", name, role) for role, name in ((Role.CREW, "巡线工"), (Role.DISPATCH, "值班长"))
    ]
    with act("create_demo_accounts", actor=actor, why="巡线与复查人员,不能登录") as row:
        there = set(
            User.objects.filter(username__in=[name for name, _, _ in wanted]).values_list("username", flat=True)
        )
        for username, name, role in wanted:
            if username not in there:
                User.objects.create_user(
                    username, password=None, display_name=f"{company} {name}", role=role, company_id=company
                )
        row.details["created"] = [name for name, _, _ in wanted if name not in there]
        row.nothing_changed = not row.details["created"]


def _of(company: str, role: Role) -> User:
    """The cast's own people come first."""
    return User.objects.filter(company_id=company, role=role).order_by("pk")[0]


def _route(pair: Pair, season: Season, now: datetime, actor: str) -> None:
    """One route through the stations and chambers of a company in a banner, walked every week; the planted company left one round out."""
    stations = list(
        Substation.objects.filter(company_id=pair.company, banner_id=pair.banner).order_by("code")[:MOST_STATIONS]
    )
    code = f"XL-{pair.company}-{pair.banner[-2:]}"
    with act("build_demo_patrols", actor=actor, subject=code, clause=CLAUSE) as row:
        route, is_new = PatrolRoute.objects.get_or_create(
            code=code,
            defaults={
                "name": f"{stations[0].name}片巡线", "company_id": pair.company, "banner_id": pair.banner, "every_days": EVERY_DAYS,
                "when": "year" if pair == pairs()[0] else "season", "starts_on": season.first_day,
            },
        )  # fmt: skip
        row.nothing_changed = not is_new
        if not is_new:
            return
        places = [("substation", each.code, each.name, each.longitude, each.latitude) for each in stations]
        places += [("chamber", f"J-{number:02d}", f"{number}号检查井", None, None) for number in range(1, CHAMBERS + 1)]
        points = PatrolPoint.objects.bulk_create(
            [
                PatrolPoint(
                    route=route, number=number, kind=kind, place_code=place, name=name, look_at=LOOK_AT[kind], longitude=longitude,
                    latitude=latitude,
                )
                for number, (kind, place, name, longitude, latitude) in enumerate(places, 1)
            ]
        )  # fmt: skip
        _walk(route, points, now, left_out=2 if pair == pairs()[-1] else None)


def _walk(route: PatrolRoute, points: Sequence[PatrolPoint], now: datetime, left_out: int | None) -> None:
    """Every round that is over, on its third day; the one before the last `left_out`th is the planted one. The running round is half walked."""
    walker = _of(route.company_id, Role.CREW)
    state = route_states([route], now)[0]
    checks = []
    turns = [*state.past, *([state.current] if state.current else [])]
    for number, turn in enumerate(turns):
        if left_out is not None and number == len(state.past) - left_out:
            continue
        morning = datetime.combine(
            turn.first_day + timedelta(days=0 if not turn.over else 2), datetime.min.time(), CHINA
        )
        walk = PatrolWalk.objects.create(
            route=route, starts_on=turn.first_day, walker=walker, assigned_by="陈调度", assigned_at=morning
        )
        for order, point in enumerate(points if turn.over else points[: len(points) // 2]):
            at = min(morning + timedelta(hours=9, minutes=20 * order), now)
            checks.append(
                CheckIn(
                    walk=walk, point=point, at=at, arrived_at=at, by=walker, finding="well", key=f"demo:{walk.pk}:{point.pk}",
                    longitude=point.longitude, latitude=point.latitude, accuracy_m=12 if point.longitude else None,
                    where_words="" if point.longitude else "井口",
                )
            )  # fmt: skip
    CheckIn.objects.bulk_create(checks)


def _tell(pair: Pair, told: Told, now: datetime) -> None:
    station = Substation.objects.filter(company_id=pair.company, banner_id=pair.banner).order_by("code")[0]
    crew, dispatch = _of(pair.company, Role.CREW), _of(pair.company, Role.DISPATCH)
    machine = told.source == "leak_warning"
    pictures = [picture(told.key)] if told.photo else []
    done = report_hazard(
        source=told.source, key=f"demo:{pair.company}:{told.key}", words=told.words, now=now - timedelta(hours=told.hours),
        actor="泄漏预警" if machine else crew.display_name, by=None if machine else crew, company=pair.company, banner=pair.banner,
        kind=told.kind, place_level="pipe" if machine else "substation", place_code="P-0017" if machine else station.code,
        place_words="一次网东支线" if machine else "", longitude=station.longitude, latitude=station.latitude, photos=pictures,
    )  # fmt: skip
    for number, (event, hours, note) in enumerate(told.steps):
        step(
            done.hazard,
            event,
            by=crew if event in {"start", "rectify"} else dispatch,
            now=now - timedelta(hours=hours),
            note=note,
            level=told.level,
            responsible=crew,
            deadline=now + timedelta(hours=told.due_h),
            photos=[picture(f"{told.key} {event}")] if told.photo and event == "rectify" else [],
            key=f"demo-{number}",
        )


def picture(words: str) -> Kept:
    """A drawn stand-in for a photo: ground, a pipe, and water or none; nobody takes it for a real place."""
    image = Image.new("RGB", (960, 720), (122, 110, 96))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, 960, 190), fill=(188, 196, 204))
    draw.rectangle((0, 330, 960, 420), fill=(150, 152, 156))
    draw.rectangle((0, 330, 960, 346), fill=(186, 188, 192))
    if "rectify" not in words:
        shift = sum(words.encode()) % 200
        draw.ellipse((220 + shift, 400, 640 + shift, 560), fill=(74, 96, 116))
        draw.ellipse((300 + shift, 430, 520 + shift, 500), fill=(104, 130, 152))
    else:
        draw.rectangle((380, 318, 580, 432), fill=(214, 196, 120))
    draw.text((24, 24), f"DEMO {words}", fill=(40, 44, 48))
    out = BytesIO()
    image.save(out, "PNG")
    return keep_photo(out.getvalue())


def planted(season: Season, as_of: datetime) -> list[tuple[str, Pair, str, str]]:
    """(kind, where, figure of the judgement, words) of the faults that clause 2.5.4 has to find by then."""
    known = pairs()
    if not known or (as_of.astimezone(CHINA).date() - season.first_day).days < 3 * EVERY_DAYS:
        return []
    found = [("hazard_late", known[0], "hazards_late", "隐患过了整改期限没有消除")]
    if known[-1] != known[0]:
        found.append(("hazard_ungraded", known[-1], "hazards_ungraded", "隐患上报后没有及时定级派人"))
    found.append(("patrol_missed", known[-1], "rounds_missed", "一轮巡线没有人走"))
    return found


def hazards_found(season: Season, as_of_s: int) -> list[Found]:
    """The planted faults, one line each."""
    lines = []
    for kind, pair, figure, words in planted(season, local_time(as_of_s)):
        row = CurrentJudgement.objects.filter(
            clause=CLAUSE, subject=pair.company, item=pair.banner, season=season.key
        ).first()
        seen = row is not None and row.judgement.facts.get(figure) == 1
        lines.append(Found(kind, CLAUSE, 1, int(seen), words, [] if seen else [f"{pair.company} {pair.banner}"]))
    return lines


def hazards_beyond(season: Season, as_of_s: int) -> dict[str, list[str]]:
    """Companies found at fault where nothing was planted."""
    allowed = {(pair.company, pair.banner) for _, pair, _, _ in planted(season, local_time(as_of_s))}
    rows = CurrentJudgement.objects.filter(clause=CLAUSE, season=season.key, verdict="breached").values_list(
        "subject", "item"
    )
    wrong = [f"{company} {banner}" for company, banner in rows if (company, banner) not in allowed]
    return {CLAUSE: wrong} if wrong else {}
