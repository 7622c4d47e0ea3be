"""Queries per page have a bound that does not move with the city; lists carry no door, name or phone; CSV cannot be a formula."""

import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from nuan.records.registry.models import Home
from nuan.records.supervision.models import Judgement
from nuan.web.tables import field_of

# page, person, at most so many queries (session and user are two of them)
BOUNDS = [
    ("/board/", "刘科", 7),
    ("/board/?by=company", "刘科", 7),
    ("/public/", None, 5),
    ("/clauses/2.5.2/", "刘科", 13),
    ("/clauses/2.5.2/judgements.csv", "刘科", 8),
    ("/today/", "刘科", 12),
    ("/today.csv", "刘科", 6),
    ("/map/", "刘科", 6),
    ("/map/places.geojson", "刘科", 9),
    ("/companies/", "刘科", 8),
    ("/stations/", "刘科", 9),
    ("/stations/H01-S01/", "刘科", 12),
    ("/buildings/B001/", "刘科", 8),
    ("/homes/", "刘科", 9),
    ("/homes.csv", "刘科", 5),
    ("HOME", "刘科", 17),
    ("JUDGEMENT", "刘科", 10),
    ("/my-home/", "王阿姨", 17),
    ("/runs/", "刘科", 6),
    ("/audit/", "刘科", 8),
]


def real(path: str) -> str:
    if path == "HOME":
        return f"/homes/{Home.objects.get(code='B001-1-0101').pk}/"
    if path == "JUDGEMENT":
        return f"/judgements/{Judgement.objects.get(subject='B001-1-0101', clause='2.5.3a').pk}/"
    return path


def fetch(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return (b"".join(answer.streaming_content) if answer.streaming else answer.content).decode()  # type: ignore[attr-defined]


@pytest.fixture
def larger(db: None) -> None:
    from small_city import build_city, seat_the_cast

    build_city(homes_per_building=30)
    seat_the_cast()


@pytest.mark.parametrize(("path", "person", "most"), BOUNDS, ids=[bound[0] for bound in BOUNDS])
@pytest.mark.parametrize("size", ["city", "larger"])
def test_queries_are_bounded(request, size: str, path: str, person: str | None, most: int) -> None:  # type: ignore[no-untyped-def]
    request.getfixturevalue(size)
    from nuan.records.accounts.models import User

    client = Client()
    if person:
        client.force_login(User.objects.get(username=person), backend="django.contrib.auth.backends.ModelBackend")
    address = real(path)
    with CaptureQueriesContext(
        connection,
    ) as caught:
        fetch(client, address)
    assert len(caught) <= most, "\n".join(query["sql"][:160] for query in caught.captured_queries)


LISTS = [
    "/homes/", "/homes.csv", "/today/", "/today.csv", "/clauses/2.5.3a/", "/clauses/2.5.3a/judgements.csv",
    "/buildings/B001/", "/companies.csv", "/map/places.geojson", "/public/",
]  # fmt: skip


@pytest.mark.parametrize("path", LISTS)
def test_lists_show_no_door_name_or_phone(as_cast: Callable[[str | None], Client], path: str) -> None:
    body = fetch(as_cast("刘科"), path)
    assert not re.search(r"B00\d-1-\d{4}", body)
    assert "王秀兰" not in body
    assert "13900001111" not in body


def test_the_search_goes_by_post_and_ends_at_the_scope(as_cast: Callable[[str | None], Client]) -> None:
    found = as_cast("小李").post("/search/", {"q": "B001-1-0101"})
    assert (found.status_code, found["Location"]) == (302, real("HOME"))
    assert "没有找到" in as_cast("外人").post("/search/", {"q": "B001-1-0101"}).content.decode()


@pytest.mark.parametrize(
    ("value", "text"),
    [("=1+1", "'=1+1"), ("@SUM", "'@SUM"), ("+86", "+86"), ("-5.20", "-5.20"), (None, ""), (0, "0"), ("\t=1", "'\t=1")],
    ids=["formula", "at", "number with plus", "negative number", "missing is empty", "zero is zero", "tab"],
)
def test_csv_fields_are_harmless(value: object, text: str) -> None:
    assert field_of(value) == text


@pytest.mark.parametrize(
    ("person", "sees"),
    [("刘科", 12), ("乌主任", 6), ("小李", 6), ("外人", 6)],
    ids=["city", "banner", "company", "other company"],
)
def test_exports_end_at_the_scope(as_cast: Callable[[str | None], Client], person: str, sees: int) -> None:
    assert len(fetch(as_cast(person), "/homes.csv").splitlines()) == 1 + sees


def test_a_filter_for_another_place_shows_nothing(as_cast: Callable[[str | None], Client]) -> None:
    assert len(fetch(as_cast("小李"), "/homes.csv?company=C02").splitlines()) == 1
