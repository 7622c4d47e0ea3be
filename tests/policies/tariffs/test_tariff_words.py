"""What a tariff says in words, what it refuses and why; the tariff and the old season fee are one number."""

from datetime import date

import pytest

from nuan.policies.refunds.fee import season_fee
from nuan.policies.tariffs.billing import bill
from nuan.policies.tariffs.columns import BilledHomes
from nuan.policies.tariffs.tariff import TariffValueError, tariff
from nuan.policies.tariffs.working import reason_words, working
from nuan.rules.pack import Pack, contract_layer, load_pack, pack_names
from nuan.terms.season import SeasonRule

SEASON = SeasonRule(10, 15, 4, 15).season(2025)


def above(**values: object) -> Pack:
    return load_pack("demo-city", above=[contract_layer({key.replace("__", "."): v for key, v in values.items()})])


def told(pack: Pack, **given: object) -> list[str]:
    lines, _ = working(BilledHomes.of(1, **given), tariff(pack, SEASON))
    return [f"{line.label_zh}：{line.working_zh}" for line in lines]


def test_area_and_height_in_words() -> None:
    assert told(load_pack("demo-city"), area_m2_100=[9050], ceiling_mm=[3450]) == [
        "面积热费：90.5 m² × 24 元/m²·季 = 2,172.00 元",
        "超高加收：层高 3.45 m，超过 3.2 m 计 2 档（每 0.1 m），每档 3 % = 130.32 元",
    ]


def test_a_stopped_home_in_words() -> None:
    assert told(load_pack("demo-city"), area_m2_100=[9050], stopped=[True]) == [
        "停热基本热费：90.5 m² × 24 元/m²·季 × 停热 20 % = 434.40 元"
    ]


def test_two_parts_and_the_cap_in_words() -> None:
    assert told(load_pack("demo-city"), area_m2_100=[9050], metered=[True], heat_1000=[12_000_000]) == [
        "基本热费：90.5 m² × 7.2 元/m²·季 = 651.60 元",
        "计量热费：12000 kWh × 0.16 元/kWh = 1,920.00 元",
        "计量收费封顶减免：两部制合计超过按面积收费额的上限（超出部分不高于 10 %），超出的减免 = -182.40 元",
    ]


def test_a_change_of_price_is_two_lines_with_their_days() -> None:
    price = [{"value": 24, "from": date(2000, 1, 1), "to": date(2026, 1, 1)}, {"value": 30, "from": date(2026, 1, 1)}]
    assert told(above(tariff__price_home=price), area_m2_100=[10_000]) == [
        "面积热费：100 m² × 24 元/m²·季 × 78/183 天（2025-10-15 至 2025-12-31） = 1,022.95 元",
        "面积热费：100 m² × 30 元/m²·季 × 105/183 天（2026-01-01 至 2026-04-15） = 1,721.31 元",
    ]


def test_the_unit_that_the_law_quotes_is_kept() -> None:
    """0.16 yuan/kWh is published as 44.45 yuan/GJ and is exactly 44.44…: neither is made from the other."""
    by_kwh = told(above(), area_m2_100=[1], metered=[True], heat_1000=[36_000], heat_unit=[1])
    assert "36 GJ（× 2500/9 折 kWh） × 0.16 元/kWh = 1,600.00 元" in by_kwh[1]
    by_gj = above(tariff__metered_unit="GJ", tariff__metered_price_home="44.45")
    told_by_gj = told(by_gj, area_m2_100=[1], metered=[True], heat_1000=[36_000], heat_unit=[1])
    assert "36 GJ × 44.45 元/GJ = 1,600.20 元" in told_by_gj[1]


def test_the_season_fee_of_the_refunds_is_the_area_charge() -> None:
    price = [
        {"value": "23.7", "from": date(2000, 1, 1), "to": date(2026, 2, 3)},
        {"value": "30.1", "from": date(2026, 2, 3)},
    ]
    pack = above(tariff__price_home=price)
    for area in (1, 77, 9_050, 12_345):
        assert bill(BilledHomes.of(1, area_m2_100=[area]), tariff(pack, SEASON)).total_fen[0] == season_fee(
            pack, SEASON, area
        )


@pytest.mark.parametrize("name", [each for each in pack_names() if each != "demo-city"])
def test_no_law_that_we_know_states_a_price_so_nothing_is_billed(name: str) -> None:
    pack = load_pack(name)
    billed = bill(BilledHomes.of(1, area_m2_100=[9050], inner_m2_100=[8000]), tariff(pack, SEASON))
    assert billed.refused[0]
    assert billed.total_fen[0] == 0
    assert next(iter(billed.why)).startswith("tariff.")
    assert reason_words(next(iter(billed.why)), pack).startswith("未载明：")


def test_a_stopped_home_where_the_law_says_free_owes_nothing() -> None:
    pack = load_pack(
        "shandong",
        above=[
            contract_layer({"tariff.price_home": 26, "tariff.unit": "per_m2_season", "tariff.area_kind": "building"})
        ],
    )
    billed = bill(BilledHomes.of(1, area_m2_100=[9050], stopped=[True]), tariff(pack, SEASON))
    assert (billed.total_fen[0], bool(billed.refused[0])) == (0, False)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        pytest.param({"tariff__base_price_home": "7.21"}, "base_share_exceeded", id="基本热价超过三成"),
        pytest.param({"tariff__metered_over_area_max": {"value": None}}, "tariff.metered_over_area_max", id="封顶未载明"),
        pytest.param({"tariff__metered_price_home": {"value": None}}, "tariff.metered_price_home", id="计量热价未载明"),
    ],
)  # fmt: skip
def test_metered_homes_that_cannot_be_billed(given: dict[str, object], why: str) -> None:
    homes = BilledHomes.of(2, area_m2_100=[9050, 9050], metered=[True, False], heat_1000=[1000, 0])
    billed = bill(homes, tariff(above(**given), SEASON))
    assert {code: mask.tolist() for code, mask in billed.why.items()} == {why: [True, False]}, (
        "the other home is billed"
    )


def test_missing_is_not_zero() -> None:
    homes = BilledHomes.of(3, area_m2_100=[-1, 0, 9050], metered=[False, False, True])
    billed = bill(homes, tariff(load_pack("demo-city"), SEASON))
    assert {code: mask.tolist() for code, mask in billed.why.items()} == {
        "area_unknown": [True, False, False], "area_not_positive": [False, True, False], "heat_unknown": [False, False, True],
    }  # fmt: skip


@pytest.mark.parametrize(
    "given",
    [{"tariff__unit": "per_m2_week"}, {"tariff__area_kind": "gross"}, {"tariff__price_home": "vierundzwanzig"}, {"tariff__price_home": -1},
     {"tariff__height_step_m": {"value": None}}, {"tariff__metered_unit": "MWh"}],
)  # fmt: skip
def test_a_tariff_that_cannot_be_is_refused(given: dict[str, object]) -> None:
    with pytest.raises(TariffValueError):
        tariff(above(**given), SEASON)
