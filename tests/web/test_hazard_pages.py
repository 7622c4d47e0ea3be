"""The pages of hazards and patrols: whose they are, what a second click does, what cannot be got round, what a photo's address gives away."""

import csv
import io
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from nuan.operations.photos import MOST_BYTES
from nuan.records.hazards.models import CheckIn, Hazard, Photo
from nuan.web.wording import english
from small_hazards import another_crew, bring_to, build_hazard, build_route, person, picture
from small_storm import stormy

REPORT = {"kind": "leak", "words": "井里冒热气", "place": "H01-S01 第1换热站", "source": "staff", "key": "abc"}


@pytest.fixture(autouse=True)
def home(settings, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    settings.NUAN_HOME = tmp_path


def jpeg(name: str = "a.jpg", content: bytes | None = None) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, picture() if content is None else content, "image/jpeg")


def test_a_report_with_a_photo_and_its_double_click(as_cast) -> None:  # type: ignore[no-untyped-def]
    crew = as_cast("老张")
    first = crew.post("/hazards/report/", REPORT | {"photos": [jpeg()]})
    again = crew.post("/hazards/report/", REPORT | {"photos": [jpeg()]})
    found = Hazard.objects.get()
    assert first.status_code == again.status_code == 302
    assert first.url == again.url == f"/hazards/{found.code}/"
    assert (found.place_code, found.company_id, found.photos.count()) == ("H01-S01", "C01", 1)
    assert found.reporter == person("老张")


def test_somebody_elses_key_is_another_report(as_cast) -> None:  # type: ignore[no-untyped-def]
    as_cast("老张").post("/hazards/report/", REPORT)
    as_cast("小李").post("/hazards/report/", REPORT)
    assert Hazard.objects.count() == 2


@pytest.mark.parametrize(
    ("who", "changed", "words"),
    [
        ("老张", {"words": ""}, "写明看到"),
        ("老张", {"place": "", "place_words": ""}, "在哪里"),
        ("刘科", {"place": "路口"}, "企业和旗区"),
        ("老张", {"key": ""}, "请写明"),
    ],
)
def test_what_is_missing_is_said_and_what_was_typed_stays(
    as_cast, who: str, changed: dict[str, str], words: str
) -> None:  # type: ignore[no-untyped-def]
    answer = as_cast(who).post("/hazards/report/", REPORT | {"place_words": "东门外"} | changed)
    if changed.get("key") == "":
        assert answer.status_code in {302, 422}
        return
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert REPORT["words"] in answer.content.decode() or "words" in changed


def test_a_stranger_cannot_put_a_hazard_into_our_station(as_cast) -> None:  # type: ignore[no-untyped-def]
    """外人 writes our station's code: to them it is nothing but words, and the hazard is their own company's."""
    as_cast("外人").post("/hazards/report/", REPORT)
    found = Hazard.objects.get()
    assert (found.company_id, found.place_code) == ("C02", "")


def test_another_companys_hazard_is_404_everywhere(as_cast) -> None:  # type: ignore[no-untyped-def]
    found, client = bring_to(build_hazard(), "rectified"), as_cast("外人")
    photo = found.photos.get()
    for path in (
        f"/hazards/{found.code}/",
        f"/hazards/photos/{photo.pk}/",
        "/patrols/XL-01/",
        "/hazards/YH-2026-99999/",
    ):
        assert client.get(path).status_code == 404, path
    assert client.post(f"/hazards/{found.code}/", {"event": "note", "note": "x"}).status_code == 404
    assert found.code not in client.get("/hazards/?show=all").content.decode()
    assert found.code not in b"".join(client.get("/hazards.csv?show=all")).decode()
    assert as_cast("王阿姨").get(f"/hazards/photos/{photo.pk}/").status_code == 404
    assert as_cast(None).get(f"/hazards/photos/{photo.pk}/").status_code == 302


def test_a_photo_is_handed_out_as_a_picture_and_kept_by_nobody(as_cast) -> None:  # type: ignore[no-untyped-def]
    answer = as_cast("小李").get(f"/hazards/photos/{build_hazard().photos.get().pk}/")
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/jpeg")
    assert "no-store" in answer["Cache-Control"]
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer.content[:2] == b"\xff\xd8"


@pytest.mark.parametrize("content", [b"<svg onload='alert(1)'/>", b"\xff" * 4096, b""], ids=["svg", "noise", "empty"])
def test_an_evil_photo_stops_the_report_with_a_sentence(as_cast, content: bytes) -> None:  # type: ignore[no-untyped-def]
    answer = as_cast("老张").post("/hazards/report/", REPORT | {"photos": [jpeg("x.jpg", content)]})
    if content == b"":
        assert answer.status_code in {302, 422}
        assert not Photo.objects.exists()
        return
    assert (answer.status_code, Hazard.objects.count()) == (422, 0)
    assert "不是能打开的照片" in answer.content.decode()


