"""A piece of homes: dense hours → home-days → every clause about homes. Pure reckoning, so that pieces run side by side."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from nuan.facts.book import FactBook
from nuan.facts.home_days import home_days
from nuan.operations.judging_basis import Basis, HomePiece
from nuan.policies.catalogue import CLAUSES
from nuan.policies.directive.c2_5_2.days import home_days as judged_days
from nuan.rules.judgement import SCHEMA
from nuan.rules.pack import Pack
from nuan.rules.threshold import ABSENT, Threshold
from nuan.telemetry.readings import GAP
from nuan.telemetry.rollups.buckets import ROOM
from nuan.telemetry.rollups.rooms import coldest_room
from nuan.telemetry.rollups.season import NOT_DUE, Demand, SeasonRollup, Span, season_rollup
from nuan.telemetry.store import Store
from nuan.terms.season import Season

WARMEST, COLDEST = 32_766, -32_767
NEVER_ENOUGH = 101
WINDOW_DAYS = 30
"""Only the roll-up's own column of worst windows uses it; refunds count windows by the pack."""
FOUND_ONLY = {"2.5"}
"""Clauses of which a home's row is kept when something was found or could not be decided; their `met` would fill the records."""


@dataclass(frozen=True)
class Owed:
    """What a group of homes is owed, day by day; `threshold_c100` is that of the last day, null where the pack does not say."""

    demand: Demand
    threshold_c100: int | None


def owed(pack: Pack, season: Season, span: Span, residential: bool) -> Owed:
    """The temperatures and the coverage that the pack asks for on each day of the span. What it does not say decides nothing.

    The coverage here only shapes the roll-up's own verdicts; a home's days are judged by clause 2.5.2, each by its own number.
    """
    days = range(span.first_day, span.first_day + span.days)
    key = "temperature.bedroom_min" if residential else "temperature.non_residential_min"
    lowest = Threshold.over(pack, key, days, scale=100).numbers
    highest = Threshold.over(pack, "temperature.overheat_above", days, scale=100).numbers
    covered = pack.value("coverage.day_percent", season.first_day)
    newest = int(lowest[-1])
    return Owed(
        Demand(
            threshold_c100=np.where(lowest == ABSENT, COLDEST, lowest).astype(np.int16),
            above_c100=np.where(highest == ABSENT, WARMEST, highest).astype(np.int16),
            min_covered_pct=NEVER_ENOUGH if covered is None else int(covered),
            window_days=WINDOW_DAYS,
        ),
        None if newest == ABSENT else newest,
    )


@dataclass(frozen=True)
class JudgedHomes:
    """`judgements` has the rules' columns and company, banner, pack; `seasons` those of HomeSeason with `home` for its id;
    `days` is `home_day` with `verdict`; `rooms` as `room_sums` gives it."""

    piece: HomePiece
    judgements: pl.DataFrame
    seasons: pl.DataFrame
    days: pl.DataFrame
    rooms: pl.DataFrame


def span_until(season: Season, as_of_s: int) -> Span | None:
    """The hours owed up to a moment; None before the season begins."""
    bounds = season.interval
    end = min(bounds.end, as_of_s)
    return Span.of(bounds.start, end) if end > bounds.start else None


def home_hours(
    store: Store, buckets: Iterable[int], homes: pl.Series, span: Span, threshold_c100: int | NDArray[np.int16]
) -> NDArray[np.int16]:
    """int16[homes, hours] in the order of `homes`, coldest room; a home without a series has gaps only."""
    position = {home: row for row, home in enumerate(homes.to_list())}
    rooms, home_of = [np.empty((0, span.hours), np.int16)], [np.empty(0, np.int64)]
    for bucket in buckets:
        ids = store.series.in_bucket(ROOM, bucket)
        names, place_of = store.series.places(ids)
        row_of = np.array([position.get(name, -1) for name in names], np.int64)
        rows = row_of[place_of]
        known = rows >= 0
        if known.any():
            tile = store.dense_hours(ROOM, bucket, span.start_s, span.hours, series=ids[known])
            rooms.append(tile.hours.astype(np.int16, copy=False))
            home_of.append(rows[known])
    return coldest_room(np.concatenate(rooms), np.concatenate(home_of), len(homes), threshold_c100)


