"""刘科 signs an open point: a record, an audit row, and the clause page says who; nobody else can, and nothing half-signed stays."""

from collections.abc import Callable

from django.test import Client

from nuan.records.audit.models import AuditEntry
from nuan.records.supervision.models import SignedInterpretation

FORM = {
    "pack": "directive",
    "option": "calendar_days_touched",
    "valid_from": "2025-10-15",
    "reason": "按日退还,触及即计",
}


def test_a_signature_is_a_record_and_an_act(as_cast: Callable[[str | None], Client]) -> None:
    answer = as_cast("刘科").post("/interpretations/outage_day/", FORM, follow=True)
    assert answer.status_code == 200
    record = SignedInterpretation.objects.get()
    assert (record.option, record.signed_by) == ("calendar_days_touched", "刘科")
    assert AuditEntry.objects.latest("id").act == "sign_interpretation"
    page = as_cast("刘科").get("/clauses/2.5.3a/?at=2026-01-15").content.decode()
    assert "按日退还,触及即计" in page


def test_without_a_reason_nothing_is_signed(as_cast: Callable[[str | None], Client]) -> None:
    for change in ({"reason": " "}, {"option": "no_such"}, {"valid_from": "soon"}):
        assert as_cast("刘科").post("/interpretations/outage_day/", FORM | change).status_code == 422
    assert not SignedInterpretation.objects.exists()


def test_only_the_city_signs(as_cast: Callable[[str | None], Client]) -> None:
    for person in ("王阿姨", "小李", "乌主任", "外人"):
        assert as_cast(person).post("/interpretations/outage_day/", FORM).status_code == 404
    assert not SignedInterpretation.objects.exists()
