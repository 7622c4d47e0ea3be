"""How many homes are cold now, where and whose: counted at the end of a run, so that a page reads a few rows."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import Max
from django.utils import timezone

from nuan.records.supervision.models import HomeSeason, PlaceNow, Run

FRESH_H = 6
"""A home's newest reading says something about "now" for this long; older ones leave it unknown."""
_COUNT = """
INSERT INTO supervision_placenow (season, level, code, homes, cold, warm, unknown, coldest_c100, newest_s, oldest_s,
    homes_breached, mean_c100, computed_at, run_id)
SELECT %(season)s, level, code, count(*), count(*) FILTER (WHERE cold), count(*) FILTER (WHERE warm),
       count(*) FILTER (WHERE NOT coalesce(cold OR warm, false)), min(temp) FILTER (WHERE cold OR warm), max(time_s), min(time_s),
       count(*) FILTER (WHERE days_breached > 0), round(avg(mean_c100)), %(now)s, %(run)s
FROM (
    SELECT h.banner_id, h.company_id, h.substation_id, s.last_temp_c100 AS temp, s.last_time_s AS time_s,
           s.days_breached, s.mean_c100, s.last_time_s >= %(fresh)s AND s.last_temp_c100 < s.threshold_c100 AS cold,
           s.last_time_s >= %(fresh)s AND s.last_temp_c100 >= s.threshold_c100 AS warm
    FROM supervision_homeseason s JOIN registry_home h ON h.id = s.home_id
    JOIN registry_contract c ON c.home_id = s.home_id AND c.season = s.season
    WHERE s.season = %(season)s AND NOT c.stop_heat
) homes CROSS JOIN LATERAL (VALUES ('city', ''), ('banner', banner_id), ('company', company_id), ('substation', substation_id))
    AS place (level, code)
GROUP BY level, code
"""


def fresh_since_s(newest_s: int | None, as_of: datetime) -> int:
    """From when on a home's newest reading says something about “now”. “Now” is the city's newest reading, not the clock on the wall:
    a season that is over is looked at from its last hour, and readings that come in live move it on."""
    return (int(as_of.timestamp()) if newest_s is None else newest_s) - FRESH_H * 3600


def compute_city_now(run: Run) -> int:
    """Count every home of the season anew, inside a transaction; from when on readings counted as fresh."""
    newest = HomeSeason.objects.filter(season=run.season).aggregate(newest=Max("last_time_s"))["newest"]
    fresh_s = fresh_since_s(newest, run.as_of)
    PlaceNow.objects.filter(season=run.season).delete()
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"season": run.season, "fresh": fresh_s, "now": timezone.now(), "run": run.pk})
    return fresh_s


@dataclass(frozen=True)
class CityNow:
    """The city's figures, the same by banner, company and substation (most cold homes first), and how old the readings are."""

    season: str
    as_of: datetime
    city: PlaceNow
    banners: list[PlaceNow]
    companies: list[PlaceNow]
    substations: list[PlaceNow]

    def age_s(self, now: datetime) -> int | None:
        """Age of the newest reading of all."""
        return None if self.city.newest_s is None else int(now.timestamp()) - self.city.newest_s


def city_now(season: str | None = None, most: int = 50) -> CityNow | None:
    """None before the first run has ended. Two queries, however large the city."""
    runs = Run.objects.filter(state=Run.State.DONE)
    run = (runs.filter(season=season) if season else runs).order_by("-id").first()
    if run is None:
        return None
    rows = list(PlaceNow.objects.filter(season=run.season).order_by("-cold", "-unknown", "code"))
    by_level: dict[str, list[PlaceNow]] = {}
    for row in rows:
        by_level.setdefault(row.level, []).append(row)
    if "city" not in by_level:
        return None
    return CityNow(
        run.season,
        run.as_of,
        by_level["city"][0],
        by_level.get("banner", []),
        by_level.get("company", []),
        by_level.get("substation", [])[:most],
    )