def groups(basis: Basis, homes: pl.DataFrame) -> Iterator[tuple[str, bool, pl.DataFrame]]:
    """Homes by pack and by whether they are dwellings: each group is owed the same."""
    marked = homes.with_columns(
        pl.col("banner").replace_strict(basis.packs.by_banner, return_dtype=pl.String()).alias("pack"),
        (pl.col("home_class") == "residential").alias("residential"),
    )
    for key, part in marked.partition_by("pack", "residential", as_dict=True).items():
        yield str(key[0]), bool(key[1]), part.drop("pack", "residential")


def judge_homes(basis: Basis, piece: HomePiece, store: Store) -> JudgedHomes:
    """All judgements on the homes of a piece."""
    parts = [
        _judge_group(basis, piece.only(homes["home"].to_list()), pack, residential, store)
        for pack, residential, homes in groups(basis, piece.homes)
    ]
    return JudgedHomes(
        piece,
        *(pl.concat([getattr(part, name) for part in parts]) for name in ("judgements", "seasons", "days", "rooms")),
    )


def tables_of(basis: Basis, piece: HomePiece, pack: str, residential: bool, store: Store) -> dict[str, pl.DataFrame]:
    """The fact tables about a group of homes, `home_day` included."""
    tables, _, _, _ = _facts(basis, piece, pack, residential, store)
    return tables


def _facts(
    basis: Basis, piece: HomePiece, pack: str, residential: bool, store: Store
) -> tuple[dict[str, pl.DataFrame], SeasonRollup | None, NDArray[np.int16], Span | None]:
    season = basis.packs.seasons[pack]
    tables = piece.tables()
    span = span_until(season, basis.as_of_s)
    if span is None:
        return tables, None, np.empty((piece.homes.height, 0), np.int16), None
    asked = owed(basis.packs.packs[pack], season, span, residential)
    homes = piece.homes["home"]
    hours = home_hours(store, piece.buckets, homes, span, asked.demand.threshold_c100)
    days, rollup = season_rollup(hours, span, asked.demand)
    midnights = 24 * np.arange(span.days)
    due = np.minimum(midnights + 24, span.end_due) - np.maximum(midnights, span.first_due)
    tables["home_day"] = home_days(homes.to_list(), span.first_day, np.maximum(due, 0).tolist(), days)
    return tables, rollup, hours[:, : span.end_due], span


