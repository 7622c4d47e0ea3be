"""Correct readings: a new version above the one that stands, with a reason. What stood before stays, for those who ask what was known.

The correction goes through a lane of its own, so it needs no writer's lock: a running intake takes it over within seconds; without one it
is taken over at once. The next judging hears of it as of any late reading.
"""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from nuan.operations.acts import act
from nuan.records.audit.models import AuditEntry
from nuan.telemetry.readings import Flag, ReadingBatch
from nuan.telemetry.series import SeriesKey
from nuan.telemetry.store import Lane, Store, StoreBusyError
from nuan.terms.quantities import quantity

ACT = "correct_readings"
LANE = "corrections"
SHOWN = 20


class CorrectionError(ValueError):
    """Why nothing was corrected, in a sentence."""


@dataclass(frozen=True)
class Correction:
    """What is to be done with the readings of a span: `shift` is added to each, `value` stands instead of each, both in the quantity's unit;
    neither: they count as missing."""

    key: SeriesKey
    start_s: int
    end_s: int
    shift: Fraction | None = None
    value: Fraction | None = None

    def steps(self, amount: Fraction) -> int:
        found = amount / quantity(self.key.quantity).resolution
        if found.denominator != 1:
            what = quantity(self.key.quantity)
            raise CorrectionError(
                f"{what.zh}的分辨率是 {float(what.resolution)} {what.unit} / finer than the quantity is kept"
            )
        return int(found)


@dataclass(frozen=True)
class CorrectionReport:
    """`revisions`: the lowest and highest revision that the corrected readings have now."""

    readings: int
    revisions: tuple[int, int]
    taken_over: bool


def correct_readings(correction: Correction, *, actor: str, why: str, root: Path, arrival_s: int) -> CorrectionReport:
    """All standing readings of the span. Raises CorrectionError when there is none, no reason, or two things at once to do."""
    if not why.strip():
        raise CorrectionError("更正须说明理由 / a correction needs a reason")
    if correction.shift is not None and correction.value is not None:
        raise CorrectionError("平移和改值只能选一个 / shift or set, not both")
    batch = _corrected(correction, Store(root))
    with act(ACT, actor=actor, subject=correction.key.place[:120], why=why.strip()) as row:
        revisions = int(batch.revisions.min()), int(batch.revisions.max())
        row.details.update(_details(correction, len(batch), revisions))
        with Lane(root, LANE) as lane:
            series = lane.register([correction.key])
            lane.put(
                ReadingBatch(np.full(len(batch), series[0], np.uint32), batch.time_s, batch.value, batch.flags, batch.revision, batch.rank),
                arrival_s,
            )  # fmt: skip
            lane.sync()
    return CorrectionReport(len(batch), revisions, _take_over(root))


def _corrected(correction: Correction, store: Store) -> ReadingBatch:
    number = store.series.get(correction.key)
    found = ReadingBatch.empty() if number is None else store.read(number, correction.start_s, correction.end_s)
    if not len(found):
        raise CorrectionError(f"{correction.key}：这段时间没有读数 / no readings in that time")
    if int(found.revisions.max()) >= 2**16 - 1:
        raise CorrectionError("版本号已用尽 / no revisions are left")
    what = quantity(correction.key.quantity)
    low, high = what.low / what.resolution, what.high / what.resolution
    value = found.value.astype(np.int64)
    if correction.value is not None:
        value = np.full(len(found), correction.steps(correction.value), np.int64)
    elif correction.shift is not None:
        value = value + correction.steps(correction.shift)
    outside = (value < low) | (value > high)
    if correction.value is None and correction.shift is None:
        value, flags = np.zeros(len(found), np.int64), np.full(len(found), Flag.MISSING | Flag.CORRECTED, np.uint8)
    else:
        # a reading that was missing has no value to shift and stays missing
        missing = (found.flags & np.uint8(Flag.MISSING)) != 0
        keeps = np.zeros(len(found), np.bool_) if correction.value is not None else missing
        flags = np.where(keeps, found.flags, 0).astype(np.uint8) | np.uint8(Flag.CORRECTED)
        flags[outside & ~keeps] |= np.uint8(Flag.OUT_OF_RANGE)
        value = np.where(keeps, found.value, value)
    return ReadingBatch(
        found.series, found.time_s, value.astype(np.int32), flags, (found.revisions + 1).astype(np.uint16), found.ranks
    )


def _details(correction: Correction, readings: int, revisions: tuple[int, int]) -> dict[str, Any]:
    return {
        "series": str(correction.key), "from_s": correction.start_s, "to_s": correction.end_s, "readings": readings,
        "shift": None if correction.shift is None else float(correction.shift),
        "value": None if correction.value is None else float(correction.value),
        "revisions": list(revisions),
    }  # fmt: skip


def _take_over(root: Path) -> bool:
    try:
        with Store(root, write=True) as store:
            store.absorb()
    except StoreBusyError:
        return False
    return True


def corrections_of(place: str) -> list[AuditEntry]:
    """Who corrected what of a place, and why: the newest first."""
    return list(AuditEntry.objects.filter(act=ACT, subject=place).order_by("-id")[:SHOWN])
