"""An act: one transaction, one audit row, chained by hash to the row before. Every write to the records happens inside one."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from nuan.records.audit.models import AuditEntry

CHAIN_LOCK = 0x6E75616E
FIRST_HASH = "0" * 64
Listener = Callable[[AuditEntry], None]
_listeners: list[Listener] = []


@dataclass
class ActRecord:
    """What the audit row will say. `nothing_changed` leaves it unwritten: an act that did nothing is no act."""

    name: str
    actor: str
    subject: str = ""
    clause: str = ""
    why: str = ""
    details: dict[str, Any] = field(default_factory=dict)
    nothing_changed: bool = False


class NoActorError(ValueError):
    def __init__(self, name: str) -> None:
        super().__init__(f"the act “{name}” needs an actor: nobody does nothing")


@contextmanager
def act(
    name: str,
    *,
    actor: str,
    subject: str = "",
    clause: str = "",
    why: str = "",
    details: Mapping[str, Any] | None = None,
) -> Iterator[ActRecord]:
    """`with act("record_outage", actor=…) as row: …`; an exception inside undoes everything, the audit row too.

    The row is written last, so the chain's lock is held for a moment only, however long the act takes.
    """
    if not actor.strip():
        raise NoActorError(name)
    with transaction.atomic():
        record = ActRecord(name, actor, subject, clause, why, dict(details or {}))
        yield record
        if not record.nothing_changed:
            _write(record)


def _write(record: ActRecord) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CHAIN_LOCK])
    previous = AuditEntry.objects.order_by("-id").values_list("hash", flat=True).first() or FIRST_HASH
    at = timezone.now()
    columns: dict[str, Any] = {
        "actor": record.actor[:120],
        "act": record.name,
        "subject": record.subject[:120],
        "clause": record.clause,
        "why": record.why,
        "details": json.loads(json.dumps(record.details, ensure_ascii=False, default=str)),
    }
    digest = chain_hash(previous, at, columns)
    entry = AuditEntry.objects.create(at=at, previous_hash=previous, hash=digest, **columns)
    transaction.on_commit(lambda: _tell(entry))


def on_act(listener: Listener) -> Listener:
    """Have a function called with each audit row once its transaction is committed; usable as a decorator."""
    _listeners.append(listener)
    return listener


def _tell(entry: AuditEntry) -> None:
    for listener in _listeners:
        listener(entry)


def chain_hash(previous: str, at: datetime, columns: dict[str, Any]) -> str:
    """SHA-256 over the previous hash and the row as canonical JSON."""
    text = json.dumps({**columns, "at": int(at.timestamp() * 1e6)}, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256((previous + text).encode()).hexdigest()


def verify_chain() -> list[int]:
    """Ids of audit rows that do not follow from the row before; empty when nobody touched the log."""
    broken: list[int] = []
    previous = FIRST_HASH
    for row in AuditEntry.objects.order_by("id").iterator():
        columns = {name: getattr(row, name) for name in ("actor", "act", "subject", "clause", "why", "details")}
        if row.previous_hash != previous or row.hash != chain_hash(previous, row.at, columns):
            broken.append(row.id)
        previous = row.hash
    return broken
