"""The cold-homes number, moved by readings as they come in: only homes that were heard are written, only their places' counts change.

Between two judgings the number of the last run would stand still. Here the newest room temperatures go into the homes' rows and the
difference into the counts of city, banner, company and substation; every so often everything is counted anew, so that nothing drifts
and homes that fell silent become unknown. Machine state: no act.
"""

from collections import deque
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from nuan.operations.city_now import FRESH_H, compute_city_now
from nuan.records.supervision.models import Run
from nuan.telemetry.live import NEVER, LiveChanges
from nuan.telemetry.series import SeriesTable

ROOM = "room_temp"
RECOUNT_S = 60.0
"""At least so often everything is counted anew, and never for more than a twentieth of the time."""
_TABLE = "CREATE TEMP TABLE live_rooms (code text, temp int4, time_s int8) ON COMMIT DROP"
_MOVE = """
WITH newer AS (
    SELECT s.id, h.banner_id, h.company_id, h.substation_id, l.temp, l.time_s, c.stop_heat,
           coalesce(s.last_time_s >= %(fresh)s AND s.last_temp_c100 < s.threshold_c100, false) AS was_cold,
           coalesce(s.last_time_s >= %(fresh)s AND s.last_temp_c100 >= s.threshold_c100, false) AS was_warm,
           coalesce(l.time_s >= %(fresh)s AND l.temp < s.threshold_c100, false) AS cold,
           coalesce(l.time_s >= %(fresh)s AND l.temp >= s.threshold_c100, false) AS warm
    FROM live_rooms l JOIN registry_home h ON h.code = l.code
    JOIN supervision_homeseason s ON s.home_id = h.id AND s.season = %(season)s
    JOIN registry_contract c ON c.home_id = h.id AND c.season = s.season
    WHERE s.last_time_s IS NULL OR (l.time_s, l.temp) <> (s.last_time_s, coalesce(s.last_temp_c100, 0)) AND l.time_s >= s.last_time_s
), written AS (
    UPDATE supervision_homeseason s SET last_temp_c100 = n.temp, last_time_s = n.time_s FROM newer n WHERE s.id = n.id RETURNING s.id
), moved AS (
    SELECT level, code, sum(cold::int - was_cold::int) AS cold, sum(warm::int - was_warm::int) AS warm, max(time_s) AS newest,
           min(temp) FILTER (WHERE cold OR warm) AS coldest
    FROM newer CROSS JOIN LATERAL (VALUES ('city', ''), ('banner', banner_id), ('company', company_id), ('substation', substation_id))
        AS place (level, code)
    WHERE NOT stop_heat GROUP BY level, code
), counted AS (
    UPDATE supervision_placenow p SET cold = p.cold + m.cold, warm = p.warm + m.warm, unknown = p.unknown - m.cold - m.warm,
        newest_s = greatest(p.newest_s, m.newest), coldest_c100 = least(p.coldest_c100, m.coldest), computed_at = %(now)s
    FROM moved m WHERE p.season = %(season)s AND p.level = m.level AND p.code = m.code RETURNING p.id
) SELECT count(*) FROM written
"""


class LiveCity:
    """Hears of live values (`heard`), and brings them to the homes and the counts when asked (`recount`)."""

    def __init__(self) -> None:
        self._rooms: dict[str, dict[str, tuple[int, int]]] = {}
        self._points: list[tuple[str, str] | None] = []
        self._changed: set[str] = set()
        self._heard: deque[list[tuple[str, str, int, int]]] = deque()
        self._counted: tuple[int, int, float, float] | None = None
        """(run, fresh since, when, how long it took)."""

    def heard(self, changes: LiveChanges, names: SeriesTable) -> None:
        """Newest trusted values of points; those that are no room temperature are passed over. Another thread may count meanwhile."""
        self._learn(names)
        rows = []
        for series, time_s, value in zip(
            changes.series.tolist(), changes.time_s.tolist(), changes.value.tolist(), strict=True
        ):
            point = self._points[series]
            if point is not None and time_s != NEVER:
                rows.append((*point, time_s, value))
        if rows:
            self._heard.append(rows)

    def _take_in(self) -> None:
        while self._heard:
            for home, position, time_s, value in self._heard.popleft():
                self._rooms.setdefault(home, {})[position] = (time_s, value)
                self._changed.add(home)

    def _learn(self, names: SeriesTable) -> None:
        for text in names.texts(len(self._points)):
            place, quantity, position = text.split("|")
            self._points.append((place, position) if quantity == ROOM else None)

    def recount(self, now: datetime) -> int:
        """How many homes got a newer temperature. Without a run there is nothing to count yet."""
        run = Run.objects.filter(state=Run.State.DONE).order_by("-id").first()
        if run is None:
            return 0
        self._take_in()
        changed, self._changed = self._changed, set()
        try:
            with transaction.atomic():
                if self._counted is None or self._counted[0] != run.pk:
                    changed = set(
                        self._rooms
                    )  # a run writes what it judged with, which may be older than what came since
                    self._count_anew(run, now)
                written = self._move(run, [(home, *self._coldest(home)) for home in changed], now) if changed else 0
                if self._is_time(now):
                    self._count_anew(run, now)
        except BaseException:
            self._changed |= changed
            self._counted = None
            raise
        return written

    def _coldest(self, home: str) -> tuple[int, int]:
        """(temperature, time) of the coldest room that was heard lately; rooms that fell silent do not count."""
        rooms = self._rooms[home].values()
        newest = max(time_s for time_s, _ in rooms)
        return min(value for time_s, value in rooms if time_s > newest - FRESH_H * 3600), newest

    def _count_anew(self, run: Run, now: datetime) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            begun = cursor.fetchone()[0]
            fresh_s = compute_city_now(run)
            cursor.execute("SELECT clock_timestamp()")
            took_s = (cursor.fetchone()[0] - begun).total_seconds()
        self._counted = run.pk, fresh_s, now.timestamp(), took_s

    def _is_time(self, now: datetime) -> bool:
        if self._counted is None:
            return True
        _, _, when, took_s = self._counted
        return now.timestamp() - when >= max(RECOUNT_S, 20 * took_s)

    def _move(self, run: Run, rooms: list[tuple[str, int, int]], now: datetime) -> int:
        assert self._counted is not None
        values: dict[str, Any] = {"season": run.season, "fresh": self._counted[1], "now": now}
        with connection.cursor() as cursor:
            cursor.execute(_TABLE)
            with cursor.copy("COPY live_rooms FROM STDIN") as copy:
                for row in rooms:
                    copy.write_row(row)
            cursor.execute("ANALYZE live_rooms")
            cursor.execute(_MOVE, values)
            written = int(cursor.fetchone()[0])
            cursor.execute("DROP TABLE live_rooms")
        return written
