"""像是接错了或换过表 on the page 数据质量: who sees whose, no door, who may put one away, and with what."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from nuan.records.audit.models import AuditEntry
from nuan.records.monitoring.models import Suggestion
from nuan.web.wording import english
from small_city import AS_OF

Cast = Callable[[str | None], Client]
pytestmark = pytest.mark.django_db


def suggestion(place: str, level: str, company: str, banner: str, evidence: str = "e") -> Suggestion:
    return Suggestion.objects.create(
        place=place, level=level, company_code=company, banner_code=banner, quantity="pressure", position="room",
        kind="unit_mistaken", evidence=evidence, evidence_zh=f"压力可能以 kPa 上报({company})", evidence_en="may come in kPa",
        remedy_zh="核对表计铭牌。", remedy_en="Check the plate.", happened=False, since=AS_OF, computed_at=AS_OF,
    )  # fmt: skip


@pytest.fixture
def ours(city: None) -> Suggestion:
    suggestion("H02-S03", "substation", "C02", "150603")
    suggestion("B001-1-0101", "home", "C01", "150602")
    return suggestion("H01-S01", "substation", "C01", "150602")


def body(client: Client) -> str:
    return client.get(reverse("quality")).content.decode()


@pytest.mark.parametrize(
    ("person", "sees", "hidden"),
    [
        ("陈调度", "(C01)", "(C02)"),
        ("外人", "(C02)", "(C01)"),
        ("乌主任", "(C01)", "(C02)"),
        ("刘科", "(C02)", "(C09)"),
    ],
)
def test_everybody_sees_their_own(as_cast: Cast, ours: Suggestion, person: str, sees: str, hidden: str) -> None:
    text = body(as_cast(person))
    assert sees in text
    assert hidden not in text


def test_english_evidence_is_english(as_cast: Cast, ours: Suggestion) -> None:
    client = as_cast("陈调度")
    client.post("/i18n/setlang/", {"language": "en", "next": "/quality/"})
    text = body(client)
    assert "may come in kPa" in text
    assert "unit may be mistaken" in text
    assert "可能以" not in text


def test_kinds_and_acts_have_english() -> None:
    words = {str(label) for _, label in Suggestion.Kind.choices} | {"排除接线提示"}
    assert words - set(english()) == set()


def test_no_door_and_a_form_for_the_dispatcher_only(as_cast: Cast, ours: Suggestion) -> None:
    text = body(as_cast("陈调度"))
    assert "B001-1-••" in text
    assert "B001-1-0101" not in text
    assert reverse("suggestion_dismiss", args=[ours.pk]) in text
    assert "排除这一条" not in body(as_cast("小李"))


def test_an_empty_page_says_so_in_both_languages(as_cast: Cast) -> None:
    client = as_cast("陈调度")
    assert "没有看出接错、单位不对或换过表的样子" in body(client)
    client.post("/i18n/setlang/", {"language": "en", "next": "/quality/"})
    assert "Nothing looks wired wrongly" in body(client)


def test_putting_one_away_wants_a_reason_and_shows_who(as_cast: Cast, ours: Suggestion) -> None:
    client, address = as_cast("陈调度"), reverse("suggestion_dismiss", args=[ours.pk])
    assert "请写明原因" in client.post(address, {"why": " "}, follow=True).content.decode()
    assert Suggestion.objects.filter(state="open").count() == 3
    text = client.post(address, {"why": "铭牌就是 bar"}, follow=True).content.decode()
    assert "已排除;证据不变就不再提示。" in text
    assert "铭牌就是 bar" in text
    assert AuditEntry.objects.get(act="dismiss_suggestion").actor == "陈调度"
    assert "已经排除过了" in client.post(address, {"why": "再一次"}, follow=True).content.decode()


@pytest.mark.parametrize("person", ["小李", "老张", "周会计", "乌主任", "刘科", "外人", "王阿姨"])
def test_nobody_else_puts_one_away(as_cast: Cast, ours: Suggestion, person: str) -> None:
    answer = as_cast(person).post(reverse("suggestion_dismiss", args=[ours.pk]), {"why": "x"})
    assert answer.status_code == 404
    assert Suggestion.objects.filter(state="open").count() == 3


def test_another_companys_is_not_there(as_cast: Cast, ours: Suggestion) -> None:
    other = Suggestion.objects.get(company_code="C02")
    assert as_cast("陈调度").post(reverse("suggestion_dismiss", args=[other.pk]), {"why": "x"}).status_code == 404


def test_the_number_of_questions_does_not_grow_with_suggestions(as_cast: Cast, ours: Suggestion) -> None:
    client = as_cast("刘科")
    body(client)
    with CaptureQueriesContext(connection) as few:
        body(client)
    for number in range(60):
        suggestion("H01-S01", "substation", "C01", "150602", f"e{number}")
    with CaptureQueriesContext(connection) as many:
        text = body(client)
    assert len(many) <= len(few)
    assert "63 条" in text
