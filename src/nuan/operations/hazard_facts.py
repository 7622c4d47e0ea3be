"""Records of hazards, patrols and alarms → fact tables, as they were known at a moment: what happened later has not happened yet."""

import polars as pl
from django.db import connection

from nuan.facts.schemas import TABLES

_EPOCH = "date '1970-01-01'"
_AT = "to_timestamp(%(as_of)s)"
_LOCAL = "AT TIME ZONE 'Asia/Shanghai')::date"
# a rejected report is no hazard; level and deadline as the newest event by then left them, and a rectification that failed its re-check is none
_HAZARDS = f"""
SELECT h.code AS hazard, h.company_id AS company, h.banner_id AS banner, h.source, nullif(n.level, '') AS level,
       extract(epoch FROM h.reported_at)::bigint AS reported_s, extract(epoch FROM g.at)::bigint AS graded_s,
       extract(epoch FROM n.deadline)::bigint AS deadline_s,
       CASE WHEN n.state_to IN ('rectified', 'closed') THEN extract(epoch FROM r.at)::bigint END AS rectified_s,
       CASE WHEN n.state_to = 'closed' THEN extract(epoch FROM n.at)::bigint END AS closed_s
FROM hazards_hazard h
JOIN LATERAL (SELECT c.at, c.state_to, c.level, c.deadline FROM hazards_hazardchange c WHERE c.hazard_id = h.id AND c.at < {_AT}
              ORDER BY c.id DESC LIMIT 1) n ON true
LEFT JOIN LATERAL (SELECT min(c.at) AS at FROM hazards_hazardchange c WHERE c.hazard_id = h.id AND c.event = 'confirm' AND c.at < {_AT}) g ON true
LEFT JOIN LATERAL (SELECT max(c.at) AS at FROM hazards_hazardchange c WHERE c.hazard_id = h.id AND c.event = 'rectify' AND c.at < {_AT}) r ON true
WHERE h.reported_at < {_AT} AND n.state_to <> 'rejected' ORDER BY h.code
"""
_POINTS = f"""
SELECT r.code AS route, p.number, r.company_id AS company, r.banner_id AS banner, r.every_days, r."when" = 'season' AS season_only,
       r.starts_on - {_EPOCH} AS from_day, r.ends_on - {_EPOCH} AS to_day, p.since - {_EPOCH} AS since_day, p.until - {_EPOCH} AS until_day
FROM hazards_patrolpoint p JOIN hazards_patrolroute r ON r.id = p.route_id ORDER BY r.code, p.number
"""
_CHECKS = f"""
SELECT DISTINCT r.code AS route, p.number, r.company_id AS company, r.banner_id AS banner, (c.at {_LOCAL} - {_EPOCH} AS day
FROM hazards_checkin c JOIN hazards_patrolpoint p ON p.id = c.point_id JOIN hazards_patrolroute r ON r.id = p.route_id
WHERE c.arrived_at < {_AT} ORDER BY 1, 2, 5
"""
# what measures the network, not the line that reports it; what is folded under another alarm was told with that one
_WARNINGS = f"""
SELECT id::text AS warning, company_code AS company, banner_code AS banner, code, priority::int AS priority,
       extract(epoch FROM raised_at)::bigint AS raised_s,
       CASE WHEN acknowledged_at < {_AT} THEN extract(epoch FROM acknowledged_at)::bigint END AS answered_s
FROM monitoring_alarm WHERE level IN ('source', 'substation') AND kind IN ('high', 'low', 'rate', 'deviation') AND parent_id IS NULL
AND company_code <> '' AND banner_code <> '' AND raised_at < {_AT} ORDER BY id
"""
_STATEMENTS = {"hazard": _HAZARDS, "patrol_point": _POINTS, "patrol_check": _CHECKS, "warning": _WARNINGS}


def hazard_facts(as_of_s: int) -> dict[str, pl.DataFrame]:
    """The fact tables of clause 2.5.4 as they were known just before `as_of_s`."""
    found = {}
    for name, statement in _STATEMENTS.items():
        with connection.cursor() as cursor:
            cursor.execute(statement, {"as_of": as_of_s})
            found[name] = pl.DataFrame(cursor.fetchall(), schema=TABLES[name].schema, orient="row")
    return found
