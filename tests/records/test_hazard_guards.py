"""What the database refuses about hazards whoever asks it: an edited history, a state without an event, a re-check by the same hands."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from nuan.operations.patrol_tables import POINT_KINDS, WHEN
from nuan.records.hazards.models import Hazard, HazardChange, PatrolRoute, PointKind
from small_hazards import another_crew, bring_to, build_hazard, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def waiting(city: None) -> Hazard:
    """Put right by 老张, waits for another person."""
    return bring_to(build_hazard(), "rectified")


def refused(statement: str, *values: object) -> str:
    with pytest.raises(IntegrityError) as told, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)
    return str(told.value)


@pytest.mark.parametrize("table", ["hazards_hazardchange", "hazards_photo"])
def test_history_and_photos_are_added_to_only(waiting: Hazard, table: str) -> None:
    assert "append-only" in refused(f"DELETE FROM {table}")
    column = "note" if table == "hazards_hazardchange" else "added_by"
    assert "append-only" in refused(f"UPDATE {table} SET {column} = 'x'")


def test_no_state_without_its_event(waiting: Hazard) -> None:
    assert "no event explains" in refused(
        "UPDATE hazards_hazard SET state = 'closed', ended_at = now() WHERE id = %s", waiting.pk
    )
    assert "begins as reported" in refused(
        "INSERT INTO hazards_hazard (code, key, company_id, banner_id, kind, words, place_level, place_code, place_words, source, source_ref,"
        " reported_by, found_at, reported_at, state, level, escalated_to, ended_at)"
        " VALUES ('X', 'x', 'C01', '150602', 'leak', 'w', '', '', 'p', 'staff', '', 'x', now(), now(), 'closed', '', '', now())"
    )


def change(hazard: Hazard, event: str, to: str, by: str | None, state_from: str = "rectified") -> HazardChange:
    with transaction.atomic():
        return HazardChange.objects.create(
            hazard=hazard, at=timezone.now(), actor=by or "接口", by=person(by) if by else None, event=event, state_from=state_from, state_to=to,
            level=hazard.level, responsible=hazard.responsible, deadline=hazard.deadline, note="看过",
        )  # fmt: skip


@pytest.mark.parametrize("event", ["pass", "fail"])
def test_who_put_it_right_or_was_responsible_does_not_re_check(waiting: Hazard, event: str) -> None:
    to = "closed" if event == "pass" else "rectifying"
    with pytest.raises(IntegrityError, match="re-checked by somebody"):
        change(waiting, event, to, "老张")
    with pytest.raises(IntegrityError, match="a person has to re-check"):
        change(waiting, event, to, None)
    another_crew()
    assert change(waiting, event, to, "小赵").pk


def test_closed_by_a_re_check_only_and_from_where_it_stands(waiting: Hazard) -> None:
    with pytest.raises(IntegrityError, match="closed by a re-check only"):
        change(waiting, "note", "closed", "陈调度")
    with pytest.raises(IntegrityError, match="is rectified, not rectifying"):
        change(waiting, "pass", "closed", "陈调度", state_from="rectifying")


def test_the_words_of_the_import_are_those_of_the_records() -> None:
    assert tuple(PointKind.values) == POINT_KINDS
    assert tuple(PatrolRoute.When.values) == WHEN
