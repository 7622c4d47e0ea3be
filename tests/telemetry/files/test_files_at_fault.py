"""What is wrong with a file is told at once, with row, column and remedy; and what is refused is refused whole."""

from pathlib import Path

import openpyxl
import polars as pl
import pytest

from nuan.telemetry.files import FileReadings, load_mapping, read_file
from nuan.telemetry.files.problems import PROBLEMS, SHOWN

ROOT = Path(__file__).parents[3]
MAPPING = """
files:
  - match: "*.csv"
    time: {column: time, zone: Europe/Belgrade}
    columns:
      room: {place: B1, quantity: room_temp}
      hum: {place: B1, quantity: room_humidity}
    ignore: [note]
  - match: "*.xlsx"
    sheet: 数据
    time: {column: time, zone: Asia/Shanghai}
    columns: {room: {place: B1, quantity: room_temp}}
  - match: "*.parquet"
    time: {column: time}
    columns: {room: {place: B1, quantity: room_temp}}
"""
HEAD = "time,room,hum\n"


def lines(*rows: str) -> str:
    return HEAD + "\n".join(rows) + "\n"


def hours(cells: list[str], day: str = "2026-01-10") -> list[str]:
    return [f"{day} {n:02d}:00,{cell}" for n, cell in enumerate(cells)]


def read(path: Path, places: frozenset[str] = frozenset({"B1"}), arrival_s: int = 1_800_000_000) -> FileReadings:
    mapping, findings = load_mapping(MAPPING, "mapping.yaml")
    assert findings == []
    return read_file(path, mapping, places=places, arrival_s=arrival_s)


