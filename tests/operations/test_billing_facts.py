"""What a tariff asks about a home: cards from a file, whole or not at all; stop-heat applications with their reasons."""

from datetime import date

import pytest

from billed_city import bill_everybody, prepare
from nuan.operations.billing_cards import record_cards
from nuan.operations.stop_heat import StopHeatError, apply_to_stop
from nuan.records.billing.models import BillingCard, StopHeatApplication
from nuan.records.registry.models import Contract, Home
from nuan.terms.findings import FindingsError
from small_city import SEASON


@pytest.fixture(autouse=True)
def town(city: None) -> None:
    prepare()


def take(text: str, encoding: str = "utf-8") -> int:
    return record_cards(text.encode(encoding), "cards.csv", season=SEASON, actor="周会计")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_file_of_cards(encoding: str) -> None:
    assert (
        take("户号,建筑面积,层高,用热量,用热量单位\nB001-1-0101,90.5,2.8,12.345,GJ\nB003-1-0101,,3.45,,\n", encoding)
        == 2
    )
    card = BillingCard.objects.get(home__code="B001-1-0101")
    assert (card.building_m2_100, card.ceiling_mm, card.heat_1000, card.heat_unit) == (9050, 2800, 12_345, "GJ")
    assert BillingCard.objects.get(home__code="B003-1-0101").heat_1000 is None, "an empty cell is no zero"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("户号,层高\nB999,2.8\n", "unknown_home"),
        ("户号,层高\nB001-1-0101,zwei\n", "not_a_number"),
        ("户号,层高\nB001-1-0101,-2.8\n", "not_a_number"),
        ("户号,用热量,用热量单位\nB001-1-0101,1,MWh\n", "unknown_unit"),
        ("户号,颜色\nB001-1-0101,红\n", "unknown_column"),
        ("层高\n2.8\n", "missing_column"),
    ],
)
def test_a_fault_refuses_the_whole_file(text: str, code: str) -> None:
    before = BillingCard.objects.count()
    with pytest.raises(FindingsError) as refused:
        take(text.rstrip("\n") + "\n")
    assert code in {each.code for each in refused.value.findings}
    assert BillingCard.objects.count() == before


def ask(home: str, on: date, *facts: str) -> StopHeatApplication:
    return apply_to_stop(Home.objects.get(code=home), season=SEASON, applied_on=on, facts=facts, actor="小李")


def test_an_application_in_time_stops_the_contract_and_a_refused_one_says_why() -> None:
    assert ask("B003-1-0101", date(2025, 9, 15)).accepted is True
    assert Contract.objects.get(home__code="B003-1-0101").stop_heat
    late = ask("B003-1-0201", date(2025, 9, 16), "arrears")
    assert (late.accepted, late.why) == (False, "有欠费未清；超过申请截止日 2025-09-15")
    assert not Contract.objects.get(home__code="B003-1-0201").stop_heat


def test_a_billed_home_cancels_its_bill_first() -> None:
    bill_everybody()
    with pytest.raises(StopHeatError, match="已有账单"):
        ask("B003-1-0101", date(2025, 9, 1))
