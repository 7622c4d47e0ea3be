"""The money pages at work: the payer before saving, two people for a fund, evidence for a reason, workbooks with formulas and without doors."""

import io
from collections.abc import Callable
from datetime import date

import pytest
from django.apps import apps
from django.test import Client
from openpyxl import load_workbook

from nuan.operations.support_costs import record_repair
from nuan.operations.workbooks import Fen, Formula, Sheet, workbook
from nuan.policies.support.arrears import AGES
from nuan.records.audit.models import AuditEntry
from nuan.records.registry.models import Home
from nuan.records.support.models import (
    Asset,
    Beneficiary,
    DebtPayment,
    FundApplication,
    FundingSource,
    FundMovement,
    GovernmentDebt,
    NilReport,
    PlanTask,
    Repair,
    SubsidyPayment,
)
from nuan.web import support_words
from nuan.web.wording import english
from small_support import EVIDENCE, make_asset, row_of

As = Callable[[str | None], Client]
pytestmark = pytest.mark.usefixtures("support_rows")
REPAIR = {
    "asset": "C01-G2",
    "on": "2026-01-15",
    "category": "repair",
    "cost": "120.50",
    "charged_to": "company",
    "code": "W-new",
}


def body(answer: object) -> str:
    return answer.content.decode()  # type: ignore[attr-defined, no-any-return]


def test_the_payer_and_the_reason_stand_there_before_anything_is_saved(as_cast: As) -> None:
    client, before = as_cast("周会计"), Repair.objects.count()
    looked = body(client.post("/support/repairs/", REPAIR | {"step": "look"}))
    assert "已移交，尚在保修期内：建设单位承担" in looked
    assert "登记后会被判为列错" in looked
    assert 'name="seen" value="builder_in_warranty"' in looked
    assert Repair.objects.count() == before
    blind = client.post("/support/repairs/", REPAIR | {"step": "save"})
    assert blind.status_code == 422
    assert "请先看由谁承担" in body(blind)
    saved = client.post(
        "/support/repairs/", REPAIR | {"step": "save", "seen": "builder_in_warranty", "charged_to": "builder"}
    )
    assert saved.status_code == 302
    assert Repair.objects.get(code="W-new").cost_fen == 12_050


@pytest.mark.parametrize(
    "change",
    [
        {"cost": "12.345"},
        {"cost": "0"},
        {"on": "gestern"},
        {"code": ""},
        {"code": "C01-W1"},
        {"on": "2099-01-01", "seen": "company_after_warranty"},
    ],
    ids=["three decimals", "nothing", "no date", "no number", "taken", "not yet"],
)
def test_a_form_that_is_wrong_says_so_and_writes_nothing(as_cast: As, change: dict[str, str]) -> None:
    before = Repair.objects.count()
    answer = as_cast("周会计").post(
        "/support/repairs/", REPAIR | {"step": "save", "seen": "builder_in_warranty"} | change
    )
    assert answer.status_code == 422
    assert 'role="alert"' in body(answer)
    assert Repair.objects.count() == before


def test_who_may_write_and_whose(as_cast: As) -> None:
    assert (
        as_cast("乌主任")
        .post("/support/repairs/", REPAIR | {"step": "save", "seen": "builder_in_warranty"})
        .status_code
        == 404
    )
    foreign = REPAIR | {"asset": "C02-G1", "step": "save", "seen": "company_after_warranty"}
    assert as_cast("周会计").post("/support/repairs/", foreign).status_code == 422
    assert (
        as_cast("周会计")
        .post(f"/support/arrears/{row_of('debt')}/", {"code": "Q", "amount": "1", "on": "2026-01-10"})
        .status_code
        == 404
    )
    assert (
        as_cast("周会计")
        .post(f"/support/funds/applications/{row_of('fund_application')}/", {"answer": "approve", "why": "x"})
        .status_code
        == 404
    )
    other = GovernmentDebt.objects.get(company="C02").pk
    for person in ("周会计", "乌主任"):
        assert as_cast(person).get(f"/support/arrears/{other}/").status_code == 404
    assert not DebtPayment.objects.exists()


