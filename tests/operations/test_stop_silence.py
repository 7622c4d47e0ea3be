"""A home that was stopped last season and says nothing: what the place's law makes of it, with its day, and an application that waits."""

from datetime import date, datetime

import pytest

from billed_city import bill_everybody, prepare
from nuan.operations.counter import receive_cash
from nuan.operations.stop_heat import apply_to_stop
from nuan.operations.stop_silence import continue_stops, silent_homes, waiting_applications
from nuan.records.billing.models import StopHeatApplication
from nuan.records.registry.models import Banner, Contract, Home
from nuan.terms.places import CHINA
from small_city import SEASON

QUIET, PAID, SPOKE = "B001-1-0101", "B001-1-0201", "B001-1-0301"
LAST_DAY, AFTER = date(2025, 11, 10), date(2025, 11, 11)


@pytest.fixture
def town(city: None) -> None:
    prepare()
    for code in (QUIET, PAID, SPOKE):
        Contract.objects.create(home=Home.objects.get(code=code), season="2024-2025", area_m2_100=9050, stop_heat=True)


def under(pack: str) -> None:
    Banner.objects.update(pack=pack)


def answers(day: date) -> dict[str, str]:
    return {each.home.code: each.answer for each in silent_homes("C01", SEASON, day)}


def test_where_the_law_supplies_the_silent_nothing_is_stopped(town: None) -> None:
    assert set(answers(AFTER).values()) == {"supplied"}
    assert continue_stops("C01", SEASON, today=AFTER, actor="周会计")
    assert not StopHeatApplication.objects.exists()


def test_where_the_law_goes_on_stopping_them_it_does_after_its_day(town: None) -> None:
    bill_everybody()
    now = datetime(2025, 11, 10, 9, tzinfo=CHINA)
    receive_cash(company="C01", reference=PAID, amount_fen=230_232, key="a", now=now, actor="周会计")
    under("heze")
    assert answers(LAST_DAY) == {QUIET: "too_early", PAID: "supplied", SPOKE: "too_early"}
    assert answers(AFTER) == {QUIET: "billed", PAID: "supplied", SPOKE: "billed"}, (
        "who paid in full by the day is supplied"
    )
    assert not StopHeatApplication.objects.exists()


def test_the_answer_is_written_down_and_stops_the_contract_once(town: None) -> None:
    under("heze")
    apply_to_stop(Home.objects.get(code=SPOKE), season=SEASON, applied_on=date(2025, 10, 1), facts=(), actor="小李")
    assert answers(AFTER) == {QUIET: "stopped", PAID: "stopped"}, "who applied has spoken"
    continue_stops("C01", SEASON, today=AFTER, actor="周会计")
    made = StopHeatApplication.objects.get(home__code=QUIET)
    assert (made.accepted, "视为继续停热" in made.why) == (True, True)
    assert Contract.objects.get(home__code=QUIET, season=SEASON).stop_heat
    assert continue_stops("C01", SEASON, today=AFTER, actor="周会计") == []
    under("qingdao")
    Contract.objects.create(
        home=Home.objects.get(code="B002-1-0201"), season="2024-2025", area_m2_100=9050, stop_heat=True
    )
    assert answers(AFTER) == {"B002-1-0201": "unknown"}


def test_an_application_that_waits_is_named_with_its_day(town: None) -> None:
    under("neimenggu")
    StopHeatApplication.objects.create(
        home=Home.objects.get(code=QUIET), season=SEASON, applied_on=date(2025, 9, 1), accepted=None, decided_by="小李"
    )
    (waiting,) = waiting_applications("C01", date(2025, 9, 20))
    assert (waiting.answer_by, waiting.overdue_days) == (None, None)
    under("heze")
    (waiting,) = waiting_applications("C01", date(2025, 9, 20))
    assert (waiting.answer_by, waiting.overdue_days) == (date(2025, 9, 8), 12)
