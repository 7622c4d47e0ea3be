"""Where a live point hangs in the supply tree: company, banner, source, station, building, and which gateway brings it."""

from django.db import connection

_PLACES = """
UPDATE monitoring_livepoint p
SET level = t.level, company_code = t.company, banner_code = t.banner, source_code = t.source, station_code = t.station, building_code = t.building
FROM (
    SELECT h.code, 'home' AS level, h.company_id AS company, h.banner_id AS banner, s.source_id AS source, s.code AS station, h.building_id AS building
    FROM registry_home h JOIN registry_substation s ON s.code = h.substation_id
    UNION ALL
    SELECT b.code, 'building', s.company_id, b.banner_id, s.source_id, s.code, b.code
    FROM registry_building b JOIN registry_loop l ON l.code = b.loop_id JOIN registry_substation s ON s.code = l.substation_id
    UNION ALL
    SELECT l.code, 'loop', s.company_id, s.banner_id, s.source_id, s.code, '' FROM registry_loop l JOIN registry_substation s ON s.code = l.substation_id
    UNION ALL
    SELECT s.code, 'substation', s.company_id, s.banner_id, s.source_id, s.code, '' FROM registry_substation s
    UNION ALL
    SELECT o.code, 'source', o.company_id, o.banner_id, o.code, '', '' FROM registry_heatsource o
) AS t
WHERE t.code = p.place AND {which}
  AND (p.level, p.company_code, p.banner_code, p.source_code, p.station_code, p.building_code)
      IS DISTINCT FROM (t.level, t.company, t.banner, t.source, t.station, t.building)
"""
_BROUGHT = """
UPDATE monitoring_livepoint p SET gateway_code = d.gateway
FROM (SELECT place, min(gateway_id) AS gateway FROM devices_device WHERE removed_on IS NULL GROUP BY place HAVING count(DISTINCT gateway_id) = 1) d
WHERE d.place = p.place AND {which} AND p.gateway_code <> d.gateway
"""


def place_points(*, all_of_them: bool = False) -> int:
    """Place the points that have no place yet, or all of them (the registry may have changed); how many were moved.

    A place whose devices report through several gateways has no gateway here: its silence is no one gateway's.
    """
    with connection.cursor() as cursor:
        cursor.execute(_PLACES.format(which="true" if all_of_them else "p.level = ''"))
        moved = int(cursor.rowcount)
        cursor.execute("SELECT to_regclass('devices_device')")
        if cursor.fetchone()[0] is not None:
            cursor.execute(_BROUGHT.format(which="true" if all_of_them else "p.gateway_code = ''"))
    return moved
