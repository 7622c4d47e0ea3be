"""Forms of 保障资金: looked at before written, changed with a reason that stays, who may and whose, and nothing private shown twice."""

from collections.abc import Callable

import pytest
from django.test import Client

from nuan.operations.support_entry import ENTRIES
from nuan.records.audit.models import AuditEntry
from nuan.records.support.models import Asset, Beneficiary, FundAccount, FundingSource, GovernmentDebt, SubsidyProgramme
from small_support import EVIDENCE

As = Callable[[str | None], Client]
pytestmark = pytest.mark.usefixtures("support_rows")
ASSET = {
    "code": "C01-N1", "name": "新支线", "kind": "buried_pipe", "company": "C01", "banner": "150602", "owner": "company", "position": "outside",
    "handover": "done", "handed_over_on": "2024-09-01", "warranty": "until", "warranty_until": "2026-04-15",
}  # fmt: skip
GIVEN: dict[str, dict[str, object]] = {
    "assets": ASSET,
    "fund_accounts": {"code": "F-9", "banner": "150602", "name": "第二账户", "opened_on": "2025-01-01"},
    "beneficiaries": {
        "code": "BT-9", "home": "B001-1-0201", "category": "destitute", "evidence_ref": "DB-2025-777", "valid_from": "2025-07-01", "valid_to": "2026-06-30",
    },
    "subsidy_programmes": {
        "code": "P9", "season": "2025-2026", "recorded_on": "2025-09-02", "name": "特困补贴", "banner": "150602", "categories": ["destitute", "low_income"],
        "amount_kind": "per_m2", "amount_yuan": "3.50", "reference_day": "2025-11-01", "payer": "财政局", "valid_from": "2025-10-01",
    },
    "debts": {
        "code": "QZ-9", "banner": "150602", "debtor": "住建局", "company": "C01", "kind": "coal_price", "amount_yuan": "1200.50", "incurred_on": "2024-01-05",
    },
    "funding": {
        "code": "ZJ-9", "name": "专项债", "banner": "150602", "kind": "bond", "committed_yuan": "100000", "valid_from": "2025-01-01",
    },
}  # fmt: skip


def body(answer: object) -> str:
    return answer.content.decode()  # type: ignore[attr-defined, no-any-return]


def seen_in(text: str) -> str:
    return text.split('name="seen" value="')[1].split('"')[0]


def write(client: Client, kind: str, given: dict[str, object], why: str = "") -> object:
    looked = client.post(f"/support/enter/{kind}/", given | {"step": "look"})
    return client.post(f"/support/enter/{kind}/", given | {"step": "save", "seen": seen_in(body(looked)), "why": why})


@pytest.mark.parametrize("kind", GIVEN)
def test_looked_at_then_written_once(as_cast: As, kind: str) -> None:
    client, model = as_cast("刘科"), ENTRIES[kind].model
    before = model._default_manager.count()
    looked = body(client.post(f"/support/enter/{kind}/", GIVEN[kind] | {"step": "look"}))
    assert "将登记" in looked, looked
    assert model._default_manager.count() == before
    for _ in range(2):
        assert write_again(client, kind, seen_in(looked)) in {302, 422}
    assert model._default_manager.count() == before + 1
    assert AuditEntry.objects.filter(act="enter_support_row").count() == 1
    assert str(GIVEN[kind]["code"]) in body(client.get(f"/support/enter/{kind}/"))


def write_again(client: Client, kind: str, seen: str) -> int:
    return int(client.post(f"/support/enter/{kind}/", GIVEN[kind] | {"step": "save", "seen": seen}).status_code)


def test_blind_and_wrong_forms_write_nothing(as_cast: As) -> None:
    client = as_cast("周会计")
    assert client.post("/support/enter/assets/", ASSET | {"step": "save", "seen": "x"}).status_code == 422
    for wrong in (
        {"warranty_until": ""}, {"handed_over_on": "gestern"}, {"kind": "Schloss"}, {"name": ""}, {"banner": "999999"}, {"code": ""},
    ):  # fmt: skip
        answer = client.post("/support/enter/assets/", ASSET | wrong | {"step": "look"})
        assert answer.status_code == 422, wrong
        assert 'class="small hot"' in body(answer) or 'role="alert"' in body(answer)
    assert not Asset.objects.filter(code="C01-N1").exists()


