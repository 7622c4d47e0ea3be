"""Dead letters reach the records once, and come back as readings when somebody registers what was missing."""

import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from nuan.operations.dead_letters import DeadLetterError, discard_dead_letters, known_positions, ship_dead_letters
from nuan.operations.device_profiles import define_profiles
from nuan.operations.gateways import register_gateway
from nuan.operations.replaying import ReplayReport, replay_dead_letters
from nuan.records.devices.models import DeadLetter, Device
from nuan.telemetry.readings import Flag
from nuan.telemetry.store import Store
from nuan.telemetry.store.backup import backup, restore
from nuan.telemetry.store.errors import StoreFullError
from nuan.telemetry.store.lanes import DeadLetter as LaneLetter
from nuan.telemetry.store.lanes import Lane
from small_city import AS_OF as NOW
from small_city import ROOM_PROFILE, build_city

pytestmark = pytest.mark.django_db
ARRIVED = int(NOW.timestamp()) - 3_600


@pytest.fixture(autouse=True)
def _city() -> None:
    build_city()
    for code, protocol in (("G1", "mqtt"), ("L1", "line"), ("TB", "thingsboard")):
        register_gateway(code=code, company="C01", protocol=protocol, now=NOW, actor="陈调度")
    define_profiles({"room": ROOM_PROFILE}, actor="陈调度")


def letter(
    payload: bytes, address: str = "nuan/G1/0001", reason: str = "unknown_device", gateway: str = "G1"
) -> LaneLetter:
    return LaneLetter(gateway, address, ARRIVED, reason, "", payload)


def shipped(root: Path, *letters: LaneLetter) -> list[int]:
    with Lane(root, "w0") as lane:
        for each in letters:
            lane.put_dead([each])
        lane.sync()
    ship_dead_letters(root, {})
    return list(DeadLetter.objects.order_by("id").values_list("pk", flat=True))


def registered(gateway: str = "G1", code: str = "0001") -> None:
    Device.objects.create(
        gateway_id=gateway,
        code=code,
        profile_id="room",
        kind="room_sensor",
        level="home",
        place="B001-1-0101",
        position="living",
    )


def replayed(root: Path, numbers: list[int], **more: object) -> ReplayReport:
    return replay_dead_letters(numbers, root=root, actor="陈调度", now=NOW, **more)  # type: ignore[arg-type]


def stored(root: Path) -> list[tuple[str, int, int, int, int]]:
    with Store(root) as store:
        found = []
        for number in range(len(store.series)):
            batch = store.read(number, 0, 2**40)
            rows = zip(
                batch.time_s.tolist(), batch.value.tolist(), batch.flags.tolist(), batch.delays.tolist(), strict=True
            )
            found += [(str(store.series.key(number)), *row) for row in rows]
    return found


def test_shipping_twice_changes_nothing(tmp_path: Path) -> None:
    shipped(tmp_path, letter(b"a"), letter(b"b\0", "nuan/G1/\0", "not\0json"))
    ship_dead_letters(tmp_path, {})
    (who,) = known_positions()
    assert ship_dead_letters(tmp_path, {who: 1}) == {who: 2}
    rows = list(DeadLetter.objects.order_by("id").values_list("gateway", "company_id", "protocol", "device", "payload"))
    assert [(*row[:4], bytes(row[4])) for row in rows] == [
        ("G1", "C01", "json", "0001", b"a"), ("G1", "C01", "json", "␀", b"b\0"),
    ]  # fmt: skip
    assert known_positions() == {who: 1}


def test_a_name_that_no_database_can_keep_stops_nobody(tmp_path: Path) -> None:
    """`{"\\ud800": 1}` is JSON; its half of a surrogate pair is no UTF-8. One such message must not hold up everybody's letters."""
    registered()
    odd = b'{"\\ud800": 1}'
    found = LaneLetter("G1", "nuan/G1/0001", ARRIVED, "unknown_point", "0001: \ud800", odd)
    numbers = shipped(tmp_path, found, letter(b'{"t": 20.5}'))
    assert DeadLetter.objects.get(pk=numbers[0]).detail == "0001: ?"
    report = replayed(tmp_path, numbers)
    assert (report.replayed, report.still) == (1, {"unknown_point": 1})


