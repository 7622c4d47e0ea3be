"""What was judged, signed, measured or done stands for ever: the database itself refuses to change it."""

from datetime import UTC, date, datetime

import pytest
from django.db import IntegrityError, connection, transaction

from nuan.operations.acts import act, verify_chain
from nuan.records.audit.models import AuditEntry
from nuan.records.monitoring.models import Alarm, AlarmChange
from nuan.records.supervision.models import Judgement, Run, SignedInterpretation

pytestmark = pytest.mark.django_db


def _run() -> Run:
    return Run.objects.create(
        season="2025-2026", as_of=datetime(2026, 1, 20, tzinfo=UTC), rules_fingerprint="f", manifest_hash="m", registry_hash="r"
    )  # fmt: skip


def _judgement() -> Judgement:
    return Judgement.objects.create(
        run=_run(), clause="2.5.2", subject_level="home", subject="B1-1-0101", item="2025-2026", period_start=0, period_end=1,
        verdict="met", branch="base", pack="directive", pack_version="1", digest="d",
    )  # fmt: skip


def _audit_row() -> AuditEntry:
    with act("record_outage", actor="陈调度", subject="H01", clause="2.5.3a"):
        pass
    return AuditEntry.objects.latest("id")


def _signed() -> SignedInterpretation:
    return SignedInterpretation.objects.create(
        key="outage_day", option="whole_blocks", pack="directive", valid_from=date(2025, 10, 15),
        signed_by="刘科", signed_on=date(2025, 10, 1), reason="试行",
    )  # fmt: skip


def _alarm_change() -> AlarmChange:
    now = datetime(2026, 1, 20, tzinfo=UTC)
    alarm = Alarm.objects.create(
        code="home_cold", kind="low", priority=2, words_zh="冷", words_en="cold", level="home", place="B1-1-0101", limit_on=1, limit_off=2,
        since=now, raised_at=now,
    )  # fmt: skip
    return AlarmChange.objects.create(
        alarm=alarm, at=now, actor="engine", event="raise", state_from="none", state_to="raised"
    )


MAKERS = pytest.mark.parametrize(
    "make",
    [_judgement, _audit_row, _signed, _alarm_change],
    ids=["judgement", "audit", "interpretation", "alarm change"],
)


@MAKERS
def test_a_row_is_never_edited(make) -> None:
    row = make()
    field = next(f for f in row._meta.fields if f.get_internal_type() == "CharField")
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        type(row).objects.filter(pk=row.pk).update(**{field.name: "x"})


@MAKERS
def test_a_row_is_never_deleted(make) -> None:
    row = make()
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {row._meta.db_table} WHERE id = %s", [row.pk])


def test_truncate_passes_only_in_test_databases() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT prosrc FROM pg_proc WHERE proname = 'nuan_append_only'")
        assert "current_database() LIKE 'test\\_%'" in cursor.fetchone()[0]


def test_the_chain_breaks_where_the_trigger_was_bypassed() -> None:
    _audit_row()
    second = _audit_row()
    _audit_row()
    assert verify_chain() == []
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_auditentry DISABLE TRIGGER append_only_rows")
        cursor.execute("UPDATE audit_auditentry SET actor = '外人' WHERE id = %s", [second.pk])
        cursor.execute("ALTER TABLE audit_auditentry ENABLE TRIGGER append_only_rows")
    assert verify_chain() == [second.pk]
