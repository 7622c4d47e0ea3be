"""Ten real flats and two real substations in Niš, from the raw files to the verdicts, against a slow reckoning of our own.

docs/walkthrough-real-flats.md tells the story; the numbers in it are these.
"""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from measured import MEASURED, needs
from nuan.operations.import_readings import ReadingsReport, import_readings
from nuan.operations.import_registry import import_registry
from nuan.operations.judging import judge_season
from nuan.operations.registry_files import read_registry
from nuan.records.supervision.models import CurrentJudgement, HomeSeason
from nuan.telemetry.files import load_mapping
from nuan.telemetry.store import Store
from nuan.terms.quantities import to_fixed

ROOT = Path(__file__).parents[2]
DATA = MEASURED / "xai4heat"
EXAMPLE = ROOT / "examples/xai4heat"
PAGE = ROOT / "docs/walkthrough-real-flats.md"
AS_OF = datetime(2025, 4, 30, tzinfo=UTC)
START, END = datetime(2024, 11, 17, 5, tzinfo=UTC), datetime(2025, 3, 31, 16, tzinfo=UTC)

needs_data = needs(DATA)


def test_the_example_registry_is_whole() -> None:
    frames, findings = read_registry(EXAMPLE / "registry")
    _, wrong = load_mapping((EXAMPLE / "mapping.yaml").read_text(), "mapping.yaml")

    assert (findings, wrong) == ([], [])
    assert frames["homes"].height == 10


def import_all(readings: Path) -> dict[str, ReadingsReport]:
    frames, _ = read_registry(EXAMPLE / "registry")
    import_registry(frames, actor="小李").required()
    mapping, _ = load_mapping((EXAMPLE / "mapping.yaml").read_text(), "mapping.yaml")
    with Store(readings, write=True) as store:
        reports = {
            path.name: import_readings(
                path, mapping, actor="小李", store=store, arrival_s=int(AS_OF.timestamp())
            )
            for path in sorted(DATA.glob("*.csv"))
        }  # fmt: skip
        store.compact()
        assert store.verify() == []
    return reports


def slow_reckoning(code: str) -> tuple[int, int, int]:
    """(hours below 18 °C, days with such an hour, lowest 0.01 °C) of a flat, straight from the file."""
    station, entrance, flat = code.split("-")
    raw = pl.read_csv(DATA / f"xai4heat_2024-25_{station}.csv", infer_schema=False)
    frame = raw.select(
        pl.col("datetime").str.to_datetime("%Y-%m-%d %H:%M:%S").dt.replace_time_zone("Europe/Belgrade")
        .dt.convert_time_zone("UTC").alias("at"),
        pl.col(f"temperature_{entrance}_{flat}").replace("", None)
        .map_elements(lambda text: to_fixed("room_temp", text), return_dtype=pl.Int64).alias("c100"),
    ).drop_nulls().filter((pl.col("at") >= START) & (pl.col("at") < END))  # fmt: skip
    cold = frame.filter(pl.col("c100") < 1800)
    local = pl.col("at").dt.convert_time_zone("Etc/GMT-8").dt
    return (
        cold.select(pl.col("at").dt.truncate("1h").n_unique()).item(),
        cold.select(local.date().n_unique()).item(),
        int(frame["c100"].min()),
    )


@needs_data
@pytest.mark.django_db
def test_from_files_to_verdicts(tmp_path: Path) -> None:
    reports = import_all(tmp_path / "readings")

    assert {name: (r.state, r.rows, r.readings) for name, r in reports.items()} == {
        "xai4heat_2024-25_L12.csv": ("imported", 12_898, 222_913),
        "xai4heat_2024-25_L4.csv": ("imported", 12_898, 231_034),
        "xai4heat_scada_L12.csv": ("imported", 17_320, 138_560),
        "xai4heat_scada_L4.csv": ("imported", 31_538, 242_272),
    }
    scada = reports["xai4heat_scada_L4.csv"]
    assert scada.flagged == {"missing": 18_494, "stuck": 1_985, "out_of_range": 13_902, "jump": 21}
    assert [f.row for f in scada.findings if f.code == "no_such_time"] == [18_692]

    with Store(tmp_path / "readings") as store:
        report = judge_season("2024-2025", actor="刘科", store=store, as_of=AS_OF, runs_root=tmp_path / "runs")
    assert report.homes_judged == 10
    assert report.refund_fen == 0

    for home in HomeSeason.objects.select_related("home"):
        hours, days, lowest = slow_reckoning(home.home.code)
        assert (home.home.code, home.hours_below, home.days_breached, home.min_c100) == (
            home.home.code, hours, days, lowest,
        )  # fmt: skip
        assert home.days_met + home.days_breached + home.days_undecidable == 135

    verdicts = dict(CurrentJudgement.objects.filter(clause="2.5.2").values_list("subject", "verdict"))
    assert sorted(code for code, verdict in verdicts.items() if verdict == "breached") == [
        "L12-19-18", "L4-37-12", "L4-37-2",
    ]  # fmt: skip
    assert [code for code, verdict in verdicts.items() if verdict == "undecidable"] == ["L12-21-18"]
    throttled = CurrentJudgement.objects.filter(clause="2.5", item="throttling").select_related("judgement")
    assert {row.subject: row.judgement.facts["throttled_days"] for row in throttled} == {"L4": 103, "L12": 108}
    warm = CurrentJudgement.objects.filter(clause="2.5", item="over_heating", verdict="breached")
    assert sorted(warm.values_list("subject", flat=True)) == ["L12-19-2", "L4-37-4", "L4-37-9"]

    # and the page tells these numbers
    page = PAGE.read_text()

    for row in HomeSeason.objects.select_related("home").order_by("home__code"):
        line = (
            f"| {row.home.code} | {row.days_met} | {row.days_breached} | {row.days_undecidable} | {row.hours_below} "
            f"| {row.longest_below_h} | {row.min_c100 / 100:.2f} | {row.mean_c100 / 100:.2f} |"
        )
        assert line in page
