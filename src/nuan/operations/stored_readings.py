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


def series_of(place: str, quantity: str) -> list[SeriesKey]:
    """The series of a place in one quantity, in the order of their positions."""
    opened = store()
    return [] if opened is None else sorted(key for _, key in opened.series.find(place, quantity))


def readings_of(key: SeriesKey, start_s: int, end_s: int) -> ReadingBatch:
    """Flagged readings included; who draws or counts leaves out what is not `trusted`."""
    opened = store()
    return ReadingBatch.empty() if opened is None else opened.read(key, start_s, end_s)
