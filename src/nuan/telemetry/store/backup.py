"""Backups: snapshots of a store that goes on working, in a folder where each content lies once.

    <backup>/objects/<2>/<digest>      files by the digest of their content: an unchanged segment is copied once for all snapshots
    <backup>/snapshots/<name>.json     which file is which object; with a digest of itself

Everything that was acknowledged when `backup` began is in the snapshot. Readings move from lanes to the journal to segments; copied in the
same order, one that moves meanwhile is there twice and never missing, and positions tell the store what it has already. Files that are being
written are cut to whole frames.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from nuan.telemetry.store.durable import digest, make_folder, sync_folder, write_durably
from nuan.telemetry.store.errors import StoreError, StoreFullError
from nuan.telemetry.store.frames import frames
from nuan.telemetry.store.identity import FILE as IDENTITY
from nuan.telemetry.store.identity import identity_of
from nuan.telemetry.store.journal import JournalReader, journal_files
from nuan.telemetry.store.lanes import lane_folders
from nuan.telemetry.store.manifest import NAME, Manifest
from nuan.telemetry.store.state import StoreState
from nuan.telemetry.store.verification import verify_files

Progress = Callable[[int, int], None]
TRIES = 5
"""A fold may remove files of the state that is being copied; what was copied stays, so each try has less to do."""


class BackupError(StoreError):
    """What is wrong with a backup or the place to restore to, one sentence a line."""


@dataclass(frozen=True, slots=True)
class Stored:
    path: str
    digest: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`sequence` of the manifest; `copied` bytes that no earlier snapshot had."""

    name: str
    files: tuple[Stored, ...]
    sequence: int
    copied: int = 0

    @property
    def bytes(self) -> int:
        return sum(file.bytes for file in self.files)


class _Changed(Exception):
    """The state that was being copied is no more."""


def backup(root: Path, target: Path, name: str, progress: Progress | None = None) -> Snapshot:
    """A snapshot `name` (a moment, say). Needs no lock; raises BackupError when there is no store or the name is taken."""
    if Manifest.load(root) is None and not journal_files(root / "journal"):
        raise BackupError(f"{root}：没有读数库 / there is no store")
    place = target / "snapshots" / f"{name}.json"
    if place.exists():
        raise BackupError(f"快照 {name} 已存在 / there is a snapshot {name} already")
    make_folder(place.parent)
    objects = _Objects(target)
    for _ in range(TRIES):
        try:
            files, sequence = _copy(root, objects, progress)
            break
        except _Changed:
            continue
    else:
        raise BackupError("库在备份期间不断重写，请稍后再试 / the store was rewritten all the time; try again later")
    snapshot = Snapshot(name, tuple(files), sequence, objects.copied)
    body = {
        "files": [[file.path, file.digest, file.bytes] for file in snapshot.files],
        "sequence": sequence,
        "copied": snapshot.copied,
    }
    document = {"hash": _hash(body), "snapshot": body}
    write_durably(place, json.dumps(document, indent=0, sort_keys=True).encode())
    return snapshot


def _copy(root: Path, objects: "_Objects", progress: Progress | None) -> tuple[list[Stored], int]:
    files: list[Stored] = []
    for lane in lane_folders(root):
        # readings before names: every name that they need is there then
        for kind in ("frames", "names"):
            files += _journals(root, journal_files(lane / kind), objects)
        if (lane / IDENTITY).exists():
            files.append(objects.put((lane / IDENTITY).relative_to(root).as_posix(), (lane / IDENTITY).read_bytes()))
    try:
        files += _journals(root, journal_files(root / "journal"), objects)
        manifest = Manifest.load(root)
        if manifest is None:
            return files, 0
        entries = manifest.entries()
        for number, entry in enumerate(entries):
            if progress is not None:
                progress(number, len(entries))
            files.append(objects.keep(root / entry.path, entry.path, entry.digest, entry.bytes))
    except FileNotFoundError:
        raise _Changed from None
    text = manifest.encoded()
    files.append(objects.put(NAME, text))
    return files, manifest.sequence


def _journals(root: Path, paths: Iterable[Path], objects: "_Objects") -> list[Stored]:
    files: list[Stored] = []
    for path in paths:
        try:
            data = path.read_bytes()
        except (
            FileNotFoundError
        ):  # taken over meanwhile, and with it all that is older: it is copied with the journal or the segments
            files.clear()
            continue
        end = max((frame.end for frame in frames(data)), default=0)
        files.append(objects.put(path.relative_to(root).as_posix(), data[:end]))
    return files


