"""The cold-homes number moves with the readings, and counting step by step ends where counting anew ends."""

import random
from datetime import datetime, timedelta

import numpy as np
import pytest

from nuan.operations.city_now import compute_city_now
from nuan.operations.live_city import RECOUNT_S, LiveCity
from nuan.records.registry.models import Contract, Home
from nuan.records.supervision.models import HomeSeason, PlaceNow, Run
from nuan.telemetry.live import LiveTable
from nuan.telemetry.series import SeriesTable
from small_city import AS_OF, SEASON, build_city

pytestmark = pytest.mark.django_db
NOW = AS_OF + timedelta(hours=2)
NAMES = ("cold", "warm", "unknown", "homes", "newest_s", "coldest_c100")


class City:
    """The small city with a live table before it."""

    def __init__(self) -> None:
        build_city()
        self.table, self.live, self.names, self.tick = LiveTable(), LiveCity(), SeriesTable(), 0

    def hear(self, text: str, at: datetime, value: int, flags: int = 0) -> None:
        self.names.add([text])
        number = self.names.ids([text])
        row = np.array([int(at.timestamp())])
        self.table.update(number, row, np.array([value], np.int32), np.array([flags], np.uint8), row)

    def recount(self, now: datetime = NOW) -> int:
        changes = self.table.changed_since(self.tick)
        self.tick = changes.tick
        self.live.heard(changes, self.names)
        return self.live.recount(now)

    def counts(self) -> dict[tuple[str, str], tuple[int, ...]]:
        return {(row.level, row.code): tuple(getattr(row, name) for name in NAMES) for row in PlaceNow.objects.all()}

    def counts_anew(self) -> dict[tuple[str, str], tuple[int, ...]]:
        compute_city_now(Run.objects.get())
        return self.counts()


def cold(level: str = "city", code: str = "") -> int:
    return PlaceNow.objects.get(level=level, code=code).cold


def test_a_reading_moves_the_number_of_its_places_only() -> None:
    city = City()
    city.recount()
    assert cold() == 4
    city.hear("B001-1-0101|room_temp|living", NOW, 1900)
    assert city.recount() == 1
    assert [cold(), cold("company", "C01"), cold("company", "C02"), cold("substation", "H01-S01")] == [3, 1, 2, 0]
    city.hear("B001-1-0201|room_temp|living", NOW, 1500)
    city.recount()
    assert [cold(), PlaceNow.objects.get(level="city").coldest_c100] == [4, 1500]


def test_of_several_rooms_the_coldest_counts_as_long_as_it_is_heard() -> None:
    city = City()
    city.hear("B001-1-0101|room_temp|living", NOW, 2100)
    city.hear("B001-1-0101|room_temp|bedroom", NOW - timedelta(minutes=30), 1650)
    city.recount()
    assert HomeSeason.objects.get(home__code="B001-1-0101").last_temp_c100 == 1650
    city.hear("B001-1-0101|room_temp|living", NOW + timedelta(hours=7), 2100)
    city.recount(NOW + timedelta(hours=7))
    assert HomeSeason.objects.get(home__code="B001-1-0101").last_temp_c100 == 2100


@pytest.mark.parametrize(
    "text", ["B001-1-0101|room_humidity|living", "nobody|room_temp|living", "H01-S01|supply_temp|room"]
)
def test_what_is_no_room_of_a_home_changes_nothing(text: str) -> None:
    city = City()
    city.recount()
    before = city.counts()
    city.hear(text, NOW, 1900)
    assert city.recount() == 0
    assert city.counts() == before


def test_an_older_or_distrusted_reading_changes_nothing() -> None:
    city = City()
    city.hear("B001-1-0101|room_temp|living", AS_OF - timedelta(hours=3), 2200)
    city.hear("B001-1-0102|room_temp|living", NOW, 100, 4)
    assert city.recount() == 0
    assert cold() == 4


def test_homes_that_fell_silent_become_unknown_at_the_next_full_count() -> None:
    city = City()
    city.recount()
    later = NOW + timedelta(hours=9)
    city.hear("B001-1-0101|room_temp|living", later, 1900)
    city.recount(later + timedelta(seconds=RECOUNT_S))
    row = PlaceNow.objects.get(level="city")
    assert [row.cold, row.warm, row.unknown] == [0, 1, 11]


def test_step_by_step_ends_where_counting_anew_ends() -> None:
    city = City()
    Contract.objects.filter(home__code="B002-1-0101").update(stop_heat=True)
    HomeSeason.objects.filter(home__code="B003-1-0101").update(threshold_c100=None)
    city.recount()
    dice = random.Random(7)
    homes = list(Home.objects.values_list("code", flat=True))
    for step in range(60):
        at = NOW + timedelta(seconds=step)
        for home in dice.sample(homes, 3):
            city.hear(f"{home}|room_temp|living", at, dice.randrange(1600, 2200))
        city.recount(at)
    stepwise = city.counts()
    anew = city.counts_anew()
    assert {key: row[:5] for key, row in stepwise.items()} == {key: row[:5] for key, row in anew.items()}


def test_a_new_run_does_not_take_the_live_values_back() -> None:
    city = City()
    city.hear("B001-1-0101|room_temp|living", NOW, 1900)
    city.recount()
    old = Run.objects.get()
    old.pk = None
    old.save()
    HomeSeason.objects.filter(home__code="B001-1-0101").update(last_temp_c100=1710, last_time_s=int(AS_OF.timestamp()))
    city.recount()
    assert cold() == 3
    assert HomeSeason.objects.get(home__code="B001-1-0101", season=SEASON).last_temp_c100 == 1900
