"""A whole city, bucket by bucket: memory stays that of two tiles, however many homes there are."""

from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

import numpy as np

from nuan.telemetry.rollups.rooms import coldest_room
from nuan.telemetry.rollups.season import Demand, HomeDays, SeasonRollup, Span, season_rollup
from nuan.telemetry.series import bucket_of
from nuan.telemetry.store import Store

ROOM = "room_temp"


@dataclass(frozen=True, slots=True)
class BucketSeason:
    """Row i of all arrays is `homes[i]`."""

    bucket: int
    homes: list[str]
    days: HomeDays
    season: SeasonRollup


def bucket_season(
    store: Store, bucket: int, span: Span, demand: Demand, homes: Collection[str] | None = None
) -> BucketSeason:
    """The season of the homes of a bucket, or of those of them that are asked for (then only these are read and rolled up)."""
    ids = store.series.in_bucket(ROOM, bucket)
    names, home_of = store.series.places(ids)
    if homes is not None:
        asked = np.array([name in homes for name in names], np.bool_)
        ids = ids[asked[home_of]] if len(names) else ids
        names, home_of = store.series.places(ids)
    tile = store.dense_hours(ROOM, bucket, span.start_s, span.hours, series=ids)
    hours = coldest_room(tile.hours.astype(np.int16, copy=False), home_of, len(names), demand.threshold_c100)
    days, season = season_rollup(hours, span, demand)
    return BucketSeason(bucket, names, days, season)


def city_season(store: Store, span: Span, demand: Demand, *, threads: int = 2) -> Iterator[BucketSeason]:
    """All buckets in order; `threads` are under way at a time, and no more results than that wait to be taken."""
    remaining = iter(store.buckets_of(ROOM))
    with ThreadPoolExecutor(threads) as pool:
        under_way = [pool.submit(bucket_season, store, bucket, span, demand) for bucket in islice(remaining, threads)]
        while under_way:
            done = under_way.pop(0).result()
            under_way += [pool.submit(bucket_season, store, bucket, span, demand) for bucket in islice(remaining, 1)]
            yield done


def homes_season(store: Store, homes: Collection[str], span: Span, demand: Demand) -> Iterator[BucketSeason]:
    """Some homes only, as after a late reading: `touched_since` names them, and no other is read."""
    wanted = set(homes)
    for bucket in sorted({bucket_of(home, store.manifest.buckets) for home in wanted}):
        result = bucket_season(store, bucket, span, demand, wanted)
        if result.homes:
            yield result
