"""Patrols: rounds follow from the plan, a check-in counts once, a missed point shows when its round is over, routes come in from tables."""

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nuan.operations.hazard_facts import hazard_facts
from nuan.operations.import_registry import import_registry
from nuan.operations.patrol_rounds import route_states
from nuan.operations.patrols import LATEST, PatrolError, Position, assign_walk, check_in
from nuan.operations.registry_files import read_registry
from nuan.policies.patrols.rounds import counts_in, round_of, rounds
from nuan.records.hazards.models import CheckIn, Hazard, PatrolPoint, PatrolRoute, PatrolWalk
from nuan.terms.places import CHINA, day_number, to_epoch
from small_hazards import another_crew, build_route, person, picture

DAYS = st.integers(19_000, 21_000)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(DAYS, st.none() | st.integers(0, 400), st.integers(1, 60), st.integers(-20, 500))
def test_rounds_lie_end_to_end_and_each_day_knows_its_round(
    first: int, length: int | None, every: int, later: int
) -> None:
    last = None if length is None else first + length
    turns = list(rounds(first, last, every, first + later))
    assert [turn.first for turn in turns] == list(range(first, first + later + 1, every))[: len(turns)]
    assert all(turn.last - turn.first == every - 1 for turn in turns)
    assert all(last is None or turn.last <= last for turn in turns)
    for turn in turns:
        assert {round_of(first, last, every, day) for day in (turn.first, turn.last)} == {turn}
    assert round_of(first, last, every, first - 1) is None
    if turns:
        assert counts_in(turns[0], turns[0].first, turns[0].last)
        assert not counts_in(turns[0], turns[0].first + 1, None)


@pytest.fixture
def route(city: None) -> PatrolRoute:
    """Three points, every seven days, begun ten days ago: one round is over, the second runs."""
    return build_route(starts_days_ago=10)


def points(route: PatrolRoute) -> list[PatrolPoint]:
    return list(PatrolPoint.objects.filter(route=route).select_related("route__banner"))


def check(point: PatrolPoint, who: str = "老张", key: str = "", **more: object):  # type: ignore[no-untyped-def]
    given = {"now": timezone.now(), "finding": "well", "key": key or f"k{point.pk}"} | more
    return check_in(point, by=person(who), **given)


@pytest.mark.django_db
def test_a_round_fills_up_and_a_round_that_is_over_is_missed(route: PatrolRoute) -> None:
    state = route_states([route], timezone.now())[0]
    assert [(each.seen, each.unwalked) for each in state.past] == [(0, True)]
    assert (state.current.seen, state.current.points, state.current.done) == (0, 3, False)
    for point in points(route):
        check(point)
    state = route_states([route], timezone.now())[0]
    assert state.current.done
    assert (state.due, state.seen, state.coverage) == (3, 0, 0.0)
    later = route_states([route], timezone.now() + timedelta(days=7))[0]
    assert [each.missed for each in later.past] == [True, False]
    assert later.coverage == 0.5


@pytest.mark.django_db
def test_a_double_click_and_a_late_repetition_are_one_check_in(route: PatrolRoute) -> None:
    point = points(route)[0]
    first = check(point, key="a", position=Position(109.9, 39.8, 15))
    again = check(point, key="a", now=timezone.now() + timedelta(hours=2))
    assert (first.is_new, again.is_new, first.check_in.pk) == (True, False, again.check_in.pk)
    with pytest.raises(PatrolError, match="已由 老张 打卡"):
        check(point, "陈调度", key="b")
    assert CheckIn.objects.count() == 1
    assert (first.check_in.longitude, first.check_in.accuracy_m) == (109.9, 15)


