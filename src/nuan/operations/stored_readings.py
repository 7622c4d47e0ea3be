"""Reading the embedded store from a long-lived process: it is opened once, and read on from where it was when something has come.

While the intake runs something comes every second; opening anew each time would read the names of all series for one curve.
"""

from contextlib import suppress
from pathlib import Path
from threading import RLock

from django.conf import settings

from nuan.telemetry.readings import ReadingBatch
from nuan.telemetry.series import SeriesKey
from nuan.telemetry.store import Store

_turn = RLock()
"""Threads of the web server take turns: a store that reads on is not read at the same time."""
_opened: dict[Path, tuple[tuple[int, int, int], Store]] = {}


def store() -> Store | None:
    """The store as it stands now, or None where nothing was ever stored. Who reads more than one thing from it holds `_turn`."""
    root = settings.READINGS_ROOT
    manifest = root / "manifest.json"
    with _turn:
        try:
            about = manifest.stat()
        except FileNotFoundError:
            return None
        state = about.st_ino, about.st_mtime_ns, journal_bytes(root / "journal")
        known = _opened.get(root)
        if known is None:
            _opened.clear()
            known = _opened[root] = state, Store(root)
        elif known[0] != state:
            known[1].refresh()
            _opened[root] = state, known[1]
        return known[1]


def journal_bytes(folder: Path) -> int:
    """A file that a fold removes between being listed and being asked is no reason to say that there are no readings."""
    total = 0
    for path in folder.glob("*.jnl"):
        with suppress(FileNotFoundError):
            total += path.stat().st_size
    return total


def series_of(place: str | None, quantity: str) -> list[tuple[int, SeriesKey]]:
    """Ids and keys of a place's series in one quantity, in the order of their positions; of all places where none is named."""
    with _turn:
        opened = store()
        return [] if opened is None else sorted(opened.series.find(place, quantity), key=lambda pair: pair[1])


def readings_of(series_id: int, start_s: int, end_s: int) -> ReadingBatch:
    """Flagged readings included; who draws or counts leaves out what is not `trusted`."""
    with _turn:
        opened = store()
        return ReadingBatch.empty() if opened is None else opened.read(series_id, start_s, end_s)