def test_everybody_sees_their_own_part_only(as_cast: As) -> None:
    for path in ("/support/repairs/", "/support/arrears/", "/support/costs/"):
        for person in ("周会计", "乌主任"):
            text = body(as_cast(person).get(path))
            assert "C01-" in text or "暖阳热力" in text
            assert "C02-" not in text
            assert "远山供热" not in text
        assert "C02-" in body(as_cast("刘科").get(path))


def test_an_application_is_decided_by_two_and_paid(as_cast: As) -> None:
    path = f"/support/funds/applications/{row_of('fund_application')}/"
    assert as_cast("乌主任").post(path, {"answer": "approve", "why": "现场核实"}).status_code == 302
    assert "待审批" in body(as_cast("乌主任").get(path))
    as_cast("乌主任").post(path, {"answer": "approve", "why": "再来一次"})
    early = {"spend": "1", "code": "S1", "amount": "6000", "on": "2026-01-20"}
    as_cast("刘科").post(path, early)
    assert not FundMovement.objects.filter(kind="spending").exists()
    as_cast("刘科").post(path, {"answer": "approve", "why": "同意"})
    assert "已批准" in body(as_cast("周会计").get(path))
    as_cast("刘科").post(path, early)
    assert FundMovement.objects.get(kind="spending").amount_fen == -600_000


def test_an_application_inside_is_told_to_be_refused_before_it_is_handed_in(as_cast: As) -> None:
    form = {"asset": "C01-G3", "work": "repair", "amount": "100", "code": "A-in", "reason": "漏水"}
    looked = body(as_cast("周会计").post("/support/funds/", form | {"step": "look"}))
    assert "不予受理" in looked
    assert "专项用于热用户分户终端计量装置或者入户端口以外" in looked
    as_cast("周会计").post("/support/funds/", form | {"step": "save", "seen": "inside"})
    made = FundApplication.objects.get(code="A-in")
    page = body(as_cast("刘科").get(f"/support/funds/applications/{made.pk}/"))
    assert "不予受理" in page
    as_cast("刘科").post(f"/support/funds/applications/{made.pk}/", {"answer": "approve", "why": "x"})
    assert not made.decisions.exists()


def test_evidence_is_hidden_until_somebody_says_why(as_cast: As) -> None:
    path = f"/support/subsidies/{row_of('beneficiary')}/"
    client = as_cast("乌主任")
    assert EVIDENCE not in body(client.get(path))
    assert EVIDENCE not in body(client.post(path, {"open": "1", "reason": " "}))
    assert EVIDENCE in body(client.post(path, {"open": "1", "reason": "核对低保名册"}))
    assert AuditEntry.objects.latest("id").why == "核对低保名册"
    other = Beneficiary.objects.filter(home__banner="150603")[0].pk
    assert client.get(f"/support/subsidies/{other}/").status_code == 404


def test_a_subsidy_is_paid_on_the_page_and_shown_to_the_resident(as_cast: As) -> None:
    found = Beneficiary.objects.get(home__code="B001-1-0101")
    resident = as_cast("王阿姨")
    assert "逾期未付" in body(resident.get("/my-home/?at=2026-01-20"))
    paid = {"programme": "P2", "code": "BF1", "amount": "600", "on": "2026-01-19", "reference": "一卡通"}
    as_cast("乌主任").post(f"/support/subsidies/{found.pk}/", paid)
    assert SubsidyPayment.objects.get().amount_fen == 60_000
    page = body(resident.get("/my-home/?at=2026-01-20"))
    assert "已付清" in page
    assert "低保补贴" in page
    assert EVIDENCE not in page
    as_cast("乌主任").post(f"/support/subsidies/{found.pk}/", paid | {"code": "BF2", "amount": "0.01"})
    assert SubsidyPayment.objects.count() == 1


