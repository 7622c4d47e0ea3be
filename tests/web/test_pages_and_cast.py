"""Every page has its row: what the whole cast gets there. A page without a row fails, and so does a row without a page."""

import pytest
from django.urls import reverse

import small_support
from nuan.records.accounts.visibility import MAY_OPEN
from nuan.records.registry.models import Home
from nuan.records.supervision.models import Judgement
from nuan.web.urls import urlpatterns

CAST = ("anonymous", "王阿姨", "小李", "老张", "陈调度", "周会计", "乌主任", "刘科", "外人")


def row(anonymous, resident, company, banner, city, stranger) -> dict[str, int]:  # type: ignore[no-untyped-def]
    desk = dict.fromkeys(("小李", "老张", "陈调度", "周会计"), company)
    return {"anonymous": anonymous, "王阿姨": resident} | desk | {"乌主任": banner, "刘科": city, "外人": stranger}


EVERYBODY = row(200, 200, 200, 200, 200, 200)
OFFICIALS = row(302, 404, 200, 200, 200, 200)
OURS = row(302, 404, 200, 200, 200, 404)
OUR_HOME = row(302, 200, 200, 200, 200, 404)
CITY = row(302, 404, 404, 404, 200, 404)
BUREAUS = row(302, 404, 404, 200, 200, 404)
MONEY = BUREAUS | {"周会计": 200}

PAGES: dict[str, tuple[dict[str, str], dict[str, int]]] = {
    "start": ({}, dict.fromkeys(CAST, 302)),
    "login": ({}, EVERYBODY),
    "demo_login": ({}, dict.fromkeys(CAST, 404)),
    "logout": ({}, dict.fromkeys(CAST, 405)),
    "public": ({}, EVERYBODY),
    "help": ({}, EVERYBODY),
    "glossary": ({}, EVERYBODY),
    "board": ({}, OFFICIALS),
    "clause": ({"key": "2.5.2"}, EVERYBODY),
    "clause_csv": ({"key": "2.5.2"}, OFFICIALS),
    "interpretation": ({"key": "outage_day"}, CITY),
    "judgement": ({"pk": "cold home"}, OUR_HOME),
    "today": ({}, OFFICIALS),
    "today_csv": ({}, OFFICIALS),
    "map": ({}, OFFICIALS),
    "map_places": ({}, OFFICIALS),
    "companies": ({}, OFFICIALS),
    "companies_csv": ({}, OFFICIALS),
    "stations": ({}, OFFICIALS),
    "station": ({"code": "H01-S01"}, OURS),
    "building": ({"code": "B001"}, OURS),
    "homes": ({}, OFFICIALS),
    "homes_csv": ({}, OFFICIALS),
    "home": ({"pk": "cold home"}, OUR_HOME),
    "my_home": ({}, row(302, 200, 404, 404, 404, 404)),
    "search": ({}, OFFICIALS),
    "runs": ({}, OFFICIALS),
    "audit": ({}, CITY),
    "support": ({}, MONEY),
    "repairs": ({}, MONEY),
    "support_costs": ({}, MONEY),
    "maintenance_funds": ({}, MONEY),
    "fund_application": ({"pk": "support"}, MONEY),
    "subsidies": ({}, BUREAUS),
    "beneficiary": ({"pk": "support"}, BUREAUS),
    "arrears": ({}, MONEY),
    "debt": ({"pk": "support"}, MONEY),
    "funding": ({}, BUREAUS),
    "local_plans": ({}, BUREAUS),
    "support_xlsx": ({"kind": "costs"}, MONEY),
}


def test_every_address_has_a_row() -> None:
    assert {pattern.name for pattern in urlpatterns} == set(PAGES)
    assert set(MAY_OPEN) | {"start"} == set(PAGES)


def address(name: str) -> str:
    arguments = dict(PAGES[name][0])
    if arguments.get("pk") == "support":
        arguments["pk"] = str(small_support.row_of(name))
    if arguments.get("pk") == "cold home":
        home = Home.objects.get(code="B001-1-0101")
        rows = {"home": home, "judgement": Judgement.objects.get(subject=home.code, clause="2.5.3a")}
        arguments["pk"] = str(rows[name].pk)
    return reverse(name, kwargs=arguments)


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.usefixtures("support_rows")
def test_what_the_cast_gets(as_cast, name: str) -> None:  # type: ignore[no-untyped-def]
    got = {person: as_cast(None if person == "anonymous" else person).get(address(name)).status_code for person in CAST}
    assert got == PAGES[name][1]