# id, text, [(code, row, column)], readings that stand
CASES = [
    ("empty", "", [("empty_file", None, None)], None),
    ("header only", HEAD, [("empty_file", None, None)], None),
    ("a column is missing", "time,room\n2026-01-10 08:00,18\n", [("missing_column", None, "hum")], None),
    ("a column is unknown", "time,room,hum,extra\n2026-01-10 08:00,18,40,1\n", [("unknown_column", None, "extra")], 2),
    ("an ignored column", "time,room,hum,note\n2026-01-10 08:00,18,40,x\n", [], 2),
    ("cut in the middle of a row", lines("2026-01-10 08:00,18,40") + "2026-01-10 09:00,1", [("half_row", 3, None), ("cut_end", None, None)], None),
    ("cut after a whole row", lines("2026-01-10 08:00,18,40")[:-1], [("cut_end", None, None)], 2),
    ("a row with one cell too many", lines("2026-01-10 08:00,18,40", "2026-01-10 09:00,18,5,40"), [("half_row", 3, None)], None),
    ("not a time", lines("yesterday,18,40", "2026-01-10 09:00,18,40"), [("not_a_time", 2, "time")], None),
    ("no time", lines(",18,40"), [("not_a_time", 2, "time")], None),
    ("month 13", lines("2026-13-10 08:00,18,40"), [("not_a_time", 2, "time")], None),
    ("mixed time zones", lines("2026-01-10 08:00,18,40", "2026-01-10T09:00:00+08:00,18,40"), [("mixed_time_zones", 2, "time")], None),
    ("another zone than the mapping's", lines("2026-01-10T09:00:00+08:00,18,40"), [("other_time_zone", 2, "time")], 2),
    ("the mapping's zone said", lines("2026-01-10T09:00:00+01:00,18,40", "2026-07-10T09:00:00+02:00,18,40"), [], 4),
    ("an hour that the spring leaves out", lines("2025-03-30 02:30,18,40", "2025-03-30 03:30,18,40"), [("no_such_time", 2, "time")], 2),
    ("an hour that the autumn has twice", lines("2025-10-26 02:30,18,40"), [("ambiguous_time", 2, "time")], 2),
    ("a fault after an empty row", lines(",,", "2026-01-10 08:00,warm,40"), [("not_a_number", 3, "room")], None),
    ("a fault after an empty line", lines("2026-01-10 07:00,18,40", "", "2026-01-10 08:00,warm,40"), [("not_a_number", 4, "room")], None),
    ("a fault after half a row", lines("2026-01-10 07:00,18", "2026-01-10 08:00,warm,40"), [("half_row", 2, None), ("not_a_number", 3, "room")], None),
    ("a word for a number", lines("2026-01-10 08:00,warm,40"), [("not_a_number", 2, "room")], None),
    ("a unit in the cell", lines("2026-01-10 08:00,18℃,40"), [("not_a_number", 2, "room")], None),
    ("marks for none", lines("2026-01-10 08:00,-,40", "2026-01-10 09:00,NaN,缺测"), [], 1),
    ("Fahrenheit", lines(*hours(["72,40", "71.5,40", "70,40", "71,41"])), [("out_of_range", 2, "room"), ("wrong_unit", 2, "room")], None),
    ("tenths of a degree", lines(*hours(["185,40", "186,40", "184,40", "0,41"])), [("out_of_range", 2, "room"), ("wrong_unit", 2, "room"), ("missing_mark", 5, "room")], None),
    ("1 000 % humidity", lines(*hours(["18,1000", "18,40", "18,41"])), [("out_of_range", 2, "hum")], 6),
    ("one bad value is flagged and kept", lines(*hours(["18,40", "-39.9,40", "18,41"])), [("out_of_range", 3, "room")], 6),
    ("a spike", lines(*hours(["18,40", "39,40", "18,41"])), [("jump", 3, "room")], 6),
    ("too large for any store", lines(*hours(["1e15,40", "18,40"])), [("too_large", 2, "room")], 3),
    ("the same row twice", lines("2026-01-10 08:00,18,40", "2026-01-10 08:00,18,40"), [], 2),
    ("one moment, two values", lines("2026-01-10 08:00,18,40", "2026-01-10 08:00,19,40"), [("double", 3, "room")], 3),
    ("a clock in the future", lines("2096-01-10 08:00,18,40"), [("future", 2, "room"), ("future", 2, "hum")], 2),
    ("two faults at once", "time,room\nyesterday,warm\n", [("missing_column", None, "hum")], None),
    ("many faults at once", lines("yesterday,warm,40"), [("not_a_time", 2, "time"), ("not_a_number", 2, "room")], None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected", "readings"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_csv(
    tmp_path: Path, text: str, expected: list[tuple[str, int | None, str | None]], readings: int | None
) -> None:
    (tmp_path / "rooms.csv").write_text(text)
    result = read(tmp_path / "rooms.csv")

    said = [(finding.code, finding.row, finding.field) for finding in result.findings]
    assert sorted(said, key=str) == sorted(expected, key=str)
    assert (len(result.time_s) if result.ok else None) == readings


def test_an_unknown_place_is_named_once(tmp_path: Path) -> None:
    (tmp_path / "rooms.csv").write_text(lines(*hours(["18,40", "18,40"])))
    result = read(tmp_path / "rooms.csv", places=frozenset({"B2"}))

    assert [(finding.code, finding.value) for finding in result.findings] == [("unknown_place", "B1")]


@pytest.mark.parametrize(
    ("word", "unit", "code"),
    [("室温", "°C", None), ("温暖", "°C", "unknown_quantity"), ("室温", "bar", "unknown_unit")],
    ids=["right", "a word that the mapping does not know", "a unit of another kind"],
)
def test_words_and_units_of_a_long_file(tmp_path: Path, word: str, unit: str, code: str | None) -> None:
    mapping, _ = load_mapping(
        "files: [{match: '*', time: {column: t, zone: UTC}, long: {place: p, quantity: q, value: v, unit: u,"
        " quantities: {室温: {quantity: room_temp}}}}]",
        "m",
    )
    (tmp_path / "long.csv").write_text(f"t,p,q,v,u\n2026-01-10 08:00,B1,{word},18,{unit}\n")
    result = read_file(tmp_path / "long.csv", mapping)

    assert [finding.code for finding in result.findings] == ([code] if code else [])


def test_times_without_a_zone_are_not_guessed(tmp_path: Path) -> None:
    pl.DataFrame({"time": ["2026-01-10 08:00"], "room": [18.0]}).write_parquet(tmp_path / "rooms.parquet")

    assert [finding.code for finding in read(tmp_path / "rooms.parquet").findings] == ["no_time_zone"]


@pytest.mark.parametrize("kind", ["xlsx", "parquet"])
@pytest.mark.parametrize("keep", [0.5, 0.9], ids=["half", "nine tenths"])
def test_half_a_binary_file(tmp_path: Path, kind: str, keep: float) -> None:
    file = tmp_path / f"rooms.{kind}"
    if kind == "xlsx":
        book = openpyxl.Workbook()
        book.active.title = "数据"
        book.active.append(["time", "room"])
        for n in range(200):
            book.active.append([f"2026-01-10 {n % 24:02d}:00", 18 + n / 100])
        book.save(file)
    else:
        pl.DataFrame({"time": list(range(1_768_003_200, 1_768_103_200)), "room": [18.0] * 100_000}).write_parquet(file)
    whole = file.read_bytes()
    file.write_bytes(whole[: int(len(whole) * keep)])
    result = read(file)

    assert [finding.code for finding in result.findings] == ["broken_file"]
    assert len(result.time_s) == 0


def test_a_sheet_that_is_not_there(tmp_path: Path) -> None:
    openpyxl.Workbook().save(tmp_path / "rooms.xlsx")

    assert [finding.code for finding in read(tmp_path / "rooms.xlsx").findings] == ["missing_sheet"]


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "rooms.csv").write_bytes(HEAD.encode() + b"2026-01-10 08:00,\xff\xff,40\n")

    assert [finding.code for finding in read(tmp_path / "rooms.csv").findings] == ["wrong_encoding"]


