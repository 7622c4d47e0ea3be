"""The season's roll-up and the stations' hours as SQL: one text for every engine, equal to the kernels of `rollups` row by row.

`÷` stands for the division of whole numbers that are not negative, the one thing that engines spell differently. Views that the text reads:

| view | a row is |
|---|---|
| `readings` | `series time_s value flags` of a bucket's segments |
| `rooms` | `series home`: which series is a room of which home |
| `homes` | `home rooms`: how many rooms it has, silent ones too |
| `days` | `day first_hour end_hour due threshold above`: a local day and the hours owed on it, counted from 1970 |
| `points` | `series substation quantity`: which point of a station counts for a quantity |

An hour of a room is its coldest trusted reading; an hour of a home its coldest room, covered when all rooms are or when it is cold anyhow.
A mean is the floor of the exact half: the number is lifted by `LIFT` first, because engines round negative quotients differently.
"""

from nuan.telemetry.readings import UNTRUSTED

LIFT = 100_000

_TRUSTED = f"value is not null and (flags & {UNTRUSTED}) = 0"

_OWED = f"""
room_hours as (
    select series, time_s ÷ 3600 as hour, min(value) as value
    from readings
    where {_TRUSTED} and value between -32767 and 32767
    group by series, time_s ÷ 3600
),
home_hours as (
    select rooms.home, room_hours.hour, min(room_hours.value) as value, count(*) as heard
    from room_hours join rooms on rooms.series = room_hours.series
    group by rooms.home, room_hours.hour
),
owed as (
    select home_hours.home, days.day, home_hours.hour, home_hours.value, days.threshold, days.above
    from home_hours
    join homes on homes.home = home_hours.home
    join days on days.day = (home_hours.hour + 8) ÷ 24
    where home_hours.hour >= days.first_hour and home_hours.hour < days.end_hour
      and (home_hours.heard = homes.rooms or home_hours.value < days.threshold)
),
cold as (
    select home, day, hour,
           hour - row_number() over (partition by home, day order by hour) as island,
           hour - row_number() over (partition by home order by hour) as season_island
    from owed where value < threshold
)
"""

HOME_DAYS = f"""
with {_OWED},
runs as (
    select home, day, max(hours) as longest
    from (select home, day, island, count(*) as hours from cold group by home, day, island) each_run
    group by home, day
),
known as (
    select home, day, count(*) as covered, min(value) as minimum, sum(value) as total,
           sum(case when value < threshold then 1 else 0 end) as below,
           sum(case when value > above then 1 else 0 end) as above
    from owed group by home, day
)
select homes.home, days.day, days.due as hours_due, coalesce(known.covered, 0) as hours_covered,
       known.minimum as min_c100,
       cast((2 * known.total + known.covered + 2 * known.covered * {LIFT}) as bigint) ÷ cast(2 * known.covered as bigint) - {LIFT} as mean_c100,
       coalesce(known.below, 0) as hours_below, coalesce(runs.longest, 0) as longest_below_h, coalesce(known.above, 0) as hours_above
from homes
cross join days
left join known on known.home = homes.home and known.day = days.day
left join runs on runs.home = homes.home and runs.day = days.day
order by homes.home, days.day
"""
"""`home day hours_due hours_covered min_c100 mean_c100 hours_below longest_below_h hours_above` of every home and day."""

SEASON = f"""
with {_OWED},
runs as (
    select home, max(hours) as longest
    from (select home, season_island, count(*) as hours from cold group by home, season_island) each_run
    group by home
),
known as (
    select home, day, count(*) as covered, min(value) as minimum, sum(value) as total,
           sum(case when value < threshold then 1 else 0 end) as below
    from owed group by home, day
),
verdicts as (
    select homes.home, days.day, known.covered, known.minimum, known.total, known.below,
           case when days.due = 0 then 0
                when known.below > 0 then 2
                when coalesce(known.covered, 0) = 0 or known.covered * 100 < :percent * days.due then 3
                else 1 end as verdict
    from homes
    cross join days
    left join known on known.home = homes.home and known.day = days.day
),
windows as (
    select home, day, verdict, covered, minimum, total, below,
           sum(case when verdict = 2 then 1 else 0 end)
               over (partition by home order by day rows between :before preceding and current row) as in_window
    from verdicts
)
select windows.home, coalesce(sum(covered), 0) as hours_covered, coalesce(sum(below), 0) as hours_below,
       coalesce(max(runs.longest), 0) as longest_below_h,
       sum(case when verdict = 2 then 1 else 0 end) as days_breached,
       sum(case when verdict = 3 then 1 else 0 end) as days_undecidable,
       max(in_window) as worst_window, min(minimum) as min_c100,
       cast((2 * sum(total) + sum(covered) + 2 * sum(covered) * {LIFT}) as bigint) ÷ cast(2 * sum(covered) as bigint) - {LIFT} as mean_c100
from windows left join runs on runs.home = windows.home
group by windows.home
order by windows.home
"""
"""One row a home, as `rollups.season.SeasonRollup`."""

STATION_HOURS = f"""
with means as (
    select points.substation, points.quantity, readings.time_s ÷ 3600 as hour, sum(readings.value) as total, count(*) as held
    from readings join points on points.series = readings.series
    where {_TRUSTED} and value between points.low and points.high and time_s >= :start_s and time_s < :end_s
    group by points.substation, points.quantity, readings.time_s ÷ 3600
),
rounded as (
    select substation, quantity, hour,
           (case when total < 0 then -1 else 1 end) * (cast(2 * abs(total) + held as bigint) ÷ cast(2 * held as bigint)) as mean
    from means
)
select substation, hour * 3600 as hour_s,
       max(case when quantity = 'outdoor_temp' then mean end) as outdoor_c100,
       max(case when quantity = 'supply_temp' then mean end) as supply_c100,
       max(case when quantity = 'return_temp' then mean end) as return_c100,
       max(case when quantity = 'flow' then mean end) as flow_m3h_1000,
       max(case when quantity = 'heat_power' then mean end) as heat_kw_10
from rounded
group by substation, hour
order by substation, hour_s
"""
"""As `rollups.station_hour.station_hours`: means of an hour, half away from zero."""


def written_for(text: str, division: str, numbers: dict[str, int]) -> str:
    """The text in an engine's spelling, with its numbers in place.

    >>> written_for("a ÷ :b", "div", {"b": 3})
    'a div 3'
    """
    for name, number in numbers.items():
        text = text.replace(f":{name}", str(number))
    return text.replace("÷", division)
