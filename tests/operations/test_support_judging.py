"""A repair that is recorded is judged at the next run, and nothing is judged again where nothing changed."""

from datetime import date
from pathlib import Path

import pytest
from judged_city import ACTOR, SEASON, judge

from nuan.operations.support_arrears import report_nil
from nuan.operations.support_costs import cancel_repair, record_repair
from nuan.records.registry.models import Substation
from nuan.records.supervision.models import BoardCell, CurrentJudgement
from nuan.records.support.models import Asset

pytestmark = pytest.mark.django_db
TODAY = date(2026, 6, 1)


def test_what_is_recorded_is_judged_next_time(registered: None, town_readings: Path, tmp_path: Path) -> None:
    judge(town_readings, tmp_path)
    assert judge(town_readings, tmp_path).nothing_changed
    station = Substation.objects.order_by("code")[0]
    company, banner = station.company_id, station.banner_id
    asset = Asset.objects.create(
        code="G1", name="支线", kind="buried_pipe", company_id=company, banner_id=banner, owner="company", position="outside",
        handover="done", handed_over_on=date(2024, 9, 1), warranty="until", warranty_until=date(2026, 4, 15),
    )  # fmt: skip
    wrong = record_repair(
        code="W1",
        asset=asset,
        on=date(2026, 1, 10),
        category="repair",
        cost_fen=5000,
        charged_to="company",
        today=TODAY,
        actor=ACTOR,
    )
    report_nil(banner=banner, subject="arrears", season=SEASON, on=date(2025, 12, 1), signed_by=ACTOR, actor=ACTOR)
    assert not judge(town_readings, tmp_path).nothing_changed
    found = CurrentJudgement.objects.get(clause="2.7.3", subject=company)
    assert (found.verdict, found.item, found.banner_code, found.company_code) == ("breached", banner, banner, company)
    assert CurrentJudgement.objects.get(clause="3.2", subject=banner, item="arrears").verdict == "met"
    cell = BoardCell.objects.get(clause="2.7.3", column_level="company", column=company)
    assert (cell.colour, cell.number) == ("red", "1 家企业不达标")
    cancel_repair(wrong, why="列支单位写错", today=date(2026, 3, 1), actor=ACTOR)
    judge(town_readings, tmp_path)
    assert not CurrentJudgement.objects.filter(clause="2.7.3").exists()
    assert judge(town_readings, tmp_path).nothing_changed