def test_what_is_registered_now_is_read_with_the_arrival_of_then(tmp_path: Path) -> None:
    numbers = shipped(tmp_path, letter(b'{"t": 20.5}'), letter(b'{"ts": %d, "t": 21}' % (ARRIVED - 60)))
    assert replayed(tmp_path, numbers).still == {"unknown_device": 2}
    registered()
    report = replayed(tmp_path, numbers)
    assert (report.replayed, report.readings, report.still) == (2, 2, {})
    key = "B001-1-0101|room_temp|living"
    assert stored(tmp_path) == [(key, ARRIVED - 60, 2100, 0, 60), (key, ARRIVED, 2050, 0, 0)]
    assert replayed(tmp_path, numbers).replayed == 0


def test_lines_are_read_again_too(tmp_path: Path) -> None:
    body = b"room,device=0009 t=19.5 %d" % ARRIVED
    numbers = shipped(tmp_path, letter(body, "line/s", gateway="L1"))
    registered("L1", "0009")
    assert replayed(tmp_path, numbers).readings == 1
    assert stored(tmp_path) == [("B001-1-0101|room_temp|living", ARRIVED, 1950, 0, 0)]


def test_an_impossible_clock_of_a_line_is_stamped_like_any_other(tmp_path: Path) -> None:
    registered("L1", "0009")
    numbers = shipped(tmp_path, letter(b"room,device=0009 t=19.5 4070908800", "line/s", "clock_ahead", "L1"))
    assert replayed(tmp_path, numbers).still == {"clock_ahead": 1}
    report = replayed(tmp_path, numbers, stamp_by_arrival=True, why="表钟不准，已校")
    assert (report.replayed, report.readings) == (1, 1)
    assert stored(tmp_path) == [("B001-1-0101|room_temp|living", ARRIVED, 1950, int(Flag.CORRECTED), 0)]


def test_half_a_message_that_is_still_strange_stays_open(tmp_path: Path) -> None:
    payload = b'{"0001": [{"ts": %d, "values": {"t": 20}}], "0002": [{"ts": %d, "values": {"t": 21}}]}' % (
        ARRIVED * 1000,
        ARRIVED * 1000,
    )
    numbers = shipped(tmp_path, letter(payload, "gw/TB/v1/gateway/telemetry", gateway="TB"))
    registered("TB", "0001")
    report = replayed(tmp_path, numbers)
    assert (report.replayed, report.readings, report.still) == (0, 1, {"unknown_device": 1})
    assert DeadLetter.objects.get().detail == "0002"


def test_an_impossible_clock_needs_a_reason_and_leaves_a_mark(tmp_path: Path) -> None:
    registered()
    numbers = shipped(tmp_path, letter(b'{"ts": 946684800, "t": 20}', reason="clock_behind"))
    assert replayed(tmp_path, numbers).still == {"clock_behind": 1}
    with pytest.raises(DeadLetterError):
        replayed(tmp_path, numbers, stamp_by_arrival=True)
    assert replayed(tmp_path, numbers, stamp_by_arrival=True, why="网关断电后时钟归零").replayed == 1
    assert stored(tmp_path) == [("B001-1-0101|room_temp|living", ARRIVED, 2000, int(Flag.CORRECTED), 0)]


def test_beside_a_running_intake_the_readings_wait_in_their_lane(tmp_path: Path) -> None:
    registered()
    numbers = shipped(tmp_path, letter(b'{"t": 20}'))
    with Store(tmp_path, write=True) as running:
        assert replayed(tmp_path, numbers).replayed == 1
        running.absorb()
        assert len(running.series) == 1
    with Lane(tmp_path, "replay"), pytest.raises(DeadLetterError, match="正在进行"):
        replayed(tmp_path, numbers)


def test_discarded_letters_stay_with_their_reason(tmp_path: Path) -> None:
    numbers = shipped(tmp_path, letter(b"x"), letter(b"y"))
    with pytest.raises(DeadLetterError):
        discard_dead_letters(numbers, actor="陈调度", why=" ", now=NOW)
    assert discard_dead_letters(numbers[:1], actor="陈调度", why="测试", now=NOW) == 1
    assert discard_dead_letters(numbers[:1], actor="陈调度", why="测试", now=NOW) == 0
    registered()
    assert replayed(tmp_path, numbers).still == {"not_json": 1}


