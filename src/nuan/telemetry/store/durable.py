"""Files that are there after a power cut: written beside, synced, renamed, and the folder synced too."""

import os
from hashlib import blake2b
from pathlib import Path

from nuan.telemetry.store.errors import StoreFullError


def digest(data: bytes | memoryview) -> str:
    """
    >>> digest(b"")
    'cae66941d9efbd404e4d88758ea67670'
    """
    return blake2b(data, digest_size=16).hexdigest()


def sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_folder(folder: Path) -> None:
    """The folder and its parents; each new name is synced into its parent."""
    missing: list[Path] = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for new in reversed(missing):
        new.mkdir(exist_ok=True)
        sync_folder(new.parent)


def cut_file(path: Path, size: int) -> None:
    """Behind so many bytes nothing counts any more, also after a power cut."""
    handle = os.open(path, os.O_WRONLY)
    try:
        os.ftruncate(handle, size)
        os.fsync(handle)
    finally:
        os.close(handle)


def write_durably(path: Path, data: bytes | memoryview) -> None:
    """All of the file or none of it, also after a crash. Raises StoreFullError when the disk is full; nothing is left behind then."""
    beside = path.with_name(path.name + ".part")
    try:
        with beside.open("wb") as handle:
            handle.write(data)
            handle.flush()
            os.fsync(handle.fileno())
        beside.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise StoreFullError(path, error) from error