def test_a_debt_gets_a_plan_and_a_payment(as_cast: As) -> None:
    path, client = f"/support/arrears/{row_of('debt')}/", as_cast("乌主任")
    plan = {"plan": "1", "agreed_on": "2026-01-20", "signed_by": "双方", "due_1": "2026-06-30", "amount_1": "9000"}
    client.post(path, plan)
    found = GovernmentDebt.objects.get(company="C01")
    assert found.plans.count() == 2
    client.post(path, plan | {"amount_1": "8999"})
    assert found.plans.count() == 2
    client.post(path, {"code": "Q1", "amount": "4000", "on": "2026-01-20"})
    client.post(path, {"code": "Q1", "amount": "1", "on": "2026-01-20"})
    assert found.payments.get().amount_fen == 400_000


def test_tasks_nil_reports_and_uses_of_money(as_cast: As) -> None:
    client = as_cast("乌主任")
    assert "逾期" in body(client.get("/support/plans/?at=2026-01-20"))
    task = PlanTask.objects.get(plan__banner="150602")
    client.post("/support/plans/", {"task": task.pk, "evidence": "纪要", "done_on": "2026-01-10"})
    task.refresh_from_db()
    assert task.done_on == date(2026, 1, 10)
    client.post("/support/plans/", {"nil": "1", "banner": "150602", "subject": "fund", "reference": ""})
    assert NilReport.objects.get().signed_by == "乌主任"
    assert client.post("/support/plans/", {"nil": "1", "banner": "150603", "subject": "fund"}).status_code == 404
    source = {"source": "1", "code": "U1", "amount": "1", "on": "2026-01-10", "purpose": "管网"}
    own, other = FundingSource.objects.get(banner="150602").pk, FundingSource.objects.get(banner="150603").pk
    assert client.post("/support/funding/", source | {"source": other}).status_code == 404
    client.post("/support/funding/", source | {"source": own})
    assert FundingSource.objects.get(pk=own).uses.get().amount_fen == 100


KINDS = ("repairs", "costs", "subsidies", "arrears", "funding")


@pytest.mark.parametrize("kind", KINDS)
def test_a_workbook_sums_by_formulas_and_names_nobody(as_cast: As, kind: str) -> None:
    answer = as_cast("刘科").get(f"/support/files/{kind}.xlsx?at=2026-01-20")
    assert answer.status_code == 200
    cells = [cell for sheet in load_workbook(io.BytesIO(answer.content)) for row in sheet.iter_rows() for cell in row]
    assert any(isinstance(cell.value, str) and cell.value.startswith("=SUM(") for cell in cells)
    text = " ".join(str(cell.value) for cell in cells)
    for home in Home.objects.all():
        assert home.door not in text.split()
        assert home.code not in text
    assert "王秀兰" not in text
    assert EVIDENCE not in text


def test_workbooks_are_for_whom_their_pages_are(as_cast: As) -> None:
    for kind in ("subsidies", "funding"):
        assert as_cast("周会计").get(f"/support/files/{kind}.xlsx").status_code == 404
    assert as_cast("刘科").get("/support/files/secrets.xlsx").status_code == 404
    answer = as_cast("周会计").get("/support/files/arrears.xlsx?at=2026-01-20")
    text = " ".join(
        str(c.value) for sheet in load_workbook(io.BytesIO(answer.content)) for row in sheet.iter_rows() for c in row
    )
    assert "C01-D1" in text
    assert "C02-D1" not in text


def test_a_cell_is_never_a_formula_of_somebody_else(as_cast: As) -> None:
    make_asset("X", name='=HYPERLINK("http://example.com")')
    asset = Asset.objects.get(code="X")
    Repair.objects.create(
        code="=1+1",
        asset=asset,
        on=date(2026, 1, 10),
        category="repair",
        cost_fen=5,
        charged_to="company",
        recorded_by="x",
    )
    content = as_cast("刘科").get("/support/files/repairs.xlsx?at=2026-01-20").content
    formulas = [
        c.value
        for sheet in load_workbook(io.BytesIO(content))
        for row in sheet.iter_rows()
        for c in row
        if c.data_type == "f"
    ]
    assert formulas
    assert all(value.startswith("=SUM(") for value in formulas)


