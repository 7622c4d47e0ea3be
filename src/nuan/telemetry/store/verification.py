"""Is everything that was written still there, byte for byte, and in order?"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from nuan.telemetry.store.durable import digest
from nuan.telemetry.store.errors import StoreDamagedError
from nuan.telemetry.store.frames import ARRIVED, DEAD, Frame
from nuan.telemetry.store.identity import identity_of
from nuan.telemetry.store.journal import JournalReader, journal_files
from nuan.telemetry.store.lanes import DeadLetter, lane_folders
from nuan.telemetry.store.manifest import Extra, Manifest, Segment, StepFile
from nuan.telemetry.store.segments import SegmentFile
from nuan.telemetry.store.steps import read_steps

TRIES = 5


@dataclass(frozen=True, slots=True)
class Stats:
    """`bytes` counts every file of the store; `waiting` readings are in the journal and not in `readings`."""

    series: int
    segments: int
    readings: int
    waiting: int
    bytes: int

    @property
    def bytes_per_reading(self) -> float:
        held = self.readings + self.waiting
        return self.bytes / held if held else 0.0


def folder_stats(root: Path, manifest: Manifest, series: int, waiting: int) -> Stats:
    on_disk = sum(path.stat().st_size for path in root.rglob("*") if path.is_file())
    return Stats(series, len(manifest.segments), sum(s.readings for s in manifest.segments), waiting, on_disk)


def verify_files(root: Path, manifest: Manifest) -> list[str]:
    faults: list[str] = []
    for entry in manifest.entries():
        fault = _file_fault(root, entry)
        if fault is None and isinstance(entry, Segment):
            fault = _order_fault(root, entry)
        if fault is None and isinstance(entry, StepFile):
            fault = _steps_fault(root, entry)
        if fault is not None:
            faults.append(f"{entry.path}: {fault}")
    positions = dict(manifest.lanes)
    try:
        for frame in _all_frames(root / "journal"):
            positions |= frame.positions()
    except StoreDamagedError as error:
        faults.append(str(error))
    for folder in lane_folders(root):
        try:
            faults += _lane_faults(root, folder, identity_of(folder).position(positions))
        except StoreDamagedError as error:
            faults.append(str(error))
    return faults


def _all_frames(folder: Path) -> list[Frame]:
    """Of a folder of journals. A file that the writer removed between the listing and the reading is no fault: listed anew it is gone."""
    for left in reversed(range(TRIES)):
        try:
            return [frame for _, found in JournalReader(folder).new_files(0, thorough=True) for frame in found]
        except FileNotFoundError:
            if not left:
                raise
    return []


def _lane_faults(root: Path, folder: Path, position: int) -> list[str]:
    """Whole frames that count on, names for every series in them, and nothing cut off that the store had taken over."""
    where, faults = folder.relative_to(root).as_posix(), []
    names, last = 0, None
    try:
        frames_found = _all_frames(folder / "frames")
        for frame in _all_frames(folder / "names"):
            first, texts = frame.series()
            if first > names:
                faults.append(f"{where}: 第 {names} 号之后的点名缺失 / names are missing from number {names} on")
            names = max(names, first + len(texts))
    except StoreDamagedError as error:
        return [*faults, str(error)]
    for frame in frames_found:
        if last is not None and frame.sequence - 1 > max(
            last, position
        ):  # taken over or not there: a lane may leave out only these
            faults.append(f"{where}: 第 {last} 帧之后缺帧 / a frame is missing behind {last}")
        last = frame.sequence
        if frame.kind == ARRIVED and int(frame.readings().series.max(initial=0)) >= names:
            faults.append(f"{where}: 第 {last} 帧的点没有名字 / frame {last} has a series without a name")
        if frame.kind == DEAD:
            for row in frame.document():
                DeadLetter.of_row(row)
    paths = journal_files(folder / "frames")
    end = max(last or 0, int(paths[-1].stem) - 1 if paths else 0)
    if end < position:
        faults.append(
            f"{where}: 末帧 {end}，而已接收到 {position} / ends at frame {end}, but the store has taken over {position}"
        )
    return faults


def _steps_fault(root: Path, entry: StepFile) -> str | None:
    try:
        steps = read_steps(root / entry.path)
    except (OSError, KeyError, pa.ArrowException) as error:
        return f"无法读取 / cannot be read ({error})"
    series, time = steps.series.astype(np.int64), steps.time_s
    if not ((np.diff(series) > 0) | ((np.diff(series) == 0) & (np.diff(time) > 0))).all():
        return "次序错乱或重复 / unsorted or doubled"
    held = steps.count > 0
    true = (
        (steps.low <= steps.last) & (steps.last <= steps.high) & (steps.low <= steps.mean) & (steps.mean <= steps.high)
    )
    if len(steps) != entry.rows or (time % entry.step_s).any() or not true[held].all():
        return "统计值互相矛盾 / the figures contradict each other"
    return None


def _file_fault(root: Path, entry: Segment | Extra | StepFile) -> str | None:
    try:
        data = (root / entry.path).read_bytes()
    except FileNotFoundError:
        return "文件缺失 / the file is missing"
    if len(data) != entry.bytes:
        return f"大小为 {len(data)} 字节，应为 {entry.bytes} / the size differs"
    if digest(data) != entry.digest:
        return "内容被改动 / the content is not what was written"
    return None


def _order_fault(root: Path, entry: Segment) -> str | None:
    try:
        file = SegmentFile(root / entry.path)
        parts = [file.group_rows(number) for number in range(len(file.groups))]
    except (OSError, KeyError, pa.ArrowException) as error:
        return f"无法读取 / cannot be read ({error})"
    for part in parts:
        series, time = part.series.astype(np.int64), part.time_s
        if not ((np.diff(series) > 0) | ((np.diff(series) == 0) & (np.diff(time) > 0))).all():
            return "次序错乱或重复 / unsorted or doubled"
    if (held := sum(len(part) for part in parts)) != entry.readings:
        return f"读数 {held} 条，应为 {entry.readings} / the number of readings differs"
    return None
