"""Dead letters read again with today's directory: what can be placed now goes into the store with the moment at which it first came.

Through a lane, like everything that comes live, so that it does not matter whether the intake runs. The readings are durable before the
letter is marked; killed in between, the next replay writes the same readings again, which the store holds as one.
"""

import asyncio
import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nuan.operations.acts import act
from nuan.operations.dead_letters import DeadLetterError, kept_text
from nuan.operations.intake_directory import directory_document
from nuan.records.devices.models import DeadLetter
from nuan.telemetry.intake.directory import Directory
from nuan.telemetry.intake.directory_file import directory_of
from nuan.telemetry.intake.gateway_book import GatewayBook
from nuan.telemetry.intake.line_senders import LineSender
from nuan.telemetry.intake.live_flags import LiveFlags
from nuan.telemetry.intake.placing import AHEAD_S, BEHIND_S
from nuan.telemetry.intake.reception import Reception, Register
from nuan.telemetry.protocols.details import MOST_DETAIL, said
from nuan.telemetry.protocols.line_protocol.columns import Columns, columns
from nuan.telemetry.protocols.parsed import PAYLOAD_LIMIT
from nuan.telemetry.readings import Flag, ReadingBatch
from nuan.telemetry.series import SeriesKey
from nuan.telemetry.store import Store
from nuan.telemetry.store.errors import StoreBusyError, StoreFullError
from nuan.telemetry.store.lanes import Lane

LANE = "replay"
MOST = 10_000
"""Letters in one act; more are replayed by pressing again."""


@dataclass
class ReplayReport:
    """What became of the letters. `still`: reason → how many cannot be placed yet; they stay open with the reason of today."""

    replayed: int = 0
    readings: int = 0
    still: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class _Again:
    batch: ReadingBatch
    reason: str = ""
    detail: str = ""


def replay_dead_letters(
    letters: Iterable[int], *, root: Path, actor: str, now: datetime, why: str = "", stamp_by_arrival: bool = False
) -> ReplayReport:
    """`stamp_by_arrival`: for letters with an impossible clock; needs a reason, and the readings say that they were corrected."""
    if stamp_by_arrival and not why.strip():
        raise DeadLetterError("以到达时间代替设备时间，请写明理由")
    report = ReplayReport()
    directory = directory_of(directory_document(now))
    with act("replay_dead_letters", actor=actor, why=why) as row:
        rows = DeadLetter.objects.select_for_update().filter(pk__in=list(letters), state=DeadLetter.State.OPEN)
        found = list(rows.order_by("id")[:MOST])
        try:
            with Lane(root, LANE) as lane:
                _write(lane, found, directory, stamp_by_arrival, report)
        except StoreBusyError:
            raise DeadLetterError("另一次重放正在进行，请稍后再试") from None
        except (StoreFullError, OSError):
            # the transaction is given up: the letters stay open, and what was written of them already is the same reading the next time
            raise DeadLetterError("磁盘写不下了：没有重放，死信都还在。请腾出空间后再试") from None
        for letter in found:
            if letter.state == DeadLetter.State.REPLAYED:
                letter.decided_by, letter.decided_at, letter.why = actor[:120], now, why[:200]
        names = ["state", "decided_by", "decided_at", "why", "reason", "detail"]
        DeadLetter.objects.bulk_update(found, names, batch_size=1_000)
        row.subject, row.nothing_changed = str(report.replayed), not found
        row.details = {"replayed": report.replayed, "readings": report.readings, "still": report.still}
        row.details |= {"stamp_by_arrival": True} if stamp_by_arrival else {}
    with contextlib.suppress(StoreBusyError, StoreFullError), Store(root, write=True) as store:
        store.absorb()  # the intake does it where it runs; safe in the lane, it may also be done later
    return report


def _write(
    lane: Lane, letters: Sequence[DeadLetter], directory: Directory, stamp_by_arrival: bool, report: ReplayReport
) -> None:
    flags = LiveFlags(lane.series())

    async def register(keys: Sequence[SeriesKey]) -> NDArray[np.uint32]:
        numbers = lane.register(keys)
        flags.declare(keys, numbers)
        return numbers

    async def again() -> None:
        for letter in letters:
            read = await _read(letter, directory, register, stamp_by_arrival)
            if len(read.batch):
                lane.put(flags.flagged(read.batch, letter.arrived_s), letter.arrived_s)
                report.readings += len(read.batch)
            if read.reason:
                letter.reason, letter.detail = kept_text(read.reason, 40), kept_text(read.detail, MOST_DETAIL)
                report.still[read.reason] = report.still.get(read.reason, 0) + 1
            else:
                letter.state = DeadLetter.State.REPLAYED
                report.replayed += 1

    asyncio.run(again())
    lane.sync()


async def _read(letter: DeadLetter, directory: Directory, register: Register, stamp_by_arrival: bool) -> _Again:
    payload = bytes(letter.payload)
    if letter.reason in ("flood", "too_large") and len(payload) in (0, PAYLOAD_LIMIT):
        return _Again(ReadingBatch.empty(), letter.reason, letter.detail)
    if letter.address.startswith("line"):
        return await _read_lines(letter, payload, directory, register, stamp_by_arrival)
    reception = Reception(directory, GatewayBook(), stamp_by_arrival=stamp_by_arrival)
    reception.message(letter.address, payload, letter.arrived_s)
    harvest = await reception.harvest(register, letter.arrived_s)
    if not harvest.letters:
        return _Again(harvest.batch)
    return _Again(harvest.batch, harvest.letters[0].reason, harvest.letters[0].detail)


async def _read_lines(
    letter: DeadLetter, payload: bytes, directory: Directory, register: Register, stamp_by_arrival: bool
) -> _Again:
    gateway = directory.gateway(letter.gateway)
    if gateway is None:
        return _Again(ReadingBatch.empty(), "unknown_gateway", letter.gateway)
    precision = letter.address.partition("/")[2] or "ns"
    lines, stamped = columns(payload, precision), False
    if stamp_by_arrival:
        lines, stamped = _stamped(lines, letter.arrived_s)
    sender = LineSender(gateway, directory)
    taken = sender.take(lines, await sender.resolve(lines, register), letter.arrived_s)
    batch = taken.batch
    if stamped:  # a letter holds lines of one reason: where one clock was impossible, all were
        here = batch.time_s == letter.arrived_s
        batch = replace(batch, flags=np.where(here, batch.flags | np.uint8(Flag.CORRECTED), batch.flags))
    if not taken.refused:
        return _Again(batch)
    first = taken.refused[0]
    return _Again(batch, first.code, said("lines", len(taken.refused), precision, first.number, first.particulars))


def _stamped(lines: Columns, arrival_s: int) -> tuple[Columns, bool]:
    """Lines with an impossible clock lose their time, so that the arrival counts; whether there were any."""
    time_s = lines.time_ns // 1_000_000_000
    wrong = (lines.timed != 0) & ((time_s > arrival_s + AHEAD_S) | (time_s < arrival_s - BEHIND_S))
    return replace(lines, timed=np.where(wrong, np.uint8(0), lines.timed)), bool(wrong.any())
