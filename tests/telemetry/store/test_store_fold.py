"""The fold: whatever the order of arrival and wherever it was compacted, the same readings stand."""

import itertools
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nuan.telemetry.readings import GAP, Flag, ReadingBatch
from nuan.telemetry.series import SeriesKey, bucket_of
from nuan.telemetry.store import Store
from nuan.terms.places import local_day

HOUR = 3600
START = 1_767_225_600
KEYS = [SeriesKey(f"B0001-1-{door:04d}", "room_temp") for door in range(4)]


def one(series: int, hour: int, value: int, flags: int = 0, revision: int = 0, rank: int = 0) -> ReadingBatch:
    return ReadingBatch.of(series, np.array([START + HOUR * hour]), np.array([value], np.int32), flags, revision, rank)


def state(store: Store) -> list[tuple[int, ...]]:
    """Every reading of every series, as plain numbers."""
    rows = []
    for series in range(len(store.series)):
        batch = store.read(series, 0, 2**40)
        columns = (batch.series, batch.time_s, batch.value, batch.flags, batch.revisions, batch.ranks)
        rows += list(zip(*(column.tolist() for column in columns), strict=True))
    return rows


@pytest.fixture
def store(tmp_path: Path):
    with Store(tmp_path / "readings", write=True) as store:
        store.register(KEYS)
        yield store


