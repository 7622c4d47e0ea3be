"""In: a number of homes and a seed. Out: a synthetic city with a whole season of readings and the truth of what was planted in it."""

from nuan.buildings.sample_city.city import City, RoomHours, make_city
from nuan.buildings.sample_city.events import Planted

__all__ = ["City", "Planted", "RoomHours", "make_city"]
