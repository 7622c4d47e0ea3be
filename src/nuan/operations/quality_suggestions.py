"""像是接错了或换过表: what the readings of the last days suggest about units, pipes and counters, kept until a person has dealt with it.

Reads the store only, so many places at a time; what it writes is machine state. Putting one away is a person's act, with a reason.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import groupby
from typing import Final

import numpy as np
from django.db import connection, transaction

from nuan.operations.acts import act
from nuan.records.devices.models import Device
from nuan.records.monitoring.models import Suggestion
from nuan.telemetry.quality.wiring import LOOKED_AT, Column, Suspicion, suspicions
from nuan.telemetry.series import bucket_of
from nuan.telemetry.store import Store
from nuan.terms.places import CHINA, DAY_S, day_number

DAYS: Final = 7
"""运行参数: so far back is looked."""
CHUNK: Final = 32
"""运行参数: places whose readings are in memory at a time."""
_OWNERS = """
SELECT * FROM (
    SELECT code, 'home' AS level, company_id, banner_id FROM registry_home
    UNION ALL SELECT b.code, 'building', s.company_id, b.banner_id FROM registry_building b
        JOIN registry_loop l ON l.code = b.loop_id JOIN registry_substation s ON s.code = l.substation_id
    UNION ALL SELECT l.code, 'loop', s.company_id, s.banner_id FROM registry_loop l JOIN registry_substation s ON s.code = l.substation_id
    UNION ALL SELECT code, 'substation', company_id, banner_id FROM registry_substation
    UNION ALL SELECT code, 'source', company_id, banner_id FROM registry_heatsource
) AS t WHERE code = ANY(%s)
"""
_SEEN = ("evidence_zh", "evidence_en", "remedy_zh", "remedy_en", "computed_at")
Key = tuple[str, str, str, str, str]
Places = list[tuple[str, list[tuple[int, str, str]]]]


class SuggestionError(ValueError):
    """Why one cannot be put away, in one sentence."""


def compute_suggestions(store: Store, now: datetime) -> int:
    """Make the open ones anew; how many are open. What was dismissed stays so while the evidence is the same.

    What no longer shows goes away by itself, except at places that were silent and events older than the days looked at.
    """
    end = int(now.timestamp())
    start = end - DAYS * DAY_S
    known = _known_exchanges(start)
    looked: set[str] = set()
    found: dict[Key, Suspicion] = {}
    for chunk in _chunks(store):
        for place, points in _read(store, chunk, start, end):
            looked.add(place)
            for each in suspicions(place, points, known.get(place, frozenset())):
                found[place, each.quantity, each.position, each.kind, each.key] = each
    with transaction.atomic():
        _write(found, looked, start, now)
    return Suggestion.objects.filter(state=Suggestion.State.OPEN).count()


def _known_exchanges(start_s: int) -> dict[str, frozenset[int]]:
    """Local days of exchanges that the register has, by place; of counters below a place too (a meter's points may stand there)."""
    since = datetime.fromtimestamp(start_s - 2 * DAY_S, CHINA).date()
    days: dict[str, set[int]] = {}
    rows = Device.objects.filter(installed_on__gte=since).exclude(predecessor=None)
    for place, on in rows.values_list("place", "installed_on"):
        days.setdefault(place, set()).add(day_number(on))
    return {place: frozenset(each) for place, each in days.items()}


def _chunks(store: Store) -> Iterator[Places]:
    """Places with something to look at, those of a bucket together: they lie in the same files."""
    places: dict[str, list[tuple[int, str, str]]] = {}
    for number, text in enumerate(store.series.texts()):
        place, key, position = text.split("|")
        if key in LOOKED_AT:
            places.setdefault(place, []).append((number, key, position))
    ordered = sorted(places.items(), key=lambda pair: (bucket_of(pair[0]), pair[0]))
    for _, group in groupby(ordered, key=lambda pair: bucket_of(pair[0])):
        bucket = list(group)
        for at in range(0, len(bucket), CHUNK):
            yield bucket[at : at + CHUNK]


def _read(store: Store, chunk: Places, start_s: int, end_s: int) -> Iterator[tuple[str, dict[tuple[str, str], Column]]]:
    """Of each place that said something."""
    wanted = np.array(sorted(number for _, series in chunk for number, _, _ in series), np.uint32)
    batch = store.read_many(wanted, start_s, end_s)
    for place, series in chunk:
        points = {}
        for number, key, position in series:
            low, high = np.searchsorted(batch.series, [number, number + 1])
            if high > low:
                part = slice(int(low), int(high))
                points[key, position] = Column(batch.time_s[part], batch.value[part], batch.flags[part])
        if points:
            yield place, points


def _key(row: Suggestion) -> Key:
    return row.place, row.quantity, row.position, row.kind, row.evidence


def _write(found: dict[Key, Suspicion], looked: set[str], start_s: int, now: datetime) -> None:
    before = {_key(row): row for row in Suggestion.objects.select_for_update().filter(state=Suggestion.State.OPEN)}
    gone = [
        row.pk
        for key, row in before.items()
        if key not in found and row.place in looked and (not row.happened or row.since.timestamp() >= start_s)
    ]
    Suggestion.objects.filter(pk__in=gone).delete()
    again = [row for key, row in before.items() if key in found]
    for row in again:
        seen = found[_key(row)]
        row.evidence_zh, row.evidence_en, row.computed_at = seen.evidence_zh, seen.evidence_en, now
        row.remedy_zh, row.remedy_en = seen.remedy_zh, seen.remedy_en
    Suggestion.objects.bulk_update(again, _SEEN, batch_size=500)
    new = {key: each for key, each in found.items() if key not in before}
    with connection.cursor() as cursor:
        cursor.execute(_OWNERS, [sorted({key[0] for key in new})])
        owners = {code: rest for code, *rest in cursor.fetchall()}
    rows = [
        Suggestion(
            place=key[0], level=owners[key[0]][0], company_code=owners[key[0]][1], banner_code=owners[key[0]][2],
            quantity=each.quantity, position=each.position, kind=each.kind, evidence=each.key, evidence_zh=each.evidence_zh,
            evidence_en=each.evidence_en, remedy_zh=each.remedy_zh, remedy_en=each.remedy_en, happened=each.happened,
            since=datetime.fromtimestamp(each.since_s, UTC), computed_at=now,
        )
        for key, each in new.items() if key[0] in owners
    ]  # fmt: skip
    Suggestion.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)  # those dismissed are there and stay


def dismiss_suggestion(pk: int, *, actor: str, why: str, now: datetime) -> bool:
    """不是问题: it is put away with who and why, and does not come back while the evidence is the same. False: it was put away before."""
    if not why.strip():
        raise SuggestionError("请写明原因 / say why")
    with act("dismiss_suggestion", actor=actor, why=why) as row:
        found = Suggestion.objects.select_for_update().get(pk=pk)
        row.subject, row.details = found.place, {"kind": found.kind, "evidence": found.evidence_zh}
        row.nothing_changed = found.state == Suggestion.State.DISMISSED
        if not row.nothing_changed:
            found.state, found.why = Suggestion.State.DISMISSED, why.strip()[:500]
            found.dismissed_by, found.dismissed_at = actor[:120], now
            found.save(update_fields=["state", "why", "dismissed_by", "dismissed_at"])
    return not row.nothing_changed
