"""Room on disk before it is needed: a file of zeros that a journal goes on in.

A sync behind an append must write the file's new length too, and the file system does that in a transaction that everybody's files
share: a database beside us makes our senders wait. Written over zeros that lie on disk already, only our own bytes are synced
(PostgreSQL keeps its log's files ready in the same way). A torn tail looks as before: behind the last true frame there is none.
"""

import os
import threading
from pathlib import Path

NAME = "spare"
"""No journal's name: nobody reads it."""
_PIECE = bytes(1 << 20)


class Ahead:
    """One file of `size` bytes (rounded up to MiB) in the folder, made in a thread, since it takes some tens of milliseconds."""

    def __init__(self, folder: Path, size: int) -> None:
        self.path, self._pieces = folder / NAME, -(-size // len(_PIECE))
        self._ready = False
        self._thread: threading.Thread | None = None

    def prepare(self) -> None:
        """Begin to make it, unless it is there or under way."""
        if not self._ready and (self._thread is None or not self._thread.is_alive()):
            self._thread = threading.Thread(target=self._make, name="journal-ahead", daemon=True)
            self._thread.start()

    @property
    def ready(self) -> bool:
        return self._ready

    def take(self, path: Path) -> int:
        """The file under its own name, open to write; the folder is not synced yet. Raises OSError, and then there is none under that
        name: one that nobody writes would tell readers that all below it lies in older files."""
        self._ready = False
        handle = os.open(self.path, os.O_WRONLY)
        try:
            self.path.rename(path)
        except OSError:
            os.close(handle)
            raise
        return handle

    def wait(self) -> None:
        """Until nothing is being made: before the folder is given to somebody else."""
        if self._thread is not None:
            self._thread.join()

    def _make(self) -> None:
        """On a full disk there is no such file, and the journal appends as far as there is room."""
        try:
            handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
            try:
                for number in range(self._pieces):
                    os.pwrite(handle, _PIECE, number * len(_PIECE))
                    os.fsync(handle)  # piece by piece: senders' syncs come in between
            finally:
                os.close(handle)
            self._ready = True
        except OSError:
            self.path.unlink(missing_ok=True)
