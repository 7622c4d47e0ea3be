"""Assets, repairs, costs, beneficiaries, debts and funding come in by file: all findings at once, the same file twice changes nothing."""

from pathlib import Path

import polars as pl
import pytest

from nuan.operations.import_registry import import_registry
from nuan.operations.registry_files import read_registry
from nuan.records.support.models import (
    Asset,
    Beneficiary,
    CostEntry,
    DebtPayment,
    GovernmentDebt,
    PlanTask,
    Repair,
    SubsidyProgramme,
)

pytestmark = pytest.mark.django_db
FILES = {
    "供热设施.csv": "设施编号,设施名称,种类,供热企业,旗区,产权人,位置,移交,移交日期,保修,保修至\n"
    "G1,支线,直埋管道,C01,150602,供热企业,以外,已移交,2023-09-01,有保修期,2026-04-15\n"
    "G2,户内管,户内管道,C01,150602,热用户,以内,未登记,,未登记,\n",
    "维修记录.csv": "维修编号,设施,日期,类别,费用,实际列支\nW1,G1,2026-01-10,维修,\"8,600.50\",供热企业\n",
    "供热成本.csv": "凭证编号,供热企业,旗区,设施,维修编号,日期,类别,金额,列入定价成本\n"
    "K1,C01,150602,G1,W1,2026-01-10,维修,8600.50,是\nK2,C01,150602,,,2026-01-31,燃料,100000,是\n",
    "补贴对象.csv": "对象编号,户号,类别,证明编号,有效期起,有效期止\nB1,B001-1-0101,低保,DB-2025-000123,2025-07-01,2026-06-30\n",
    "政府欠账.csv": "欠账编号,旗区,欠款单位,供热企业,种类,金额,发生日,应付日\nD1,150602,住建局,C01,工程费,900000,2023-06-01,2024-12-31\n",
    "欠账偿还.csv": "偿还编号,欠账,金额,日期\nQ1,D1,300000,2025-06-30\n",
    "资金来源.csv": "资金编号,资金名称,旗区,种类,承诺金额,起,止\nZ1,专项预算,150602,财政预算,5000000,2025-01-01,2026-12-31\n",
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, city: None) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def take_in(folder: Path, **changes: str) -> object:
    for name, text in changes.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    frames, findings = read_registry(folder)
    assert findings == []
    return import_registry(frames, actor="刘科", source="test")


def test_chinese_files_come_in_and_the_second_time_changes_nothing(folder: Path) -> None:
    first = take_in(folder)
    assert first.ok, first.findings  # type: ignore[attr-defined]
    pipe = Asset.objects.get(code="G1")
    assert (pipe.owner, pipe.position, str(pipe.warranty_until)) == ("company", "outside", "2026-04-15")
    assert Repair.objects.get().cost_fen == 860_050
    assert CostEntry.objects.get(code="K1").repair == Repair.objects.get()
    assert Beneficiary.objects.get().category == "low_income"
    assert DebtPayment.objects.get().debt == GovernmentDebt.objects.get()
    again = take_in(folder)
    assert again.total.created == again.total.changed == 0  # type: ignore[attr-defined]
    assert again.total.unchanged == 9  # type: ignore[attr-defined]


def codes(report: object) -> set[tuple[str, str]]:
    return {(finding.where, finding.code) for finding in report.findings}  # type: ignore[attr-defined]


def test_everything_wrong_is_told_at_once_and_nothing_is_written(folder: Path) -> None:
    report = take_in(
        folder,
        供热设施="设施编号,设施名称,种类,供热企业,旗区,移交,移交日期\nG1,支线,直埋管道,C01,150602,已移交,\n",
        维修记录="维修编号,设施,日期,类别,费用\nW1,G7,2026-01-10,维修,0\n",
        补贴对象="对象编号,户号,类别,证明编号,有效期起,有效期止\nB1,B001-1-0101,低保,DB,2025-07-01,2024-06-30\n",
        政府欠账="欠账编号,旗区,欠款单位,供热企业,种类,金额,发生日\nD1,150602,住建局,C09,工程费,900000,2023-06-01\n",
    )
    found = codes(report)
    assert {
        ("assets", "contradiction"),
        ("repairs", "zero"),
        ("beneficiaries", "backwards"),
        ("debts", "unknown_place"),
    } <= found
    assert not Asset.objects.exists()


