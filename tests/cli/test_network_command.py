"""`nuan network` for engineers who never start the platform: all findings at once, exit codes, and files that others can read."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import small_ring
from nuan.cli.main import main
from nuan.network.formats import nuan_json


@pytest.fixture
def drawing(tmp_path: Path) -> Path:
    path = tmp_path / "ring.json"
    path.write_text(nuan_json.write(small_ring.ring()), "utf-8")
    return path


def nuan(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["network", *map(str, arguments)])


def test_a_sound_file_passes(drawing: Path) -> None:
    done = nuan("check", drawing)
    assert done.exit_code == 0, done.output
    assert "8 根管 8.0 km，16 个阀门，3 座热力站，1 个热源；0 个错误" in done.output


def test_every_fault_is_said_in_one_go(drawing: Path) -> None:
    document = json.loads(drawing.read_text("utf-8"))
    document["pipes"]["length_m"][0] = -5
    document["pipes"]["to_node"][1] = "nowhere"
    document["substations"]["supply_node"][0] = "neither"
    drawing.write_text(json.dumps(document), "utf-8")
    done = nuan("check", drawing, "--json")
    assert done.exit_code == 1
    assert sorted(each["code"] for each in json.loads(done.output)["findings"]) == [
        "end_unknown",
        "end_unknown",
        "length_m_impossible",
    ]


def test_what_is_no_network_is_said_and_not_a_traceback(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(b"\xff\xfe\x00nothing")
    assert nuan("check", path).exit_code == 1


def test_isolating_in_a_ring_loses_nobody(drawing: Path) -> None:
    done = nuan("isolate", drawing, "P12-G", "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.output)
    assert sorted(found["valves"]) == ["V12a-G", "V12a-H", "V12b-G", "V12b-H"]
    assert found["lost"] == []
    assert found["minutes"] == 40.0


def test_somebody_lost_is_exit_code_one(drawing: Path) -> None:
    document = json.loads(drawing.read_text("utf-8"))
    names = document["valves"]["valve"]
    document["valves"]["open"] = [name not in {"V12a-G", "V12a-H"} for name in names]
    drawing.write_text(json.dumps(document), "utf-8")
    done = nuan("isolate", drawing, "P01-G")
    assert done.exit_code == 1
    assert "断水：X1" in done.output


def test_an_unknown_pipe_is_exit_code_two(drawing: Path) -> None:
    assert nuan("isolate", drawing, "P99").exit_code == 2


def test_a_file_goes_to_geojson_with_results_and_back(drawing: Path, tmp_path: Path) -> None:
    out = tmp_path / "ring.geojson"
    assert nuan("convert", drawing, out, "--solve").exit_code == 0
    assert '"pressure_bar"' in out.read_text("utf-8")
    again = tmp_path / "again.json"
    assert nuan("convert", out, again).exit_code == 0
    assert sorted(nuan_json.read(again.read_text("utf-8"))[0].pipes["pipe"]) == sorted(small_ring.ring().pipes["pipe"])


@pytest.mark.django_db(transaction=True)
def test_import_watch_and_export(drawing: Path, tmp_path: Path, settings, city: None) -> None:  # type: ignore[no-untyped-def]
    settings.NUAN_HOME = tmp_path
    dry = nuan("import", drawing, "--company", "C01", "--dry-run")
    assert dry.exit_code == 0, dry.output
    assert "没有写入" in dry.output
    places = tmp_path / "places.csv"
    places.write_text("substation,place\nX3,B002\n", "utf-8")
    done = nuan("import", drawing, "--company", "C01", "--places", places, "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.output)["version"] == 1
    assert nuan("import", drawing, "--company", "C99").exit_code == 1
    watched = nuan("watch", "--once")
    assert watched.exit_code == 0, watched.output
    assert "最不利点" in watched.output
    out = tmp_path / "out.geojson"
    assert nuan("export", "--company", "C01", "--out", out).exit_code == 0
    assert json.loads(out.read_text("utf-8"))["type"] == "FeatureCollection"
    assert nuan("export", "--company", "C02", "--out", out).exit_code == 2