@contextmanager
def disk_full_at(size: int) -> Iterator[None]:
    """No file of this process may grow beyond so many bytes (RLIMIT_FSIZE): what a full disk says, without a disk to fill."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("size", [0, 60, 200, 400], ids=lambda size: f"{size} bytes")
def test_a_replay_on_a_full_disk_is_a_sentence_and_nothing_is_lost(tmp_path: Path, size: int) -> None:
    numbers = shipped(tmp_path, *(letter(b'{"ts": %d, "t": 20.5}' % (ARRIVED - n)) for n in range(40)))
    registered()
    with disk_full_at(size), pytest.raises(DeadLetterError, match="磁盘"):
        replayed(tmp_path, numbers)
    assert set(DeadLetter.objects.values_list("state", flat=True)) == {DeadLetter.State.OPEN}
    assert replayed(tmp_path, numbers).replayed == 40
    assert len(stored(tmp_path)) == 40, "each once, whatever the full disk had taken of them"
    assert Store(tmp_path).verify() == []


def test_a_disk_that_is_full_only_afterwards_takes_nothing_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The readings are safe in the lane: that the store could not take them over yet is no failure of the replay."""
    (number,) = shipped(tmp_path, letter(b'{"ts": %d, "t": 20.5}' % ARRIVED))
    registered()
    with monkeypatch.context() as full:
        full.setattr(Store, "absorb", lambda *_: (_ for _ in ()).throw(StoreFullError(tmp_path, OSError(28, "full"))))
        assert replayed(tmp_path, [number]).replayed == 1
    with Store(tmp_path, write=True) as store:
        store.absorb()
    assert len(stored(tmp_path)) == 1


def test_a_long_message_comes_back_whole(tmp_path: Path) -> None:
    """A quarter of a megabyte is one message: kept whole, it can be read again."""
    entries = ",".join(f'{{"ts": {ARRIVED - n}, "t": 20.5}}' for n in range(6_000))
    message = f"[{entries}]".encode()
    assert 150_000 < len(message) < 256 << 10
    (number,) = shipped(tmp_path, letter(message))
    assert bytes(DeadLetter.objects.get().payload) == message
    registered()
    assert replayed(tmp_path, [number]).readings == 6_000


@pytest.mark.parametrize("how", ["an older backup is restored", "an older copy is put back", "the lane is deleted"])
def test_new_letters_never_meet_old_numbers_in_the_records(tmp_path: Path, how: str) -> None:
    """The records know numbers of a lane that is no more, or that has forgotten them; what it writes now is shipped all the same."""
    root, back = tmp_path / "readings", tmp_path / "back"
    positions: dict[str, int] = {}

    def send(root: Path, *payloads: bytes) -> None:
        """A worker's life; then the recording process and the one that folds, which may remove what was handed over."""
        with Lane(root, "w0") as lane:
            for payload in payloads:
                lane.put_dead([letter(payload)])
            lane.sync()
        positions.update(ship_dead_letters(root, positions))
        with Store(root, write=True) as store:
            store.absorb(positions)

    send(root, b"1")
    backup(root, tmp_path / "b", "last month")
    shutil.copytree(root, tmp_path / "copy")
    send(root, b"2", b"3", b"4")
    if how.startswith("an older backup"):
        restore(tmp_path / "b", back)
    elif how.startswith("an older copy"):
        shutil.copytree(tmp_path / "copy", back)
    else:
        shutil.copytree(root, back)
        shutil.rmtree(back / "lanes" / "w0")
    send(back, b"5")
    send(back, b"6", b"7")
    kept = [bytes(each) for each in DeadLetter.objects.order_by("id").values_list("payload", flat=True)]
    assert kept == [b"%d" % number for number in range(1, 8)]
    rows = DeadLetter.objects.values_list("lane", "sequence")
    assert len(set(rows)) == 7
    assert len({sequence for _, sequence in rows}) < 7, (
        "numbers were used again: without identities they would have met"
    )
    if not how.startswith("the lane"):
        assert ship_dead_letters(back, {}).keys() <= {lane for lane, _ in rows}
    assert DeadLetter.objects.count() == 7, "from the beginning again, nothing comes twice"
