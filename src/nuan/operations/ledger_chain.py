"""The chain of days: each sealed day's digest covers every entry recorded on it and the digest of the day sealed before.

The text of a day is made by the database in one fixed order and form, so that anybody with the rows can make it again.
"""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db import connection

from nuan.operations.acts import act
from nuan.records.billing.models import Entry, LedgerDay
from nuan.terms.places import CHINA

FIRST_DIGEST = "0" * 64
SORT_MEMORY = "256MB"
"""For one statement over a whole season; the server's own default would sort on disk."""
_DAY = """
COPY (
    SELECT e.id, e.key, e.company_id, e.kind, e.clause, to_char(e."on", 'YYYY-MM-DD'), e.period, e.memo, e.details, e.created_by,
        extract(epoch FROM e.recorded_at), r.key, a.code, p.amount_fen
    FROM billing_entry e
    LEFT JOIN billing_entry r ON r.id = e.reverses_id
    LEFT JOIN billing_posting p ON p.entry_id = e.id
    LEFT JOIN billing_account a ON a.id = p.account_id
    WHERE e.recorded_on = {day} ORDER BY e.id, p.id
) TO STDOUT WITH (FORMAT csv)
"""


class DayNotOverError(ValueError):
    def __init__(self, day: date) -> None:
        super().__init__(f"{day} 还没有过完，不能封存 / {day} is not over")


@dataclass(frozen=True, slots=True)
class BrokenDay:
    """A sealed day that is not what was sealed: its `entries` or their content, or the digest of the day before."""

    day: date
    why: str


def day_digest(day: date, previous: str) -> tuple[str, int]:
    """SHA-256 over the digest before and the day's text, and the number of entries."""
    from psycopg import sql

    digest = hashlib.sha256(previous.encode())
    with connection.cursor() as cursor:
        cursor.execute(f"SET work_mem = '{SORT_MEMORY}'")
        with cursor.copy(sql.SQL(_DAY).format(day=sql.Literal(day))) as rows:
            for piece in rows:
                digest.update(piece)
        cursor.execute("SELECT count(*) FROM billing_entry WHERE recorded_on = %s", [day])
        count = int(cursor.fetchone()[0])
        cursor.execute("RESET work_mem")
    return digest.hexdigest(), count


def seal_days(*, now: datetime, actor: str) -> list[LedgerDay]:
    """Seal every day with entries that is over and not sealed yet, oldest first. After that nothing is recorded on it any more."""
    today = now.astimezone(CHINA).date()
    last = LedgerDay.objects.order_by("-day").first()
    days = Entry.objects.filter(recorded_on__lt=today)
    if last is not None:
        days = days.filter(recorded_on__gt=last.day)
    waiting = sorted(set(days.values_list("recorded_on", flat=True).distinct()))
    if not waiting:
        return []
    with act("seal_days", actor=actor, subject="ledger") as row:
        sealed = [seal_day(day, now=now) for day in waiting]
        row.details = {f"{each.day}": each.digest for each in sealed}
    return sealed


def seal_day(day: date, *, now: datetime) -> LedgerDay:
    """One day, after all that were sealed before. Raises DayNotOverError."""
    if day >= now.astimezone(CHINA).date():
        raise DayNotOverError(day)
    with connection.cursor() as cursor:
        # whoever is booking ends first, and nobody books between the digest and the seal
        cursor.execute("SELECT pg_advisory_xact_lock(1818518119)")
    last = LedgerDay.objects.order_by("-day").first()
    previous = last.digest if last is not None else FIRST_DIGEST
    digest, entries = day_digest(day, previous)
    return LedgerDay.objects.create(day=day, entries=entries, previous=previous, digest=digest)


def broken_days() -> list[BrokenDay]:
    """Sealed days that do not follow from their entries and the day before, and entries on days that lie between sealed ones."""
    found, previous = [], FIRST_DIGEST
    days = list(LedgerDay.objects.order_by("day"))
    for day in days:
        digest, entries = day_digest(day.day, previous)
        if day.previous != previous:
            found.append(BrokenDay(day.day, "前一日摘要不符"))
        elif entries != day.entries:
            found.append(BrokenDay(day.day, f"凭证 {entries} 张，封存时 {day.entries} 张"))
        elif digest != day.digest:
            found.append(BrokenDay(day.day, "凭证内容与封存时不符"))
        previous = day.digest
    if days:
        missed = Entry.objects.filter(recorded_on__lte=days[-1].day).exclude(
            recorded_on__in=[each.day for each in days]
        )
        found += [
            BrokenDay(day, "封存之后出现的凭证") for day in sorted(set(missed.values_list("recorded_on", flat=True)))
        ]
    return found


def end_of(day: date) -> datetime:
    """The moment at which a day of the chain is over."""
    return datetime.combine(day + timedelta(days=1), time(0), CHINA)


def unsealed_since(now: datetime) -> date | None:
    """The oldest day that is over and not sealed; None when the chain is up to date."""
    today = now.astimezone(CHINA).date()
    last = LedgerDay.objects.order_by("-day").values_list("day", flat=True).first()
    rows = Entry.objects.filter(recorded_on__lt=today, recorded_on__gt=last or today - timedelta(days=365_000))
    return rows.order_by("recorded_on").values_list("recorded_on", flat=True).first()