def test_money_rows_that_changed_in_the_file_are_refused(folder: Path) -> None:
    take_in(folder)
    report = take_in(folder, 维修记录="维修编号,设施,日期,类别,费用,实际列支\nW1,G1,2026-01-10,维修,9999,供热企业\n")
    assert {code for _, code in codes(report)} == {"recorded_otherwise"}
    assert Repair.objects.get().cost_fen == 860_050


def test_more_paid_than_owed_is_a_finding_and_the_whole_import_stays_out(folder: Path) -> None:
    report = take_in(folder, 欠账偿还="偿还编号,欠账,金额,日期\nQ1,D1,300000,2025-06-30\nQ2,D1,600001,2025-07-30\n")
    assert {code for _, code in codes(report)} == {"refused"}
    assert not GovernmentDebt.objects.exists()


def test_one_home_registered_twice_is_told_but_comes_in(folder: Path) -> None:
    rows = "B1,B001-1-0101,低保,DB-1,2025-07-01,2026-06-30\nB2,B001-1-0101,特困,DB-2,2026-01-01,2026-12-31\n"
    report = take_in(folder, 补贴对象=f"对象编号,户号,类别,证明编号,有效期起,有效期止\n{rows}")
    assert ("beneficiaries", "double_home") in codes(report)
    assert Beneficiary.objects.count() == 2


def test_programmes_accounts_and_plans_come_in_by_file(folder: Path) -> None:
    programmes = (
        "项目编号,供暖季,登记日,项目名称,旗区,对象类别,计算方式,补贴标准元,热费比例,上限,认定日,应付日,付款单位,起\n"
        "F1,2025-2026,2025-09-01,低保补贴,150602,低保、特困,定额,600,,,2025-11-01,2025-12-15,财政局,2025-10-01\n"
        "S1,2025-2026,2025-09-01,机构补贴,150602,公益性机构,按热费比例,,20.5,1000,2025-11-01,,财政局,2025-10-01\n"
    )
    report = take_in(
        folder,
        补贴项目=programmes,
        保障资金账户="账户编号,旗区,账户名称,设立日\nBZ,150602,保障资金,2024-03-01\n",
        实施方案="方案编号,旗区,供暖季,方案名称,第一责任人,批准日\nFA,150602,2025-2026,方案,旗长,2025-09-05\n",
        任务清单="方案,序号,任务,责任人,期限\nFA,1,拨付补贴,财政局,2025-11-30\n",
    )
    assert report.ok, report.findings  # type: ignore[attr-defined]
    fixed, share = SubsidyProgramme.objects.order_by("code")
    assert (fixed.rate, fixed.categories, fixed.cap_fen) == (60_000, ["low_income", "destitute"], None)
    assert (share.rate, share.categories, share.cap_fen) == (205, ["welfare"], 100_000)
    PlanTask.objects.update(done_on="2025-11-28", evidence="纪要")
    again = take_in(folder)
    assert again.total.created == again.total.changed == 0  # type: ignore[attr-defined]
    assert PlanTask.objects.get().evidence == "纪要"
    report = take_in(folder, 补贴项目=programmes.replace("低保、特困", "低保、学生").replace("20.5", ""))
    assert codes(report) == {("subsidy_programmes", "unknown_word"), ("subsidy_programmes", "empty")}


def test_a_word_means_what_its_column_asks(city: None) -> None:
    """供热企业 is the owner of an asset here and the cause of an outage there."""
    frame = pl.DataFrame(
        {
            "code": ["O9"],
            "level": ["换热站"],
            "place": ["H01-S01"],
            "started_at": ["2026-01-10 08:00"],
            "cause": ["供热企业"],
        }
    )
    assert import_registry({"outages": frame}, actor="刘科").ok
