"""Is everything that was written still there, byte for byte, and in order?"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from nuan.telemetry.store.durable import digest
from nuan.telemetry.store.errors import StoreDamagedError
from nuan.telemetry.store.journal import JournalReader
from nuan.telemetry.store.manifest import Extra, Manifest, Segment
from nuan.telemetry.store.segments import SegmentFile


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
        if fault is not None:
            faults.append(f"{entry.path}: {fault}")
    try:
        for _ in JournalReader(root / "journal").new_files(0):
            pass
    except StoreDamagedError as error:
        faults.append(str(error))
    return faults


def _file_fault(root: Path, entry: Segment | Extra) -> str | None:
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
