"""`nuan leaks replay` from the outside: folders as people bring them, and a short season whose truth is pandapipes'."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from bench.leak_files import START_S, write, write_points
from bench.leak_networks import leak_network
from bench.leak_seasons import Seen, season, seen
from click.testing import CliRunner, Result
from tests.network.leaks.leak_stage import POINTS, network, rows

from nuan.cli.main import main
from nuan.network.formats import nuan_json
from nuan.network.leaks.points import Point


def replay(folder: Path, *more: str) -> Result:
    return CliRunner().invoke(main, ["leaks", "replay", str(folder), *more])


def table(result: Result) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(result.stdout)))


def stage(folder: Path, days: float = 17.0, leak_t_h: float = 8.0, from_day: float = 15.0) -> Path:
    time_s, values = rows(days, leak_t_h, from_day)
    write(folder, network(), Seen(POINTS, time_s, values))
    return folder


def test_a_leak_comes_out_as_a_row(tmp_path: Path) -> None:
    result = replay(stage(tmp_path / "w"), "--quiet")
    assert result.exit_code == 0
    found = table(result)
    assert [row["kind"] for row in found if row["kind"] != "leak_update"] == ["leak"]
    assert found[0]["time"].startswith("2026-01-16 00:")
    assert float(found[0]["size_t_h"]) == pytest.approx(8.0, rel=0.25)
    pipes = [part.rsplit(":", 1) for part in found[0]["pipes"].split(";")]
    assert {name for name, _ in pipes} <= set(network().pipes["pipe"])
    assert all(0.0 <= float(share) <= 1.0 for _, share in pipes)


def test_it_is_written_whole_and_the_same_again(tmp_path: Path) -> None:
    folder, out = stage(tmp_path / "w"), tmp_path / "alarms.csv"
    assert replay(folder, "--out", str(out)).exit_code == 0
    first = out.read_text()
    assert replay(folder, "--out", str(out)).exit_code == 0
    assert out.read_text() == first
    assert list(tmp_path.glob("*.part")) == []


def test_what_comes_later_changes_no_row_before(tmp_path: Path) -> None:
    long, short = stage(tmp_path / "long"), stage(tmp_path / "short")
    lines = (short / "series.csv").read_text().splitlines(keepends=True)
    (short / "series.csv").write_text("".join(lines[:2250]))
    some, all_rows = replay(short, "--quiet", "--no-location").stdout, replay(long, "--quiet", "--no-location").stdout
    assert some.count("\n") > 1
    assert all_rows.startswith(some)


def _pandapipes(folder: Path) -> None:
    import pandapipes
    from bench.network_cases import pandapipes_network, street_case

    net = pandapipes_network(street_case(60, 2, seed=4))
    net.circ_pump_pressure["name"] = "Kraftwerk"
    pandapipes.to_json(net, str(folder / "network.json"))
    text = (folder / "points.csv").read_text().replace("plant", "Kraftwerk")
    (folder / "points.csv").write_text(text)


def _semicolons(folder: Path) -> None:
    frame = pl.read_csv(folder / "series.csv").with_columns(pl.col("time").str.replace(" ", "T") + "+08:00")
    text = frame.write_csv(separator=";").replace(".", ",")
    (folder / "series.csv").write_text("\ufeff" + text, encoding="utf-8")


def _epoch_kilopascal(folder: Path) -> None:
    frame = pl.read_csv(folder / "series.csv").with_columns(pl.col("pr") * 100.0).drop("time")
    start = [START_S + 600 * k for k in range(frame.height)]
    frame.insert_column(0, pl.Series("timestamp", start)).write_csv(folder / "series.csv")
    (folder / "points.csv").write_text((folder / "points.csv").read_text().replace("pressure,bar", "pressure,kPa"))


def _strange_points(folder: Path) -> None:
    with (folder / "points.csv").open("a") as file:
        file.write("x1,colour,bar,node,s1,\nnowhere,pressure,bar,node,s1,supply\nx2,pressure,bar,node,s99999,supply\n")


def _only_make_up(folder: Path) -> None:
    pl.read_csv(folder / "series.csv").select("time", "makeup").write_csv(folder / "series.csv")


def _no_points(folder: Path) -> None:
    (folder / "points.csv").unlink()
    pl.read_csv(folder / "series.csv").rename({"makeup": "makeup_flow_t_h"}).write_csv(folder / "series.csv")


def _zipped(folder: Path) -> None:
    import gzip

    (folder / "series.csv.gz").write_bytes(gzip.compress((folder / "series.csv").read_bytes()))
    (folder / "series.csv").unlink()


def _irregular(folder: Path) -> None:
    frame = pl.read_csv(folder / "series.csv")
    keep = np.random.default_rng(1).random(frame.height) < 0.6
    frame.filter(pl.Series(keep)).write_csv(folder / "series.csv")


@pytest.mark.parametrize(
    "change",
    [_pandapipes, _semicolons, _epoch_kilopascal, _strange_points, _only_make_up, _no_points, _zipped, _irregular],
    ids=lambda f: f.__name__[1:],
)
def test_folders_as_people_bring_them(tmp_path: Path, change) -> None:  # type: ignore[no-untyped-def]
    folder = stage(tmp_path / "w")
    change(folder)
    result = replay(folder, "--no-location")
    assert result.exit_code == 0, result.output
    assert [row["kind"] for row in table(result) if row["kind"] != "leak_update"] == ["leak"], result.stderr


def test_a_file_with_a_header_only_gives_a_header_only(tmp_path: Path) -> None:
    folder = stage(tmp_path / "w")
    (folder / "series.csv").write_text((folder / "series.csv").read_text().splitlines()[0] + "\n")
    result = replay(folder)
    assert result.exit_code == 0
    assert table(result) == []
    assert result.stdout.startswith("time,kind,event,pipes,")


@pytest.mark.parametrize(
    "broken", ["network.json", "series.csv", "folder", "no network", "no pipes", "no table", "no place to write"]
)
def test_what_is_not_possible_says_where_and_leaves_with_2(tmp_path: Path, broken: str) -> None:
    folder = stage(tmp_path / "w", days=1)
    more: list[str] = []
    if broken in ("network.json", "series.csv"):
        (folder / broken).unlink()
    elif broken == "no network":
        (folder / "network.json").write_text("[1, 2")
    elif broken == "no pipes":
        (folder / "network.json").write_text(json.dumps({"nuan_network": 1}))
    elif broken == "no table":
        (folder / "series.csv").write_bytes(b"")
    elif broken == "no place to write":
        more = ["--out", str(tmp_path / "nowhere" / "alarms.csv")]
    result = replay(tmp_path / "other" if broken == "folder" else folder, *more)
    assert result.exit_code == 2
    assert "Error" in result.stderr
    assert "Traceback" not in result.output


def test_without_make_up_it_says_so(tmp_path: Path) -> None:
    folder = stage(tmp_path / "w", days=1)
    write_points(folder, POINTS[1:])
    result = replay(folder)
    assert result.exit_code == 0
    assert "no make-up point" in result.stderr


def test_the_files_hold_what_was_given(tmp_path: Path) -> None:
    folder = stage(tmp_path / "w", days=1)
    assert nuan_json.read((folder / "network.json").read_text())[0].pipes.height == network().pipes.height


def test_a_season_of_pandapipes_short(tmp_path: Path) -> None:
    """The bench in short: contents that swell by tonnes, a vessel, ramps, gaps; no false alarm in 16 days, then 2 t/h within 12 hours."""
    what = season(leak_network(7, stations=40, loops=3, volume_m3=3000.0), 18, 3, "held")
    leak = np.where(what.run.time_s >= 16 * 86400, 2.0, 0.0)
    write(tmp_path / "w", what.network.known(), seen(what, leak, share=0.3, seed=1))
    found = table(replay(tmp_path / "w", "--quiet", "--no-location"))
    assert [row["kind"] for row in found if row["kind"] != "leak_update"] == ["leak"]
    assert "2026-01-17 00:00" < found[0]["time"] <= "2026-01-17 12:00:00"
    assert Point("makeup", "make_up_flow", "t/h", "source", "plant", "") in seen(what, leak, share=0.3, seed=1).points
