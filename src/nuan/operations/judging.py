"""`judge_season`: facts → judgements for a whole city, piece by piece. Killed at any moment it goes on where it stopped; run again it does
only what has changed since."""

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl
from django.conf import settings
from django.db import connection
from django.utils import timezone

from nuan.operations.acts import act
from nuan.operations.board import clause_counts, compute_board
from nuan.operations.city_now import compute_city_now
from nuan.operations.city_packs import city_packs
from nuan.operations.judging_basis import FEWEST_HOMES, PLACES, Basis, HomePiece, basis
from nuan.operations.judging_homes import JudgedHomes, judge_homes, piece_room_sums
from nuan.operations.judging_places import SCOPES, judge_places, room_means_of
from nuan.operations.judging_writing import as_recorded, write_home_seasons, write_judgements, write_parquet
from nuan.records.supervision.models import Run, RunBucket
from nuan.telemetry.rollups.buckets import ROOM
from nuan.telemetry.store import Store
from nuan.terms.places import HOUR_S, local_day

JUDGING_LOCK = 0x6A756467
MIXED = "mixed"
"""In place of the inputs' hash of a piece some of whose homes were judged by other inputs than the rest."""


class JudgingBusyError(RuntimeError):
    def __init__(self) -> None:
        super().__init__("another process is judging this city; wait for it to end")


class NothingToJudgeError(LookupError):
    def __init__(self, season: str) -> None:
        super().__init__(f"no home has a contract for the season {season}; import the registry first")


class NoSuchHomeError(LookupError):
    def __init__(self, homes: Collection[str], season: str) -> None:
        super().__init__(
            f"没有这些住户，或 {season} 季没有合同：{'、'.join(sorted(homes))} / no such home with a contract for the season"
        )


@dataclass(frozen=True)
class Progress:
    """Said after each piece."""

    done: int
    total: int
    homes: int
    written: int


@dataclass
class RunReport:
    """What a run did. `clauses` counts current verdicts and fen per clause, `written` the judgements that came out anew."""

    run_id: int
    season: str
    as_of: datetime
    homes: int
    pieces: int
    pieces_judged: int = 0
    homes_judged: int = 0
    written: int = 0
    refund_fen: int = 0
    clauses: dict[str, dict[str, int]] = field(default_factory=dict)
    seconds: float = 0.0
    continued: bool = False
    nothing_changed: bool = False

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"as_of": self.as_of.isoformat()}


def judge_season(
    season_key: str,
    *,
    actor: str,
    store: Store,
    as_of: datetime,
    pack_name: str | None = None,
    progress: Callable[[Progress], None] | None = None,
    only: Collection[str] | None = None,
    force: bool = False,
    resume: bool = True,
    threads: int = 2,
    piece_homes: int = FEWEST_HOMES,
    runs_root: Path | None = None,
) -> RunReport:
    """Judge every home, station, source, company and banner for `2025-2026` with what was known at `as_of` (its full hour).

    `pack_name` replaces the packs of all banners. `only` names homes: they are judged whatever has changed, nothing else is.
    `force` judges all. What is done is kept piece by piece, `piece_homes` homes or more in each. With `resume` a run that was killed is continued with its own `as_of`; without, it is closed as stopped.
    Raises JudgingBusyError, NothingToJudgeError, NoSuchHomeError, SeasonUnknownError.
    """
    started = time.monotonic()
    with _alone():
        running = Run.objects.filter(season=season_key, state=Run.State.RUNNING).order_by("-id").first()
        if running is not None and not resume and running.as_of != _hour(as_of):
            _stop(running, actor)
            running = None
        moment = running.as_of if running is not None else _hour(as_of)
        stand = basis(season_key, int(moment.timestamp()), city_packs(season_key, pack_name), store.manifest.buckets)
        if stand.homes.is_empty():
            raise NothingToJudgeError(season_key)
        if unknown := set(only or ()) - set(stand.homes["home"]):
            raise NoSuchHomeError(unknown, season_key)
        pieces = stand.pieces(piece_homes)
        work = _work(stand, pieces, store, only, force)
        last = Run.objects.filter(season=season_key).order_by("-id").first()
        if not work.items and not work.places and last is not None and last.state == Run.State.DONE:
            report = RunReport(last.pk, season_key, moment, stand.homes.height, len(pieces) + 1, nothing_changed=True)
            return _counted(report, started)
        run = running or _start(stand, store, moment, actor)
        report = RunReport(
            run.pk, season_key, moment, stand.homes.height, len(pieces) + 1, continued=running is not None
        )
        folder = (runs_root or settings.NUAN_HOME / "runs") / f"{run.pk:06d}"
        task = _Task(stand, store, run, actor, folder, report, progress, len(work.items) + work.places, only is None)
        rooms = task.homes(work.items, threads)
        if work.places:
            task.places(pieces, rooms)
        return _finish(task, started)