def test_a_photo_that_is_too_large_is_refused(as_cast) -> None:  # type: ignore[no-untyped-def]
    answer = as_cast("老张").post("/hazards/report/", REPORT | {"photos": [jpeg("x.jpg", b"\xff" * (MOST_BYTES + 1))]})
    assert (answer.status_code, Hazard.objects.count()) == (422, 0)


def test_direct_requests_do_not_get_round_the_second_pair_of_eyes(as_cast) -> None:  # type: ignore[no-untyped-def]
    found = bring_to(build_hazard(), "rectified")
    path = f"/hazards/{found.code}/"
    own = as_cast("老张").get(path).content.decode()
    assert "复查要请另一人" in own
    assert 'value="pass"' not in own
    answer = as_cast("老张").post(path, {"event": "pass", "note": "好了"})
    assert (answer.status_code, "另一人" in answer.content.decode()) == (422, True)
    for event in ("close", "report", "escalate", "", "confirm"):
        assert as_cast("陈调度").post(path, {"event": event, "note": "x", "state": "closed"}).status_code == 422
    assert as_cast("小李").post(path, {"event": "pass", "note": "x"}).status_code == 422
    assert Hazard.objects.get(pk=found.pk).state == "rectified"
    assert as_cast("陈调度").post(path, {"event": "pass", "note": "到场看过"}).status_code == 302
    assert Hazard.objects.get(pk=found.pk).state == "closed"


def test_grading_by_the_form_and_its_double_click(as_cast) -> None:  # type: ignore[no-untyped-def]
    found, dispatch = build_hazard(), as_cast("陈调度")
    due = timezone.localtime() + timedelta(days=2)
    form = {
        "event": "confirm", "level": "serious", "responsible": str(person("老张").pk), "deadline": due.strftime("%Y-%m-%dT%H:%M"), "key": "q",
    }  # fmt: skip
    for _ in range(2):
        assert dispatch.post(f"/hazards/{found.code}/", form).status_code == 302
    graded = Hazard.objects.get(pk=found.pk)
    assert (graded.state, graded.level, graded.responsible) == ("confirmed", "serious", person("老张"))
    assert graded.deadline == due.replace(second=0, microsecond=0)
    assert graded.changes.count() == 2
    stranger = str(person("外人").pk)
    assert (
        dispatch.post(
            f"/hazards/{found.code}/", form | {"event": "assign", "responsible": stranger, "key": "r"}
        ).status_code
        == 422
    )


def test_phones_in_free_words_stand_masked_in_lists_pages_and_files(as_cast) -> None:  # type: ignore[no-untyped-def]
    found, client = build_hazard(), as_cast("刘科")
    texts = [client.get(path).content.decode() for path in ("/hazards/", f"/hazards/{found.code}/", "/hazards/watch/")]
    texts.append(b"".join(client.get("/hazards.csv")).decode())
    assert not any("13912345678" in text for text in texts)
    assert "139****5678" in texts[1]


def test_the_register_is_filtered_searched_and_taken_away(as_cast) -> None:  # type: ignore[no-untyped-def]
    late, fresh = bring_to(build_hazard("a"), "confirmed", now=timezone.now() - timedelta(days=8)), build_hazard("b")
    client = as_cast("乌主任")

    def shown(query: str) -> set[str]:
        rows = list(csv.reader(io.StringIO(b"".join(client.get(f"/hazards.csv{query}")).decode("utf-8-sig"))))
        return {row[0] for row in rows[1:]}

    assert shown("") == {late.code, fresh.code}
    assert shown("?show=overdue") == {late.code}
    assert shown("?show=reported") == {fresh.code}
    assert shown("?level=general") == {late.code}
    assert shown(f"?q={fresh.code[-5:]}") == {fresh.code}
    assert shown("?q=补偿器&kind=leak&source=patrol&place=H01-S01") == {late.code, fresh.code}
    assert shown("?kind=valve") == shown("?company=C02") == set()
    page = client.get("/hazards/").content.decode()
    assert page.index(late.code) < page.index(fresh.code)
    assert "逾期" in page
    sheet = load_workbook(io.BytesIO(client.get("/hazards.xlsx?show=all").content)).active
    assert [sheet.cell(1, 1).value, sheet.max_row] == ["编号", 3]


def test_an_alarm_becomes_one_hazard_whoever_presses_how_often(as_cast) -> None:  # type: ignore[no-untyped-def]
    alarm = stormy()
    path = reverse("alarm_hazard", kwargs={"pk": alarm.pk})
    answers = [as_cast(who).post(path) for who in ("陈调度", "陈调度", "乌主任")]
    found = Hazard.objects.get()
    assert {answer.url for answer in answers} == {f"/hazards/{found.code}/"}
    assert (found.source, found.source_ref, found.place_code, found.company_id) == (
        "alarm",
        f"alarm:{alarm.pk}",
        "H01-S01",
        "C01",
    )
    assert as_cast("外人").post(path).status_code == 404
    body = as_cast("陈调度").get(f"/alarms/{alarm.pk}/").content.decode()
    assert found.code in body
    assert path not in body


