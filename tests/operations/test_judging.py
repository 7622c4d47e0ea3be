"""A season is judged once; afterwards only what has changed is."""

from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from django.db.models import Count
from judged_city import ACTOR, SEASON, judge

from nuan.operations.acts import verify_chain
from nuan.operations.exporting import export
from nuan.operations.interpretations import sign_interpretation
from nuan.operations.judging import NoSuchHomeError, NothingToJudgeError, judge_season
from nuan.records.audit.models import AuditEntry
from nuan.records.emergency.models import Outage
from nuan.records.registry.models import Contract, Home, Substation
from nuan.records.supervision.models import CurrentJudgement, HomeSeason, Judgement, PlaceNow, Run
from nuan.telemetry.readings import ReadingBatch
from nuan.telemetry.series import SeriesKey
from nuan.telemetry.store import Store

pytestmark = pytest.mark.django_db


def late_reading(readings: Path, home: str, moment: datetime, temp_c100: int) -> None:
    with Store(readings, write=True) as store:
        series = store.series_id(SeriesKey(home, "room_temp", "living"))
        store.append(
            ReadingBatch.of(series, np.array([int(moment.timestamp())]), np.array([temp_c100], np.int32), revision=1)
        )
        store.compact()


def a_warm_home() -> str:
    row = HomeSeason.objects.filter(days_breached=0, days_undecidable=0).exclude(days_met=0).order_by("home__code")[0]
    return row.home.code


def test_nothing_to_judge_is_said(town_readings: Path, tmp_path: Path) -> None:
    with pytest.raises(NothingToJudgeError):
        judge(town_readings, tmp_path)


def test_a_whole_city_and_then_nothing(registered: None, town_readings: Path, tmp_path: Path) -> None:
    report = judge(town_readings, tmp_path)
    assert report.homes == report.homes_judged == Home.objects.count()
    assert report.written == Judgement.objects.count() == CurrentJudgement.objects.count()
    assert (
        report.refund_fen
        == sum(CurrentJudgement.objects.exclude(amount_fen=None).values_list("amount_fen", flat=True))
        > 0
    )
    assert HomeSeason.objects.count() == report.homes
    files = sorted(tmp_path.glob(f"{report.run_id:06d}/judgements/*.parquet"))
    assert pl.concat([pl.read_parquet(file) for file in files]).height == report.written
    days = pl.read_parquet(f"{tmp_path}/{report.run_id:06d}/home_days/*.parquet")
    assert days.height == report.homes * 183
    assert verify_chain() == []

    again = judge(town_readings, tmp_path)
    assert again.nothing_changed
    assert again.run_id == report.run_id
    forced = judge(town_readings, tmp_path, force=True)
    assert forced.homes_judged == report.homes
    assert forced.written == 0
    assert Judgement.objects.count() == report.written


