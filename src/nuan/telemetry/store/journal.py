"""The journal: what was acknowledged and is not yet in a segment. Files are named by the first sequence number in them."""

import contextlib
import itertools
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from nuan.telemetry.store.ahead import Ahead
from nuan.telemetry.store.durable import cut_file, make_folder, sync_folder
from nuan.telemetry.store.errors import StoreDamagedError, StoreError, StoreFullError
from nuan.telemetry.store.frames import HEAD_BYTES, Frame, frame_at, frames, next_head, whole_frame_after


def journal_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.jnl"))


class FrameFile:
    """A file that somebody else appends to, read on from where it was left."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.at = 0

    def new_frames(self, *, sync: bool = False, whole: bool = True) -> list[Frame]:
        """Whole frames behind the last that was read. A half one at the end may still be under way and is left for the next time; a broken
        one with true frames behind it raises StoreDamagedError. `sync`: what is returned is on disk, whoever wrote it.
        Not `whole`: zeros behind the frames are room that is still to be written, and are not looked through."""
        handle = os.open(self.path, os.O_RDONLY)
        try:
            end = os.fstat(handle).st_size if whole else _written_to(handle, self.at)
            if end <= self.at:
                return []
            found, filled = _frames_between(handle, self.at, end)
            if filled < end and (broken := _broken_between(handle, filled, end)) is not None:
                # the file grew between two looks: what is broken stays broken
                found, filled = _frames_between(handle, self.at, end)
                if filled == broken[0]:
                    raise _damaged(self.path, *broken)
            if sync and found:  # behind the reading: in zeros that lie there already, a frame may be put at any moment
                os.fdatasync(handle)
        finally:
            os.close(handle)
        self.at = filled
        return found


def _written_to(handle: int, at: int) -> int:
    """Where the zeros begin, going from head to head; the end of the file if something else stands there."""
    size = os.fstat(handle).st_size
    while at < size:
        head = os.pread(handle, HEAD_BYTES, at)
        if not any(head):
            return at
        behind = next_head(head, at)
        if behind is None:
            return size
        at = behind
    return size


def _frames_between(handle: int, at: int, end: int) -> tuple[list[Frame], int]:
    """The frames from offset `at` on, each with the offset behind it, and the offset behind the last."""
    data = os.pread(handle, end - at, at)
    found, filled = [], 0
    while (frame := frame_at(data, filled)) is not None:
        found.append(frame)
        filled = frame.end
    return found, at + filled


def _broken_between(handle: int, at: int, end: int) -> tuple[int, int] | None:
    """Where a broken frame starts and a true one follows it."""
    data = os.pread(handle, end - at, at)
    behind = whole_frame_after(data, 0)
    return None if behind is None else (at, at + behind)


class JournalReader:
    """The frames of a folder of journals, read on from where they were left."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._files: dict[Path, FrameFile] = {}

    def new_files(
        self, after: int, *, sync: bool = False, thorough: bool = False
    ) -> Iterator[tuple[Path, list[Frame]]]:
        """File by file the frames with a sequence number above `after`. A torn tail ends its file quietly. `thorough`: look for damage
        behind the zeros of the youngest file too, which whoever looks every second must not."""
        paths = journal_files(self.folder)
        self._files = {path: self._files.get(path) or FrameFile(path) for path in paths}
        for path, younger in itertools.zip_longest(paths, paths[1:]):
            if younger is None or int(younger.stem) > after + 1:
                file = self._files[path]
                found = file.new_frames(sync=sync, whole=thorough or younger is not None)
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


def _write_all(handle: int, pieces: Sequence[bytes | memoryview], at: int) -> int:
    """In one call and without joining them, as long as the system takes all at once. Returns the bytes written at offset `at`."""
    size = sum(len(piece) for piece in pieces)
    written = os.pwritev(handle, pieces, at)
    if written < size:
        view = memoryview(b"".join(pieces))
        while written < size:
            written += os.pwrite(handle, view[written:], at + written)
    return size


