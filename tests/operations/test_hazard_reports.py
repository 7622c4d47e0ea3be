"""Reports come in once each, from people and machines; overdue and 重大 ones go up once each; facts are what was known at the moment."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from nuan.operations.hazard_escalation import escalate_hazards
from nuan.operations.hazard_facts import hazard_facts
from nuan.operations.hazards import HazardError, report_hazard, step
from nuan.records.audit.models import AuditEntry
from nuan.records.hazards.models import Hazard
from nuan.records.monitoring.models import Notice, NoticeRoute
from nuan.terms.places import to_epoch
from small_hazards import NEXT_WEEK, bring_to, build_hazard, person

pytestmark = pytest.mark.django_db
LEAK = {
    "source": "leak_warning", "key": "P-17:2026-01-05", "words": "补水量持续增大约 6 t/h", "actor": "泄漏预警", "kind": "leak",
    "place_level": "pipe", "place_code": "P-17", "company": "C01", "banner": "150602",
}  # fmt: skip


def test_a_machine_reports_once_for_each_key(city: None) -> None:
    now = timezone.now()
    first = report_hazard(**LEAK, now=now)
    again = report_hazard(**LEAK, now=now + timedelta(hours=1))
    other = report_hazard(**LEAK | {"key": "P-17:2026-01-06"}, now=now)
    assert (first.is_new, again.is_new, other.is_new) == (True, False, True)
    assert (again.hazard.pk, again.hazard.reported_at) == (first.hazard.pk, now)
    assert first.hazard.state == "reported"
    assert first.hazard.changes.get().by is None
    assert AuditEntry.objects.filter(act="report_hazard").count() == 2


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"words": "  "}, "写明看到"),
        ({"key": " "}, "幂等键"),
        ({"key": "k" * 120}, "幂等键"),
        ({"source": "rumour"}, "不在表中"),
        ({"place_level": "substation", "place_code": "NONE"}, "登记册中没有"),
        ({"place_level": "substation", "place_code": "H02-S03"}, "不属于"),
        ({"company": ""}, "企业和旗区"),
        ({"place_level": "", "place_code": ""}, "在哪里"),
        ({"by": "外人"}, "岗位"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_cannot_be_taken_is_a_sentence(city: None, changed: dict[str, str], words: str) -> None:
    given = LEAK | changed
    if "by" in given:
        given |= {"by": person(given["by"])}
    with pytest.raises(HazardError, match=words):
        report_hazard(**given, now=timezone.now())
    assert not Hazard.objects.exists()


def test_a_place_of_the_registry_tells_whose_it_is(city: None) -> None:
    given = {key: value for key, value in LEAK.items() if key not in {"company", "banner"}}
    found = report_hazard(**given | {"place_level": "building", "place_code": "B003"}, now=timezone.now()).hazard
    assert (found.company_id, found.banner_id) == ("C02", "150603")


@pytest.mark.django_db(transaction=True)
def test_eight_at_once_make_one(city: None) -> None:
    now, codes = timezone.now(), []

    def one() -> None:
        codes.append(report_hazard(**LEAK, now=now).hazard.code)
        connection.close()

    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(codes) == 8
    assert len(set(codes)) == 1
    assert Hazard.objects.get().changes.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_who_press_at_once_are_one_step_and_one_sentence(city: None) -> None:
    hazard, outcome = build_hazard(), []

    def press(who: str) -> None:
        now = timezone.now()
        try:
            step(
                hazard,
                "confirm",
                by=person(who),
                now=now,
                level="general",
                responsible=person("老张"),
                deadline=now + NEXT_WEEK,
            )
        except HazardError as error:
            outcome.append(type(error).__name__)
        else:
            outcome.append("done")
        connection.close()

    threads = [threading.Thread(target=press, args=(who,)) for who in ("陈调度", "乌主任")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcome) == ["StepError", "done"]


@pytest.fixture
def told(city: None) -> None:
    for role, place in (("banner", "150602"), ("banner", "150603"), ("city", ""), ("dispatch", "C01")):
        NoticeRoute.objects.create(
            channel="email", address=f"{role}{place}@heat.example", role=role, place_code=place, least_priority=2, added_by="刘科",
            added_at=timezone.now(),
        )  # fmt: skip


def sent() -> set[str]:
    return set(Notice.objects.values_list("address", flat=True))


def test_a_major_hazard_goes_to_banner_and_city_at_once_and_once(told: None) -> None:
    hazard, now = build_hazard(), timezone.now()
    assert escalate_hazards(now) == []
    step(
        hazard,
        "confirm",
        by=person("陈调度"),
        now=now,
        level="major",
        responsible=person("老张"),
        deadline=now + NEXT_WEEK,
    )
    assert escalate_hazards(now) == [hazard.code]
    assert sent() == {"banner150602@heat.example", "city@heat.example"}
    assert escalate_hazards(now + timedelta(days=30)) == []
    assert Notice.objects.count() == 2
    assert hazard.changes.filter(event="escalate").count() == 1


def test_an_overdue_hazard_goes_to_the_banner_and_after_the_places_hours_to_the_city(told: None) -> None:
    hazard, now = bring_to(build_hazard(), "rectifying"), timezone.now()
    hazard.banner.pack = "demo-city"
    hazard.banner.save()
    due = Hazard.objects.get(pk=hazard.pk).deadline
    assert escalate_hazards(due) == []
    assert escalate_hazards(due + timedelta(seconds=1)) == [hazard.code]
    assert sent() == {"banner150602@heat.example"}
    assert escalate_hazards(due + timedelta(hours=48)) == []
    assert escalate_hazards(due + timedelta(hours=48, seconds=1)) == [hazard.code]
    assert sent() == {"banner150602@heat.example", "city@heat.example"}
    assert now < due


def test_what_nobody_grades_goes_to_the_banner_where_the_place_sets_hours(told: None) -> None:
    hazard = build_hazard()
    assert escalate_hazards(hazard.reported_at + timedelta(days=9)) == []
    hazard.banner.pack = "demo-city"
    hazard.banner.save()
    assert escalate_hazards(hazard.reported_at + timedelta(hours=24)) == []
    assert escalate_hazards(hazard.reported_at + timedelta(hours=24, seconds=1)) == [hazard.code]
    assert sent() == {"banner150602@heat.example"}


def test_what_waits_for_its_re_check_is_not_overdue(told: None) -> None:
    hazard = bring_to(build_hazard(), "rectified")
    assert escalate_hazards(Hazard.objects.get(pk=hazard.pk).deadline + timedelta(days=9)) == []


def test_facts_are_what_was_known_at_the_moment(city: None) -> None:
    """Graded, put right, sent back, put right again, closed: a day apart each."""
    day, start = timedelta(days=1), timezone.now().replace(microsecond=0) - timedelta(days=10)
    hazard = build_hazard(now=start)
    crew, dispatch, bureau = person("老张"), person("陈调度"), person("乌主任")
    deadline = start + 20 * day
    for number, (event, by) in enumerate(
        (
            ("confirm", dispatch),
            ("start", crew),
            ("rectify", crew),
            ("fail", bureau),
            ("rectify", crew),
            ("pass", bureau),
        ),
        1,
    ):
        step(
            hazard,
            event,
            by=by,
            now=start + number * day,
            note="办",
            level="general",
            responsible=crew,
            deadline=deadline,
        )

    def known(days: float) -> dict[str, object]:
        frame = hazard_facts(to_epoch(start + days * day) + 1)["hazard"]
        return frame.row(0, named=True) if frame.height else {}

    at = [to_epoch(start + n * day) for n in range(7)]
    assert hazard_facts(at[0])["hazard"].height == 0
    assert (known(0.5)["graded_s"], known(0.5)["level"]) == (None, None)
    assert (known(1)["graded_s"], known(1)["deadline_s"]) == (at[1], to_epoch(deadline))
    assert known(3)["rectified_s"] == at[3]
    assert known(4)["rectified_s"] is None
    assert (known(5)["rectified_s"], known(5)["closed_s"]) == (at[5], None)
    assert (known(6)["rectified_s"], known(6)["closed_s"]) == (at[5], at[6])


def test_a_rejected_report_is_no_fact(city: None) -> None:
    hazard = build_hazard()
    step(hazard, "reject", by=person("陈调度"), now=timezone.now(), note="自来水")
    assert hazard_facts(to_epoch(timezone.now()) + 5)["hazard"].height == 0