def test_a_walk_point_by_point_with_a_finding(as_cast) -> None:  # type: ignore[no-untyped-def]
    route, crew = build_route(), as_cast("老张")
    first, second, _ = route.points.all()
    at = (timezone.now() - timedelta(minutes=5)).isoformat()
    good = {"point": first.pk, "finding": "well", "key": "1", "at": at, "lon": "109.91", "lat": "39.8", "accuracy": "9"}
    for _ in range(2):
        assert crew.post("/patrols/XL-01/walk/", good).status_code == 302
    bad = {
        "point": second.pk,
        "finding": "hazard",
        "note": "井里有水",
        "kind": "soaked",
        "key": "2",
        "where_words": "井口",
        "photos": [jpeg()],
    }
    assert crew.post("/patrols/XL-01/walk/", bad).status_code == 302
    checks = list(CheckIn.objects.order_by("pk"))
    assert [(each.finding, each.longitude, each.where_words) for each in checks] == [
        ("well", 109.91, ""),
        ("hazard", None, "井口"),
    ]
    assert checks[0].at.isoformat()[:16] == at[:16]
    found = Hazard.objects.get()
    assert (found.kind, found.place_code, found.photos.count()) == ("soaked", "J-12", 1)
    assert "已巡 2 / 3 点" in crew.get("/patrols/XL-01/walk/").content.decode()
    assert crew.post("/patrols/XL-01/walk/", {"point": first.pk, "finding": "well", "key": "9"}).status_code == 422
    assert crew.post("/patrols/XL-01/walk/", {"point": "0", "finding": "well", "key": "9"}).status_code == 404
    assert as_cast("外人").post("/patrols/XL-01/walk/", good).status_code == 404
    assert as_cast("小李").post("/patrols/XL-01/walk/", good).status_code == 404


def test_dispatch_assigns_on_the_routes_page(as_cast) -> None:  # type: ignore[no-untyped-def]
    route = build_route()
    crew = another_crew()
    form = {"round": str(route.starts_on), "walker": str(crew.pk)}
    assert as_cast("陈调度").post("/patrols/XL-01/", form).status_code == 302
    assert route.walks.get().walker == crew
    assert "小赵" in as_cast("老张").get("/patrols/").content.decode()
    assert as_cast("老张").post("/patrols/XL-01/", form).status_code == 404
    as_cast("陈调度").post("/patrols/XL-01/", {"round": "yesterday", "walker": ""})
    assert route.walks.get().walker == crew


def test_the_bureau_sees_what_is_late_and_what_nobody_walked(as_cast) -> None:  # type: ignore[no-untyped-def]
    build_route(starts_days_ago=10)
    late = bring_to(build_hazard(), "confirmed", now=timezone.now() - timedelta(days=8))
    body = as_cast("刘科").get("/hazards/watch/").content.decode()
    for words in (late.code, "没有人走", "第1换热站", "暖阳热力", "0%"):
        assert words in body, words
    sheet = load_workbook(io.BytesIO(as_cast("乌主任").get("/hazards/watch.xlsx").content)).active
    row = {sheet.cell(1, n).value: sheet.cell(2, n).value for n in range(1, sheet.max_column + 1)}
    assert (row["企业"], row["逾期"], row["没走完的轮次"], row["覆盖率"]) == ("暖阳热力", 1, 1, "0.0%")


def test_the_labels_of_hazards_have_english() -> None:
    from nuan.records.hazards.models import Kind, Level, PatrolRoute, PointKind, Source
    from nuan.records.hazards.states import Event, State
    from nuan.web.views import hazard, hazard_watch, hazards, patrols

    labels = {
        label
        for choices in (Kind, Level, Source, PointKind, PatrolRoute.When, CheckIn.Finding)
        for label in choices.labels
    }
    labels |= {each.zh for each in (*State, *Event)} | {*hazard.ASK.values(), *hazard.HINT.values()}
    labels |= {words for _, words in hazards.SHOW} | {*hazards.HEADS, *patrols.HEADS, *hazard_watch.HEADS}
    assert sorted(labels - set(english())) == []


@pytest.mark.parametrize("path", ["/hazards/", "/patrols/", "/hazards/watch/", "/hazards/report/", "/patrols/XL-01/"])
def test_pages_take_few_queries_however_many_rows(as_cast, django_assert_max_num_queries, path: str) -> None:  # type: ignore[no-untyped-def]
    for number in range(12):
        build_hazard(str(number))
        build_route(f"XL-0{number}" if number else "XL-01", starts_days_ago=20)
    client = as_cast("刘科")
    client.get(path)
    with django_assert_max_num_queries(30):
        assert client.get(path).status_code == 200
