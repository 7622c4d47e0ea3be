"""What was posted can be reckoned again, to the fen, in a moment."""

import re
import time
from pathlib import Path

import pytest
from judged_city import judge

from nuan.operations.explaining import NotJudgedError, explain_judgement, find_judgement
from nuan.records.supervision.models import CurrentJudgement
from nuan.telemetry.store import Store

pytestmark = pytest.mark.django_db


def test_every_judgement_of_a_town_is_made_again_the_same(
    registered: None, town_readings: Path, tmp_path: Path
) -> None:
    judge(town_readings, tmp_path)
    paying = CurrentJudgement.objects.filter(amount_fen__gt=0).select_related("judgement__run")
    sample = (
        CurrentJudgement.objects.exclude(amount_fen__gt=0)
        .select_related("judgement__run")
        .order_by("judgement__digest")[:80]
    )
    assert paying.count() > 20
    with Store(town_readings) as store:
        spent = []
        for row in [*paying, *sample]:
            started = time.perf_counter()
            working = explain_judgement(row.judgement, store=store)
            spent.append(time.perf_counter() - started)
            assert working.same, f"{row.clause} {row.subject} {row.item}: {working.explanation}"
            assert working.explanation.amount_fen == row.amount_fen
            assert working.explanation.sentence
    assert sorted(spent)[len(spent) // 2] < 0.2


def test_the_words_come_in_both_languages(registered: None, town_readings: Path, tmp_path: Path) -> None:
    judge(town_readings, tmp_path)
    row = CurrentJudgement.objects.filter(clause="2.5.3a", verdict="breached")[0]
    with Store(town_readings) as store:
        zh, en = (explain_judgement(row.judgement_id, language, store=store).text() for language in ("zh", "en"))
    assert "应退" in zh
    assert "refunded" in en


def test_english_working_is_english(registered: None, town_readings: Path, tmp_path: Path) -> None:
    """One judgement of each clause and branch. Sources, in square brackets, are quoted as they are called."""
    judge(town_readings, tmp_path)
    rows = CurrentJudgement.objects.select_related("judgement__run").order_by(
        "clause", "judgement__branch", "subject_level", "item"
    )
    kinds = {(row.clause, row.subject_level, row.judgement.branch, row.verdict): row for row in rows}
    assert {clause for clause, *_ in kinds} >= {"2.4.2a", "2.5", "2.5.2", "2.5.3a", "2.5.3b", "2.6.1"}
    with Store(town_readings) as store:
        for kind, row in kinds.items():
            words = explain_judgement(row.judgement, "en", store=store).text().replace("(未载明)", "")
            assert not re.findall(r"[\u3000-\u9fff]", re.sub(r"［[^］]*］", "", words)), f"{kind}: {words}"


def test_what_has_changed_since_is_said(registered: None, town_readings: Path, tmp_path: Path) -> None:
    from nuan.records.emergency.models import Outage

    judge(town_readings, tmp_path)
    row = CurrentJudgement.objects.filter(clause="2.5.3a", verdict="breached")[0]
    Outage.objects.filter(code__in=row.item.split("+")).delete()
    with Store(town_readings) as store:
        working = explain_judgement(row.judgement, store=store)
    assert not working.same
    assert "重新运行判定" in working.text()


def test_nobody_is_explained_what_was_never_judged() -> None:
    with pytest.raises(NotJudgedError):
        find_judgement("B9999-1-0101", "2.5.2")
    with pytest.raises(NotJudgedError):
        explain_judgement(999_999)
