"""`nuan health replay`: folders as they come, what is written, and what is said when a folder cannot be used."""

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from nuan.cli.main import main

HOURS = 24 * 75
AT = 24 * 55
START = datetime(2022, 11, 1, tzinfo=UTC)
SCADA = {
    "t_amb": "outdoor", "t_ref": "setpoint", "t_sup_prim": "primary_supply", "t_ret_prim": "primary_return",
    "t_sup_sec": "secondary_supply", "t_ret_sec": "secondary_return", "pe": "heat",
}  # fmt: skip
UNITS = {"heat": ("power", "MW", "")}


def measured(seed: int) -> dict[str, np.ndarray]:
    dice = np.random.default_rng(seed)
    clock = np.arange(HOURS) % 24
    weather = np.random.default_rng(9).standard_normal(HOURS + 100)
    outdoor = 2 + 4 * np.convolve(weather, np.ones(72) / 72**0.5, "same")[:HOURS] - 2 * np.cos((clock - 3) / 3.82)
    on = (clock >= 5) & (clock < 23)
    setpoint = np.round(46 - 0.7 * outdoor, 1)
    supply = np.where(on, setpoint, 24.0) + 0.15 * dice.standard_normal(HOURS)
    heat = np.where(on, 10 * (supply - 20), 0.0)
    back = supply - heat / 50
    warm = np.where(on, 82 - 1.1 * outdoor, 55.0) + 0.2 * dice.standard_normal(HOURS)
    return {
        "outdoor": outdoor, "setpoint": setpoint, "primary_supply": warm, "secondary_supply": supply, "secondary_return": back,
        "primary_return": np.where(on, back + 1, 38.0) + 0.15 * dice.standard_normal(HOURS), "heat": heat,
    }  # fmt: skip


def ill() -> dict[str, dict[str, np.ndarray]]:
    town = {"L4": measured(1), "L12": measured(2)}
    town["L4"]["secondary_return"][AT:] += 2.5
    return town


def times(shape: str) -> list[str]:
    return [(START + timedelta(hours=hour)).strftime(shape) for hour in range(HOURS)]


def scada(folder: Path) -> Path:
    folder.mkdir()
    for name, columns in ill().items():
        with (folder / f"xai4heat_scada_{name}.csv").open("w", newline="") as opened:
            writer = csv.writer(opened)
            writer.writerow(["datetime", *SCADA])
            rows = zip(times("%Y-%m-%d %H:%M:%S"), *(np.round(columns[key], 2) for key in SCADA.values()), strict=True)
            writer.writerows(reversed(list(rows)))
    return folder


def points_and_series(folder: Path, shape: str, semicolon: bool = False) -> Path:
    folder.mkdir()
    town = ill()
    heads = [f"c{number}" for number in range(2 * len(SCADA))]
    rows, columns = [], []
    for name, values in town.items():
        for key in SCADA.values():
            quantity, unit, side = UNITS.get(key, ("temperature", "degC", key))
            rows.append([heads[len(rows)], quantity, unit, "substation", name, side])
            columns.append(values[key] / (1000 if unit == "MW" else 1))
    with (folder / "points.csv").open("w", newline="") as opened:
        csv.writer(opened).writerows([["column", "quantity", "unit", "asset_kind", "asset", "side"], *rows])
    with (folder / "series.csv").open("w", newline="") as opened:
        writer = csv.writer(opened, delimiter=";" if semicolon else ",")
        writer.writerow(["time", *heads])
        for at, *line in zip(times(shape), *columns, strict=True):
            cells = [f"{value:.4f}" for value in line]
            writer.writerow([at, *(cell.replace(".", ",") if semicolon else cell for cell in cells)])
    return folder


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["health", "replay", *map(str, arguments)])


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as opened:
        return list(csv.DictReader(opened))


def test_the_files_of_a_scada_as_they_are(tmp_path: Path) -> None:
    out = tmp_path / "faults.csv"
    result = run(scada(tmp_path / "in"), "--out", out, "--train-until", "2022-12-10")
    assert result.exit_code == 0, result.output
    rows = rows_of(out)
    assert [(r["station"], r["channel"], r["kind"], r["sensor_or_process"]) for r in rows] == [
        ("L4", "t_ret_sec", "bias", "sensor")
    ]
    told, began = datetime.fromisoformat(rows[0]["time"]), (START + timedelta(hours=AT)).replace(tzinfo=None)
    assert began < told <= began + timedelta(days=7)
    assert float(rows[0]["size"]) == pytest.approx(2.5, abs=0.5)
    assert 0 < float(rows[0]["confidence"]) <= 1


@pytest.mark.parametrize(
    ("shape", "semicolon"), [("%Y-%m-%dT%H:%M:%SZ", False), ("%s", False), ("%d.%m.%Y %H:%M", True)]
)
def test_points_and_series_in_other_units_and_times(tmp_path: Path, shape: str, semicolon: bool) -> None:
    out = tmp_path / "faults.csv"
    folder = points_and_series(tmp_path / "in", shape, semicolon)
    result = run(folder, "--out", out, "--train-until", "2022-12-10", "--save-models", tmp_path / "m.json")
    assert result.exit_code == 0, result.output
    rows = rows_of(out)
    assert [(r["station"], r["channel"], r["kind"]) for r in rows] == [("L4", "c5", "bias")]
    assert rows[0]["time"].isdigit() == (shape == "%s")
    again = run(folder, "--out", tmp_path / "again.csv", "--models", tmp_path / "m.json")
    assert again.exit_code == 0, again.output
    assert ("L4", "c5") in {(r["station"], r["channel"]) for r in rows_of(tmp_path / "again.csv")}


def test_what_cannot_be_used_is_said_with_its_place_and_a_remedy(tmp_path: Path) -> None:
    out = tmp_path / "faults.csv"
    nothing = run(tmp_path / "nowhere", "--out", out)
    assert nothing.exit_code == 2
    assert "nowhere" in nothing.output
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "series.csv" in run(empty, "--out", out).output
    (empty / "series.csv").write_text("time,a\nyesterday,1\n")
    assert "not a time" in run(empty, "--out", out).output
    (empty / "series.csv").write_text("time,a\n2022-01-01 00:00,1\n")
    (empty / "points.csv").write_text(
        "column,quantity,unit,asset_kind,asset,side\na,flow,furlong,substation,S1,primary\n"
    )
    wrong = run(empty, "--out", out)
    assert wrong.exit_code == 2
    assert "furlong" in wrong.output
    assert "points.csv" in wrong.output
    assert "--train-until" in run(scada(tmp_path / "in"), "--out", out, "--train-until", "tomorrow").output
