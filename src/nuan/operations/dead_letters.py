"""Dead letters in the records: shipped from the lanes, each once; discarded with a reason. Read again: `operations.replaying`."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from pathlib import Path

from django.db import transaction

from nuan.operations.acts import act
from nuan.records.devices.models import DeadLetter, Gateway
from nuan.telemetry.intake.routes import route
from nuan.telemetry.protocols.details import MOST_DETAIL
from nuan.telemetry.store.absorbing import dead_letters, identities
from nuan.telemetry.store.lanes import DeadLetter as LaneLetter

AT_ONCE = 2_000


class DeadLetterError(ValueError):
    """What cannot be done with dead letters, in one sentence."""


def ship_dead_letters(root: Path, after: Mapping[str, int]) -> dict[str, int]:
    """Write down what lies in the lanes behind the positions given; the new positions. Machine state: no act. Twice is as once."""
    positions = dict(after)
    companies = dict(Gateway.objects.values_list("code", "company_id"))
    found = dead_letters(root, after)
    while rows := list(islice(found, AT_ONCE)):
        with transaction.atomic():
            DeadLetter.objects.bulk_create(_records(rows, companies), ignore_conflicts=True)
        for lane, sequence, _, _ in rows:
            positions[lane] = max(positions.get(lane, 0), sequence)
    known = identities(root)
    return {lane: sequence for lane, sequence in positions.items() if lane in known}


def known_positions() -> dict[str, int]:
    """By the lane's identity the newest letter in the records: where shipping goes on when nobody remembers."""
    rows = DeadLetter.objects.order_by("lane", "-sequence").distinct("lane").values_list("lane", "sequence")
    return {lane: sequence - 1 for lane, sequence in rows}


def _records(
    rows: Iterable[tuple[str, int, int, LaneLetter]], companies: Mapping[str, str]
) -> Iterator[DeadLetter]:  # fmt: skip
    for lane, sequence, index, letter in rows:
        where = route(letter.protocol)
        protocol = letter.protocol.split("/")[0] if where is None else where.protocol
        yield DeadLetter(
            lane=lane, sequence=sequence, index=index, gateway=kept_text(letter.gateway, 60), company_id=companies.get(letter.gateway),
            protocol=kept_text(protocol, 24), device=kept_text(where.device if where else "", 80),
            address=kept_text(letter.protocol, 200), arrived_s=letter.arrival_s, reason=kept_text(letter.reason, 40),
            detail=kept_text(letter.detail, MOST_DETAIL), payload=letter.payload,
        )  # fmt: skip


def kept_text(text: str, most: int) -> str:
    """What PostgreSQL can keep of a text that a sender chose: no NUL, and no half of a surrogate pair, which JSON can write as \\ud800.

    >>> kept_text("a\\0\\ud800b", 40)
    'a␀?b'
    """
    return text.replace("\0", "␀").encode(errors="replace").decode()[:most]


def discard_dead_letters(letters: Iterable[int], *, actor: str, why: str, now: datetime) -> int:
    """弃置: nobody will read them again; they stay in the records with the reason. How many were open."""
    if not why.strip():
        raise DeadLetterError("请写明弃置的原因")
    with act("discard_dead_letters", actor=actor, why=why) as row:
        rows = DeadLetter.objects.filter(pk__in=list(letters), state=DeadLetter.State.OPEN)
        count = rows.update(
            state=DeadLetter.State.DISCARDED, decided_by=actor[:120], decided_at=now, why=why[:200]
        )  # fmt: skip
        row.subject, row.nothing_changed = f"{count}", count == 0
        row.details = {"letters": count}
    return count