class _Objects:
    def __init__(self, target: Path) -> None:
        self.folder = target / "objects"
        self.copied = 0

    def path(self, name: str) -> Path:
        return self.folder / name[:2] / name

    def put(self, path: str, data: bytes) -> Stored:
        name = digest(data)
        if not self.path(name).exists():
            make_folder(self.path(name).parent)
            write_durably(self.path(name), data)
            self.copied += len(data)
        return Stored(path, name, len(data))

    def keep(self, source: Path, path: str, name: str, size: int) -> Stored:
        """A file whose digest the manifest knows: read only if it is new here, and checked then."""
        held = self.path(name)
        if not held.exists() or held.stat().st_size != size:
            data = source.read_bytes()
            if digest(data) != name:
                raise BackupError(f"{path}：内容与清单不符，先修复 / is not what the manifest names: restore it first")
            return self.put(path, data)
        return Stored(path, name, size)


def _hash(body: object) -> str:
    return sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def snapshots(target: Path) -> list[str]:
    """Names, oldest first as far as they are moments."""
    return sorted(path.stem for path in (target / "snapshots").glob("*.json"))


def load_snapshot(target: Path, name: str | None = None) -> Snapshot:
    """The newest where none is named."""
    names = snapshots(target)
    if not names or (name is not None and name not in names):
        raise BackupError(f"{target}：没有快照{' ' + name if name else ''} / no such snapshot")
    wanted = name or names[-1]
    try:
        document = json.loads((target / "snapshots" / f"{wanted}.json").read_text("utf-8"))
        body = document["snapshot"]
        if document["hash"] != _hash(body):
            raise ValueError("hash")
        files = tuple(Stored(str(path), str(name), int(size)) for path, name, size in body["files"])
    except (ValueError, KeyError, TypeError) as error:
        raise BackupError(f"快照 {wanted} 已损坏（{error}）/ the list of the snapshot is damaged") from None
    outside = [file.path for file in files if Path(file.path).is_absolute() or ".." in Path(file.path).parts]
    if outside:
        raise BackupError(f"快照 {wanted} 指向库外：{outside[0]} / names a file outside the store")
    return Snapshot(wanted, files, int(body["sequence"]), int(body["copied"]))


def check_backup(target: Path, name: str | None = None, progress: Progress | None = None) -> list[str]:
    """Every object of a snapshot, read and compared: what is wrong, in sentences."""
    snapshot, objects, faults = load_snapshot(target, name), _Objects(target), []
    for number, file in enumerate(snapshot.files):
        if progress is not None:
            progress(number, len(snapshot.files))
        fault = _object_fault(objects.path(file.digest), file)
        if fault is not None:
            faults.append(f"{file.path}：{fault}")
    return faults


def _object_fault(path: Path, file: Stored) -> str | None:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return "备份中缺失 / missing in the backup"
    if len(data) != file.bytes or digest(data) != file.digest:
        return "备份中的内容被改动 / changed in the backup"
    return None


def restore(target: Path, root: Path, name: str | None = None, progress: Progress | None = None) -> Snapshot:
    """Put a snapshot into an empty folder and verify the whole; a damaged backup is refused before anything is written, and a folder that
    could not be filled is left empty."""
    if root.exists() and any(root.iterdir()):
        raise BackupError(f"{root}：不是空文件夹 / is not empty; nothing was touched")
    faults = check_backup(target, name)
    if faults:
        raise BackupError("\n".join(["备份不完整，未恢复 / the backup is damaged, nothing was restored:", *faults]))
    snapshot, objects = load_snapshot(target, name), _Objects(target)
    make_folder(root)
    try:
        # the manifest last: a folder without one is no store
        ordered = sorted(snapshot.files, key=lambda file: file.path == NAME)
        for number, file in enumerate(ordered):
            if progress is not None:
                progress(number, len(ordered))
            make_folder((root / file.path).parent)
            _copy_durably(objects.path(file.digest), root / file.path)
        for path in root.rglob("*"):
            if path.is_dir():
                sync_folder(path)
        _move_lanes_on(root)
        faults = verify_files(root, Manifest.load(root) or Manifest(buckets=1))
        if faults:
            raise BackupError("\n".join(["恢复后校验不符 / the restored store does not verify:", *faults]))
    except OSError as error:
        _empty(root)
        raise StoreFullError(root, error) from error
    except BackupError:
        _empty(root)
        raise
    return snapshot


def _copy_durably(source: Path, target: Path) -> None:
    with source.open("rb") as old, target.open("xb") as new:
        shutil.copyfileobj(old, new)
        new.flush()
        os.fsync(new.fileno())


def _move_lanes_on(root: Path) -> None:
    """A lane was copied before the journal that tells how far it was taken over: what it writes next lies behind that."""
    state = StoreState(root)
    state.load()
    for lane in lane_folders(root):
        folder, position = lane / "frames", identity_of(lane).position(state.lane_positions)
        make_folder(folder)
        found = JournalReader(folder).new_frames(0)
        if (found[-1].sequence if found else 0) < position:
            write_durably(folder / f"{position + 1:020d}.jnl", b"")


def _empty(root: Path) -> None:
    for path in root.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
