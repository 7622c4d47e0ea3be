"""小李 imports the registry of a small town; what is wrong is said at once, and nothing is half written."""

import polars as pl
import pytest

from nuan.operations.acts import verify_chain
from nuan.operations.import_registry import import_registry
from nuan.operations.recorded_facts import measurements_at
from nuan.records.audit.models import AuditEntry
from nuan.records.emergency.models import Outage, Vehicle
from nuan.records.registry.models import Banner, Contract, HeatSource, Home, Resident
from nuan.records.supervision.models import FuelDay, Measurement

pytestmark = pytest.mark.django_db


def town(**changes: pl.DataFrame) -> dict[str, pl.DataFrame]:
    tables = {
        "banners": pl.DataFrame({"code": ["150602"], "name": ["东胜区"], "pack": ["demo-city"]}),
        "companies": pl.DataFrame({"code": ["C01"], "name": ["城北热力"], "service_phone": ["0477-8580000"]}),
        "sources": pl.DataFrame({
            "code": ["H01"], "name": ["城北热源厂"], "company": ["C01"], "banner": ["150602"], "fuel": ["coal"],
            "capacity_mw": [116.5],
        }),
        "substations": pl.DataFrame({
            "code": ["H01-S03"], "name": ["三号站"], "source": ["H01"], "company": ["C01"], "banner": ["150602"],
        }),
        "loops": pl.DataFrame({"code": ["H01-S03-L1"], "name": ["低区"], "substation": ["H01-S03"]}),
        "buildings": pl.DataFrame({
            "code": ["B0042"], "name": ["7号楼"], "estate": ["祥和小区"], "loop": ["H01-S03-L1"], "banner": ["150602"],
        }),
        "homes": pl.DataFrame({
            "户号": ["B0042-1-0301", "B0042-1-0302"], "楼栋": ["B0042", "B0042"], "单元": ["1", "1"], "楼层": ["3", "3"],
            "房号": ["301", "302"], "建筑面积": ["89.50", "101"], "采暖季热费": ["2148.00", ""], "停热": ["否", "是"],
            "采暖季": ["2025-2026", "2025-2026"],
        }),
        "residents": pl.DataFrame({"home": ["B0042-1-0301"], "name": ["王阿姨"], "phone": ["13800000000"]}),
        "vehicles": pl.DataFrame({
            "code": ["V01"], "banner": ["150602"], "power_kw": [1400], "available_from": ["2025-10-15"],
        }),
        "outages": pl.DataFrame({
            "code": ["O1"], "level": ["换热站"], "place": ["H01-S03"], "started_at": ["2026-01-10 08:00"],
            "ended_at": ["2026-01-11T15:00:00+08:00"], "cause": ["supplier"],
        }),
        "fuel": pl.DataFrame({"source": ["H01"], "day": ["46032"], "stock_t": ["5200"], "burn_t": ["310.5"]}),
        "measurements": pl.DataFrame({
            "code": ["M1"], "home": ["B0042-1-0301"], "temp_c": ["16.40"], "measured_at": ["2026/01/10 15:30"],
            "signed_user": ["是"],
        }),
    }  # fmt: skip
    return tables | changes


def test_the_whole_town_comes_in_with_one_audit_row() -> None:
    report = import_registry(town(), actor="小李")

    assert report.findings == []
    assert {name: (c.created, c.changed, c.unchanged) for name, c in report.tables.items()}["homes"] == (2, 0, 0)
    contract = Contract.objects.get(home__code="B0042-1-0301")
    assert (contract.area_m2_100, contract.season_fee_fen, contract.stop_heat) == (8950, 214800, False)
    assert Contract.objects.get(home__code="B0042-1-0302").season_fee_fen is None
    home = Home.objects.get(code="B0042-1-0301")
    assert (home.banner_id, home.company_id, home.substation_id) == ("150602", "C01", "H01-S03")
    assert str(HeatSource.objects.get().capacity_mw) == "116.500"
    assert Outage.objects.get().started_at.isoformat() == "2026-01-10T00:00:00+00:00"
    assert Outage.objects.get().ended_at.isoformat() == "2026-01-11T07:00:00+00:00"
    assert FuelDay.objects.get().day.isoformat() == "2026-01-10"
    assert (FuelDay.objects.get().burn_t1000, FuelDay.objects.get().arriving_t1000) == (310_500, 0)
    assert Measurement.objects.get().temp_c100 == 1640
    assert Resident.objects.get().home == home
    assert Vehicle.objects.get().available_to is None
    assert [(row.act, row.actor) for row in AuditEntry.objects.all()] == [("import_registry", "小李")]
    assert verify_chain() == []


def test_the_same_town_twice_changes_nothing() -> None:
    import_registry(town(), actor="小李").required()
    ids = list(Home.objects.values_list("id", "code"))

    report = import_registry(town(), actor="小李").required()

    assert (report.total.created, report.total.changed) == (0, 0)
    assert report.total.unchanged == 13
    assert list(Home.objects.values_list("id", "code")) == ids
    assert AuditEntry.objects.count() == 1