def test_a_change_needs_a_reason_and_keeps_what_was(as_cast: As) -> None:
    client = as_cast("周会计")
    write(client, "assets", ASSET)
    pk = Asset.objects.get(code="C01-N1").pk
    assert "新支线" in body(client.get(f"/support/enter/assets/?of={pk}"))
    changed = ASSET | {"warranty_until": "2027-04-15"}
    looked = body(client.post("/support/enter/assets/", changed | {"step": "look"}))
    assert "2026-04-15 → 2027-04-15" in looked
    assert client.post("/support/enter/assets/", changed | {"step": "save", "seen": seen_in(looked)}).status_code == 422
    assert write(client, "assets", changed, why="合同补充协议").status_code == 302  # type: ignore[attr-defined]
    row = AuditEntry.objects.filter(act="enter_support_row").latest("id")
    assert (row.why, row.details["changes"]) == ("合同补充协议", {"warranty_until": ["2026-04-15", "2027-04-15"]})
    assert "合同补充协议" in body(client.get(f"/support/enter/assets/?of={pk}"))


def test_what_somebody_else_wrote_meanwhile_is_not_overwritten(as_cast: As) -> None:
    client = as_cast("周会计")
    write(client, "assets", ASSET)
    changed = ASSET | {"name": "甲"}
    looked = body(client.post("/support/enter/assets/", changed | {"step": "look"}))
    Asset.objects.filter(code="C01-N1").update(owner="builder")
    late = client.post("/support/enter/assets/", changed | {"step": "save", "seen": seen_in(looked), "why": "改名"})
    assert late.status_code == 422
    assert Asset.objects.get(code="C01-N1").owner == "builder"


def test_who_may_write_and_whose(as_cast: As) -> None:
    for name, kind in (
        ("周会计", "debts"),
        ("周会计", "beneficiaries"),
        ("乌主任", "assets"),
        ("小李", "assets"),
        ("王阿姨", "debts"),
    ):
        assert as_cast(name).post(f"/support/enter/{kind}/", GIVEN[kind] | {"step": "look"}).status_code == 404
    assert as_cast("刘科").get("/support/enter/dances/").status_code == 404
    other = GovernmentDebt.objects.get(company="C02").pk
    assert as_cast("乌主任").get(f"/support/enter/debts/?of={other}").status_code == 404
    for elsewhere in (
        ("周会计", "assets", ASSET | {"company": "C02"}), ("周会计", "assets", ASSET | {"code": "C02-G1"}),
        ("乌主任", "debts", GIVEN["debts"] | {"banner": "150603"}), ("乌主任", "beneficiaries", GIVEN["beneficiaries"] | {"home": "B003-1-0101"}),
    ):  # fmt: skip
        name, kind, given = elsewhere
        assert as_cast(name).post(f"/support/enter/{kind}/", given | {"step": "look"}).status_code == 422
    assert Asset.objects.get(code="C02-G1").company_id == "C02"


def test_home_and_evidence_are_not_shown_again_and_stay(as_cast: As) -> None:
    client = as_cast("乌主任")
    found = Beneficiary.objects.filter(home__banner="150602").order_by("pk")[0]
    text = body(client.get(f"/support/enter/beneficiaries/?of={found.pk}"))
    assert EVIDENCE not in text
    assert f'value="{found.home.code}"' not in text
    given = {"code": found.code, "category": "special_care", "valid_from": "2025-07-01", "valid_to": "2026-06-30"}
    assert write(client, "beneficiaries", given, why="类别登记错").status_code == 302  # type: ignore[attr-defined]
    again = Beneficiary.objects.get(pk=found.pk)
    assert (again.category, again.evidence_ref, again.home_id) == ("special_care", EVIDENCE, found.home_id)
    assert EVIDENCE not in str(AuditEntry.objects.latest("id").details)


def test_a_programme_changes_by_a_later_version(as_cast: As) -> None:
    client = as_cast("刘科")
    write(client, "subsidy_programmes", GIVEN["subsidy_programmes"])
    same_day = GIVEN["subsidy_programmes"] | {"amount_yuan": "4.00"}
    assert client.post("/support/enter/subsidy_programmes/", same_day | {"step": "look"}).status_code == 422
    write(client, "subsidy_programmes", same_day | {"recorded_on": "2025-10-01"})
    rates = SubsidyProgramme.objects.filter(code="P9").order_by("recorded_on").values_list("rate", flat=True)
    assert list(rates) == [350, 400]
    assert FundAccount.objects.count() == FundingSource.objects.count() == 2