def test_days_are_packed_as_the_clause_judges_them(registered: None, town_readings: Path, tmp_path: Path) -> None:
    report = judge(town_readings, tmp_path)
    days = pl.read_parquet(f"{tmp_path}/{report.run_id:06d}/home_days/*.parquet")
    for row in HomeSeason.objects.select_related("home")[:20]:
        codes = [(row.days[at // 4] >> (at % 4 * 2)) & 3 for at in range(183)]
        assert codes == days.filter(pl.col("home") == row.home.code).sort("day")["verdict"].to_list()
        assert codes.count(2) == row.days_breached
        judged = CurrentJudgement.objects.filter(clause="2.5.2", subject=row.home.code).first()
        assert (judged is None) == (codes.count(0) == 183)
        if judged is not None:
            assert (judged.verdict == "breached") == (row.days_breached > 0)


def test_one_late_reading_touches_one_home(registered: None, own_readings: Path, tmp_path: Path) -> None:
    judge(own_readings, tmp_path)
    home = a_warm_home()
    before = Judgement.objects.order_by("-id")[0].pk
    seasons = dict(HomeSeason.objects.values_list("home__code", "run_id"))
    late_reading(own_readings, home, datetime(2026, 1, 15, 4, tzinfo=UTC), 1234)
    report = judge(own_readings, tmp_path)
    assert (report.homes_judged, report.written) == (1, 1)
    new = Judgement.objects.get(pk__gt=before)
    assert (new.clause, new.subject, new.verdict, new.value) == ("2.5.2", home, "breached", 1)
    assert CurrentJudgement.objects.get(clause="2.5.2", subject=home).judgement_id == new.pk
    changed = {code for code, run in HomeSeason.objects.values_list("home__code", "run_id") if run != seasons[code]}
    assert changed == {home}
    assert judge(own_readings, tmp_path).nothing_changed


def test_a_reading_outside_the_season_touches_nobody(registered: None, own_readings: Path, tmp_path: Path) -> None:
    judge(own_readings, tmp_path)
    late_reading(own_readings, a_warm_home(), datetime(2026, 5, 15, 4, tzinfo=UTC), 1234)
    assert judge(own_readings, tmp_path).nothing_changed


def test_an_outage_taken_back_is_no_longer_current(registered: None, town_readings: Path, tmp_path: Path) -> None:
    judge(town_readings, tmp_path)
    rows = CurrentJudgement.objects.filter(clause="2.5.3a", verdict="breached")
    item = rows.values_list("item", flat=True)[0]
    kept = Judgement.objects.filter(item=item).count()
    for code in item.split("+"):
        Outage.objects.filter(code=code).delete()
    judge(town_readings, tmp_path)
    assert not CurrentJudgement.objects.filter(item=item).exists()
    assert Judgement.objects.filter(item=item).count() == kept


def test_a_signed_interpretation_pays_otherwise(registered: None, town_readings: Path, tmp_path: Path) -> None:
    report = judge(town_readings, tmp_path)
    last = Judgement.objects.order_by("-id")[0].pk
    sign_interpretation(
        key="outage_day", option="blocks_24h_whole", pack="demo-city", valid_from=date(2025, 10, 1), signed_on=date(2025, 10, 1),
        reason="按整24小时计", actor=ACTOR, clause="2.5.3a",
    )  # fmt: skip
    after = judge(town_readings, tmp_path)
    assert 0 < after.refund_fen < report.refund_fen
    assert 0 < after.written <= CurrentJudgement.objects.filter(clause__in=["2.5.3a", "2.5.3b"]).count()
    assert set(Judgement.objects.filter(pk__gt=last).values_list("clause", flat=True)) <= {"2.5.3a", "2.5.3b"}
    versions = Run.objects.order_by("id").values_list("packs", flat=True)
    assert versions[0] != versions[len(versions) - 1]


def test_only_some_homes_leave_the_books_open(registered: None, own_readings: Path, tmp_path: Path) -> None:
    judge(own_readings, tmp_path)
    first, second = HomeSeason.objects.filter(days_breached=0).exclude(days_met=0).order_by("home__code")[:2]
    for row in (first, second):
        late_reading(own_readings, row.home.code, datetime(2026, 1, 15, 4, tzinfo=UTC), 1234)
    report = judge(own_readings, tmp_path, only={first.home.code})
    assert report.homes_judged == 1
    rest = judge(own_readings, tmp_path)
    assert {first.home.code, second.home.code} == set(
        Judgement.objects.filter(run__in=[report.run_id, rest.run_id], clause="2.5.2").values_list("subject", flat=True)
    )


def test_before_the_season_nothing_is_owed(registered: None, town_readings: Path, tmp_path: Path) -> None:
    judge(town_readings, tmp_path)
    early = judge(town_readings, tmp_path, as_of=datetime(2025, 10, 1, tzinfo=UTC))
    decided = {name: row for name, row in early.clauses.items() if row["met"] or row["breached"] or row["amount_fen"]}
    assert decided == {}
    assert not {"2.5.2", "2.5.3a", "2.5"} & set(early.clauses)
    assert not HomeSeason.objects.exists()
    middle = judge(town_readings, tmp_path, as_of=datetime(2026, 1, 11, tzinfo=UTC))
    row = HomeSeason.objects.exclude(days_met=0)[0]
    assert row.days_met + row.days_breached + row.days_undecidable == 88, "15 October to 10 January"
    assert 0 < middle.refund_fen < judge(town_readings, tmp_path).refund_fen


def test_places_count_their_homes(registered: None, town_readings: Path, tmp_path: Path) -> None:
    judge(town_readings, tmp_path)
    city = PlaceNow.objects.get(level="city")
    assert city.homes == Home.objects.filter(contracts__season=SEASON, contracts__stop_heat=False).count()
    for row in PlaceNow.objects.all():
        assert row.cold + row.warm + row.unknown == row.homes
    for level in ("banner", "company", "substation"):
        assert sum(PlaceNow.objects.filter(level=level).values_list("cold", flat=True)) == city.cold
    assert not PlaceNow.objects.values("level", "code").annotate(n=Count("id")).filter(n__gt=1).exists()


def test_each_step_is_in_the_audit_log(registered: None, town_readings: Path, tmp_path: Path) -> None:
    judge(town_readings, tmp_path)
    acts = list(AuditEntry.objects.filter(act__contains="judg").order_by("id").values_list("act", flat=True))
    assert acts[0] == "start_judging"
    assert acts[-2:] == ["judge_places", "judge_season"]
    assert set(AuditEntry.objects.filter(act__contains="judge").values_list("actor", flat=True)) == {ACTOR}


def test_a_home_judged_by_other_rules_does_not_stay_so(registered: None, own_readings: Path, tmp_path: Path) -> None:
    """What if the bare directive held for this home: asked for, answered, and undone by the next judging of the city."""
    judge(own_readings, tmp_path)
    stands = set(CurrentJudgement.objects.values_list("clause", "subject", "item", "judgement__digest"))
    home = a_warm_home()
    judge(own_readings, tmp_path, only={home}, pack_name="directive")
    assert set(CurrentJudgement.objects.values_list("clause", "subject", "item", "judgement__digest")) != stands
    again = judge(own_readings, tmp_path)
    assert not again.nothing_changed
    assert set(CurrentJudgement.objects.values_list("clause", "subject", "item", "judgement__digest")) == stands
    assert judge(own_readings, tmp_path).nothing_changed


def test_a_home_that_nobody_knows_is_refused(registered: None, town_readings: Path, tmp_path: Path) -> None:
    with pytest.raises(NoSuchHomeError):
        judge(town_readings, tmp_path, only={"B9999-9-9999"})


def test_a_season_keeps_its_judgements_when_the_next_is_judged(
    registered: None, town_readings: Path, tmp_path: Path
) -> None:
    judge(town_readings, tmp_path)
    stands = set(CurrentJudgement.objects.values_list("clause", "subject_level", "subject", "item", "judgement_id"))
    Contract.objects.bulk_create(
        Contract(home=each.home, season="2026-2027", area_m2_100=each.area_m2_100, season_fee_fen=each.season_fee_fen)
        for each in Contract.objects.select_related("home")[:20]
    )
    with Store(town_readings) as store:
        judge_season("2026-2027", actor=ACTOR, store=store, as_of=datetime(2027, 6, 1, tzinfo=UTC), runs_root=tmp_path)
    silent = CurrentJudgement.objects.filter(season="2026-2027", clause="2.5", subject_level="substation")
    assert set(silent.values_list("verdict", flat=True)) == {"undecidable"}, (
        "a station that sends nothing has not kept the law"
    )
    assert silent.values("subject").distinct().count() == Substation.objects.count()
    kept = CurrentJudgement.objects.filter(season=SEASON)
    assert set(kept.values_list("clause", "subject_level", "subject", "item", "judgement_id")) == stands


def test_hours_that_nobody_read_are_not_hours_without_cold(
    registered: None, town_readings: Path, tmp_path: Path
) -> None:
    judge(town_readings, tmp_path)
    silent = set(HomeSeason.objects.filter(mean_c100=None).values_list("home__code", flat=True))
    assert silent
    export("homes", tmp_path / "h.parquet", season=SEASON, format_name="parquet", actor=ACTOR, reason="核对")
    rows = {
        row["subject"]: (row["hours_below"], row["longest_below_h"])
        for row in pl.read_parquet(tmp_path / "h.parquet").to_dicts()
    }
    assert {rows[home] for home in silent} == {(None, None)}
    assert all(None not in hours for home, hours in rows.items() if home not in silent)
