"""Letting go: raw months that the policy no longer keeps become steps, old steps go, and one rename of the manifest makes it so.

Whole local months only: a month is due when its last day is older than the days to keep. The state before stays readable until the next
publication; killed at any moment, the store has the month as readings or as steps, never neither.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from nuan.telemetry.store.durable import digest, make_folder, write_durably
from nuan.telemetry.store.manifest import Manifest, Segment, StepFile
from nuan.telemetry.store.months import month_name, month_start
from nuan.telemetry.store.policy import Keeping
from nuan.telemetry.store.segments import SegmentFile
from nuan.telemetry.store.steps import encode_steps, joined, read_steps, steps_of
from nuan.terms.places import DAY_S

if TYPE_CHECKING:
    from nuan.telemetry.store.store import Store


@dataclass(frozen=True, slots=True)
class Plan:
    """What a policy asks for at a moment: raw months to roll up and drop, files of steps to drop."""

    raw: list[Segment]
    steps: list[StepFile]

    def summary(self) -> list[dict[str, object]]:
        """One row for each quantity and month: for people and programs."""
        rows: dict[tuple[str, str, str], list[int]] = {}
        for segment in self.raw:
            entry = rows.setdefault((segment.quantity, month_name(segment.month), "raw"), [0, 0])
            entry[0], entry[1] = entry[0] + segment.readings, entry[1] + segment.bytes
        for file in self.steps:
            entry = rows.setdefault((file.quantity, month_name(file.month), f"{file.step_s}s"), [0, 0])
            entry[0], entry[1] = entry[0] + file.rows, entry[1] + file.bytes
        return [
            {"quantity": quantity, "month": month, "kind": kind, "rows": count, "bytes": size}
            for (quantity, month, kind), (count, size) in sorted(rows.items())
        ]


@dataclass
class RetainReport:
    """`late`: readings for steps that were closed before; they are counted and left out."""

    readings: int = 0
    steps: int = 0
    late: int = 0
    bytes_freed: int = 0
    bytes_written: int = 0
    summary: list[dict[str, object]] = field(default_factory=list)


def plan(manifest: Manifest, policy: Mapping[str, Keeping], now_s: int) -> Plan:
    def due(month: int, days: int | None) -> bool:
        return days is not None and month_start(month + 1) + days * DAY_S <= now_s

    raw = [s for s in manifest.segments if s.quantity in policy and due(s.month, policy[s.quantity].raw_days)]
    steps = [
        file
        for file in manifest.steps
        if file.quantity in policy and due(file.month, policy[file.quantity].steps.get(file.step_s))
    ]
    return Plan(raw, steps)


def retain(
    store: "Store", policy: Mapping[str, Keeping], now_s: int, progress: Callable[[int, int], None] | None = None
) -> RetainReport:
    """Do what `plan` says, fold first. The caller has asked whoever must be asked."""
    store.compact()
    todo, manifest = plan(store.manifest, policy, now_s), store.manifest
    report = RetainReport(summary=todo.summary())
    if not todo.raw and not todo.steps:
        return report
    sequence = store.offset + 1
    steps = {file.slot: file for file in manifest.steps if file not in todo.steps}
    for number, segment in enumerate(todo.raw):
        if progress is not None:
            progress(number, len(todo.raw))
        rows = SegmentFile(store.root / segment.path).rows()
        for step_s, days in policy[segment.quantity].steps.items():
            if days is not None and month_start(segment.month + 1) + days * DAY_S <= now_s:
                continue
            slot = (segment.quantity, segment.bucket, segment.month, step_s)
            made, late = steps_of(rows, step_s), 0
            if slot in steps:
                made, late = joined(read_steps(store.root / steps[slot].path), made)
            data = encode_steps(made)
            name = f"steps/{segment.quantity}/step={step_s}/bucket={segment.bucket:02d}/{month_name(segment.month)}-{sequence:012d}.parquet"
            make_folder((store.root / name).parent)
            write_durably(store.root / name, data)
            steps[slot] = StepFile(
                name, segment.quantity, segment.bucket, segment.month, step_s, len(made), len(data), digest(data)
            )
            report.late = max(report.late, late)
            report.steps += len(made)
            report.bytes_written += len(data)
        report.readings += segment.readings
    gone = {s.path for s in todo.raw}
    report.bytes_freed = sum(s.bytes for s in todo.raw) + sum(file.bytes for file in todo.steps)
    after = replace(
        manifest,
        sequence=sequence,
        segments=tuple(s for s in manifest.segments if s.path not in gone),
        steps=tuple(steps[slot] for slot in sorted(steps)),
    )
    store.publish(
        replace(after, retired=tuple(sorted({e.path for e in manifest.entries()} - {e.path for e in after.entries()})))
    )
    return report