def test_a_changed_row_is_updated_and_counted() -> None:
    import_registry(town(), actor="小李").required()
    renamed = pl.DataFrame({"code": ["150602"], "name": ["东胜"], "pack": ["directive"]})

    report = import_registry({"banners": renamed}, actor="小李").required()

    assert (report.tables["banners"].changed, Banner.objects.get().name) == (1, "东胜")


def test_a_measurement_is_never_rewritten() -> None:
    import_registry(town(), actor="小李").required()
    warmer = town()["measurements"].with_columns(temp_c=pl.lit("18.40"))

    report = import_registry({"measurements": warmer}, actor="小李")

    assert [finding.code for finding in report.findings] == ["recorded_otherwise"]
    assert Measurement.objects.get().temp_c100 == 1640


@pytest.mark.parametrize("header", ["no_record", "企业未留存记录", "无记录"])
def test_that_the_company_kept_no_record_reaches_the_rules(header: str) -> None:
    kept = town()["measurements"].with_columns(pl.lit("是").alias(header))

    import_registry(town(measurements=kept), actor="小李").required()

    assert Measurement.objects.get().no_record
    as_of_s = int(Measurement.objects.get().measured_at.timestamp())
    assert measurements_at(as_of_s)["no_record"].to_list() == [True]


def test_a_record_is_taken_to_be_kept_where_nothing_is_said() -> None:
    import_registry(town(), actor="小李").required()
    assert not Measurement.objects.get().no_record


HOMES = town()["homes"]
WRONG = [
    ("duplicate homes", {"homes": pl.concat([HOMES, HOMES.head(1)])}, [("double", 4, "code")]),
    ("unknown building", {"homes": HOMES.with_columns(楼栋=pl.lit("B9999"))}, [("unknown_place", 2, "building"), ("unknown_place", 3, "building")]),
    ("no area", {"homes": HOMES.drop("建筑面积")}, [("missing_column", None, "area_m2")]),
    ("area as text", {"homes": HOMES.with_columns(建筑面积=pl.Series(["八十九", "101"]))}, [("not_a_number", 2, "area_m2")]),
    ("area of zero", {"homes": HOMES.with_columns(建筑面积=pl.Series(["0", "101"]))}, [("implausible", 2, "area_m2")]),
    ("fee in thousandths", {"homes": HOMES.with_columns(采暖季热费=pl.Series(["2148.005", ""]))}, [("not_a_number", 2, "season_fee_yuan")]),
    ("neither yes nor no", {"homes": HOMES.with_columns(停热=pl.Series(["也许", "是"]))}, [("not_yes_no", 2, "stop_heat")]),
    ("season of three years", {"homes": HOMES.with_columns(采暖季=pl.lit("2025-2027"))}, [("not_a_season", 2, "season"), ("not_a_season", 3, "season")]),
    ("empty code", {"homes": HOMES.with_columns(户号=pl.Series(["", "B0042-1-0302"]))}, [("empty", 2, "code")]),
    ("ends before it starts", {"outages": town()["outages"].with_columns(ended_at=pl.lit("2026-01-09 08:00"))}, [("backwards", 2, "ended_at")]),
    ("unknown word", {"outages": town()["outages"].with_columns(cause=pl.lit("天气"))}, [("unknown_word", 2, "cause")]),
    ("not a date", {"fuel": town()["fuel"].with_columns(day=pl.lit("昨天"))}, [("not_a_date", 2, "day")]),
    ("unknown table", {"people": HOMES}, [("unknown_table", None, None)]),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "expected"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_faults_are_findings_and_nothing_is_written(
    changes: dict[str, pl.DataFrame], expected: list[tuple[str, int | None, str | None]]
) -> None:
    report = import_registry(town(**changes), actor="小李")

    assert [(finding.code, finding.row, finding.field) for finding in report.findings] == expected
    assert all(finding.remedy_zh for finding in report.findings)
    assert not Banner.objects.exists()
    assert not AuditEntry.objects.exists()


def test_many_faults_are_shown_once_and_counted() -> None:
    many = pl.DataFrame({
        "code": [f"B0042-1-{n:05d}" for n in range(2000)], "building": ["B0042"] * 2000, "area_m2": [-1.0] * 2000,
        "season": ["2025-2026"] * 2000,
    })  # fmt: skip
    report = import_registry(town(homes=many), actor="小李")

    assert len(report.findings) == 5
    assert sum(finding.count for finding in report.findings) == 2000


def test_a_column_that_is_not_known_is_named_and_left_out() -> None:
    report = import_registry(town(homes=HOMES.with_columns(备注=pl.lit("x"))), actor="小李")

    assert [(finding.code, finding.severity) for finding in report.findings] == [("unknown_column", "warning")]
    assert report.total.created == 13
