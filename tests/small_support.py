"""The small city's money: one asset of each kind of answer, repairs, costs, a fund, subsidies, debts, funding and a plan in each banner."""

from datetime import date

from nuan.operations.support_arrears import adopt_plan, agree_settlement_plan, commit_funding, record_debt
from nuan.operations.support_costs import record_repair
from nuan.operations.support_funds import apply_fund, deposit_fund, open_fund
from nuan.operations.support_subsidies import set_programme
from nuan.records.accounts.models import User
from nuan.records.registry.models import Home
from nuan.records.support.models import Asset, Beneficiary, FundApplication, GovernmentDebt, LocalPlan

SEASON, TODAY = "2025-2026", date(2026, 1, 20)
EVIDENCE = "SL-150602-2025-00017"
PLACES = (("C01", "150602"), ("C02", "150603"))


def make_asset(code: str, company: str = "C01", banner: str = "150602", **changes: object) -> Asset:
    """A buried pipe of the company, handed over long ago, without warranty; `changes` say what is otherwise."""
    usual: dict[str, object] = {
        "name": f"{code} 管道", "kind": "buried_pipe", "owner": "company", "position": "outside", "handover": "done",
        "handed_over_on": date(2012, 9, 1), "warranty": "none",
    }  # fmt: skip
    return Asset.objects.create(code=code, company_id=company, banner_id=banner, **(usual | changes))


def build_support() -> None:
    for company, banner in PLACES:
        here = {"company": company, "banner": banner}
        pipe = make_asset(f"{company}-G1", **here)
        new = {
            "handed_over_on": date(2024, 9, 1),
            "warranty": "until",
            "warranty_until": date(2026, 4, 15),
            "builder": "示例置业",
        }
        fresh = make_asset(f"{company}-G2", **here, **new)
        indoor = {"position": "inside", "owner": "user", "kind": "indoor_pipe", "contract_ref": "第十条"}
        make_asset(f"{company}-G3", **here, **indoor)
        for number, (asset, charged) in enumerate(((pipe, "company"), (fresh, "company")), 1):
            record_repair(
                code=f"{company}-W{number}", asset=asset, on=date(2026, 1, 10), category="repair", cost_fen=100_000 * number,
                charged_to=charged, today=TODAY, actor="周会计",
            )  # fmt: skip
        account = open_fund(
            code=f"{banner}-F", banner=banner, name="保障资金", opened_on=date(2025, 1, 1), actor="刘科"
        )
        deposit_fund(
            code=f"{banner}-F1", account=account, amount_fen=1_000_000, on=date(2025, 2, 1), reference="", actor="刘科"
        )
        by = User.objects.get(username="周会计" if company == "C01" else "刘科")
        apply_fund(
            code=f"{company}-A1",
            account=account,
            asset=pipe,
            work="renewal",
            amount_fen=600_000,
            reason="腐蚀",
            on=TODAY,
            by=by,
        )
        _subsidy(banner)
        debt = record_debt(
            {
                "code": f"{company}-D1", "banner_id": banner, "debtor": "住建局", "company_id": company, "kind": "works",
                "amount_fen": 900_000, "incurred_on": date(2023, 6, 1), "due_on": date(2024, 12, 31),
            },
            actor="刘科",
        )  # fmt: skip
        parts = [(date(2026, 6, 30), 400_000), (date(2026, 12, 31), 500_000)]
        agree_settlement_plan(
            debt=debt, agreed_on=date(2025, 10, 1), signed_by="双方", document="", parts=parts, actor="刘科"
        )
        commit_funding(
            {
                "code": f"{banner}-Z1", "name": "供热专项预算", "banner_id": banner, "kind": "budget", "committed_fen": 500_000,
                "valid_from": date(2025, 1, 1), "valid_to": date(2026, 12, 31),
            },
            actor="刘科",
        )  # fmt: skip
        task = {"text": "摸排困难家庭", "owner": "民政局", "due_on": date(2025, 12, 31), "done_on": None}
        values = {"code": f"{banner}-P", "banner_id": banner, "season": SEASON, "title": "实施方案", "first_responsible": "主要负责人",
                  "approved_on": date(2025, 9, 1)}  # fmt: skip
        adopt_plan(values, [task], actor="刘科")


def _subsidy(banner: str) -> None:
    set_programme(
        {
            "code": f"P{banner[-1]}", "name": "低保补贴", "banner_id": banner, "season": SEASON, "categories": ["low_income"],
            "amount_kind": "fixed", "rate": 60_000, "reference_day": date(2025, 11, 1), "due_on": date(2025, 12, 15), "payer": "财政局",
            "valid_from": date(2025, 10, 1), "recorded_on": date(2025, 9, 1),
        },
        actor="刘科",
    )  # fmt: skip
    for home in Home.objects.filter(banner=banner).order_by("code")[:2]:
        Beneficiary.objects.create(
            code=f"BT-{home.code}", home=home, category="low_income", evidence_ref=EVIDENCE, valid_from=date(2025, 7, 1),
            valid_to=date(2026, 6, 30),
        )  # fmt: skip


def row_of(page: str) -> int:
    """The key of the row of 东胜 and C01 that a page is about."""
    models = {
        "fund_application": FundApplication.objects.filter(company="C01"),
        "beneficiary": Beneficiary.objects.filter(home__banner="150602"),
        "debt": GovernmentDebt.objects.filter(company="C01"),
        "local_plans": LocalPlan.objects.filter(banner="150602"),
    }
    return int(models[page].order_by("pk").values_list("pk", flat=True)[0])
