"""The API under the same rules as the pages: every route, with no token, a stranger's, a revoked one, and the right one."""

import re
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client

from nuan.operations.tokens import TokenPlaceError, create_token, revoke_token
from nuan.records.accounts.models import ApiToken
from nuan.records.audit.models import AuditEntry
from nuan.records.registry.models import Home
from nuan.records.supervision.models import HomeSeason, Judgement

DOC = Path(__file__).parents[2] / "docs" / "api.md"


class Caller:
    def __init__(self, text: str) -> None:
        self.client = Client(headers={"Authorization": f"Bearer {text}"})

    def get(self, path: str):  # type: ignore[no-untyped-def]
        return self.client.get(f"/api/v1{path}")


@pytest.fixture
def as_token(city):  # type: ignore[no-untyped-def]
    def make(role: str = "city", **place: str) -> Caller:
        return Caller(create_token(name="试用", role=role, actor="刘科", **place)[1])

    return make


def our_home() -> Home:
    return Home.objects.get(code="B001-1-0101")


def routes() -> list[str]:
    home, judgement = our_home(), Judgement.objects.get(subject="B001-1-0101", clause="2.5.3a")
    span = "?start=0&end=1000"
    return [
        "/clauses", "/clauses/2.5.2", "/board", "/banners", "/companies", "/stations", "/stations/H01-S01",
        f"/stations/H01-S01/readings{span}", "/homes", f"/homes/{home.pk}", f"/homes/{home.pk}/readings{span}",
        "/judgements", f"/judgements/{judgement.pk}", f"/judgements/{judgement.pk}/explanation",
    ]  # fmt: skip


def places_of_one() -> list[str]:
    return [route for route in routes() if re.search(r"/(homes|judgements)/\d|/stations/H", route)]


def test_the_city_reads_everything(as_token) -> None:  # type: ignore[no-untyped-def]
    caller = as_token()
    assert {route: caller.get(route).status_code for route in routes()} == dict.fromkeys(routes(), 200)


def test_without_a_token_401_with_a_sentence(city) -> None:  # type: ignore[no-untyped-def]
    for route in routes():
        answer = Client().get(f"/api/v1{route}")
        assert (answer.status_code, "令牌" in answer.json()["detail"]) == (401, True), route


def test_a_stranger_gets_404_for_what_exists_and_what_does_not(as_token) -> None:  # type: ignore[no-untyped-def]
    stranger = as_token("desk", company="C02")
    for route in [*places_of_one(), "/homes/999999", "/stations/NONE"]:
        assert stranger.get(route).status_code == 404, route


@pytest.mark.parametrize(
    ("role", "place", "homes"),
    [("city", {}, 12), ("banner", {"banner": "150602"}, 6), ("desk", {"company": "C01"}, 6)],
    ids=["city", "banner", "company"],
)
def test_lists_end_where_sight_ends(as_token, role: str, place: dict[str, str], homes: int) -> None:  # type: ignore[no-untyped-def]
    assert as_token(role, **place).get("/homes").json()["count"] == homes


def test_paging_has_caps(as_token) -> None:  # type: ignore[no-untyped-def]
    caller = as_token()
    first, second = caller.get("/homes?limit=5").json(), caller.get("/homes?limit=5&offset=5").json()
    assert (first["count"], len(first["items"]), len(second["items"])) == (12, 5, 5)
    assert not {each["id"] for each in first["items"]} & {each["id"] for each in second["items"]}
    assert caller.get("/homes?limit=501").status_code == 422


def test_lists_carry_no_door_name_or_phone(as_token) -> None:  # type: ignore[no-untyped-def]
    caller = as_token()
    for route in ("/homes", "/judgements?limit=500"):
        body = caller.get(route).content.decode()
        assert "0101" not in body
        assert "王秀兰" not in body
        assert "1390000" not in body


def test_a_revoked_token_opens_nothing_and_both_acts_are_logged(city) -> None:  # type: ignore[no-untyped-def]
    token, text = create_token(name="企业接口", role="desk", company="C01", actor="刘科")
    assert Caller(text).get("/homes").status_code == 200
    assert text not in str(ApiToken.objects.values().get(pk=token.pk))
    revoke_token(token.pk, actor="刘科", why="换新")
    assert Caller(text).get("/homes").status_code == 401
    assert list(AuditEntry.objects.order_by("id").values_list("act", flat=True))[-2:] == [
        "create_token",
        "revoke_token",
    ]


@pytest.mark.parametrize(
    ("role", "place"),
    [("city", {"company": "C01"}), ("banner", {}), ("desk", {"banner": "150602"}), ("resident", {})],
    ids=["city with a place", "banner without", "company without", "resident"],
)
def test_a_token_needs_the_place_of_its_role(city, role: str, place: dict[str, str]) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(TokenPlaceError):
        create_token(name="x", role=role, actor="刘科", **place)


def test_the_document_names_every_route_and_no_other(city) -> None:  # type: ignore[no-untyped-def]
    described = set(Client().get("/api/v1/openapi.json").json()["paths"])
    documented = set(re.findall(r"`GET (/api/v1/[^`?]*)", DOC.read_text(encoding="utf-8")))
    assert documented == described


def test_the_documentation_page_asks_no_foreign_host(city) -> None:  # type: ignore[no-untyped-def]
    page = Client().get("/api/v1/docs")
    assert page.status_code == 200
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page.content.decode())


def test_the_command_prints_a_token_once(city, capsys) -> None:  # type: ignore[no-untyped-def]
    call_command("token", "create", name="接口", role="desk", company="C01", actor="刘科")
    number, _, text = capsys.readouterr().out.split()
    assert Caller(text).get("/homes").json()["count"] == 6
    token = ApiToken.objects.get(pk=number)
    call_command("token", "list")
    assert token.name in capsys.readouterr().out
    call_command("token", "revoke", number, actor="刘科")
    token.refresh_from_db()
    assert token.revoked_at is not None


def test_a_home_that_nobody_could_measure_has_no_cold_hours_not_zero(as_token) -> None:  # type: ignore[no-untyped-def]
    home = our_home()
    HomeSeason.objects.filter(home=home).update(min_c100=None, hours_below=0, longest_below_h=0)
    season = as_token().get(f"/homes/{home.pk}").json()["seasons"][0]
    assert (season["hours_below"], season["longest_below_h"]) == (None, None)