class JournalWriter:
    """Appends frames; a frame counts when `sync` has returned.

    The caller holds the store's lock. Group commit for several senders would put their frames here one by one and sync once.
    """

    def __init__(self, folder: Path, next_sequence: int, *, room: int = 0) -> None:
        """`room`: bytes that lie on disk before they are written (see `ahead`); 0: none, the file grows."""
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
        self.handle = os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o644)
        self._at = os.fstat(self.handle).st_size
        self._room = 0
        """Length of the file where it was made ahead."""
        self._unsynced = False
        sync_folder(folder)
        self._ahead = Ahead(folder, room) if room else None
        if self._ahead is not None:
            self._ahead.prepare()

    def _cut_torn_tail(self, path: Path, last: bool) -> None:
        found, filled, length = frames_of(path)
        if found:
            self.last_sequence = max(self.last_sequence, found[-1].sequence)
        if filled == length:
            return
        if not last and any(path.read_bytes()[filled:]):
            raise StoreDamagedError(path, f"ends in a broken frame at byte {filled}, and a younger journal follows it")
        cut_file(path, filled)

    def put(self, *pieces: bytes | memoryview) -> None:
        """Write a frame without sync. If the disk does not take it, the file is cut back to where it was.

        In a file made ahead only one frame at a time lies there unsynced: its length is known already, so that a power cut might leave
        the second whole and the first torn, and that could not be told from damage.
        """
        if self.broken is not None:
            raise StoreError(
                f"the journal {self.path.name} is closed after a failed write ({self.broken}); open the store again"
            )
        if self._room and self._unsynced:
            self.sync()
        try:
            self._at += _write_all(self.handle, pieces, self._at)
            self._unsynced = True
        except OSError as error:
            try:
                os.ftruncate(self.handle, self._at)
            except OSError as second:
                self.broken = str(second)
            self._room = 0
            raise StoreFullError(self.path, error) from error

    def size(self) -> int:
        """Bytes of frames in the file that is written now."""
        return self._at

    @property
    def grows(self) -> bool:
        """The file grows although one with room would be at hand."""
        return self._ahead is not None and self._ahead.ready and self._room == 0

    def sync(self) -> None:
        try:
            os.fdatasync(self.handle)
        except OSError as error:
            # after a failed sync the kernel may have dropped the pages: what is on disk is unknown until it is read again
            self.broken = str(error)
            raise StoreFullError(self.path, error) from error
        self._unsynced = False

    def rotate(self, next_sequence: int) -> None:
        """Go on in a new file, so that the old ones can be dropped once their frames lie in segments. OSError: no new file could
        be made, and the old one is still written."""
        if self._at == 0:
            return
        path = self.folder / f"{next_sequence:020d}.jnl"
        handle = self._ahead.take(path) if self._ahead is not None and self._ahead.ready else None
        if handle is None:
            handle, room = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644), 0
        else:
            room = os.fstat(handle).st_size
        self._leave()
        self.path, self.handle, self._at, self._room = path, handle, 0, room
        try:
            sync_folder(self.folder)
        except OSError as error:
            # a file whose name may be gone after a power cut takes nothing that somebody is told is safe
            self.broken = str(error)
            raise StoreFullError(self.path, error) from error
        if self._ahead is not None:
            self._ahead.prepare()

    def _leave(self) -> None:
        """Without the room that was not needed; if a power cut brings it back, it is zeros behind the last frame."""
        if self._room > self._at:
            with contextlib.suppress(OSError):
                os.ftruncate(self.handle, self._at)
        os.close(self.handle)

    def drop_before(self, sequence: int) -> None:
        """Remove the files that hold only frames below the sequence number."""
        files = journal_files(self.folder)
        for path, younger in itertools.pairwise(files):
            if int(younger.stem) <= sequence:
                path.unlink()
        sync_folder(self.folder)

    def close(self) -> None:
        self._leave()
        if self._ahead is not None:
            self._ahead.wait()
