"""A season's fee from the place's price and the home's area; a price that changes within the season counts by its days."""

from datetime import date
from fractions import Fraction

from nuan.rules.pack import Pack
from nuan.terms.season import Season


def season_fee(pack: Pack, season: Season, area_m2_100: int, known_on: date | None = None) -> int | None:
    """Area × Σ(price × days) ÷ days of the season in whole fen, rounded once, half up; None where a price is 未载明.

    The days are the inclusive day count. A contract that names its fee needs no reckoning: this is for homes billed by the tariff.
    """
    periods = pack.parameter("tariff.price_home").periods(season.first_day, season.last_day, known_on)
    if any(answer.value is None for _, _, answer in periods):
        return None
    priced = sum(Fraction(str(answer.value)) * ((last - first).days + 1) for first, last, answer in periods)
    days = (season.last_day - season.first_day).days + 1
    # yuan → fen and 0.01 m² → m² cancel
    return int(priced * area_m2_100 / days + Fraction(1, 2))
