"""A gateway reaches its own devices with its own secret, and nothing else."""

from fractions import Fraction

import pytest

from nuan.telemetry.intake.directory import Directory, Gateway, Placed, Point, ProfilePoint, digest_of
from nuan.telemetry.series import SeriesKey

STATION = {
    "supply": ProfilePoint("supply_temp", "supply", Fraction(1, 10)),
    "l1_pressure": ProfilePoint("pressure", "supply", Fraction(1, 100), below="L1"),
}
ROOM = {"t": ProfilePoint("room_temp")}
DIRECTORY = Directory(
    7,
    {"G1": Gateway("G1", "C01", "line"), "G2": Gateway("G2", "C02", "mqtt")},
    {digest_of("first"): "G1", digest_of("rotated"): "G1", digest_of("second"): "G2"},
    {
        "G1": {"RTU3": Placed("H01-S03", STATION), "77": Placed("B0001-1-0101", ROOM, "living")},
        "G2": {"88": Placed("B0002-1-0101", ROOM)},
    },
)


@pytest.mark.parametrize(
    ("user", "secret", "who"),
    [
        ("G1", "first", "G1"),
        ("G1", "rotated", "G1"),
        ("", "second", "G2"),
        ("G2", "first", None),
        ("G1", "", None),
        ("", "", None),
        ("G3", "second", None),
        ("Ｇ１", "first", None),
    ],
)
def test_a_secret_opens_for_its_own_gateway(user: str, secret: str, who: str | None) -> None:
    found = DIRECTORY.authenticate(user, secret)
    assert (found.code if found else None) == who


@pytest.mark.parametrize(
    ("gateway", "device", "name", "point"),
    [
        ("G1", "RTU3", "supply", Point(SeriesKey("H01-S03", "supply_temp", "supply"), Fraction(1, 10))),
        ("G1", "RTU3", "l1_pressure", Point(SeriesKey("H01-S03-L1", "pressure", "supply"), Fraction(1, 100))),
        ("G1", "77", "t", Point(SeriesKey("B0001-1-0101", "room_temp", "living"))),
        ("G2", "88", "t", Point(SeriesKey("B0002-1-0101", "room_temp", "room"))),
        ("G2", "77", "t", None),
        ("G1", "77", "humidity", None),
        ("G9", "77", "t", None),
    ],
)
def test_only_what_the_gateway_owns_has_a_series(gateway: str, device: str, name: str, point: Point | None) -> None:
    assert DIRECTORY.point(gateway, device, name) == point


def test_all_series_of_a_gateway() -> None:
    assert sorted(map(str, DIRECTORY.series("G1"))) == [
        "B0001-1-0101|room_temp|living",
        "H01-S03-L1|pressure|supply",
        "H01-S03|supply_temp|supply",
    ]
