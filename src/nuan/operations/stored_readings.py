"""Reading the embedded store from a long-lived process: it is opened once per published state, not once per question."""

from functools import lru_cache
from pathlib import Path

from django.conf import settings

from nuan.telemetry.readings import ReadingBatch
from nuan.telemetry.series import SeriesKey
from nuan.telemetry.store import Store


@lru_cache(maxsize=1)
def _opened(root: Path, published_ns: int, journal_bytes: int) -> Store:
    return Store(root)


def store() -> Store | None:
    """The store as last published, or None where nothing was ever stored."""
    root = settings.READINGS_ROOT
    manifest = root / "manifest.json"
    if not manifest.is_file():
        return None
    journal = sum(path.stat().st_size for path in (root / "journal").glob("*.jnl"))
    return _opened(root, manifest.stat().st_mtime_ns, journal)


def series_of(place: str | None, quantity: str) -> list[tuple[int, SeriesKey]]:
    """Ids and keys of a place's series in one quantity, in the order of their positions; of all places where none is named."""
    opened = store()
    return [] if opened is None else sorted(opened.series.find(place, quantity), key=lambda pair: pair[1])


def readings_of(series_id: int, start_s: int, end_s: int) -> ReadingBatch:
    """Flagged readings included; who draws or counts leaves out what is not `trusted`."""
    opened = store()
    return ReadingBatch.empty() if opened is None else opened.read(series_id, start_s, end_s)
