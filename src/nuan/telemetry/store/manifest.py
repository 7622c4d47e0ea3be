"""The manifest: which files are the store now, and up to which sequence number they cover the journal. One rename publishes it."""

import json
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Self

from nuan.telemetry.store.durable import write_durably
from nuan.telemetry.store.errors import StoreDamagedError

NAME = "manifest.json"


@dataclass(frozen=True, slots=True)
class Segment:
    """A Parquet file of one quantity, bucket and local month (months since 1970-01)."""

    path: str
    quantity: str
    bucket: int
    month: int
    readings: int
    bytes: int
    digest: str

    @property
    def slot(self) -> tuple[str, int, int]:
        return self.quantity, self.bucket, self.month


@dataclass(frozen=True, slots=True)
class Extra:
    """A file beside the segments: series names, superseded readings, or what a fold touched; `sequence` of the fold that wrote it."""

    path: str
    sequence: int
    bytes: int
    digest: str


@dataclass(frozen=True, slots=True)
class StepFile:
    """Down-sampled readings of a slot, in steps of `step_s` seconds."""

    path: str
    quantity: str
    bucket: int
    month: int
    step_s: int
    rows: int
    bytes: int
    digest: str

    @property
    def slot(self) -> tuple[str, int, int, int]:
        return self.quantity, self.bucket, self.month, self.step_s


@dataclass(frozen=True, slots=True)
class Manifest:
    buckets: int
    sequence: int = 0
    next_series: int = 0
    segments: tuple[Segment, ...] = ()
    series: tuple[Extra, ...] = ()
    superseded: tuple[Extra, ...] = ()
    touched: tuple[Extra, ...] = ()
    steps: tuple[StepFile, ...] = ()
    lanes: tuple[tuple[str, int], ...] = ()
    """By a lane's identity the sequence number of the last frame that is in this state. It says whence the readings came and is no part of what
    the state's hash names."""
    retired: tuple[str, ...] = field(default=())
    """Files that the manifest before this one named: kept for one more round, for readers that still hold it."""

    def paths(self) -> set[str]:
        return {entry.path for entry in self.entries()} | set(self.retired)

    def entries(self) -> "tuple[Segment | Extra | StepFile, ...]":
        return (*self.segments, *self.series, *self.superseded, *self.touched, *self.steps)

    def content_hash(self) -> str:
        """Of the state: the same readings folded at the same points give the same hash, on any machine."""
        return sha256(json.dumps(self._document(retired=()), sort_keys=True).encode()).hexdigest()

    def _beside_hash(self) -> str:
        return sha256(json.dumps([self.lanes, self.retired]).encode()).hexdigest()

    def _document(self, retired: tuple[str, ...]) -> dict[str, object]:
        def plain(entries: "tuple[Segment | Extra | StepFile, ...]") -> list[dict[str, object]]:
            return [{name: getattr(entry, name) for name in entry.__slots__} for entry in entries]

        # a store that never let anything go has the document, and the hash, of the first version
        steps = {"steps": plain(self.steps)} if self.steps else {}
        return steps | {
            "buckets": self.buckets,
            "sequence": self.sequence,
            "next_series": self.next_series,
            "segments": plain(self.segments),
            "series": plain(self.series),
            "superseded": plain(self.superseded),
            "touched": plain(self.touched),
            "retired": list(retired),
        }

    @classmethod
    def load(cls, root: Path) -> Self | None:
        """None when there is no store yet."""
        path = root / NAME
        try:
            text = path.read_text("utf-8")
        except FileNotFoundError:
            return None
        try:
            document = json.loads(text)
            body = document["manifest"]
            extras = dict.fromkeys(("series", "superseded", "touched"), Extra)
            for name, kind in ({"segments": Segment, "steps": StepFile} | extras).items():
                body[name] = tuple(kind(**entry) for entry in body.get(name, ()))
            body["retired"] = tuple(body["retired"])
            body["lanes"] = tuple((name, int(number)) for name, number in body.get("lanes", ()))
            manifest = cls(**body)
        except (ValueError, KeyError, TypeError) as error:
            raise StoreDamagedError(path, f"cannot be read ({error})") from error
        if manifest.content_hash() != document["hash"] or document.get("beside") not in (None, manifest._beside_hash()):
            raise StoreDamagedError(path, "does not match its own hash")
        return manifest

    def encoded(self) -> bytes:
        body = self._document(self.retired) | {"lanes": [list(pair) for pair in self.lanes]}
        document = {"hash": self.content_hash(), "beside": self._beside_hash(), "manifest": body}
        return json.dumps(document, separators=(",", ":"), sort_keys=True).encode()

    def publish(self, root: Path) -> None:
        write_durably(root / NAME, self.encoded())
