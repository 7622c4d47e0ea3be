"""Corrections: new versions with a reason, beside a running intake, heard of by judging, and never over what was known."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from nuan.operations.correct_readings import Correction, CorrectionError, correct_readings, corrections_of
from nuan.records.audit.models import AuditEntry
from nuan.telemetry.readings import Flag, ReadingBatch
from nuan.telemetry.series import SeriesKey
from nuan.telemetry.store import Store

pytestmark = pytest.mark.django_db
START, HOUR = 1_767_196_800, 3600
KEY = SeriesKey("B0042-1-0301", "room_temp", "living")
WHY = "探头偏高 0.8 °C，送检证书 24-117"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    with Store(tmp_path / "readings", write=True) as store:
        times = START + HOUR * np.arange(24)
        flags = np.where(np.arange(24) == 5, np.uint8(Flag.MISSING), np.uint8(0)).astype(np.uint8)
        values = np.where(flags > 0, 0, 1850 + np.arange(24)).astype(np.int32)
        store.append(ReadingBatch.of(store.series_id(KEY), times, values, flags))
        store.compact()
    return tmp_path / "readings"


def correct(root: Path, first: int, last: int, why: str = WHY, **words: Fraction):
    what = Correction(KEY, START + HOUR * first, START + HOUR * last, **words)
    return correct_readings(what, actor="老张", why=why, root=root, arrival_s=START + 1000 * HOUR)


def values(root: Path) -> list[int]:
    return Store(root).read(0, START, START + 24 * HOUR).value.tolist()


def test_a_sensor_that_showed_too_much(root: Path) -> None:
    before = Store(root)
    known, seen = before.manifest.sequence, before.offset
    done = correct(root, 0, 12, shift=Fraction("-0.8"))
    assert (done.readings, done.revisions, done.taken_over) == (12, (1, 1), True)
    store = Store(root)
    now = store.read(0, START, START + 24 * HOUR)
    assert now.value[:3].tolist() == [1770, 1771, 1772]
    assert now.value[12] == 1862
    assert (now.flags[:12] & Flag.CORRECTED).all()
    assert now.flags[5] & Flag.MISSING, "what is missing is not made up"
    assert store.read_as_known(0, START, START + 24 * HOUR, known).value[:2].tolist() == [1850, 1851]
    assert store.touched_since(seen).height == 1, "judging hears of it"
    (row,) = corrections_of(KEY.place)
    assert (row.actor, row.why, row.details["readings"], row.details["revisions"]) == ("老张", WHY, 12, [1, 1])


def test_a_correction_of_a_correction(root: Path) -> None:
    correct(root, 0, 24, shift=Fraction(1))
    done = correct(root, 3, 5, value=Fraction("21.5"))
    assert done.revisions == (2, 2)
    assert values(root)[2:6] == [1952, 2150, 2150, 0]
    done = correct(root, 4, 7)
    assert done.revisions == (2, 3)
    assert (Store(root).read(0, START, START + 24 * HOUR).flags[4:7] & Flag.MISSING > 0).all()


def test_beside_a_running_intake(root: Path) -> None:
    with Store(root, write=True) as store:
        assert not correct(root, 0, 2, value=Fraction(20)).taken_over
        store.absorb()
    assert values(root)[:2] == [2000, 2000]


def test_a_late_device_report_does_not_undo_it(root: Path) -> None:
    correct(root, 0, 1, value=Fraction(20))
    with Store(root, write=True) as store:
        store.append(ReadingBatch.of(0, np.array([START]), np.array([1850], np.int32)))
        store.compact()
    assert values(root)[0] == 2000


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"why": "  "}, "reason"),
        ({"first": 40, "last": 50}, "no readings"),
        ({"shift": Fraction(1), "value": Fraction(2)}, "not both"),
        ({"shift": Fraction("0.001")}, "finer"),
    ],
)
def test_what_is_refused_leaves_no_trace(root: Path, words: dict, said: str) -> None:
    with pytest.raises(CorrectionError, match=said):
        correct(root, **({"first": 0, "last": 5} | words))
    assert not AuditEntry.objects.filter(act="correct_readings").exists()
    assert values(root)[0] == 1850


def test_an_absurd_result_is_kept_and_marked(root: Path) -> None:
    correct(root, 0, 1, value=Fraction(70))
    assert Store(root).read(0, START, START + HOUR).flags[0] & Flag.OUT_OF_RANGE
