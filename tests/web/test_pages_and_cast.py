"""Every page has its row: what the whole cast gets there. A page without a row fails, and so does a row without a page."""

import pytest
from django.urls import reverse

from nuan.records.accounts.visibility import MAY_OPEN
from nuan.records.registry.models import Home
from nuan.records.supervision.models import Judgement
from nuan.web.urls import urlpatterns
from small_storm import stormy

CAST = ("anonymous", "王阿姨", "小李", "老张", "陈调度", "周会计", "乌主任", "刘科", "外人")


def row(anonymous, resident, company, banner, city, stranger) -> dict[str, int]:  # type: ignore[no-untyped-def]
    desk = dict.fromkeys(("小李", "老张", "陈调度", "周会计"), company)
    return {"anonymous": anonymous, "王阿姨": resident} | desk | {"乌主任": banner, "刘科": city, "外人": stranger}


EVERYBODY = row(200, 200, 200, 200, 200, 200)
OFFICIALS = row(302, 404, 200, 200, 200, 200)
OURS = row(302, 404, 200, 200, 200, 404)
OUR_HOME = row(302, 200, 200, 200, 200, 404)
CITY = row(302, 404, 404, 404, 200, 404)
WATCHERS = OFFICIALS | {"周会计": 404}
OUR_ALARM = OURS | {"周会计": 404}
SETTERS = row(302, 404, 404, 404, 200, 404) | {"陈调度": 200}

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
    "devices": ({}, OFFICIALS),
    "devices_csv": ({}, OFFICIALS),
    "gateway": ({"code": "GW-C01"}, OURS),
    "dead_letters": ({}, OFFICIALS),
    "dead_letters_act": ({}, dict.fromkeys(CAST, 404) | {"anonymous": 302, "陈调度": 405, "刘科": 405}),
    "runs": ({}, OFFICIALS),
    "audit": ({}, CITY),
    "alarms": ({}, WATCHERS),
    "alarms_csv": ({}, WATCHERS),
    "alarm": ({"pk": "alarm"}, OUR_ALARM),
    "alarm_acts": ({}, row(302, 404, 404, 404, 404, 404)),
    "live": ({}, OFFICIALS),
    "live_station": ({"code": "H01-S01"}, OURS),
    "quality": ({}, OFFICIALS),
    "quality_csv": ({}, OFFICIALS),
    "alarm_definitions": ({}, WATCHERS),
    "alarm_definition": ({"code": "station_flow_none"}, WATCHERS),
    "notices": ({}, SETTERS),
}


def test_every_address_has_a_row() -> None:
    assert {pattern.name for pattern in urlpatterns} == set(PAGES)
    assert set(MAY_OPEN) | {"start"} == set(PAGES)


def address(name: str) -> str:
    arguments = dict(PAGES[name][0])
    if arguments.get("pk") == "cold home":
        home = Home.objects.get(code="B001-1-0101")
        rows = {"home": home, "judgement": Judgement.objects.get(subject=home.code, clause="2.5.3a")}
        arguments["pk"] = str(rows[name].pk)
    if arguments.get("pk") == "alarm":
        arguments["pk"] = str(stormy().pk)
    return reverse(name, kwargs=arguments)


@pytest.mark.parametrize("name", PAGES)
def test_what_the_cast_gets(as_cast, name: str) -> None:  # type: ignore[no-untyped-def]
    clients = {person: as_cast(None if person == "anonymous" else person) for person in CAST}
    path = address(name)
    got = {person: client.get(path).status_code for person, client in clients.items()}
    assert got == PAGES[name][1]
