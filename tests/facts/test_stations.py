"""What a station did beside what the weather asked of it, never a gap beside a full day."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nuan.facts.schemas import TABLES, check, empty
from nuan.facts.stations import room_means, station_days, station_outage_hours
from nuan.terms.places import HOUR_S, day_start, local_day

DAY = 20_450
STATIONS = pl.DataFrame(
    {"substation": ["S1", "S2"], "source": ["H1", "H1"], "company": ["C1", "C2"], "banner": ["150602", "150603"]}
)


def hours(*given: tuple[str, int, int | None, int | None, int | None]) -> pl.DataFrame:
    """(substation, hour of the day, outdoor, supply, heat in 0.1 kW)"""
    return pl.DataFrame(
        [
            {
                "substation": s, "hour_s": day_start(DAY) + h * HOUR_S, "outdoor_c100": outdoor, "supply_c100": supply,
                "return_c100": None, "flow_m3h_1000": None, "heat_kw_10": heat,
            }
            for s, h, outdoor, supply, heat in given
        ],
        schema=TABLES["station_hour"].schema,
        orient="row",
    )  # fmt: skip


def expected(frame: pl.DataFrame, supply: int | None = 5000, heat: int | None = 1000) -> pl.DataFrame:
    return frame.select("substation", "hour_s").with_columns(
        pl.lit(supply, pl.Int32).alias("expected_supply_c100"), pl.lit(heat, pl.Int64).alias("expected_heat_kw_10")
    )


def test_a_full_day() -> None:
    frame = hours(*(("S1", h, -1000 - h, 4500 + 10 * h, 900) for h in range(24)))
    found = station_days(frame, STATIONS, expected(frame))
    assert check("station_day", found) == []
    row = found.row(0, named=True)
    assert row["day"] == DAY
    assert (row["company"], row["banner"]) == ("C1", "150602")
    assert (row["hours_covered"], row["supply_mean_c100"], row["expected_supply_c100"]) == (24, 4615, 5000)
    assert (row["heat_kwh"], row["expected_heat_kwh"]) == (2160, 2400)
    assert row["outdoor_mean_c100"] == -1011, "half a step goes up: −1011.5 → −1011"
    assert (row["rooms_covered"], row["rooms_mean_c100"], row["outage_hours"]) == (0, None, 0)


def test_a_gap_is_not_compared_with_a_full_day() -> None:
    frame = hours(("S1", 0, -500, 4500, 900), ("S1", 1, -500, None, None), ("S1", 2, None, 4700, None))
    row = station_days(frame, STATIONS, expected(frame)).row(0, named=True)
    assert (row["hours_covered"], row["supply_mean_c100"]) == (2, 4600)
    assert (row["heat_kwh"], row["expected_heat_kwh"]) == (90, 100), "only the hour in which heat was measured"


def test_nothing_measured_is_nothing_known() -> None:
    frame = hours(("S1", 0, None, None, None))
    row = station_days(frame, STATIONS, expected(frame)).row(0, named=True)
    assert row["hours_covered"] == 0
    for column in ("outdoor_mean_c100", "supply_mean_c100", "expected_supply_c100", "heat_kwh", "expected_heat_kwh"):
        assert row[column] is None, column


@pytest.mark.parametrize(
    ("supply", "heat"),
    [pytest.param(None, 1000, id="supply unknown"), pytest.param(5000, None, id="heat unknown")],
)
def test_where_physics_cannot_say_nothing_is_asked(supply: int | None, heat: int | None) -> None:
    frame = hours(("S1", 0, -500, 4500, 900), ("S1", 1, -500, 4500, 900))
    asked = pl.concat([expected(frame[:1]), expected(frame[1:], supply, heat)])
    row = station_days(frame, STATIONS, asked).row(0, named=True)
    assert (row["expected_supply_c100"] is None) is (supply is None)
    assert (row["expected_heat_kwh"] is None) is (heat is None)


def test_rooms_and_outages_join_their_day() -> None:
    frame = hours(("S1", 0, -500, 4500, 900), ("S2", 0, -500, 4500, 900))
    homes = pl.DataFrame({"home": ["A", "B", "C"], "substation": ["S1", "S1", "S1"], "stop_heat": [False, False, True]})
    home_day = pl.DataFrame({"home": ["A", "B", "C"], "day": [DAY] * 3, "mean_c100": [1800, 1901, 900]}).cast(
        {"day": pl.Int32, "mean_c100": pl.Int32}
    )
    rooms = room_means(home_day, homes)
    assert rooms.rows() == [("S1", DAY, 2, 1851)]
    out = station_outage_hours(outages(("source", "H1", day_start(DAY), day_start(DAY) + 90_000)), STATIONS, 0)
    found = station_days(frame, STATIONS, expected(frame), rooms, out)
    assert found.select("substation", "rooms_covered", "rooms_mean_c100", "outage_hours").rows() == [
        ("S1", 2, 1851, 24),
        ("S2", 0, None, 24),
    ]


def outages(*given: tuple[str, str, int, int | None]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "outage_id": f"O{n}", "level": level, "code": code, "start_s": start, "end_s": end, "planned": False,
                "cause": "source", "attested_by": "乌主任",
            }
            for n, (level, code, start, end) in enumerate(given)
        ],
        schema=TABLES["outage"].schema,
        orient="row",
    )  # fmt: skip


@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                [("source", "H1"), ("substation", "S1"), ("substation", "S2"), ("loop", "S1"), ("source", "H9")]
            ),
            st.integers(0, 60 * HOUR_S),
            st.one_of(st.none(), st.integers(1, 30 * HOUR_S)),
        ),
        max_size=6,
    )
)
def test_outage_hours_against_a_walk_over_the_hours(some: list[tuple[tuple[str, str], int, int | None]]) -> None:
    base = day_start(DAY)
    as_of = base + 100 * HOUR_S
    table = outages(
        *(
            (level, code, base + at, None if length is None else base + at + length)
            for (level, code), at, length in some
        )
    )
    walked: dict[tuple[str, int], int] = {}
    for station in ("S1", "S2"):
        for hour in range(base, as_of, HOUR_S):
            out = any(
                (level == "source" and code == "H1") or (level == "substation" and code == station)
                for (level, code), at, length in some
                if base + at < hour + HOUR_S and (as_of if length is None else base + at + length) > hour
            )
            if out:
                key = (station, local_day(hour))
                walked[key] = walked.get(key, 0) + 1
    found = station_outage_hours(table, STATIONS, as_of)
    assert {(s, d): n for s, d, n in found.rows()} == walked


def test_no_outage_no_hours() -> None:
    assert station_outage_hours(empty("outage"), STATIONS, 0).height == 0
