"""The sample city judged: every planted event is found where and when it was planted, and nothing that was not planted."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from django.db import connection, transaction
from django.db.models import Max
from django.test import override_settings

from every_home import look_at, stir
from nuan.buildings.sample_city import City, Planted, make_city
from nuan.operations.demo import DemoReport, OtherCityError, RealCityError, build_demo_city, demo_file
from nuan.operations.demo_accounts import CAST, PASSWORD
from nuan.operations.explaining import explain_judgement
from nuan.operations.ledger_check import check
from nuan.records.accounts.models import User
from nuan.records.billing.models import Bill
from nuan.records.monitoring.models import Alarm, AlarmChange, LiveValue, QualityDay
from nuan.records.registry.models import Home
from nuan.records.supervision.models import CurrentJudgement, HomeSeason
from nuan.terms.places import local_day, local_time

HOMES = 700
DAY_BREACHED = 2


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def built(django_db_setup: None, django_db_blocker: object, folder: Path) -> Iterator[DemoReport]:
    """One city for all stories of this file; everything is rolled back at the end."""
    with (
        django_db_blocker.unblock(),  # type: ignore[attr-defined]
        override_settings(NUAN_HOME=folder, READINGS_ROOT=folder / "readings"),
        transaction.atomic(),
    ):
        yield build_demo_city(HOMES, actor="刘科")
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def city() -> City:
    return make_city(HOMES)


def _homes_below(city: City, planted: Planted) -> set[str]:
    plan = city.plan
    if planted.level == "home":
        return {planted.place}
    lookup = {
        "source": lambda: plan.station_source[plan.home_station] == plan.source_codes.index(planted.place),
        "substation": lambda: plan.home_station == plan.station_codes.index(planted.place),
        "loop": lambda: (plan.building_loop == plan.loop_codes.index(planted.place))[plan.home_building],
        "building": lambda: plan.home_building == plan.building_codes.index(planted.place),
    }
    return {plan.home_codes[i] for i in np.flatnonzero(lookup[planted.level]()).tolist()}


def _of_kind(city: City, *kinds: str) -> list[Planted]:
    return [planted for planted in city.truth if planted.kind in kinds]


def _current(clause: str, verdict: str, level: str, **more: str) -> set[str]:
    rows = CurrentJudgement.objects.filter(clause=clause, verdict=verdict, subject_level=level, **more)
    return set(rows.values_list("subject", flat=True))


def test_everything_planted_is_found(built: DemoReport) -> None:
    assert not built.was_there
    assert built.as_planted
    assert [line.as_dict() for line in built.found if not line.complete] == []
    assert {line.clause for line in built.found} == {
        "2.4.2a", "2.5", "2.5.2", "2.5.3a", "2.5.3b", "2.5.4", "2.6.1", "2.7.3", "2.7.4", "2.7.5", "3.1", "3.2",
    }  # fmt: skip
    kinds = {line.kind for line in built.found}
    assert kinds >= {
        "source_failure", "late_start", "early_stop", "throttling", "over_heating", "cold_top_floor", "fuel_short", "no_vehicle",
    }  # fmt: skip


def test_every_money_judgement_explains_itself(built: DemoReport) -> None:
    rows = CurrentJudgement.objects.filter(clause__in=["2.7.3", "2.7.4", "2.7.5", "3.1", "3.2"]).select_related(
        "judgement__run"
    )
    assert {row.subject_level for row in rows} == {"company", "banner"}
    for row in rows:
        working = explain_judgement(row.judgement)
        assert working.same, (row.clause, row.subject, row.item)
        assert working.explanation.sentence


@pytest.mark.parametrize("item", ["late_start", "early_stop", "throttling", "over_heating"])
def test_stations_are_blamed_for_what_was_planted_at_them_and_nothing_else(
    built: DemoReport, city: City, item: str
) -> None:
    planted = {each.place for each in _of_kind(city, item)}
    assert _current("2.5", "breached", "substation", item=item) == planted
    assert _current("2.5", "undecidable", "substation", item=item) == set()


def test_only_homes_of_the_overheated_station_are_overheated(built: DemoReport, city: City) -> None:
    planted = set().union(*(_homes_below(city, each) for each in _of_kind(city, "over_heating")))
    found = _current("2.5", "breached", "home")
    assert found <= planted
    assert len(found) > 0.6 * len(planted)


def test_days_below_18_lie_where_and_when_cold_was_planted(built: DemoReport, city: City, folder: Path) -> None:
    allowed: set[tuple[str, int]] = set()
    for planted in city.truth:
        if planted.rooms_until_s > planted.start_s and planted.kind != "over_heating":
            days = range(local_day(planted.start_s), local_day(planted.rooms_until_s - 1) + 1)
            allowed |= {(home, day) for home in _homes_below(city, planted) for day in days}
    days = pl.read_parquet(folder / "runs" / "*" / "home_days" / "*.parquet")
    found = set(days.filter(pl.col("verdict") == DAY_BREACHED).select("home", "day").iter_rows())
    assert found - allowed == set()
    assert len(found) > 1000
    breached = _current("2.5.2", "breached", "home")
    assert breached <= {home for home, _ in found} | {
        each.place for each in _of_kind(city, "month_refund", "no_month_refund")
    }


def test_the_source_failure_makes_every_home_below_cold_in_its_days(
    built: DemoReport, city: City, folder: Path
) -> None:
    failure = _of_kind(city, "source_failure")[0]
    day = local_day(failure.end_s)
    days = pl.read_parquet(folder / "runs" / "*" / "home_days" / "*.parquet")
    cold = days.filter((pl.col("day") == day) & (pl.col("verdict") == DAY_BREACHED))["home"]
    served = set(Home.objects.filter(contracts__stop_heat=False).values_list("code", flat=True))
    below = _homes_below(city, failure) & served
    assert len(set(cold) & below) > 0.95 * len(below)


def test_outages_pay_above_24_hours_and_never_at_24_hours(built: DemoReport, city: City) -> None:
    wanted = {"yes": "breached", "no": "met", "undecidable": "undecidable"}
    for planted in _of_kind(city, "source_failure", "outage"):
        rows = CurrentJudgement.objects.filter(clause="2.5.3a", item__contains=planted.facts["outage_id"])
        own = rows.filter(subject__in=_homes_below(city, planted))
        assert rows.count() == own.count(), f"{planted.zh}: homes elsewhere were judged"
        verdicts = set(
            own.filter(judgement__facts__outages=[planted.facts["outage_id"]]).values_list("verdict", flat=True)
        )
        assert verdicts - {"met"} == {wanted[str(planted.facts["refund"])]} - {"met"}, planted.zh


def test_three_fails_within_thirty_days_pay_and_boundary_cases_do_not(built: DemoReport, city: City) -> None:
    paid = {each.place for each in _of_kind(city, "month_refund")}
    assert _current("2.5.3b", "breached", "home") == paid
    assert _current("2.5.3b", "met", "home") == {each.place for each in _of_kind(city, "no_month_refund")}
    assert all(row.amount_fen for row in CurrentJudgement.objects.filter(clause="2.5.3b", verdict="breached"))


def test_one_source_is_short_of_fuel_and_one_banner_lacks_its_vehicle(built: DemoReport, city: City) -> None:
    assert _current("2.4.2a", "breached", "source") == {each.place for each in _of_kind(city, "fuel_short")}
    assert _current("2.6.1", "breached", "banner") == {each.place for each in _of_kind(city, "no_vehicle")}


def test_homes_are_cold_now_only_where_the_company_stopped_early_or_the_top_floor_is_cold(
    built: DemoReport, city: City
) -> None:
    planted = set().union(*(_homes_below(city, each) for each in _of_kind(city, "early_stop", "cold_top_floor")))
    cold = set(HomeSeason.objects.filter(last_temp_c100__lt=1800).values_list("home__code", flat=True))
    assert cold
    assert cold <= planted


def test_the_cast_can_sign_in_and_wang_ayi_has_a_refund(built: DemoReport, city: City) -> None:
    assert [account["username"] for account in built.facts["accounts"]] == [person.username for person in CAST]
    wangayi = User.objects.get(username="wangayi")
    assert wangayi.check_password(PASSWORD)
    assert wangayi.home.residents.get().name == "王阿姨"
    hers = CurrentJudgement.objects.filter(subject=wangayi.home.code, verdict="breached", amount_fen__gt=0)
    assert set(hers.values_list("clause", flat=True)) == {"2.5.3a", "2.5.3b"}
    assert User.objects.get(username="wairen").company_id != User.objects.get(username="xiaoli").company_id


def test_demo_json_says_synthetic_and_names_the_planted(built: DemoReport, city: City) -> None:
    facts = json.loads(demo_file().read_text(encoding="utf-8"))
    assert facts["synthetic"] is True
    assert facts["state"] == "done"
    assert (facts["homes"], facts["season"]) == (HOMES, "2025-2026")
    assert len(facts["planted"]) == len(city.truth)


def test_the_same_again_changes_nothing_and_another_city_is_refused(built: DemoReport) -> None:
    again = build_demo_city(HOMES, actor="刘科")
    assert again.was_there
    assert again.as_planted
    with pytest.raises(OtherCityError, match=str(HOMES)):
        build_demo_city(HOMES + 100, actor="刘科")


def test_a_city_that_the_demo_did_not_make_is_never_touched(built: DemoReport, tmp_path: Path) -> None:
    homes = Home.objects.count()
    with override_settings(NUAN_HOME=tmp_path, READINGS_ROOT=tmp_path / "readings"):
        for fresh in (False, True):
            with pytest.raises(RealCityError):
                build_demo_city(HOMES, actor="刘科", fresh=fresh)
        assert not demo_file().exists()
    assert Home.objects.count() == homes


def test_the_last_day_is_live_and_the_early_stop_is_an_alarm(built: DemoReport, city: City) -> None:
    """The station that was stopped before the season's end stands on the alarms page; its homes are no alarms of their own."""
    (stopped,) = [event for event in city.truth if event.kind == "early_stop"]
    raised = Alarm.objects.get(code="station_flow_none", place=stopped.place, closed_at=None)
    assert (raised.active, raised.acknowledged, raised.parent) == (True, False, None)
    assert not Alarm.objects.filter(station_code=stopped.place, code="home_cold", parent=None, closed_at=None).exists()
    gauges = 3 * built.facts["network"]["heard"]  # two pressures and a temperature at each station that is heard
    assert built.facts["live"]["points"] + gauges == LiveValue.objects.count() > HOMES
    newest = LiveValue.objects.aggregate(newest=Max("any_arrival_s"))["newest"]
    assert newest <= city.season.interval.end, "nothing is newer than the demo's own time"


