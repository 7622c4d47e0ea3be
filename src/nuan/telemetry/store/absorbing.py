"""What lanes hold, in the store's numbers: read once by the single writer, from where it stopped.

A position is the sequence number of a lane's last frame that the store holds. Files are synced before they are read, so that no position
can be ahead of what a lane finds after a power cut, and frames of new readings never lie below it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nuan.telemetry.readings import ReadingBatch
from nuan.telemetry.store import frames
from nuan.telemetry.store.durable import sync_folder
from nuan.telemetry.store.identity import Identity, identity_of
from nuan.telemetry.store.journal import JournalReader, journal_files
from nuan.telemetry.store.lanes import DeadLetter, lane_folders


@dataclass(frozen=True, slots=True)
class AbsorbReport:
    """What one `absorb` took over; `positions` by the lanes' identities after it, `waiting` readings of the store that are in no segment yet."""

    readings: int
    new_series: int
    dead_letters: int
    positions: Mapping[str, int]
    files_removed: int
    folded: int
    waiting: int


class LaneReader:
    """One lane as the store's writer sees it. `numbers[i]` is the store's number of the lane's series i."""

    def __init__(self, folder: Path, identity: Identity, positions: Mapping[str, int]) -> None:
        self.folder, self.name, self.identity = folder, folder.name, identity
        self.position = identity.position(positions)
        self.numbers = np.empty(0, np.uint32)
        self._frames = JournalReader(folder / "frames")
        self._names = JournalReader(folder / "names")
        self._dead: dict[Path, int] = {}

    def files(self) -> Iterator[tuple[list[tuple[int, ReadingBatch]], int, int]]:
        """Of each file what is new and durable: (sequence numbers and readings, last sequence number, dead letters)."""
        for path, found in self._frames.new_files(self.position, sync=True):
            dead = [frame for frame in found if frame.kind == frames.DEAD]
            if dead:
                self._dead[path] = dead[-1].sequence
            if found:
                self.identity = identity_of(self.folder)  # whoever wrote these had entered itself before
                letters = sum(len(frame.document()) for frame in dead)
                batches = [(frame.sequence, frame.readings()) for frame in found if frame.kind == frames.ARRIVED]
                yield batches, found[-1].sequence, letters

    def new_names(self) -> list[str]:
        """Names behind those that `numbers` has."""
        names: list[str] = []
        for _, found in self._names.new_files(0, sync=True):
            for frame in found:
                names += frame.series()[1]
        return names

    def remove_files(self, handed_over: Mapping[str, int]) -> int:
        """Files of which everything is absorbed and every dead letter handed over; the youngest belongs to the lane and stays."""
        removed, letters = 0, self.identity.position(handed_over)
        for path, younger in pairwise(journal_files(self.folder / "frames")):
            if int(younger.stem) > self.position + 1 or self._last_dead(path) > letters:
                break
            path.unlink()
            removed += 1
            self._dead.pop(path, None)
        if removed:
            sync_folder(self.folder / "frames")
        return removed

    def _last_dead(self, path: Path) -> int:
        if path not in self._dead:
            found = (sequence for kind, sequence in frames.kinds(path.read_bytes()) if kind == frames.DEAD)
            self._dead[path] = max(found, default=0)
        return self._dead[path]


class Lanes:
    """All lanes of a store, as its writer reads them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._readers: dict[str, LaneReader] = {}

    def readers(self, positions: Mapping[str, int]) -> list[LaneReader]:
        """In the order in which the store takes them; `positions` are those that the store holds."""
        for folder in lane_folders(self.root):
            identity, known = identity_of(folder), self._readers.get(folder.name)
            if known is None or known.identity.born != identity.born:
                self._readers[folder.name] = LaneReader(folder, identity, positions)
        return [self._readers[name] for name in sorted(self._readers)]

    def forget(self, lane: LaneReader) -> None:
        """Read it from its published position the next time."""
        self._readers.pop(lane.name, None)


def joined(batches: list[tuple[int, ReadingBatch]]) -> Iterator[tuple[int, ReadingBatch]]:
    """As few batches as a journal takes, in the same order, each with the last sequence number in it."""
    gathered: list[ReadingBatch] = []
    rows, last = 0, 0
    for sequence, batch in batches:
        if gathered and rows + len(batch) > frames.MAX_ROWS:
            yield last, ReadingBatch.concat(gathered)
            gathered, rows = [], 0
        gathered.append(batch)
        rows, last = rows + len(batch), sequence
    if gathered:
        yield last, ReadingBatch.concat(gathered)


def in_store_numbers(batch: ReadingBatch, numbers: NDArray[np.uint32]) -> ReadingBatch:
    return replace(batch, series=numbers[batch.series])


def dead_letters(root: Path, after: Mapping[str, int]) -> Iterator[tuple[str, int, int, DeadLetter]]:
    """(lane's identity, sequence, place in its frame, letter) of all lanes behind the sequence numbers given; durable when given out."""
    for folder in lane_folders(root):
        position = identity_of(folder).position(after)
        for _, found in JournalReader(folder / "frames").new_files(position, sync=True):
            dead = [frame for frame in found if frame.kind == frames.DEAD]
            identity = identity_of(folder)
            for frame in dead:
                for index, row in enumerate(frame.document()):
                    yield identity.of(frame.sequence), frame.sequence, index, DeadLetter.of_row(row)


def identities(root: Path) -> set[str]:
    """Of all lanes: what positions may still be about."""
    return {name for folder in lane_folders(root) for name in identity_of(folder).names()}