@pytest.mark.django_db
def test_a_finding_is_a_hazard_with_its_photo_in_the_same_step(route: PatrolRoute, settings, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    from nuan.operations.photos import keep_photo

    settings.NUAN_HOME = tmp_path
    pipe = points(route)[2]
    given = {"finding": "hazard", "note": "管沟冒热气", "kind": "leak", "photos": [keep_photo(picture())]}
    done = check(pipe, key="a", **given)
    assert check(pipe, key="a", **given).hazard == done.hazard
    found = Hazard.objects.get()
    assert (found.source, found.kind, found.place_level, found.place_code, found.company_id) == (
        "patrol",
        "leak",
        "pipe",
        "P-7",
        "C01",
    )
    assert (found.photos.count(), done.check_in.photos.count()) == (1, 1)
    assert found.reporter == person("老张")


@pytest.mark.django_db
def test_a_finding_without_words_and_strange_people_are_refused(route: PatrolRoute) -> None:
    point = points(route)[0]
    with pytest.raises(PatrolError, match="写明情况"):
        check(point, finding="hazard")
    for who in ("外人", "小李", "乌主任", "刘科"):
        with pytest.raises(PatrolError, match="只有本企业"):
            check(point, who)
    assert not CheckIn.objects.exists()
    assert not PatrolWalk.objects.exists()


@pytest.mark.django_db
def test_a_check_in_from_a_pocket_counts_for_the_day_it_was_made(route: PatrolRoute) -> None:
    """Three days and no longer; the phone's future is now."""
    now, point = timezone.now(), points(route)[0]
    with pytest.raises(PatrolError, match="不能补传"):
        check(point, at=now - LATEST - timedelta(seconds=1), now=now)
    kept = check(point, at=now - timedelta(days=2), now=now).check_in
    assert (kept.at, kept.arrived_at) == (now - timedelta(days=2), now)
    assert check(points(route)[1], at=now + timedelta(hours=5), now=now).check_in.at == now


@pytest.mark.django_db
def test_dispatch_sends_somebody_of_the_company_and_nobody_else_does(route: PatrolRoute) -> None:
    now = timezone.now()
    first = route_states([route], now)[0].current.first_day
    crew = another_crew()
    assert assign_walk(route, first, crew, by=person("陈调度"), now=now).walker == crew
    assert assign_walk(route, first, person("老张"), by=person("陈调度"), now=now).walker == person("老张")
    assert PatrolWalk.objects.count() == 1
    for by, walker, words in (
        ("老张", crew, "调度办"),
        ("外人", crew, "调度办"),
        ("陈调度", person("外人"), "只能派本企业"),
    ):
        with pytest.raises(PatrolError, match=words):
            assign_walk(route, first, walker, by=person(by), now=now)
    with pytest.raises(PatrolError, match="没有这一轮"):
        assign_walk(route, first + timedelta(days=1), crew, by=person("陈调度"), now=now)


@pytest.mark.django_db
def test_a_route_of_the_season_rests_in_summer(city: None) -> None:
    route = build_route()
    route.when, route.starts_on = "season", date(2025, 1, 1)
    route.save()
    july = datetime(2026, 7, 20, 9, tzinfo=CHINA)
    assert (route_states([route], july)[0].current, route_states([route], july)[0].past) == (None, [])
    with pytest.raises(PatrolError, match="不用巡"):
        check(points(route)[0], now=july)
    january = route_states([route], datetime(2026, 1, 20, 9, tzinfo=CHINA))[0]
    assert january.past[0].first_day == date(2025, 10, 15)
    april = route_states([route], datetime(2026, 4, 30, 9, tzinfo=CHINA))[0]
    assert april.past[-1].last_day <= date(2026, 4, 15)


ROUTES = "线路编号,线路名称,企业代码,旗区代码,周期天数,时段,起始日\nXL-9,城东线,C01,150602,7,全年,2025-10-15\n"
POINTS = (
    "线路,序号,种类,地点代码,点位名称,看什么\nXL-9,1,换热站,H01-S01,第1换热站,渗漏\nXL-9,2,检查井,J-12,12号井,积水\n"
)


def written(folder: Path, routes: str = ROUTES, points: str = POINTS) -> Path:
    (folder / "巡线线路.csv").write_text(routes, "utf-8-sig")
    (folder / "巡线点.csv").write_bytes(points.encode("gb18030"))
    return folder


def imported(folder: Path) -> tuple[bool, list[str]]:
    frames, findings = read_registry(folder)
    assert findings == []
    report = import_registry(frames, actor="刘科")
    return report.ok, [finding.code for finding in report.findings]


@pytest.mark.django_db
def test_routes_come_in_from_tables_once(city: None, tmp_path: Path) -> None:
    for _ in range(2):
        assert imported(written(tmp_path)) == (True, [])
    route = PatrolRoute.objects.get(code="XL-9")
    assert (route.every_days, route.when, route.starts_on) == (7, "year", date(2025, 10, 15))
    assert [(p.number, p.kind, p.place_code) for p in route.points.all()] == [
        (1, "substation", "H01-S01"),
        (2, "chamber", "J-12"),
    ]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("routes", "points", "code"),
    [
        (ROUTES.replace(",7,", ",0,"), POINTS, "implausible"),
        (ROUTES.replace("全年", "雨天"), POINTS, "unknown_word"),
        (ROUTES, POINTS.replace("H01-S01", "H02-S03"), "unknown_place"),
        (ROUTES, POINTS.replace("XL-9,2", "XL-8,2"), "unknown_place"),
        (ROUTES, POINTS.replace("XL-9,2", "XL-9,1"), "double"),
    ],
    ids=["cycle", "word", "another company's station", "no such route", "twice"],
)
def test_faults_of_the_tables_are_told_and_nothing_comes_in(
    city: None, tmp_path: Path, routes: str, points: str, code: str
) -> None:
    ok, codes = imported(written(tmp_path, routes, points))
    assert not ok
    assert code in codes, codes
    assert not PatrolRoute.objects.exists()


@pytest.mark.django_db
def test_a_walked_route_keeps_its_plan_and_new_points_say_since_when(city: None, tmp_path: Path) -> None:
    imported(written(tmp_path))
    route = PatrolRoute.objects.get(code="XL-9")
    check(route.points.select_related("route__banner").get(number=1))
    assert imported(written(tmp_path, ROUTES.replace(",7,", ",14,"))) == (False, ["walked_already"])
    assert imported(written(tmp_path, points=POINTS + "XL-9,3,阀门,,F3,\n")) == (False, ["since_when"])
    more = (
        POINTS.replace("看什么", "看什么,启用日期").replace("渗漏", "渗漏,").replace("积水", "积水,")
        + "XL-9,3,阀门,,F3,,2099-01-01\n"
    )
    assert imported(written(tmp_path, points=more)) == (True, [])
    assert route_states([route], timezone.now())[0].current.points == 2


@pytest.mark.django_db
def test_facts_of_patrols_are_what_was_known(route: PatrolRoute) -> None:
    now = timezone.now()
    check(points(route)[0], now=now)
    facts = hazard_facts(to_epoch(now) + 1)
    assert facts["patrol_point"].height == 3
    assert facts["patrol_check"].rows() == [("XL-01", 1, "C01", "150602", day_number(timezone.localdate(now)))]
    assert hazard_facts(to_epoch(now) - 5)["patrol_check"].height == 0
