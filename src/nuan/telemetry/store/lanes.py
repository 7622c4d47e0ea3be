"""A lane: a journal of its own for one intake worker, so that several processes acknowledge side by side and none waits for the store.

    root/lanes/<name>/  lock · identity (who wrote which frames) · names/*.jnl (numbers and names of its series, kept for ever) ·
                        frames/*.jnl (readings, dead letters)

A lane knows its own numbers only. The store's single writer takes over what lanes hold (`Store.absorb`), gives it the store's numbers,
and removes frame files once their readings are safe in the store and their dead letters with whoever keeps them.
"""

import base64
import contextlib
import fcntl
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from nuan.telemetry.closing import Closing
from nuan.telemetry.readings import ReadingBatch
from nuan.telemetry.series import SeriesKey, SeriesTable
from nuan.telemetry.store import frames
from nuan.telemetry.store.durable import cut_file, make_folder
from nuan.telemetry.store.errors import StoreBusyError, StoreError, UnknownSeriesError
from nuan.telemetry.store.fold import versions
from nuan.telemetry.store.identity import identity_of, new_identity
from nuan.telemetry.store.journal import JournalWriter, frames_of, journal_files

FOLDER = "lanes"
ROTATE_BYTES = 16 << 20
"""A file of frames is closed at this size: what is absorbed can be removed in pieces of it."""
GROWN_BYTES = 1 << 20
"""At this size a file that grows gives way to one made ahead. Not sooner: what was left is soon absorbed and removed, and whoever follows
the lane for the newest values must have seen it before."""
AHEAD_BYTES = 1 << 20
"""So much more room has a file made ahead: the frame that makes it full."""
PAYLOAD_LIMIT = 256 << 10
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """What a device sent and nobody could read or place. `reason` is a code, `detail` its particulars (`protocols.details`); of the payload the
    first 256 KiB: all of a message that is not too large."""

    gateway: str
    protocol: str
    arrival_s: int
    reason: str
    detail: str
    payload: bytes

    def row(self) -> list[Any]:
        payload = base64.b64encode(self.payload[:PAYLOAD_LIMIT]).decode()
        return [self.gateway, self.protocol, self.arrival_s, self.reason, self.detail, payload]

    @classmethod
    def of_row(cls, row: list[Any]) -> Self:
        gateway, protocol, arrival_s, reason, detail, payload = row
        return cls(gateway, protocol, arrival_s, reason, detail, base64.b64decode(payload))


def lane_folders(root: Path) -> list[Path]:
    """In the order in which the store takes them."""
    return sorted(path for path in (root / FOLDER).glob("*") if path.is_dir())


class Lane(Closing):
    """One process writes; `put` is on disk when `sync` has returned."""

    def __init__(self, root: Path | str, name: str, *, ahead: bool = False) -> None:
        """`ahead`: room for the next frames lies on disk beforehand, for who acknowledges every second and for years."""
        if not _NAME.fullmatch(name):
            raise ValueError(f"“{name}” is no name of a lane: small letters, digits and hyphens")
        self.name = name
        self.folder = Path(root) / FOLDER / name
        make_folder(self.folder)
        self._lock: int | None = os.open(self.folder / "lock", os.O_CREAT | os.O_RDWR, 0o644)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            self._lock = None
            raise StoreBusyError(self.folder) from None
        try:
            new = not (self.folder / "frames").exists()
            self._names = JournalWriter(self.folder / "names", 1)
            self._table = SeriesTable()
            for path in journal_files(self.folder / "names"):
                for frame in frames_of(path)[0]:
                    self._table.extend(*frame.series())
            self._named = 0  # names that are not yet synced
            _cut_unnamed(self.folder / "frames", len(self._table))
            if new:
                who = new_identity(name)
                who.write(self.folder)
            self._frames = JournalWriter(self.folder / "frames", 1, room=ROTATE_BYTES + AHEAD_BYTES if ahead else 0)
            if not new:
                oldest = int(journal_files(self.folder / "frames")[0].stem)
                who = identity_of(self.folder).opened(name, self._frames.last_sequence + 1, oldest)
                who.write(self.folder)
            self.identity = who.openings[-1][1]
        except BaseException:
            os.close(self._lock)
            raise
        self.sequence = self._frames.last_sequence

    def close(self) -> None:
        if self._lock is not None:
            self._names.close()
            self._frames.close()
            os.close(self._lock)
            self._lock = None

    def series(self) -> SeriesTable:
        """The lane's own numbers and their keys."""
        return self._table

    def register(self, keys: Iterable[SeriesKey]) -> NDArray[np.uint32]:
        """The lane's numbers for keys, new ones counting on. A name is on disk before a reading of it is."""
        wanted = list(keys)
        first = len(self._table)
        new = self._table.add(wanted)
        if new:
            try:
                frame = frames.pack_series(self._names.last_sequence + 1, first, self._table.texts(first))
                self._names.put(frame)
            except BaseException:
                self._table.cut(first)
                raise
            self._names.last_sequence += 1
            self._named += new
        return self._table.ids(wanted)

    def put(self, batch: ReadingBatch, arrival_s: int) -> None:
        """Write readings that came in at `arrival_s`, without sync. All of them or, if an error is raised, none that count."""
        if not len(batch):
            return
        if int(batch.series.max()) >= len(self._table):
            raise UnknownSeriesError(int(batch.series.max()))
        if batch.rank is not None:
            versions(batch, 0)
        for at in range(0, len(batch), frames.MAX_ROWS):
            part = batch if len(batch) <= frames.MAX_ROWS else batch.take(slice(at, at + frames.MAX_ROWS))
            self._put(frames.pack_arrived(self.sequence + 1, part, arrival_s))

    def put_dead(self, letters: Sequence[DeadLetter]) -> None:
        """Write what could not be read, without sync; as durable as readings then."""
        if letters:
            self._put(frames.pack_dead(self.sequence + 1, [letter.row() for letter in letters]))

    def _put(self, pieces: list[frames.Bytes]) -> None:
        if self._lock is None:
            raise StoreError(f"the lane {self.name} is closed")
        self._frames.put(*pieces)
        self.sequence += 1

    def sync(self) -> None:
        """When it returns, everything put is durable. Raises StoreFullError: then nothing put since the last sync is acknowledged, and
        the lane takes nothing more until it is opened again."""
        if self._named:
            self._names.sync()
            self._named = 0
        self._frames.sync()
        if self._frames.size() > (GROWN_BYTES if self._frames.grows else ROTATE_BYTES):
            with contextlib.suppress(OSError):  # what is synced is safe in the old file; the next sync tries again
                self._frames.rotate(self.sequence + 1)

    def size_bytes(self) -> int:
        """Bytes that the store has not taken over and removed yet, to the size of a file of frames: what back-pressure looks at."""
        total = 0
        for path in journal_files(self.folder / "frames"):
            try:
                total += self._frames.size() if path == self._frames.path else path.stat().st_size
            except FileNotFoundError:  # removed by the store meanwhile
                continue
        return total


def _cut_unnamed(folder: Path, names: int) -> None:
    """Names are synced before readings: a frame with a number that no name has was never acknowledged, and what follows it neither."""
    for path in journal_files(folder):
        start = 0
        for frame in frames_of(path)[0]:
            if frame.kind == frames.ARRIVED and int(frame.readings().series.max(initial=0)) >= names:
                cut_file(path, start)
                break
            start = frame.end