@contextmanager
def _alone() -> Iterator[None]:
    """One judging at a time; the lock goes with the connection, so a killed process leaves none behind."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [JUDGING_LOCK])
        if not cursor.fetchone()[0]:
            raise JudgingBusyError
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [JUDGING_LOCK])


def _hour(moment: datetime) -> datetime:
    return datetime.fromtimestamp(int(moment.timestamp()) // HOUR_S * HOUR_S, UTC)


def _start(stand: Basis, store: Store, moment: datetime, actor: str) -> Run:
    packs = {banner: [name, stand.packs.packs[name].version] for banner, name in stand.packs.by_banner.items()}
    with act("start_judging", actor=actor, subject=stand.season) as record:
        run = Run.objects.create(
            season=stand.season, as_of=moment, rules_fingerprint=stand.fingerprint, manifest_hash=store.manifest_hash(),
            registry_hash=stand.registry_hash(), store_offset=store.offset, homes=stand.homes.height, packs=packs,
        )  # fmt: skip
        record.details["run"] = run.pk
    return run


def _stop(run: Run, actor: str) -> None:
    with act("stop_judging", actor=actor, subject=run.season, details={"run": run.pk}):
        run.state, run.finished_at = Run.State.STOPPED, timezone.now()
        run.save(update_fields=["state", "finished_at"])


@dataclass(frozen=True)
class _Item:
    """A piece to judge; `whole`: all its homes are in it."""

    piece: HomePiece
    whole: bool
    inputs_hash: str


@dataclass(frozen=True)
class _Work:
    items: list[_Item]
    places: bool


def _work(
    stand: Basis, pieces: list[HomePiece], store: Store, only: Collection[str] | None, force: bool
) -> _Work:  # fmt: skip
    """What has to be judged: pieces whose records, rules or moment changed in whole, else the homes that readings have touched."""
    rows = RunBucket.objects.filter(run__season=stand.season).order_by("bucket", "-id").distinct("bucket")
    before = {row.bucket: row for row in rows}
    if only is not None:
        return _Work(list(_asked_for(stand, pieces, before, set(only))), False)
    touched = _Touched(stand, store)
    items: list[_Item] = []
    for piece in pieces:
        row, inputs = before.get(piece.name), stand.piece_hash(piece)
        if force or row is None or row.inputs_hash != inputs or row.store_offset > store.offset:
            items.append(_Item(piece, True, inputs))
            continue
        homes = piece.only([home for home, quantity in touched.since(row.store_offset) if quantity == ROOM])
        if homes.homes.height:
            items.append(_Item(homes, homes.homes.height == piece.homes.height, inputs))
    row = before.get(PLACES)
    places = (
        force
        or row is None
        or row.inputs_hash != stand.places_hash()
        or row.store_offset > store.offset
        or bool(touched.since(row.store_offset))
    )
    return _Work(items, places)


def _asked_for(
    stand: Basis, pieces: list[HomePiece], before: Mapping[str, RunBucket], only: set[str]
) -> Iterator[_Item]:  # fmt: skip
    """The named homes. Where they are judged otherwise than the rest of their piece was (other rules, another moment), the piece is
    marked, so that the next judging of the city makes it one again."""
    for piece in pieces:
        chosen = piece.only([home for home in piece.homes["home"] if home in only])
        if chosen.homes.height:
            row = before.get(piece.name)
            otherwise = row is not None and row.inputs_hash != stand.piece_hash(piece)
            yield _Item(chosen, False, MIXED if otherwise else "")


class _Touched:
    """Which (place, quantity) got readings within the season since an offset; pieces share few offsets, each is asked for once."""

    def __init__(self, stand: Basis, store: Store) -> None:
        days = [season.day_numbers for season in stand.packs.seasons.values()]
        self.first = min(each.start for each in days)
        self.last = min(max(each.stop - 1 for each in days), local_day(stand.as_of_s))
        self.store = store
        self.found: dict[int, set[tuple[str, str]]] = {}

    def since(self, offset: int) -> set[tuple[str, str]]:
        if offset not in self.found:
            frame = self.store.touched_since(offset)
            frame = frame.filter((pl.col("last_day") >= self.first) & (pl.col("first_day") <= self.last))
            keys = [self.store.series.key(int(number)) for number in frame["series"].unique().to_list()]
            self.found[offset] = {(key.place, key.quantity) for key in keys}
        return self.found[offset]


@dataclass
class _Task:
    """A run under way."""

    stand: Basis
    store: Store
    run: Run
    actor: str
    folder: Path
    report: RunReport
    progress: Callable[[Progress], None] | None
    total: int
    keeps_books: bool
    done: int = 0

    def homes(self, items: list[_Item], threads: int) -> dict[str, pl.DataFrame]:
        """Judge pieces side by side and write them one after the other; the room sums of those that were judged in whole."""
        rooms: dict[str, pl.DataFrame] = {}
        remaining = iter(items)
        with ThreadPoolExecutor(threads) as pool:

            def next_ones(count: int) -> list[tuple[_Item, Future[JudgedHomes]]]:
                ahead = islice(remaining, count)
                return [(item, pool.submit(judge_homes, self.stand, item.piece, self.store)) for item in ahead]

            under_way = next_ones(threads)
            while under_way:
                item, future = under_way.pop(0)
                judged = future.result()
                under_way += next_ones(1)
                self._write_homes(item, judged)
                if item.whole:
                    rooms[item.piece.name] = judged.rooms
        return rooms

    def _write_homes(self, item: _Item, judged: JudgedHomes) -> None:
        piece = judged.piece
        recorded = as_recorded(judged.judgements, self.stand.season)
        write_parquet(self.folder, "home_days", piece.name, judged.days)
        write_parquet(self.folder, "judgements", piece.name, recorded)
        with act("judge_homes", actor=self.actor, subject=f"{self.stand.season} {piece.name}") as record:
            homes = piece.homes["home"].to_list()
            written = write_judgements(self.run, recorded, ["home"], homes)
            write_home_seasons(self.run, judged.seasons, homes)
            self._book(piece.name, item.inputs_hash, piece.homes.height, written)
            record.details |= {"run": self.run.pk, "homes": piece.homes.height, "written": written}
        self._said(piece.homes.height, written)

    def places(self, pieces: list[HomePiece], rooms: dict[str, pl.DataFrame]) -> None:
        """Stations, sources, companies and banners; pieces that were not judged in this run are summed up for their rooms."""
        sums = [
            rooms[piece.name] if piece.name in rooms else piece_room_sums(self.stand, piece, self.store)
            for piece in pieces
        ]
        recorded = as_recorded(
            judge_places(self.stand, self.store, room_means_of(sums)), self.stand.season
        )  # fmt: skip
        write_parquet(self.folder, "judgements", PLACES, recorded)
        records = self.stand.places
        subjects = [
            *records.stations["substation"], *records.sources["source"], *records.companies["company"], *records.banners["banner"],
        ]  # fmt: skip
        with act("judge_places", actor=self.actor, subject=self.stand.season) as record:
            written = write_judgements(self.run, recorded, list(SCOPES.values()), subjects)
            self._book(PLACES, self.stand.places_hash(), 0, written)
            record.details |= {"run": self.run.pk, "written": written}
        self._said(0, written)

    def _book(self, name: str, inputs: str, homes: int, written: int) -> None:
        """The note that a piece is done, in the transaction of its judgements. Homes judged on request leave none, or MIXED."""
        if not self.keeps_books and inputs != MIXED:
            return
        RunBucket.objects.update_or_create(
            run=self.run,
            bucket=name,
            defaults={
                "inputs_hash": inputs, "store_offset": self.store.offset, "homes": homes, "written": written,
                "finished_at": timezone.now(),
            },
        )  # fmt: skip

    def _said(self, homes: int, written: int) -> None:
        self.done += 1
        self.report.pieces_judged += 1
        self.report.homes_judged += homes
        self.report.written += written
        if self.progress is not None:
            self.progress(Progress(self.done, self.total, self.report.homes_judged, self.report.written))


def _finish(task: _Task, started: float) -> RunReport:
    report, run = task.report, task.run
    with act("judge_season", actor=task.actor, subject=run.season) as record:
        compute_city_now(run)
        _counted(report, started)
        run.state, run.finished_at, run.summary = Run.State.DONE, timezone.now(), report.as_dict()
        run.save(update_fields=["state", "finished_at", "summary"])
        compute_board(run)
        record.details |= {
            "run": run.pk,
            "homes": report.homes_judged,
            "written": report.written,
            "refund_fen": report.refund_fen,
        }
    return report


def _counted(report: RunReport, started: float) -> RunReport:
    report.clauses = clause_counts(report.season)
    report.refund_fen = sum(each["amount_fen"] for each in report.clauses.values())
    report.seconds = round(time.monotonic() - started, 2)
    return report
