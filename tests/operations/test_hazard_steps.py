"""The life of a hazard against its table: whatever anybody presses in whatever order, the table decides, and two people are needed to close."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nuan.operations.hazards import HazardError, PersonNeededError, SamePersonError, hands_on, step
from nuan.operations.tokens import create_token
from nuan.records.audit.models import AuditEntry
from nuan.records.hazards.models import Hazard
from nuan.records.hazards.states import STEPS, TABLE, Event, State, diagram, in_document, steps_from
from small_hazards import NEXT_WEEK, another_crew, bring_to, build_hazard, person

pytestmark = pytest.mark.django_db
PEOPLE = ("老张", "小赵", "陈调度", "小李", "周会计", "乌主任", "刘科", "外人", "王阿姨")
PRESSED = [event for event in Event if event not in {Event.REPORT, Event.ESCALATE}]


class RolledBack(Exception):
    """Ends one example; the next begins where this one began."""


@pytest.fixture
def reported(city: None) -> Hazard:
    another_crew()
    return build_hazard()


def press(
    hazard: Hazard, event: str, who: str, *, responsible: str = "老张", level: str = "general", note: str = "说明"
) -> None:
    now = timezone.now()
    step(
        hazard, event, by=person(who), now=now, note=note, level=level, responsible=person(responsible),
        deadline=now + NEXT_WEEK + timedelta(seconds=now.microsecond),
    )  # fmt: skip


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.sampled_from(PRESSED), st.sampled_from(PEOPLE), st.sampled_from(["老张", "小赵"])),
        min_size=1,
        max_size=14,
    )
)
def test_the_table_decides_whatever_is_pressed(reported: Hazard, pressed: list[tuple[Event, str, str]]) -> None:
    here = transaction.savepoint()
    try:
        hands: set[str] = set()
        for event, who, responsible in pressed:
            before = Hazard.objects.get(pk=reported.pk)
            found = TABLE.get((State(before.state), event))
            may = found is not None and person(who).role in found.roles and who not in {"外人", "王阿姨", "周会计"}
            may = may and not (found is not None and found.another and who in hands)
            written = before.changes.count()
            try:
                press(reported, event, who, responsible=responsible)
            except HazardError:
                done = False
            else:
                done = True
            after = Hazard.objects.get(pk=reported.pk)
            assert done == may, (before.state, event, who, hands)
            assert after.state == (found.end if found is not None and done else before.state)
            assert after.changes.count() == written + done
            if done and event in {Event.START, Event.RECTIFY}:
                hands.add(who)
            if after.responsible is not None:
                hands.add(after.responsible.username)
            if after.state == State.CLOSED and before.state != State.CLOSED:
                last = after.changes.order_by("-id")[0]
                assert last.by is not None
                assert last.by.username not in hands
    finally:
        transaction.savepoint_rollback(here)


def test_every_state_but_the_ends_leads_on_and_is_reached() -> None:
    ends = {State.CLOSED, State.REJECTED}
    assert {step.start for step in STEPS} == set(State) - ends
    assert {step.end for step in STEPS} == set(State) - {State.REPORTED} | {State.REPORTED}
    assert all(state.zh in diagram() for state in State)
    assert not any(steps_from(state, "resident") or steps_from(state, "finance") for state in State)


def test_the_document_shows_the_table_as_it_is() -> None:
    text = (Path(__file__).parents[2] / "docs" / "hazards.md").read_text("utf-8")
    assert text == in_document(text), "run `make docs`"
    assert in_document(text.replace("待复查", "x")) != text.replace("待复查", "x")


def test_the_straight_way_and_what_the_log_says(reported: Hazard) -> None:
    bring_to(reported, "rectified")
    press(reported, "pass", "陈调度", note="到场看过")
    closed = Hazard.objects.get(pk=reported.pk)
    assert (closed.state, closed.ended_at is not None) == ("closed", True)
    assert list(closed.changes.order_by("id").values_list("event", flat=True)) == [
        "report",
        "confirm",
        "start",
        "rectify",
        "pass",
    ]
    acts = list(AuditEntry.objects.order_by("id").values_list("act", flat=True))
    assert [name for name in acts if "hazard" in name] == [
        "report_hazard",
        "hazard_confirm",
        "hazard_start",
        "hazard_rectify",
        "hazard_pass",
    ]


def test_four_eyes_cannot_be_walked_round(reported: Hazard) -> None:
    """Neither by whoever put it right, nor by who was responsible before it was handed on, nor by a token, nor by somebody who left."""
    bring_to(reported, "rectifying")
    press(reported, "assign", "陈调度", responsible="小赵")
    press(reported, "rectify", "陈调度")
    for who in ("老张", "小赵", "陈调度"):
        with pytest.raises(SamePersonError):
            press(reported, "pass", who)
    token, _ = create_token(name="接口", role="dispatch", company="C01", actor="刘科")
    for nobody in (token, None, "乌主任"):
        with pytest.raises(PersonNeededError):
            step(reported, "pass", by=nobody, now=timezone.now(), note="好了")
    bureau = person("乌主任")
    bureau.is_active = False
    with pytest.raises(PersonNeededError):
        step(reported, "pass", by=bureau, now=timezone.now(), note="好了")
    assert hands_on(reported) == {person(name).pk for name in ("老张", "小赵", "陈调度")}
    press(reported, "pass", "乌主任", note="现场复核")
    assert Hazard.objects.get(pk=reported.pk).state == "closed"


def test_a_failed_re_check_gives_it_back_and_the_first_rectification_counts_no_more(reported: Hazard) -> None:
    bring_to(reported, "rectified")
    press(reported, "fail", "乌主任", note="还在滴")
    again = Hazard.objects.get(pk=reported.pk)
    assert (again.state, again.rectified_at, again.responsible) == ("rectifying", None, person("老张"))
    press(reported, "rectify", "小赵")
    with pytest.raises(SamePersonError):
        press(reported, "pass", "小赵")


def test_the_same_form_twice_is_one_step(reported: Hazard) -> None:
    now = timezone.now()
    given = {
        "by": person("陈调度"),
        "now": now,
        "level": "major",
        "responsible": person("老张"),
        "deadline": now + NEXT_WEEK,
        "key": "k",
    }
    first = step(reported, "confirm", **given)
    assert step(reported, "confirm", **given).pk == first.pk
    assert reported.changes.count() == 2


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        ({"level": ""}, "级别"),
        ({"responsible": None}, "责任人"),
        ({"deadline": None}, "期限"),
        ({"level": "huge"}, "级别"),
    ],
    ids=["level", "person", "day", "no such level"],
)
def test_grading_asks_for_level_person_and_day(reported: Hazard, missing: dict[str, object], words: str) -> None:
    now = timezone.now()
    given = {"level": "general", "responsible": person("老张"), "deadline": now + NEXT_WEEK} | missing
    with pytest.raises(HazardError, match=words):
        step(reported, "confirm", by=person("陈调度"), now=now, **given)


@pytest.mark.parametrize("who", ["外人", "刘科", "小李"])
def test_who_answers_for_it_is_of_the_companys_crew_or_dispatch(reported: Hazard, who: str) -> None:
    with pytest.raises(HazardError, match="责任人要是本企业"):
        press(reported, "confirm", "陈调度", responsible=who)


def test_a_company_neither_lowers_a_level_nor_extends_its_own_deadline(reported: Hazard) -> None:
    press(reported, "confirm", "陈调度", level="serious")
    with pytest.raises(HazardError, match="主管部门"):
        press(reported, "grade", "陈调度", level="general")
    with pytest.raises(HazardError, match="岗位"):
        press(reported, "extend", "陈调度")
    press(reported, "grade", "陈调度", level="major")
    press(reported, "grade", "乌主任", level="general")
    old = Hazard.objects.get(pk=reported.pk).deadline
    with pytest.raises(HazardError, match="晚于"):
        step(reported, "extend", by=person("乌主任"), now=timezone.now(), note="等配件", deadline=old)
    step(reported, "extend", by=person("乌主任"), now=timezone.now(), note="等配件", deadline=old + timedelta(days=1))
    assert Hazard.objects.get(pk=reported.pk).deadline == old + timedelta(days=1)


def test_where_a_place_sets_hours_nobody_gives_more_and_a_graver_level_shortens(reported: Hazard) -> None:
    """The demo city gives 168, 72 and 24 hours."""
    reported.banner.pack = "demo-city"
    reported.banner.save()
    now = timezone.now()
    given = {"by": person("陈调度"), "now": now, "responsible": person("老张"), "level": "serious"}
    with pytest.raises(HazardError, match="最迟"):
        step(reported, "confirm", deadline=now + timedelta(hours=72, seconds=1), **given)
    step(reported, "confirm", deadline=now + timedelta(hours=72), **given)
    step(reported, "grade", by=person("陈调度"), now=now, level="major", note="水量加大")
    assert Hazard.objects.get(pk=reported.pk).deadline == now + timedelta(hours=24)
