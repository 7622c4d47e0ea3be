"""A fee from the tariff: area times price, by days where the price changes."""

from datetime import date, timedelta
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from nuan.policies.refunds.fee import season_fee
from nuan.rules.pack import contract_layer, load_pack
from nuan.terms.season import SeasonRule

SEASON = SeasonRule(10, 15, 4, 15).season(2025)


def test_one_price() -> None:
    assert season_fee(load_pack("demo-city"), SEASON, 8_950) == 214_800


def test_a_place_without_a_price_has_no_fee() -> None:
    assert season_fee(load_pack("directive"), SEASON, 8_950) is None


@given(st.integers(1, 100_000), st.integers(1, 182), st.integers(1, 9_999), st.integers(1, 9_999))
def test_each_day_at_its_price(area_m2_100: int, change: int, old_fen: int, new_fen: int) -> None:
    day: date = SEASON.first_day + timedelta(change)
    prices = [{"value": f"{old_fen / 100:.2f}", "to": day}, {"value": f"{new_fen / 100:.2f}", "from": day}]
    pack = load_pack("directive", above=[contract_layer({"tariff.price_home": prices})])
    daily = sum(Fraction(old_fen if number < change else new_fen, 183) for number in range(183))
    assert season_fee(pack, SEASON, area_m2_100) == int(daily * area_m2_100 / 100 + Fraction(1, 2))