def _judge_group(basis: Basis, piece: HomePiece, pack_name: str, residential: bool, store: Store) -> JudgedHomes:
    tables, rollup, hours, span = _facts(basis, piece, pack_name, residential, store)
    pack = basis.packs.packs[pack_name]
    book = basis.book(pack_name, tables)
    frames = [pl.DataFrame(schema=SCHEMA)]
    for clause in CLAUSES:
        if clause.judges("home"):
            frame = clause.judge(book, pack).frame
            if clause.id in FOUND_ONLY:
                frame = frame.filter(pl.col("verdict") == "breached")
            frames.append(frame)
    judgements = (
        pl.concat(frames)
        .join(piece.homes.select(pl.col("home").alias("subject"), "company", "banner"), on="subject", how="left")
        .with_columns(pl.lit(pack_name).alias("pack"), pl.lit(pack.version).alias("pack_version"))
    )
    if rollup is None or span is None:
        return JudgedHomes(piece, judgements, _no_seasons(), _no_days(), no_rooms())
    threshold = owed(pack, book.season, span, residential).threshold_c100
    codes = day_codes(book, pack)
    day = tables["home_day"]["day"].to_numpy() - book.season.day_numbers.start
    row = np.repeat(np.arange(piece.homes.height), len(day) // max(1, piece.homes.height))
    days = tables["home_day"].with_columns(pl.Series("verdict", codes[row, day], dtype=pl.UInt8))
    rooms = room_sums(tables["home_day"], piece.homes)
    seasons = _seasons(piece.homes["home"], codes, rollup, hours, span, threshold)
    return JudgedHomes(piece, judgements, seasons, days, rooms)


def day_codes(book: FactBook, pack: Pack) -> NDArray[np.uint8]:
    """uint8[homes, days of the season] as clause 2.5.2 judges them; 0 for homes without heat and days that have not ended."""
    found = judged_days(book, pack)
    codes = np.zeros((book["homes"].height, len(book.season.day_numbers)), np.uint8)
    is_owed = ~book["homes"]["stop_heat"].to_numpy()
    codes[is_owed, : len(found.days)] = found.codes
    return codes


def packed(codes: NDArray[np.uint8]) -> list[bytes]:
    """Two bits a day, little-endian, first day first.

    >>> packed(np.array([[1, 2, 3, 0, 2]], np.uint8))[0].hex()
    '3902'
    """
    padded = np.zeros((codes.shape[0], -(-codes.shape[1] // 4) * 4), np.uint8)
    padded[:, : codes.shape[1]] = codes
    fours = padded.reshape(codes.shape[0], -1, 4)
    joined = fours[:, :, 0] | fours[:, :, 1] << 2 | fours[:, :, 2] << 4 | fours[:, :, 3] << 6
    return [row.tobytes() for row in joined.astype(np.uint8)]


def _seasons(
    homes: pl.Series, codes: NDArray[np.uint8], rollup: SeasonRollup, hours: NDArray[np.int16], span: Span,
    threshold: int | None,
) -> pl.DataFrame:  # fmt: skip
    covered = hours != GAP
    has = covered.any(axis=1)
    last = hours.shape[1] - 1 - np.argmax(covered[:, ::-1], axis=1)
    newest = hours[np.arange(len(homes)), last].astype(np.int64)
    rows = len(homes)
    ended = np.flatnonzero((codes != NOT_DUE).any(axis=0))
    newest_day = int(ended[-1]) if len(ended) else 0
    any_day = (codes != NOT_DUE).any(axis=1)
    frame = pl.DataFrame(
        {
            "home": homes,
            "days": ["\\x" + row.hex() for row in packed(codes)],
            "days_met": (codes == 1).sum(axis=1, dtype=np.int32),
            "days_breached": (codes == 2).sum(axis=1, dtype=np.int32),
            "days_undecidable": (codes == 3).sum(axis=1, dtype=np.int32),
            "hours_below": np.where(any_day, rollup.hours_below, 0)
            if threshold is not None
            else np.zeros(rows, np.int32),
            "longest_below_h": np.where(any_day, rollup.longest_below_h, 0),
            "min_c100": rollup.minimum.astype(np.int64),
            "mean_c100": rollup.mean.astype(np.int64),
            "first_day": codes[:, 0],
            "last_day": codes[:, newest_day],
            "last_temp_c100": newest,
            "last_time_s": span.start_s + 3600 * last.astype(np.int64),
            "threshold_c100": pl.Series([threshold] * rows, dtype=pl.Int64),
            "has": has,
        }
    )
    nullable = ("min_c100", "mean_c100", "last_temp_c100", "last_time_s")
    return frame.with_columns(pl.when("has").then(pl.col(name)).alias(name) for name in nullable).drop("has")


def _no_seasons() -> pl.DataFrame:
    names = ("days_met", "days_breached", "days_undecidable", "hours_below", "longest_below_h")
    return pl.DataFrame(
        schema={"home": pl.String, "days": pl.String, **dict.fromkeys(names, pl.Int32), "min_c100": pl.Int64,
                "mean_c100": pl.Int64, "first_day": pl.UInt8, "last_day": pl.UInt8, "last_temp_c100": pl.Int64,
                "last_time_s": pl.Int64, "threshold_c100": pl.Int64}
    )  # fmt: skip


def _no_days() -> pl.DataFrame:
    from nuan.facts.schemas import empty

    return empty("home_day").with_columns(pl.lit(0, dtype=pl.UInt8).alias("verdict"))


def no_rooms() -> pl.DataFrame:
    return pl.DataFrame(schema={"substation": pl.String, "day": pl.Int32, "rooms": pl.Int64, "total_c100": pl.Int64})


def room_sums(home_day: pl.DataFrame, homes: pl.DataFrame) -> pl.DataFrame:
    """`substation day rooms total_c100`: sums, so that pieces of a station add up exactly; homes that stopped heat are left out."""
    served = homes.filter(~pl.col("stop_heat")).select("home", "substation")
    return (
        home_day.select("home", "day", "mean_c100")
        .drop_nulls("mean_c100")
        .join(served, on="home")
        .group_by("substation", "day")
        .agg(pl.len().cast(pl.Int64).alias("rooms"), pl.col("mean_c100").cast(pl.Int64).sum().alias("total_c100"))
    )


def piece_room_sums(basis: Basis, piece: HomePiece, store: Store) -> pl.DataFrame:
    """`room_sums` of a piece that was not judged anew."""
    parts = [no_rooms()]
    for pack, residential, homes in groups(basis, piece.homes):
        tables = tables_of(basis, piece.only(homes["home"].to_list()), pack, residential, store)
        if "home_day" in tables:
            parts.append(room_sums(tables["home_day"], homes))
    return pl.concat(parts)