events = st.lists(
    st.tuples(
        st.integers(0, 3), st.integers(0, 900), st.integers(0, 2), st.integers(0, 2), st.integers(1500, 2500),
        st.sampled_from([0, int(Flag.MISSING), int(Flag.JUMP)]),
    ),
    min_size=1, max_size=40, unique_by=lambda event: event[:4],
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(events=events, data=st.data())
def test_the_state_is_a_function_of_the_set_of_events(events: list[tuple[int, ...]], data: st.DataObject) -> None:
    best: dict[tuple[int, int], tuple[int, ...]] = {}
    for series, hour, rank, revision, value, flags in events:
        known = best.get((series, hour))
        if known is None or (rank, revision) > known[:2]:
            best[series, hour] = (rank, revision, 0 if flags == Flag.MISSING else value, flags)
    wanted = [
        (series, START + HOUR * hour, value, flags, revision, rank)
        for (series, hour), (rank, revision, value, flags) in sorted(best.items())
    ]
    shuffled = data.draw(st.permutations(events))
    folds = data.draw(st.sets(st.integers(0, len(events) - 1)))
    with TemporaryDirectory() as folder, Store(folder, write=True) as store:
        store.register(KEYS)
        for at, (series, hour, rank, revision, value, flags) in enumerate(shuffled):
            store.append(one(series, hour, 0 if flags == Flag.MISSING else value, flags, revision, rank))
            if at in folds:
                store.compact()
        assert state(store) == wanted, "before the last fold"
        store.compact()
        assert state(store) == wanted
        assert state(Store(folder)) == wanted
        assert store.verify() == []


@pytest.mark.parametrize("folded", list(itertools.product([False, True], repeat=2)), ids=str)
def test_of_equal_rank_and_revision_the_later_stands(store: Store, folded: tuple[bool, bool]) -> None:
    for value, fold in zip((2000, 1700), folded, strict=True):
        store.append(one(0, 5, value))
        if fold:
            store.compact()
    assert store.read(0, 0, 2**40).value.tolist() == [1700]


def test_the_same_readings_twice_change_nothing(store: Store) -> None:
    batch = ReadingBatch.concat([one(series, hour, 2000 + hour) for series in range(4) for hour in range(100)])
    store.append(batch)
    store.compact()
    before, seen = {s.path: s.digest for s in store.manifest.segments}, store.offset
    store.append(batch)
    store.compact()
    assert {s.path: s.digest for s in store.manifest.segments} == before
    assert store.touched_since(seen).is_empty()


def test_superseded_readings_stay_for_those_who_ask_what_was_known(store: Store) -> None:
    known_at = []
    for value, revision in ((2000, 0), (1750, 1), (1900, 2), (1000, 0)):
        store.append(one(0, 5, value, revision=revision))
        store.compact()
        known_at.append(store.manifest.sequence)
    assert store.read(0, 0, 2**40).value.tolist() == [1900]
    assert [store.read_as_known(0, 0, 2**40, at).value.tolist() for at in known_at] == [[2000], [1750], [1900], [1900]]
    assert len(store.read_as_known(0, 0, 2**40, known_at[0] - 1)) == 0


def test_a_late_reading_rewrites_its_own_slot_and_touches_its_own_day(store: Store) -> None:
    store.append(ReadingBatch.concat([one(series, hour, 2000) for series in range(4) for hour in range(0, 2000, 7)]))
    store.compact()
    before, seen = {s.slot: s.path for s in store.manifest.segments}, store.offset
    store.append(one(2, 1500, 1600))
    waiting = store.touched_since(seen).rows()
    store.compact()
    day = int(local_day(START + HOUR * 1500))
    assert waiting == store.touched_since(seen).rows() == [(2, day, day)]
    rewritten = {s.slot for s in store.manifest.segments if before.get(s.slot) != s.path}
    assert rewritten == {("room_temp", bucket_of(KEYS[2].place), 674)}, "March 2026 counted from January 1970"
    assert store.touched_since(store.offset).is_empty()


def test_a_grid_and_the_same_readings_one_by_one_are_the_same(store: Store, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    values = rng.integers(1700, 2300, (4, 24 * 70)).astype(np.int16)
    values[rng.random(values.shape) < 0.03] = GAP
    flags = np.where(rng.random(values.shape) < 0.01, np.uint8(Flag.STUCK), np.uint8(0)).astype(np.uint8)
    store.load_dense("room_temp", KEYS, START, HOUR, values, flags)
    with Store(tmp_path / "other", write=True) as other:
        other.register(KEYS)
        rows, columns = np.nonzero(values != GAP)
        order = rng.permutation(len(rows))
        rows, columns = rows[order], columns[order]
        other.append(
            ReadingBatch(
                rows.astype(np.uint32),
                START + HOUR * columns,
                values[rows, columns].astype(np.int32),
                flags[rows, columns],
            )
        )
        other.compact()
        assert state(other) == state(store)
        assert len(state(store)) == (values != GAP).sum()


def test_a_grid_over_readings_that_are_there_merges(store: Store) -> None:
    store.append(one(1, 3, 1500, revision=1))
    store.load_dense("room_temp", KEYS, START, HOUR, np.full((4, 48), 2000, np.int16))
    assert store.read(1, START, START + 5 * HOUR).value.tolist() == [2000, 2000, 2000, 1500, 2000]
    store.load_dense("room_temp", KEYS[:1], START, HOUR, np.full((1, 48), 1900, np.int16))
    assert store.read(0, START, START + 2 * HOUR).value.tolist() == [1900, 1900]
    assert store.read(2, START, START + 2 * HOUR).value.tolist() == [2000, 2000]
    assert store.verify() == []


def test_the_manifest_hash_names_the_state_on_any_machine(tmp_path: Path) -> None:
    hashes = set()
    for name in ("one", "two"):
        with Store(tmp_path / name, write=True) as store:
            store.register(KEYS)
            store.append(one(0, 1, 2000))
            before = store.manifest_hash()
            store.compact()
            assert store.manifest_hash() != before
            hashes.add(store.manifest_hash())
    assert len(hashes) == 1


def test_duckdb_reads_the_same_and_sees_gaps_as_null(store: Store) -> None:
    values = np.full((4, 48), 1900, np.int16)
    values[0, :3] = GAP
    store.load_dense("room_temp", KEYS, START, HOUR, values)
    store.append(one(2, 60, 1700))
    store.compact()
    counted = duckdb.sql(
        f"select count(value), min(value), max(value) from {store.duckdb_source('room_temp')}"
    ).fetchall()
    assert counted == [(4 * 48 - 3 + 1, 1700, 1900)]


@pytest.mark.parametrize("harm", ["flip", "cut", "remove"])
@pytest.mark.parametrize("kind", ["segments", "series", "touched"])
def test_verify_reports_harm(store: Store, harm: str, kind: str) -> None:
    store.append(ReadingBatch.concat([one(0, hour, 2000 + hour) for hour in range(50)]))
    store.compact()
    assert store.verify() == []
    path = next((store.root / kind).rglob("*.parquet"))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    if harm == "remove":
        path.unlink()
    else:
        path.write_bytes(bytes(data) if harm == "flip" else bytes(data[:-9]))
    (fault,) = store.verify()
    assert path.name in fault


def test_a_reader_of_the_state_before_still_finds_its_files(store: Store) -> None:
    store.append(one(0, 1, 2000))
    store.compact()
    reader = Store(store.root)
    store.append(one(0, 1, 1800))
    store.compact()
    assert reader.read(0, 0, 2**40).value.tolist() == [2000]
    store.append(one(0, 1, 1700))
    store.compact()
    reader.refresh()
    assert reader.read(0, 0, 2**40).value.tolist() == [1700]


@pytest.mark.parametrize("order", list(itertools.permutations([0, 1, 2])), ids=str)
@pytest.mark.parametrize("folded", [False, True])
def test_what_one_report_holds_against_a_reading_stays(store: Store, order: tuple[int, ...], folded: bool) -> None:
    """A gateway sends its buffer again; judged without its neighbours, the spike carries no flag any more."""
    seen = [Flag.JUMP, Flag.NONE, Flag.LATE]
    for at in order:
        store.append(one(0, 5, 3900, flags=int(seen[at])))
        if folded:
            store.compact()
    assert state(store) == [(0, START + 5 * HOUR, 3900, int(Flag.JUMP | Flag.LATE), 0, 0)]
    store.compact()
    assert state(Store(store.root)) == state(store)
    assert store.verify() == []


def test_a_flag_that_comes_later_is_heard_of_and_was_not_known_before(store: Store) -> None:
    store.append(one(0, 5, 3900))
    store.compact()
    before, seen = store.manifest.sequence, store.offset
    store.append(one(0, 5, 3900, flags=int(Flag.STUCK)))
    store.compact()
    assert store.touched_since(seen).height == 1
    assert store.read_as_known(0, 0, 2**40, before).flags.tolist() == [0]
    assert store.read_as_known(0, 0, 2**40, store.offset).flags.tolist() == [int(Flag.STUCK)]