def test_the_storms_of_the_season_are_history(built: DemoReport, city: City) -> None:
    """The source that stood still for 31 hours: one alarm for each of its stations, seen and passed, with the cold homes under them."""
    (failure,) = [event for event in city.truth if event.kind == "source_failure"]
    storm = Alarm.objects.filter(
        source_code=failure.place, raised_at__gte=local_time(failure.start_s), raised_at__lt=local_time(failure.end_s)
    )
    alone = storm.filter(code="station_flow_none")
    stations = sum(code.startswith(f"{failure.place}-") for code in city.plan.station_codes)
    assert alone.count() == stations
    assert all(alarm.closed_at is not None and alarm.acknowledged_by == "刘科" for alarm in alone)
    cold = storm.filter(code="home_cold")
    folded = AlarmChange.objects.filter(alarm__in=cold, event="fold").values("alarm").distinct().count()
    assert cold.count() > 20
    assert folded == cold.count()


def test_the_quality_of_the_last_month_is_there(built: DemoReport) -> None:
    rows = QualityDay.objects.filter(gateway_code="")
    assert rows.values("day").distinct().count() == 30
    assert all(0.9 < row.covered_hours / row.expected_hours <= 1 for row in rows)


def test_lines_bills_ledger_and_the_residents_screen_are_one_for_every_home(built: DemoReport) -> None:
    """The whole sample city through its residents' pages, after payments, refunds, adjustments, cancellations and late fees."""
    with transaction.atomic():
        done = stir("2025-2026", date(2026, 4, 15))
        looked = look_at(Home.objects.order_by("id"))
        assert looked.differs == []
        assert looked.homes == HOMES
        assert looked.documents == Bill.objects.count()
        assert (
            min(done["adjustment"], done["cancellation"], done["late_fee"], looked.with_credit, looked.with_refund) > 0
        )
        assert {each.code for each in check(now=datetime.now(UTC))} == set()
        forged = Bill.objects.filter(kind="bill").order_by("-id")[0]
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET session_replication_role = replica")
            cursor.execute("UPDATE billing_bill SET total_fen = total_fen + 1 WHERE id = %s", [forged.pk])
            cursor.execute("SET session_replication_role = DEFAULT")
        assert look_at([forged.home]).differs, "one fen more, and it is said"
        transaction.set_rollback(True)
