"""The journal: what was acknowledged and is not yet in a segment. Files are named by the first sequence number in them."""

import itertools
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from nuan.telemetry.store.durable import cut_file, make_folder, sync_folder
from nuan.telemetry.store.errors import StoreDamagedError, StoreError, StoreFullError
from nuan.telemetry.store.frames import Frame, frame_at, frames, whole_frame_after


def journal_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.jnl"))


class FrameFile:
    """A file that somebody else appends to, read on from where it was left."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.at = 0

    def new_frames(self, *, sync: bool = False) -> list[Frame]:
        """Whole frames behind the last that was read. A half one at the end may still be under way and is left for the next time; a broken
        one with true frames behind it raises StoreDamagedError. `sync`: make sure first that they are on disk, whoever wrote them."""
        handle = os.open(self.path, os.O_RDONLY)
        try:
            size = os.fstat(handle).st_size
            if size <= self.at:
                return []
            if sync:
                os.fdatasync(handle)
            data = os.pread(handle, size - self.at, self.at)
        finally:
            os.close(handle)
        found, at = [], 0
        while (frame := frame_at(data, at)) is not None:
            found.append(frame)
            at = frame.end
        if at < len(data) and (behind := whole_frame_after(data, at)) is not None:
            raise _damaged(self.path, self.at + at, self.at + behind)
        self.at += at
        return found


class JournalReader:
    """The frames of a folder of journals, read on from where they were left."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._files: dict[Path, FrameFile] = {}

    def new_files(self, after: int, *, sync: bool = False) -> Iterator[tuple[Path, list[Frame]]]:
        """File by file the frames with a sequence number above `after`. A torn tail ends its file quietly."""
        paths = journal_files(self.folder)
        self._files = {path: self._files.get(path) or FrameFile(path) for path in paths}
        for path, younger in itertools.zip_longest(paths, paths[1:]):
            if younger is None or int(younger.stem) > after + 1:
                found = self._files[path].new_frames(sync=sync)
                yield path, [frame for frame in found if frame.sequence > after]

    def new_frames(self, after: int) -> list[Frame]:
        return [frame for _, found in self.new_files(after) for frame in found]


def _damaged(path: Path, start: int, end: int) -> StoreDamagedError:
    return StoreDamagedError(path, f"the bytes {start} to {end} are not what was written, and true frames follow them")


def frames_of(path: Path) -> tuple[list[Frame], int, int]:
    """Frames, the length they fill, and the length of the file."""
    data = path.read_bytes()
    found = list(frames(data))
    filled = found[-1].end if found else 0
    if filled < len(data) and (behind := whole_frame_after(data, filled)) is not None:
        raise _damaged(path, filled, behind)
    return found, filled, len(data)


def _write_all(handle: int, pieces: Sequence[bytes | memoryview]) -> None:
    """In one call and without joining them, as long as the system takes all at once."""
    left = sum(len(piece) for piece in pieces) - os.writev(handle, pieces)
    if left:
        view = memoryview(b"".join(pieces))[-left:]
        while view:
            view = view[os.write(handle, view) :]


class JournalWriter:
    """Appends frames; a frame counts when `sync` has returned.

    The caller holds the store's lock. Group commit for several senders would put their frames here one by one and sync once.
    """

    def __init__(self, folder: Path, next_sequence: int) -> None:
        self.folder = folder
        self.broken: str | None = None
        self.last_sequence = next_sequence - 1
        """Of the frames that were found when it was opened."""
        make_folder(folder)
        files = journal_files(folder)
        for path in files:
            self._cut_torn_tail(path, last=path == files[-1])
        self.path = files[-1] if files else folder / f"{next_sequence:020d}.jnl"
        self.last_sequence = max(self.last_sequence, int(self.path.stem) - 1)
        self.handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        sync_folder(folder)

    def _cut_torn_tail(self, path: Path, last: bool) -> None:
        found, filled, length = frames_of(path)
        if found:
            self.last_sequence = max(self.last_sequence, found[-1].sequence)
        if filled == length:
            return
        if not last:
            raise StoreDamagedError(path, f"ends in a broken frame at byte {filled}, and a younger journal follows it")
        cut_file(path, filled)

    def put(self, *pieces: bytes | memoryview) -> None:
        """Write a frame without sync. If the disk does not take it, the file is cut back to where it was."""
        if self.broken is not None:
            raise StoreError(
                f"the journal {self.path.name} is closed after a failed write ({self.broken}); open the store again"
            )
        length = self.size()
        try:
            _write_all(self.handle, pieces)
        except OSError as error:
            try:
                os.ftruncate(self.handle, length)
            except OSError as second:
                self.broken = str(second)
            raise StoreFullError(self.path, error) from error

    def size(self) -> int:
        """Bytes of the file that is written now."""
        return os.fstat(self.handle).st_size

    def sync(self) -> None:
        try:
            os.fdatasync(self.handle)
        except OSError as error:
            # after a failed sync the kernel may have dropped the pages: what is on disk is unknown until it is read again
            self.broken = str(error)
            raise StoreFullError(self.path, error) from error

    def rotate(self, next_sequence: int) -> None:
        """Go on in a new file, so that the old ones can be dropped once their frames lie in segments. OSError: no new file could
        be made, and the old one is still written."""
        if self.size() == 0:
            return
        path = self.folder / f"{next_sequence:020d}.jnl"
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.close(self.handle)
        self.path, self.handle = path, handle
        try:
            sync_folder(self.folder)
        except OSError as error:
            # a file whose name may be gone after a power cut takes nothing that somebody is told is safe
            self.broken = str(error)
            raise StoreFullError(self.path, error) from error

    def drop_before(self, sequence: int) -> None:
        """Remove the files that hold only frames below the sequence number."""
        files = journal_files(self.folder)
        for path, younger in itertools.pairwise(files):
            if int(younger.stem) <= sequence:
                path.unlink()
        sync_folder(self.folder)

    def close(self) -> None:
        os.close(self.handle)
