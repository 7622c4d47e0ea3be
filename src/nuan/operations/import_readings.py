"""Take in a file of readings: whole or not at all, and only once.

The order makes a kill harmless: the file is read and checked in memory, then appended to the store's journal, then its digest is
recorded together with the audit row. Killed before the append, nothing is there; killed after it, the next import of the same file
appends the same readings again, which the store holds as one, and records the digest.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Container
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from nuan.operations.acts import act
from nuan.operations.bulk import codes_of
from nuan.operations.readings_door import ReadingsDoor
from nuan.records.registry.models import Building, HeatSource, Home, Loop, Substation
from nuan.records.supervision.models import ReadingsImport
from nuan.telemetry.files import FileReadings, Mapping, read_file
from nuan.telemetry.files.reading import History
from nuan.telemetry.readings import Flag, ReadingBatch
from nuan.telemetry.series import SeriesKey
from nuan.terms.findings import Finding

State = Literal["imported", "unchanged", "refused", "checked"]
STATES_ZH = {
    "imported": "已导入",
    "unchanged": "此前已导入，未作改变",
    "refused": "未导入",
    "checked": "检查完毕（未写入）",
}
BLOCK = 1 << 20


@dataclass(frozen=True)
class ReadingsReport:
    """What became of one file. `flagged` counts readings by flag; a reading with two flags counts twice."""

    name: str
    state: State
    rows: int = 0
    readings: int = 0
    series: int = 0
    flagged: dict[str, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def digest_of(path: Path, mapping: Mapping) -> str:
    """SHA-256 of the file and of how it is read: a corrected mapping makes the same bytes another import."""
    digest = hashlib.sha256(repr(mapping.of(path)).encode())
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def registered_places() -> frozenset[str]:
    """The codes that readings may be about."""
    codes: set[str] = set()
    for model in (HeatSource, Substation, Loop, Building, Home):
        codes.update(codes_of(model)["code"].to_list())
    return frozenset(codes)


def import_readings(
    path: Path,
    mapping: Mapping,
    *,
    actor: str,
    store: ReadingsDoor | None,
    arrival_s: int,
    places: Container[str] | None = None,
    dry_run: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> ReadingsReport:
    """`store` takes readings (None only for a dry run); `places` are the registered codes, looked up when not given."""
    digest = digest_of(path, mapping)
    if not dry_run and ReadingsImport.objects.filter(digest=digest).exists():
        return ReadingsReport(path.name, "unchanged")
    known = registered_places() if places is None else places
    history = None if store is None else _known_before(store)
    read = read_file(path, mapping, places=known, arrival_s=arrival_s, history=history, progress=progress)
    flagged = _count_flags(read)
    if not read.ok or dry_run or store is None:
        state: State = "checked" if read.ok else "refused"
        return ReadingsReport(
            path.name, state, read.rows, len(read.time_s), len(read.keys), flagged, read.findings
        )  # fmt: skip
    ids = store.register(read.keys)
    batch = ReadingBatch.of(ids[read.series], read.time_s, read.value, read.flags)
    offset = store.append(batch)
    with act("import_readings", actor=actor, subject=path.name[:120]) as row:
        _, created = ReadingsImport.objects.get_or_create(
            digest=digest,
            defaults={
                "name": path.name[:200],
                "rows": read.rows,
                "readings": len(batch),
                "flagged": int(np.count_nonzero(read.flags)),
                "journal_offset": offset,
            },
        )
        row.nothing_changed = not created
        row.details.update(rows=read.rows, readings=len(batch), flagged=flagged, digest=digest)
    return ReadingsReport(path.name, "imported", read.rows, len(batch), len(read.keys), flagged, read.findings)


def _known_before(store: ReadingsDoor) -> History:
    def known(key: SeriesKey, start_s: int, end_s: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        number = store.series.get(key)
        found = ReadingBatch.empty() if number is None else store.read(number, start_s, end_s)
        return found.time_s, found.value

    return known


def _count_flags(read: FileReadings) -> dict[str, int]:
    counts = Counter({
        str(flag.name).lower(): int(np.count_nonzero(read.flags & np.uint8(flag))) for flag in Flag if flag
    })  # fmt: skip
    return {name: count for name, count in counts.items() if count}
