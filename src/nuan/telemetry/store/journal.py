"""The journal: what was acknowledged and is not yet in a segment. Files are named by the first sequence number in them."""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

from nuan.telemetry.store.durable import make_folder, sync_folder
from nuan.telemetry.store.errors import StoreDamagedError, StoreError, StoreFullError
from nuan.telemetry.store.frames import Frame, frames, whole_frame_after


def journal_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.jnl"))


def read_frames(folder: Path, after: int) -> Iterator[Frame]:
    """All whole frames with a sequence number above `after`, in order. A torn tail ends its file quietly; a broken frame with
    true frames behind it raises StoreDamagedError."""
    for path in journal_files(folder):
        yield from (frame for frame in _frames_of(path)[0] if frame.sequence > after)


def _frames_of(path: Path) -> tuple[list[Frame], int, int]:
    """Frames, the length they fill, and the length of the file."""
    data = path.read_bytes()
    found = list(frames(data))
    filled = found[-1].end if found else 0
    if filled < len(data) and (behind := whole_frame_after(data, filled)) is not None:
        raise StoreDamagedError(
            path, f"the bytes {filled} to {behind} are not what was written, and true frames follow them"
        )
    return found, filled, len(data)


class JournalWriter:
    """Appends frames; a frame counts when `sync` has returned.

    The caller holds the store's lock. Group commit for several senders would put their frames here one by one and sync once.
    """

    def __init__(self, folder: Path, next_sequence: int) -> None:
        self.folder = folder
        self.broken: str | None = None
        make_folder(folder)
        files = journal_files(folder)
        for path in files:
            self._cut_torn_tail(path, last=path == files[-1])
        self.path = files[-1] if files else folder / f"{next_sequence:020d}.jnl"
        self.handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        sync_folder(folder)

    def _cut_torn_tail(self, path: Path, last: bool) -> None:
        _, filled, length = _frames_of(path)
        if filled == length:
            return
        if not last:
            raise StoreDamagedError(path, f"ends in a broken frame at byte {filled}, and a younger journal follows it")
        handle = os.open(path, os.O_WRONLY)
        try:
            os.ftruncate(handle, filled)
            os.fsync(handle)
        finally:
            os.close(handle)

    def put(self, frame: bytes) -> None:
        """Write without sync. If the disk does not take it, the file is cut back to where it was."""
        if self.broken is not None:
            raise StoreError(
                f"the journal {self.path.name} is closed after a failed write ({self.broken}); open the store again"
            )
        length = os.fstat(self.handle).st_size
        try:
            view = memoryview(frame)
            while view:
                view = view[os.write(self.handle, view) :]
        except OSError as error:
            try:
                os.ftruncate(self.handle, length)
            except OSError as second:
                self.broken = str(second)
            raise StoreFullError(self.path, error) from error

    def sync(self) -> None:
        try:
            os.fdatasync(self.handle)
        except OSError as error:
            # after a failed sync the kernel may have dropped the pages: what is on disk is unknown until it is read again
            self.broken = str(error)
            raise StoreFullError(self.path, error) from error

    def rotate(self, next_sequence: int) -> None:
        """Go on in a new file, so that the old ones can be dropped once their frames lie in segments."""
        if os.fstat(self.handle).st_size == 0:
            return
        os.close(self.handle)
        self.path = self.folder / f"{next_sequence:020d}.jnl"
        self.handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        sync_folder(self.folder)

    def drop_before(self, sequence: int) -> None:
        """Remove the files that hold only frames below the sequence number."""
        files = journal_files(self.folder)
        for path, younger in itertools.pairwise(files):
            if int(younger.stem) <= sequence:
                path.unlink()
        sync_folder(self.folder)

    def close(self) -> None:
        os.close(self.handle)
