"""The newest values of all lanes at once, read from their journals as they are written: nobody has to send them, nothing gets lost.

What is shown a moment before its sync is on disk within the same few milliseconds, or the sender sends it again.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nuan.telemetry.live import LiveTable
from nuan.telemetry.readings import UNKNOWN_DELAY
from nuan.telemetry.series import SeriesTable
from nuan.telemetry.store import frames
from nuan.telemetry.store.identity import identity_of
from nuan.telemetry.store.journal import JournalReader
from nuan.telemetry.store.lanes import lane_folders


class _Tail:
    """Of one lane: where we are in it, and what its numbers mean here."""

    def __init__(self, folder: Path, born: str) -> None:
        self.folder, self.born = folder, born
        self.position = 0
        self.dead: dict[str, int] = {}
        self.numbers: NDArray[np.uint32] = np.empty(0, np.uint32)
        self.frames, self.names = JournalReader(folder / "frames"), JournalReader(folder / "names")


class Tails:
    """`poll` reads what is new into `live`; the table's rows are numbers of `series`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.series = SeriesTable()
        self.live = LiveTable()
        self._tails: dict[str, _Tail] = {}

    def poll(self) -> int:
        """How many readings were new."""
        count = 0
        for folder in lane_folders(self.root):
            tail, born = self._tails.get(folder.name), identity_of(folder).born
            if tail is None or tail.born != born:
                tail = self._tails[folder.name] = _Tail(folder, born)
            count += self._read(tail)
        return count

    def dead(self) -> dict[str, int]:
        """By the lane's identity the newest frame of dead letters that was seen."""
        return {who: sequence for tail in list(self._tails.values()) for who, sequence in tail.dead.copy().items()}

    def _read(self, tail: _Tail) -> int:
        count = 0
        try:
            for _, found in tail.frames.new_files(tail.position):
                for frame in found:
                    count += self._take(tail, frame)
                    tail.position = frame.sequence
        except (
            FileNotFoundError
        ):  # taken over and removed between the listing and the reading: the next poll goes on behind it
            pass
        return count

    def _take(self, tail: _Tail, frame: frames.Frame) -> int:
        if frame.kind == frames.DEAD:
            tail.dead = {identity_of(tail.folder).of(frame.sequence): frame.sequence}
        if frame.kind != frames.ARRIVED:
            return 0
        batch = frame.readings()
        if int(batch.series.max(initial=0)) >= len(tail.numbers):
            texts = [text for names in tail.names.new_frames(0) for text in names.series()[1]]
            self.series.add(texts)
            tail.numbers = np.concatenate([tail.numbers, self.series.ids(texts)])
            if int(batch.series.max(initial=0)) >= len(
                tail.numbers
            ):  # torn before its names were synced: never acknowledged
                return 0
        arrival = np.where(batch.delays == UNKNOWN_DELAY, batch.time_s, batch.time_s + batch.delays)
        self.live.update(tail.numbers[batch.series], batch.time_s, batch.value, batch.flags, arrival)
        return len(batch)
