"""Lanes: workers acknowledge side by side, the store takes over each reading once, dead letters wait until somebody keeps them."""

import errno
from pathlib import Path

import numpy as np
import pytest

from nuan.telemetry.readings import UNKNOWN_DELAY, ReadingBatch
from nuan.telemetry.series import SeriesKey
from nuan.telemetry.store import DeadLetter, Lane, Store, StoreBusyError, StoreDamagedError, UnknownSeriesError
from nuan.telemetry.store import journal as journal_module
from nuan.telemetry.store import lanes as lanes_module
from nuan.terms.places import local_day

START = 1_767_225_600
KEYS = [SeriesKey(f"B0001-1-{door:04d}", "room_temp") for door in range(4)]
LETTER = DeadLetter("G1", "mqtt_json", START, "no_such_device", "没有登记的设备 9", b"\x00\xffpayload")


def some(series: int, first: int, count: int = 5, value: int = 2000, revision: int = 0) -> ReadingBatch:
    times = START + 60 * np.arange(first, first + count)
    return ReadingBatch.of(series, times, np.full(count, value, np.int32), revision=revision)


def held(store: Store, key: SeriesKey) -> list[tuple[int, int]]:
    series = store.series.get(key)
    if series is None:
        return []
    batch = store.read(series, 0, 2**40)
    return list(zip(((batch.time_s - START) // 60).tolist(), batch.value.tolist(), strict=True))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "readings"


def put(root: Path, name: str, key: SeriesKey, batch_first: int, value: int = 2000, arrival_s: int = START) -> None:
    with Lane(root, name) as lane:
        lane.put(some(int(lane.register([key])[0]), batch_first, value=value), arrival_s)
        lane.sync()


def test_two_lanes_beside_each_other_in_the_stores_own_numbers(root: Path) -> None:
    with Store(root, write=True) as store, Lane(root, "w1") as one, Lane(root, "w2") as two:
        store.register(KEYS[3:])
        assert one.register(KEYS).tolist() == [0, 1, 2, 3]
        assert two.register(reversed(KEYS)).tolist() == [0, 1, 2, 3]
        one.put(some(0, 0), START + 600)
        two.put(some(0, 10), START + 700)
        one.sync()
        two.sync()
        report = store.absorb()
        assert (report.readings, report.new_series, report.positions) == (10, 3, {one.identity: 1, two.identity: 1})
        assert held(store, KEYS[0]) == [(minute, 2000) for minute in range(5)]
        assert held(store, KEYS[3]) == [(minute, 2000) for minute in range(10, 15)]
        assert store.absorb().readings == 0
        reader = Store(root)
        assert held(reader, KEYS[0]) == held(store, KEYS[0]), "readers see what was absorbed and not folded"
        one.put(some(1, 0), START)
        one.sync()
        store.absorb()
        reader.refresh()
        assert len(held(reader, KEYS[1])) == 5
        store.compact()
        reader.refresh()
        assert len(held(reader, KEYS[1])) == 5
        assert store.verify() == []


@pytest.mark.parametrize("folded", [False, True])
def test_device_time_and_arrival_are_both_kept(root: Path, folded: bool) -> None:
    put(root, "w1", KEYS[0], 0, arrival_s=START + 1000)
    with Store(root, write=True) as store:
        store.append(some(store.series_id(KEYS[1]), 0))
        store.absorb(fold_from=0 if folded else 1 << 20)
        known, unknown = (store.read(store.series_id(key), 0, 2**40) for key in KEYS[:2])
        assert (known.time_s + known.delays).tolist() == [START + 1000] * 5
        assert unknown.delays.tolist() == [UNKNOWN_DELAY] * 5
    again = Store(root).read(store.series_id(KEYS[0]), 0, 2**40)
    assert again.delays.tolist() == known.delays.tolist()


@pytest.mark.parametrize("order", [(60, 5), (5, 60)])
@pytest.mark.parametrize("fold_between", [False, True])
def test_the_same_report_twice_came_in_when_the_first_did(
    root: Path, order: tuple[int, int], fold_between: bool
) -> None:
    with Store(root, write=True) as store:
        for minutes in order:
            put(root, "w1", KEYS[0], 0, arrival_s=START + 60 * minutes)
            store.absorb(fold_from=0 if fold_between else 1 << 20)
        store.compact()
        batch = store.read(store.series_id(KEYS[0]), 0, 2**40)
        assert (batch.time_s + batch.delays).tolist() == [START + 300] * 5


def test_numbers_and_names_of_a_lane_survive(root: Path) -> None:
    put(root, "w1", KEYS[2], 0)
    with Lane(root, "w1") as lane:
        assert lane.register(KEYS).tolist() == [1, 2, 0, 3]
        assert lane.series().key(0) == KEYS[2]
    with Lane(root, "w1") as lane:
        assert (len(lane.series()), lane.sequence) == (1, 1) or len(lane.series()) == 4


def test_judging_hears_of_absorbed_readings(root: Path) -> None:
    put(root, "w1", KEYS[0], 0)
    with Store(root, write=True) as store:
        store.absorb()
        seen = store.offset
        put(root, "w1", KEYS[0], 3 * 1440)
        store.absorb()
        day = int(local_day(START + 3 * 86_400))
        waiting = store.touched_since(seen).rows()
        store.compact()
        assert waiting == store.touched_since(seen).rows() == [(0, day, day)]


def test_a_correction_stands_wherever_it_came_in(root: Path) -> None:
    with Store(root, write=True) as store:
        with Lane(root, "a") as lane:
            series = int(lane.register(KEYS[:1])[0])
            lane.put(some(series, 0, value=1500, revision=1), START)
            lane.sync()
        store.absorb()
        put(root, "b", KEYS[0], 0, value=1900)
        store.absorb()
        assert {value for _, value in held(store, KEYS[0])} == {1500}


def test_one_process_a_lane_and_only_its_own_numbers(root: Path) -> None:
    with Lane(root, "w1") as lane:
        with pytest.raises(StoreBusyError, match="another process"):
            Lane(root, "w1")
        with pytest.raises(UnknownSeriesError):
            lane.put(some(0, 0), START)
    with pytest.raises(ValueError, match="no name of a lane"):
        Lane(root, "../elsewhere")


def test_a_torn_tail_of_a_lane_is_cut_and_its_numbers_go_on(root: Path) -> None:
    put(root, "w1", KEYS[0], 0)
    (path,) = (root / "lanes" / "w1" / "frames").glob("*.jnl")
    whole = path.read_bytes()
    put(root, "w1", KEYS[0], 10)
    path.write_bytes(path.read_bytes()[:-3])
    with Store(root, write=True) as store:
        assert store.absorb().readings == 5, "the torn frame may still be under way"
        put(root, "w1", KEYS[0], 20)
        assert path.read_bytes()[: len(whole)] == whole
        assert store.absorb().readings == 5
        assert [minute for minute, _ in held(store, KEYS[0])] == [*range(5), *range(20, 25)]


def test_a_flipped_byte_before_true_frames_is_damage(root: Path) -> None:
    put(root, "w1", KEYS[0], 0)
    put(root, "w1", KEYS[0], 10)
    (path,) = (root / "lanes" / "w1" / "frames").glob("*.jnl")
    data = bytearray(path.read_bytes())
    data[40] ^= 1
    path.write_bytes(data)
    with pytest.raises(StoreDamagedError, match="true frames follow"):
        Lane(root, "w1")
    with Store(root, write=True) as store, pytest.raises(StoreDamagedError, match="true frames follow"):
        store.absorb()
    assert path.read_bytes() == bytes(data)


def test_a_dead_letter_that_looks_like_a_frame_is_none(root: Path) -> None:
    """A sender may put the bytes of a true frame into a message; torn at that place it must not pass for damage."""
    put(root, "w1", KEYS[0], 0)
    (path,) = (root / "lanes" / "w1" / "frames").glob("*.jnl")
    frame = path.read_bytes()
    numbers = np.frombuffer(frame[: len(frame) // 4 * 4], "<i4").astype(np.int32)
    with Lane(root, "w1") as lane:
        low = int(numbers.min())
        lane.put(ReadingBatch.of(0, START + np.arange(len(numbers)), numbers - low if low == 0 else numbers), START)
        lane.sync()
    path.write_bytes(path.read_bytes()[:-1])
    with Lane(root, "w1") as lane:
        assert lane.sequence == 1


def test_readings_whose_names_a_power_cut_took_were_never_acknowledged(root: Path) -> None:
    put(root, "w1", KEYS[0], 0)
    (names,) = (root / "lanes" / "w1" / "names").glob("*.jnl")
    synced = names.read_bytes()
    put(root, "w1", KEYS[1], 0)
    names.write_bytes(synced)
    with Store(root, write=True) as store:
        assert store.absorb().readings == 5
        with Lane(root, "w1") as lane:
            assert (len(lane.series()), lane.sequence) == (1, 1)
        put(root, "w1", KEYS[2], 7)
        store.absorb()
        assert [len(held(store, key)) for key in KEYS] == [5, 0, 5, 0]


class TestDeadLetters:
    def test_are_as_durable_as_readings_and_given_out_in_order(self, root: Path) -> None:
        with Lane(root, "w1") as lane:
            lane.put_dead([LETTER, LETTER])
            lane.put(some(int(lane.register(KEYS[:1])[0]), 0), START)
            lane.put_dead([LETTER])
            lane.sync()
        who = lane.identity
        with Store(root, write=True) as store:
            report = store.absorb()
            assert (report.readings, report.dead_letters) == (5, 3)
            assert list(store.dead_letters({})) == [(who, 1, 0, LETTER), (who, 1, 1, LETTER), (who, 3, 0, LETTER)]
            assert [place[:3] for place in store.dead_letters({who: 1})] == [(who, 3, 0)]

    @pytest.mark.parametrize(("size", "kept"), [(256 << 10, 256 << 10), (300_000, 256 << 10)])
    def test_a_message_is_kept_whole_and_what_is_larger_is_cut(self, root: Path, size: int, kept: int) -> None:
        with Lane(root, "w1") as lane:
            lane.put_dead([DeadLetter("G1", "http", START, "too_large", "", b"x" * size)])
            lane.sync()
        with Store(root, write=True) as store:
            ((*_, letter),) = store.dead_letters({})
            assert len(letter.payload) == kept

    def test_files_go_only_when_letters_were_handed_over(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(lanes_module, "ROTATE_BYTES", 1)
        with Store(root, write=True) as store, Lane(root, "w1") as lane:
            series = int(lane.register(KEYS[:1])[0])
            for number in range(4):
                lane.put(some(series, number), START)
                if number == 1:
                    lane.put_dead([LETTER])
                lane.sync()
            before = lane.size_bytes()
            assert store.absorb().files_removed == 1, "the first file has no letter"
            assert store.absorb({lane.identity: 2}).files_removed == 0
            assert store.absorb({lane.identity: 3}).files_removed == 3
            assert lane.size_bytes() < before
            lane.put(some(series, 30), START)
            lane.sync()
            assert store.absorb().readings == 5
        with Lane(root, "w1") as lane:
            assert lane.sequence == 6
        assert len(held(Store(root), KEYS[0])) == 13

    def test_a_new_writer_knows_which_files_have_letters(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(lanes_module, "ROTATE_BYTES", 1)
        with Lane(root, "w1") as lane:
            lane.put_dead([LETTER])
            lane.put(some(int(lane.register(KEYS[:1])[0]), 0), START)
            lane.sync()
        with Store(root, write=True) as store:
            store.absorb()
            store.compact()
        with Store(root, write=True) as store:
            assert (store.lane_positions, store.absorb().files_removed) == ({lane.identity: 2}, 0)
            assert len(list(store.dead_letters({}))) == 1
            assert store.absorb({lane.identity: 1}).files_removed == 1
            assert list(store.dead_letters({})) == []


def test_a_hundred_thousand_names_take_a_second(root: Path) -> None:
    keys = [SeriesKey(f"B{place:07d}-1-0101", "room_temp") for place in range(100_000)]
    with Lane(root, "w1") as lane, Store(root, write=True) as store:
        assert lane.register(keys).tolist() == list(range(100_000))
        lane.put(some(99_999, 0), START)
        lane.sync()
        assert store.absorb().new_series == 100_000
        assert len(held(store, keys[-1])) == 5


def test_a_new_file_that_cannot_be_made_stops_nothing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No handle or no name left on the disk at the moment of the change: what is synced is safe in the old file, which is written on."""
    monkeypatch.setattr(lanes_module, "ROTATE_BYTES", 1)
    with Store(root, write=True) as store, Lane(root, "w1") as lane:
        series = int(lane.register(KEYS[:1])[0])
        lane.put(some(series, 0), START)
        with monkeypatch.context() as full:
            full.setattr(journal_module.os, "open", _no_space)
            lane.sync()
        lane.put(some(series, 5), START)
        lane.sync()
        assert len(list((root / "lanes" / "w1" / "frames").glob("*.jnl"))) == 2
        assert store.absorb().readings == 10


def _no_space(*_: object) -> int:
    raise OSError(errno.ENOSPC, "No space left on device")