def test_money_and_missing_in_a_workbook() -> None:
    rows = [[Fen(12_345), 1], [Fen(None), None], [Formula("=A{row}*2"), "-x"]]
    page = load_workbook(io.BytesIO(workbook([Sheet("t", ["a", "b"], rows, ["a"], ["note"])])))["t"]
    assert [page.cell(row, 1).value for row in range(1, 7)] == ["note", "a", 123.45, None, "=A5*2", "=SUM(A3:A5)"]
    assert page.cell(5, 2).value == "'-x"


def test_every_label_of_the_records_has_english() -> None:
    labels = {zh for _, _, zh, _ in AGES}
    for model in apps.get_app_config("support").get_models():
        for column in model._meta.get_fields():
            labels |= {str(words) for _, words in getattr(column, "choices", None) or []}
    for table in (getattr(support_words, name) for name in dir(support_words) if name.endswith("_STATES")):
        labels |= {words for words, _ in table.values()}
    assert len(labels) > 60
    assert sorted(labels - set(english())) == []


BOUNDS = [
    ("/support/", 36), ("/support/repairs/", 14), ("/support/costs/", 24), ("/support/funds/", 22), ("/support/subsidies/", 24),
    ("/support/arrears/", 22), ("/support/funding/", 12), ("/support/plans/", 12),
]  # fmt: skip


@pytest.mark.parametrize(("path", "most"), BOUNDS, ids=[path for path, _ in BOUNDS])
def test_queries_do_not_grow_with_the_rows(as_cast: As, django_assert_max_num_queries, path: str, most: int) -> None:  # type: ignore[no-untyped-def]
    client = as_cast("刘科")
    for number in range(12):
        asset = make_asset(f"N{number}")
        Repair.objects.create(
            code=f"N{number}",
            asset=asset,
            on=date(2026, 1, 10),
            category="repair",
            cost_fen=5,
            charged_to="company",
            recorded_by="x",
        )
        home = Home.objects.order_by("-code")[number % 6]
        Beneficiary.objects.create(
            code=f"N{number}", home=home, category="low_income", evidence_ref="x", valid_from=date(2025, 1, 1)
        )
        GovernmentDebt.objects.create(
            code=f"N{number}",
            banner_id="150602",
            debtor="d",
            company_id="C01",
            kind="works",
            amount_fen=5,
            incurred_on=date(2024, 1, 1),
        )
    with django_assert_max_num_queries(most):
        assert client.get(path + "?at=2026-01-20").status_code == 200


@pytest.mark.parametrize(("path", "most"), BOUNDS, ids=[path for path, _ in BOUNDS])
def test_pages_speak_english_too(as_cast: As, path: str, most: int) -> None:
    client = as_cast("刘科")
    client.post("/i18n/setlang/", {"language": "en", "next": path})
    assert client.get(path + "?at=2026-01-20").status_code == 200


def test_the_cost_of_supply_for_the_year_and_for_the_season_alone(as_cast: As) -> None:
    asset = Asset.objects.get(code="C01-G1")
    summer = {
        "on": date(2025, 7, 1),
        "category": "upkeep",
        "cost_fen": 50_000,
        "charged_to": "company",
        "today": date(2026, 1, 20),
        "actor": "x",
    }
    record_repair(code="summer", asset=asset, **summer)  # type: ignore[arg-type]
    client = as_cast("周会计")
    # 1 000 of G1 in winter belong, 2 000 of G2 are the builder's, 500 in summer belong
    assert "1,500.00 元" in body(client.get("/support/costs/?at=2026-01-20"))
    season = body(client.get("/support/costs/?at=2026-01-20&span=season"))
    assert "1,000.00 元" in season
    assert "1,500.00 元" not in season
    assert "summer" not in season