def test_a_name_that_no_mapping_fits(tmp_path: Path) -> None:
    (tmp_path / "rooms.dat").write_text(HEAD)

    assert [finding.code for finding in read(tmp_path / "rooms.dat").findings] == ["no_mapping"]


def test_more_readings_than_one_piece_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nuan.telemetry.files.reading.MOST_READINGS", 3)
    (tmp_path / "rooms.csv").write_text(lines(*hours(["18,40", "18,41"])))

    assert [finding.code for finding in read(tmp_path / "rooms.csv").findings] == ["too_many"]


def test_the_first_faults_are_shown_and_all_are_counted(tmp_path: Path) -> None:
    (tmp_path / "rooms.csv").write_text(lines(*["2026-01-10 08:00,warm,40"] * 1000))
    result = read(tmp_path / "rooms.csv")

    assert [finding.row for finding in result.findings] == [2, 3, 4, 5, 6]
    assert len(result.findings) == SHOWN
    assert sum(finding.count for finding in result.findings) == 1000
    assert "共 996 处" in result.findings[-1].sentence()


MAPPINGS = [
    ("not YAML", "files: [", ""),
    ("no files", "files: []", "files"),
    ("no such quantity", "files: [{match: a, time: t, columns: {x: {place: p, quantity: warmth}}}]", "files[0].columns.x.quantity"),
    ("a unit of another kind", "files: [{match: a, time: t, columns: {x: {place: p, quantity: room_temp, unit: bar}}}]", "files[0].columns.x.unit"),
    ("no place", "files: [{match: a, time: t, columns: {x: {quantity: room_temp}}}]", "files[0].columns.x.place"),
    ("wide and long", "files: [{match: a, time: t, columns: {}, long: {place: p, value: v, is: {quantity: room_temp}}}]", "files[0]"),
    ("no such zone", "files: [{match: a, time: {column: t, zone: Mars}, columns: {x: {place: p, quantity: room_temp}}}]", "files[0].time.zone"),
    ("a misspelt key", "files: [{match: a, time: t, colums: {}, columns: {x: {place: p, quantity: room_temp}}}]", "files[0].colums"),
    ("a scale of zero", "files: [{match: a, time: t, columns: {x: {place: p, quantity: room_temp, scale: 0}}}]", "files[0].columns.x.scale"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "field"), [row[1:] for row in MAPPINGS], ids=[row[0] for row in MAPPINGS])
def test_faults_of_the_mapping(text: str, field: str) -> None:
    _, findings = load_mapping(text, "mapping.yaml")

    assert [finding.field for finding in findings] == [field]
    assert findings[0].remedy_zh


def test_every_problem_is_met_in_a_test() -> None:
    """A problem that no test provokes may be one that is never told."""
    text = "".join(file.read_text() for file in (ROOT / "tests").rglob("test_*.py"))

    assert [code for code in PROBLEMS if f'"{code}"' not in text] == []
